import { statusOf } from "../../engine/booking.ts";
import type { Command } from "../../engine/commands.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import { PAGE_ENTRIES_MAX } from "../../engine/limits.ts";
import type { EventDirectory, EventEntry } from "../catalogue/event-directory.ts";
import { ProblemError } from "../http/problem.ts";
import type { Belongings, HandedOver } from "../identity/belongings-port.ts";
import type { Answered, ShardRouter } from "../shard-router.ts";
import type { Database } from "../tenancy/database.ts";
import { person } from "../tenancy/scope.ts";
import type { BookingsReader, StoredBooking } from "./bookings-reader.ts";
import { noteReaders } from "./desk-core.ts";
import { iso } from "./instant.ts";
import type { RecentWrites } from "./recent-writes.ts";
import { bookingView, holdView } from "./views.ts";

export interface UserBelongingsPorts {
  readonly database: Database;
  readonly router: Pick<ShardRouter, "ask" | "shardOf" | "whenAllProjected">;
  readonly directory: Pick<EventDirectory, "get">;
  readonly reader: Pick<BookingsReader, "listOf">;
  readonly recentWrites: Pick<RecentWrites, "note">;
}

interface WaitingRow {
  readonly event_id: EventId;
  readonly id: string;
  readonly quantity: number;
  readonly status: string;
  readonly at_ms: string;
}

/**
 * What one user has in all events. What it changes are commands, one after the other: a few for
 * most people, and each of them is harmless when it is repeated.
 */
export class UserBelongings implements Belongings {
  readonly #ports: UserBelongingsPorts;

  constructor(ports: UserBelongingsPorts) {
    this.#ports = ports;
  }

  async exportOf(userId: UserId): Promise<object> {
    const bookings: object[] = [];
    for await (const stored of this.#bookingsOf(userId)) {
      const event = await this.#event(stored.eventId);
      const reader = { userId, asOrganizer: false };
      bookings.push({ event: event.title, ...bookingView(event, stored, reader) });
    }
    const holds: object[] = [];
    for (const { eventId, holdId } of await this.#activeHoldsOf(userId)) {
      const event = await this.#event(eventId);
      const { answer } = await this.#ports.router.ask(eventId, { kind: "getHold", holdId, userId });
      if (answer.kind === "hold") holds.push(holdView(event, answer.hold));
    }
    const waitlist = (await this.#waitingOf(userId)).map((row) => ({
      id: row.id,
      eventId: row.event_id,
      quantity: row.quantity,
      status: row.status,
      joinedAt: iso(Number(row.at_ms)),
    }));
    return { bookings, holds, waitlist };
  }

  async handOver(
    fromId: UserId,
    { id: toUserId, email }: { readonly id: UserId; readonly email: string },
  ): Promise<HandedOver> {
    let bookings = 0;
    let left = 0;
    for await (const { eventId, record } of this.#bookingsOf(fromId)) {
      const { bookingId, ticketCodes } = record;
      const of = { bookingId, userId: fromId, asOrganizer: false, key: null };
      // The same person under another id: printed tickets go on admitting.
      const to = { toUserId, email, ticketCodes };
      const isDone =
        statusOf(record) === "confirmed" &&
        (await this.#tell(eventId, { kind: "transfer", ...of, ...to })) === null;
      if (isDone) bookings += 1;
      else left += 1;
    }
    return { bookings, left };
  }

  async forget(userId: UserId): Promise<void> {
    for await (const { eventId, record } of this.#bookingsOf(userId)) {
      if (record.email === null) continue;
      const { bookingId } = record;
      const refusal = await this.#tell(eventId, { kind: "forgetBuyer", bookingId, userId });
      if (refusal === "booking_pending") throw new ProblemError(refusal, { bookingId });
    }
    for (const { event_id: eventId, status } of await this.#waitingOf(userId)) {
      if (status === "waiting") await this.#tell(eventId, { kind: "leaveWaitlist", userId });
    }
    await this.#settled();
  }

  /** Answers with the code of a refusal, null when it is done. Throws `busy`. */
  async #tell(eventId: EventId, command: Command): Promise<string | null> {
    const { router, recentWrites } = this.#ports;
    const { answer, lsn } = await router.ask(eventId, command);
    if (answer.kind === "done") {
      noteReaders(recentWrites, answer.fact, router.shardOf(eventId), lsn);
    }
    if (isUnanswered(answer)) throw new ProblemError("busy");
    return answer.kind === "refused" ? answer.refusal.code : null;
  }

  /** Newest first, page by page. */
  async *#bookingsOf(userId: UserId): AsyncGenerator<StoredBooking> {
    await this.#settled();
    let before: BookingId | null = null;
    for (;;) {
      const page: StoredBooking[] = await this.#ports.reader.listOf(
        userId,
        PAGE_ENTRIES_MAX,
        before,
      );
      yield* page;
      before = page.at(-1)?.record.bookingId ?? null;
      if (page.length < PAGE_ENTRIES_MAX || before === null) return;
    }
  }

  /** Waits until the database has what was told, of bookings, holds and lines. Throws `busy`. */
  async #settled(): Promise<void> {
    if (!(await this.#ports.router.whenAllProjected())) throw new ProblemError("busy");
  }

  async #event(eventId: EventId): Promise<EventEntry> {
    const event = await this.#ports.directory.get(eventId);
    if (event === null)
      throw new Error(`something belongs to event ${eventId}, which is not there`);
    return event;
  }

  async #activeHoldsOf(userId: UserId): Promise<{ eventId: EventId; holdId: HoldId }[]> {
    const { rows } = await this.#ports.database
      .in(person(userId))
      .query<{ eventId: EventId; holdId: HoldId }>(
        `SELECT event_id AS "eventId", id AS "holdId" FROM holds
       WHERE status = 'active' AND user_id = $1`,
        [userId],
      );
    return rows;
  }

  async #waitingOf(userId: UserId): Promise<WaitingRow[]> {
    const { rows } = await this.#ports.database.in(person(userId)).query<WaitingRow>(
      `SELECT event_id, id, quantity, status, at_ms FROM waitlist_entries
       WHERE user_id = $1 ORDER BY at_ms`,
      [userId],
    );
    return rows;
  }
}

function isUnanswered(answer: Answered): boolean {
  if (answer.kind === "timeout" || answer.kind === "failed") return true;
  return answer.kind === "refused" && answer.refusal.code === "busy";
}
