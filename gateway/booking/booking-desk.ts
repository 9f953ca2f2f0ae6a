/**
 * Where a request to hold, book or give back places becomes a command to the event's actor, and its
 * answer becomes a result. HTTP routes and WebSocket rooms are two doors to this one desk.
 *
 * Every method calls `settle` exactly once. On the hot path (the event is known here) nothing is
 * awaited between the request and its command.
 */
import type { Command } from "../../engine/commands.ts";
import type { CommandKey, Fact } from "../../engine/facts.ts";
import {
  type BookingId,
  type EventId,
  type EventTag,
  eventTagOf,
  type HoldId,
  IdMinter,
  parseBookingId,
  parseHoldId,
} from "../../engine/ids.ts";
import { PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { EventDirectory, EventEntry } from "../catalogue/event-directory.ts";
import { ProblemError } from "../http/problem.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import { type FieldError, validationFailed } from "../http/validation.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Answered, ShardRouter } from "../shard-router.ts";
import { bookBody, cancelBody } from "./book-request.ts";
import { bookingCode, ticketCode } from "./codes.ts";
import { commandKey, isIdempotencyKey } from "./command-key.ts";
import type { DeskProblem, DeskResult, Settle } from "./desk-result.ts";
import { holdBody, placesOf } from "./hold-request.ts";
import type { RecentWrites } from "./recent-writes.ts";
import { problemOfRefusal } from "./refusals.ts";
import { bookingView, holdView } from "./views.ts";

/** A request as it comes through either door. */
export interface DeskRequest {
  readonly identity: Identity;
  /** Parsed JSON of the request. */
  readonly body: unknown;
  /** "" when none was given. */
  readonly idempotencyKey: string;
}

export interface BookingDeskPorts {
  readonly router: Pick<ShardRouter, "execute" | "shardOf" | "refusesHolds" | "refusesAllHolds">;
  readonly directory: Pick<EventDirectory, "peek" | "peekByTag" | "get" | "getByTag">;
  readonly recentWrites: Pick<RecentWrites, "note">;
  /** Whether the user may act for the organisation. */
  readonly isOrganizer: (identity: Identity, organizationId: string) => Promise<boolean>;
  readonly logError: (message: string, cause: unknown) => void;
  /** 22 random bits that tell this node's ids from another's. */
  readonly nodeBits: number;
}

export class BookingDesk {
  readonly #ports: BookingDeskPorts;
  readonly #minter: IdMinter;

  constructor(ports: BookingDeskPorts) {
    this.#ports = ports;
    this.#minter = new IdMinter(ports.nodeBits);
  }

  /** Whether a hold would be refused as `busy` now: doors ask before they look into a request. */
  refusesHolds(eventId: EventId | null): boolean {
    return eventId !== null && this.#ports.router.refusesHolds(eventId);
  }

  /** The same for any event, without a look at which. */
  refusesAllHolds(): boolean {
    return this.#ports.router.refusesAllHolds();
  }

