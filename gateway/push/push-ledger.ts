import type { BookingId, EventId, UserId } from "../../engine/ids.ts";
import {
  PUSH_DELIVERIES_KEPT_MS,
  PUSH_REFUSALS_MAX,
  PUSH_SWEEP_ROWS_MAX,
} from "../../engine/push-limits.ts";
import type { Queries } from "../tenancy/database.ts";

/** A browser that is to be told something. */
export interface OpenPush {
  readonly id: string;
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
  /** Unix ms; null: until its push service says so. */
  readonly expiresMs: number | null;
  /** Those that failed before. */
  readonly tries: number;
}

interface OpenRow extends Omit<OpenPush, "expiresMs"> {
  readonly expires_ms: string | null;
}

/** Of one browser, and what it is told. */
export interface PushNote {
  readonly subscriptionId: string;
  readonly cause: string;
  readonly nowMs: number;
}

interface Subject {
  readonly eventId: EventId;
  readonly id: string;
}

/** Who is told in which browser, and what of it was done: as the owner of the tables. */
export class PushLedger {
  readonly #rows: Queries;

  constructor(rows: Queries) {
    this.#rows = rows;
  }

  /** Whose these are, by their ids; without those who have no subscription. */
  async ownersOf(
    table: "bookings" | "holds",
    subjects: readonly Subject[],
  ): Promise<Map<string, UserId>> {
    if (subjects.length === 0) return new Map();
    const { rows } = await this.#rows.query<{ id: string; user_id: UserId }>({
      name: `push-owners-${table}`,
      // Where nobody has subscribed, which PostgreSQL finds first, nothing is looked up.
      text: `SELECT b.id, b.user_id
        FROM unnest($1::uuid[], $2::uuid[]) AS asked (event_id, id)
        JOIN ${table} b USING (event_id, id)
        WHERE (SELECT true FROM push_subscriptions LIMIT 1)
          AND EXISTS (SELECT FROM push_subscriptions s WHERE s.user_id = b.user_id)`,
      values: [subjects.map(({ eventId }) => eventId), subjects.map(({ id }) => id)],
    });
    return new Map(rows.map(({ id, user_id }) => [id, user_id]));
  }

  /** Whose of an event's bookings these are, each person once. */
  async goers(eventId: EventId, bookings: readonly BookingId[]): Promise<Set<UserId>> {
    const subjects = bookings.map((id) => ({ eventId, id }));
    return new Set((await this.ownersOf("bookings", subjects)).values());
  }

  async goesTo(userId: UserId, eventId: EventId): Promise<boolean> {
    const { rows } = await this.#rows.query({
      name: "push-goes-to",
      text: `SELECT FROM bookings
        WHERE user_id = $1 AND event_id = $2 AND status = 'confirmed' LIMIT 1`,
      values: [userId, eventId],
    });
    return rows.length > 0;
  }

  /** The browsers of somebody in which this is not done yet. */
  async open(userId: UserId, cause: string): Promise<OpenPush[]> {
    const { rows } = await this.#rows.query<OpenRow>({
      name: "push-open",
      text: `SELECT s.id, s.endpoint, s.p256dh, s.auth, s.expires_ms, coalesce(d.tries, 0) AS tries
        FROM push_subscriptions s
        LEFT JOIN push_deliveries d ON d.subscription_id = s.id AND d.cause = $2
        WHERE s.user_id = $1 AND d.ended IS NOT TRUE ORDER BY s.id`,
      values: [userId, cause],
    });
    return rows.map(({ expires_ms, ...row }) => ({
      ...row,
      expiresMs: expires_ms === null ? null : Number(expires_ms),
    }));
  }

  /** Its push service has the message. */
  async took(note: PushNote): Promise<void> {
    await this.#end(note, "push-took", "0");
  }

  /** It is to be tried again. */
  async failed({ subscriptionId, cause, nowMs }: PushNote): Promise<void> {
    await this.#rows.query({
      name: "push-failed",
      text: `INSERT INTO push_deliveries AS d (subscription_id, cause, tries, ended, at_ms)
        SELECT id, $2, 1, false, $3 FROM push_subscriptions WHERE id = $1
        ON CONFLICT (subscription_id, cause) DO UPDATE SET tries = d.tries + 1, at_ms = $3`,
      values: [subscriptionId, cause, nowMs],
    });
  }

  /** Its push service does not want it. True: that was so too often, and it is removed. */
  async refused(note: PushNote): Promise<boolean> {
    await this.#end(note, "push-refused", "s.refusals + 1");
    const { rowCount } = await this.#rows.query({
      name: "push-unwanted",
      text: "DELETE FROM push_subscriptions WHERE id = $1 AND refusals >= $2",
      values: [note.subscriptionId, PUSH_REFUSALS_MAX],
    });
    return rowCount === 1;
  }

  async remove(subscriptionId: string): Promise<boolean> {
    const { rowCount } = await this.#rows.query({
      name: "push-remove",
      text: "DELETE FROM push_subscriptions WHERE id = $1",
      values: [subscriptionId],
    });
    return rowCount === 1;
  }

  /** What is old goes, at most PUSH_SWEEP_ROWS_MAX of each. Answers with how many subscriptions. */
  async sweep(nowMs: number): Promise<number> {
    await this.#rows.query({
      name: "push-sweep-deliveries",
      text: `DELETE FROM push_deliveries WHERE (subscription_id, cause) IN (
        SELECT subscription_id, cause FROM push_deliveries WHERE at_ms < $1 LIMIT $2)`,
      values: [nowMs - PUSH_DELIVERIES_KEPT_MS, PUSH_SWEEP_ROWS_MAX],
    });
    const { rowCount } = await this.#rows.query({
      name: "push-sweep-subscriptions",
      text: `DELETE FROM push_subscriptions WHERE id IN (
        SELECT id FROM push_subscriptions WHERE expires_ms <= $1 LIMIT $2)`,
      values: [nowMs, PUSH_SWEEP_ROWS_MAX],
    });
    return rowCount ?? 0;
  }

  /** `refusals`: what they are then, in SQL. */
  async #end(note: PushNote, name: string, refusals: "0" | "s.refusals + 1"): Promise<void> {
    await this.#rows.query({
      name,
      text: `WITH ended AS (
          INSERT INTO push_deliveries (subscription_id, cause, tries, ended, at_ms)
          SELECT id, $2, 0, true, $3 FROM push_subscriptions WHERE id = $1
          ON CONFLICT (subscription_id, cause) DO UPDATE SET ended = true, at_ms = $3)
        UPDATE push_subscriptions s SET refusals = ${refusals}
        WHERE id = $1 AND refusals <> ${refusals}`,
      values: [note.subscriptionId, note.cause, note.nowMs],
    });
  }
}
