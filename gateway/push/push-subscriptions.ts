import { createHash, randomBytes } from "node:crypto";
import { type UserId, uuidV7 } from "../../engine/ids.ts";
import { PUSH_SUBSCRIPTIONS_PER_USER_MAX } from "../../engine/push-limits.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { person } from "../tenancy/scope.ts";
import { takeTurn } from "../tenancy/turn.ts";

/** A browser in which somebody is told. */
export interface PushSubscription {
  readonly id: string;
  readonly endpoint: string;
  /** Unix ms; null: until its push service says so. */
  readonly expiresMs: number | null;
  /** When it was brought first, and last. */
  readonly createdMs: number;
  readonly subscribedMs: number;
}

export interface NewSubscription extends Pick<PushSubscription, "endpoint" | "expiresMs"> {
  /** Base64url. */
  readonly p256dh: string;
  readonly auth: string;
}

interface SubscriptionRow {
  readonly id: string;
  readonly endpoint: string;
  readonly expires_ms: string | null;
  readonly created_ms: string;
  readonly subscribed_ms: string;
}

const COLUMNS = "id, endpoint, expires_ms, created_ms, subscribed_ms";

/** Subscriptions in PostgreSQL, for the people whose they are. */
export class PushSubscriptions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Of one endpoint there is one, the last one who brings it has it. */
  add(
    userId: UserId,
    given: NewSubscription,
  ): Promise<{ subscription: PushSubscription; isNew: boolean }> {
    const nowMs = Date.now();
    const fresh = uuidV7(nowMs, randomBytes(10));
    return this.#database.in(person(userId)).transaction(async (within) => {
      await takeTurn(within, `the subscription to ${given.endpoint}`);
      await takeTurn(within, `subscriptions of ${userId}`);
      const subscription = await put(within, { ...given, id: fresh, userId, nowMs });
      const known = await all(within, userId);
      for (const { id } of known.slice(PUSH_SUBSCRIPTIONS_PER_USER_MAX)) {
        await remove(within, userId, id);
      }
      return { subscription, isNew: subscription.id === fresh };
    });
  }

  /** The last ones first. */
  list(userId: UserId): Promise<PushSubscription[]> {
    return all(this.#database.in(person(userId)), userId);
  }

  /** False: they have no such subscription. */
  remove(userId: UserId, id: string): Promise<boolean> {
    return remove(this.#database.in(person(userId)), userId, id);
  }
}

interface PutSubscription extends NewSubscription {
  /** If it is new. */
  readonly id: string;
  readonly userId: UserId;
  readonly nowMs: number;
}

async function put(
  rows: Queries,
  { id, userId, endpoint, p256dh, auth, expiresMs, nowMs }: PutSubscription,
): Promise<PushSubscription> {
  const digest = createHash("sha256").update(endpoint).digest();
  const { rows: found } = await rows.query<SubscriptionRow>(
    `INSERT INTO push_subscriptions (id, user_id, endpoint, endpoint_digest, p256dh, auth,
       expires_ms, subscribed_ms, created_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
     ON CONFLICT (user_id, endpoint_digest) DO UPDATE
     SET p256dh = $5, auth = $6, expires_ms = $7, subscribed_ms = $8, refusals = 0
     RETURNING ${COLUMNS}`,
    [id, userId, endpoint, digest, p256dh, auth, expiresMs, nowMs],
  );
  const [row] = found;
  if (row === undefined) throw new Error("an insert gives its row back");
  return subscriptionOf(row);
}

/** Barely more than PUSH_SUBSCRIPTIONS_PER_USER_MAX: what is beyond goes as it comes. */
async function all(rows: Queries, userId: UserId): Promise<PushSubscription[]> {
  const { rows: found } = await rows.query<SubscriptionRow>(
    `SELECT ${COLUMNS} FROM push_subscriptions WHERE user_id = $1
     ORDER BY subscribed_ms DESC, id DESC`,
    [userId],
  );
  return found.map(subscriptionOf);
}

async function remove(rows: Queries, userId: UserId, id: string): Promise<boolean> {
  const text = "DELETE FROM push_subscriptions WHERE user_id = $1 AND id = $2";
  return (await rows.query(text, [userId, id])).rowCount === 1;
}

function subscriptionOf(row: SubscriptionRow): PushSubscription {
  return {
    id: row.id,
    endpoint: row.endpoint,
    expiresMs: row.expires_ms === null ? null : Number(row.expires_ms),
    createdMs: Number(row.created_ms),
    subscribedMs: Number(row.subscribed_ms),
  };
}