  hold(eventId: EventId | null, request: DeskRequest, settle: Settle): void {
    this.#atEvent(eventId, settle, (event) => {
      const body = holdBody(request.body);
      if (!body.ok) return settle(invalid(body.errors));
      const places = placesOf(body.value, event);
      if ("kind" in places) return settle(places);
      const { userId } = request.identity;
      const key = this.#keyOf(request, ["hold", eventId, places]);
      if (key instanceof Fault) return settle(key.problem);
      const holdId = this.#minter.mintHold(Date.now(), event.tag, places.length);
      this.#command(event, { kind: "hold", holdId, userId, places, key }, 201, settle);
    });
  }

  getHold(holdIdText: string, identity: Identity, settle: Settle): void {
    this.#atHold(holdIdText, settle, (event, holdId) => {
      const query = { kind: "getHold", holdId, userId: identity.userId } as const;
      this.#ports.router.execute(event.eventId, query, (answer) => {
        settle(this.#resultOf(event, answer, 200));
      });
    });
  }

  extend(holdIdText: string, request: DeskRequest, settle: Settle): void {
    this.#atHold(holdIdText, settle, (event, holdId) => {
      const key = this.#keyOf(request, ["extend", holdId]);
      if (key instanceof Fault) return settle(key.problem);
      const { userId } = request.identity;
      this.#command(event, { kind: "extend", holdId, userId, key }, 200, settle);
    });
  }

  release(holdIdText: string, identity: Identity, settle: Settle): void {
    this.#atHold(holdIdText, settle, (event, holdId) => {
      this.#command(event, { kind: "release", holdId, userId: identity.userId }, 204, settle);
    });
  }

  book(eventId: EventId | null, request: DeskRequest, settle: Settle): void {
    this.#atEvent(eventId, settle, (event) => {
      const body = bookBody(request.body, request.identity.role);
      if (!body.ok) return settle(invalid(body.errors));
      const { holdId, email } = body.value;
      if (eventTagOf(holdId) !== event.tag) return settle(problem("hold_not_found"));
      const key = this.#keyOf(request, ["book", holdId, email]);
      if (key instanceof Fault) return settle(key.problem);
      const command: Command = {
        kind: "book",
        holdId,
        userId: request.identity.userId,
        bookingId: this.#minter.mintBooking(Date.now(), event.tag),
        code: bookingCode(),
        ticketCodes: ticketCodes(event),
        email,
        invoiceAllowed: event.allowInvoices,
        key,
      };
      this.#command(event, command, 201, settle);
    });
  }

  cancel(bookingIdText: string, request: DeskRequest, settle: Settle): void {
    const bookingId = parseBookingId(bookingIdText);
    if (bookingId === null) return settle(problem("booking_not_found"));
    this.#atTag(eventTagOf(bookingId), "booking_not_found", settle, (event) => {
      const body = cancelBody(request.body);
      if (!body.ok) return settle(invalid(body.errors));
      const reason = body.value.reason ?? null;
      const key = this.#keyOf(request, ["cancel", bookingId, reason]);
      if (key instanceof Fault) return settle(key.problem);
      this.#guard(
        settle,
        this.#cancelAs(event, bookingId, request.identity, { reason, key }, settle),
      );
    });
  }

  async #cancelAs(
    event: EventEntry,
    bookingId: BookingId,
    identity: Identity,
    { reason, key }: { reason: string | null; key: CommandKey | null },
    settle: Settle,
  ): Promise<void> {
    const asOrganizer = await this.#ports.isOrganizer(identity, event.organizationId);
    const { userId } = identity;
    const command = { kind: "cancel", bookingId, userId, asOrganizer, reason, key } as const;
    this.#command(event, command, 200, settle);
  }

  #command(event: EventEntry, command: Command, status: number, settle: Settle): void {
    this.#ports.router.execute(event.eventId, command, (answer, lsn) => {
      if (answer.kind === "done") this.#noteWrite(event, answer.fact, lsn);
      settle(this.#resultOf(event, answer, status));
    });
  }

  /** Bookings are read from the database: until it has this fact, those who know of it wait. */
  #noteWrite(event: EventEntry, fact: Fact, lsn: number): void {
    if (fact.kind !== "booked" && fact.kind !== "cancelled") return;
    const shard = this.#ports.router.shardOf(event.eventId);
    const readers = new Set([fact.booking.userId]);
    if (fact.kind === "cancelled") readers.add(fact.cancelledBy);
    for (const userId of readers) this.#ports.recentWrites.note(userId, shard, lsn);
  }

  #resultOf(event: EventEntry, answer: Answered, status: number): DeskResult {
    switch (answer.kind) {
      case "done": {
        const body = status === 204 ? null : viewOf(event, answer.fact);
        return { kind: "ok", status, body, replayed: answer.replayed };
      }
      case "hold":
        return ok(status, holdView(event, answer.hold));
      case "unchanged":
        return ok(status, null);
      case "refused":
        return problemOfRefusal(answer.refusal, event);
      case "timeout":
        return problem("timeout");
      case "failed":
        return problem("internal");
      case "view":
      case "actor":
      case "audit":
        return problem("internal");
      default:
        return unreachable(answer);
    }
  }

  #keyOf(request: DeskRequest, asked: readonly unknown[]): CommandKey | null | Fault {
    const { idempotencyKey, identity } = request;
    if (idempotencyKey === "") return null;
    if (isIdempotencyKey(idempotencyKey)) return commandKey(identity.userId, idempotencyKey, asked);
    return new Fault([
      { path: "Idempotency-Key", message: "must be 1 to 128 visible ASCII characters" },
    ]);
  }

  #atEvent(eventId: EventId | null, settle: Settle, go: (event: EventEntry) => void): void {
    if (eventId === null) return settle(problem("event_not_found"));
    const known = this.#ports.directory.peek(eventId);
    if (known !== undefined) return this.#ifPublic(known, "event_not_found", settle, go);
    this.#guard(
      settle,
      this.#ports.directory.get(eventId).then((event) => {
        this.#ifPublic(event, "event_not_found", settle, go);
      }),
    );
  }

  #atHold(
    holdIdText: string,
    settle: Settle,
    go: (event: EventEntry, holdId: HoldId) => void,
  ): void {
    const holdId = parseHoldId(holdIdText);
    if (holdId === null) return settle(problem("hold_not_found"));
    this.#atTag(eventTagOf(holdId), "hold_not_found", settle, (event) => go(event, holdId));
  }

  /** Finds the event whose holds and bookings end in `tag`. */
  #atTag(
    tag: EventTag,
    otherwise: ProblemCode,
    settle: Settle,
    go: (event: EventEntry) => void,
  ): void {
    const known = this.#ports.directory.peekByTag(tag);
    if (known !== undefined) return this.#ifPublic(known, otherwise, settle, go);
    this.#guard(
      settle,
      this.#ports.directory.getByTag(tag).then((event) => {
        this.#ifPublic(event, otherwise, settle, go);
      }),
    );
  }

  #ifPublic(
    event: EventEntry | null,
    otherwise: ProblemCode,
    settle: Settle,
    go: (event: EventEntry) => void,
  ): void {
    if (event === null || event.status === "draft") settle(problem(otherwise));
    else go(event);
  }

  /** A failed look-up is a full house, or the database out of reach: try again shortly. */
  #guard(settle: Settle, work: Promise<void>): void {
    work.catch((cause: unknown) => {
      if (cause instanceof ProblemError) return settle(problem(cause.code));
      this.#ports.logError("the desk could not reach the database", cause);
      settle(problem("busy"));
    });
  }
}

/** A request that validation refuses, told apart from what it would have become. */
class Fault {
  readonly problem: DeskProblem;
  constructor(errors: readonly FieldError[]) {
    this.problem = invalid(errors);
  }
}

function ticketCodes(event: EventEntry): string[] {
  const count = Math.min(event.perOrderMax, PLACES_PER_HOLD_MAX);
  return Array.from({ length: count }, ticketCode);
}

function viewOf(event: EventEntry, fact: Fact): object | null {
  switch (fact.kind) {
    case "held":
    case "extended":
      return holdView(event, fact);
    case "booked":
      return bookingView(event, fact.booking, fact.seq, null);
    case "cancelled":
      return bookingView(event, fact.booking, fact.seq, fact);
    case "holdEnded":
    case "configured":
      return null;
    default:
      return unreachable(fact);
  }
}

function ok(status: number, body: object | null): DeskResult {
  return { kind: "ok", status, body, replayed: false };
}

function problem(code: ProblemCode): DeskProblem {
  return { kind: "problem", code, members: {} };
}

function invalid(errors: readonly FieldError[]): DeskProblem {
  const { code, members } = validationFailed(errors);
  return { kind: "problem", code, members };
}
