/**
 * What every family of the desk needs: finding the event behind an id, the idempotency key, and the
 * way of a command to its actor and back.
 *
 * Every way through here calls `settle` exactly once. On the hot path (the event is known here)
 * nothing is awaited between the request and its command.
 */
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
  type UserId,
} from "../../engine/ids.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import type { EventDirectory, EventEntry } from "../catalogue/event-directory.ts";
import { isPrivate } from "../catalogue/event-store.ts";
import { ProblemError } from "../http/problem.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Answered, ShardRouter } from "../shard-router.ts";
import { commandKey, isIdempotencyKey } from "./command-key.ts";
import { type DeskProblem, type DeskResult, invalid, problem, type Settle } from "./desk-result.ts";
import type { PaymentsPort } from "./payments-port.ts";
import type { RecentWrites } from "./recent-writes.ts";
import { problemOfRefusal } from "./refusals.ts";

/** A request as it comes through either door. */
export interface DeskRequest {
  readonly identity: Identity;
  /** Parsed JSON of the request. */
  readonly body: unknown;
  /** "" when none was given. */
  readonly idempotencyKey: string;
  /** What it is called where it was given. Default: as the header is. */
  readonly keyName?: string;
}

export interface BookingDeskPorts {
  readonly router: Pick<
    ShardRouter,
    "execute" | "shardOf" | "refusesHolds" | "refusesAllHolds" | "whenProjected"
  >;
  readonly directory: Pick<EventDirectory, "peek" | "peekByTag" | "get" | "getByTag" | "forget">;
  readonly recentWrites: Pick<RecentWrites, "note">;
  /** Whether the user may act for the organisation. */
  readonly isOrganizer: (identity: Identity, organizationId: string) => Promise<boolean>;
  /** Whether the user may let people in. */
  readonly isStaff: (identity: Identity, organizationId: string) => Promise<boolean>;
  /** Who has what is given to an address, as parseEmail gives it: its owner, or the heir of one. */
  readonly userIdOf: (email: string) => Promise<UserId>;
  readonly payments: PaymentsPort;
  /** What a ticket's QR code says; null: it is none of ours. */
  readonly ticketOf: (text: string) => Promise<SignedTicket | null>;
  /** What is for sale now; null: that can't be told at the moment. */
  readonly availabilityOf: (eventId: EventId) => Promise<object | null>;
  readonly logError: (message: string, cause: unknown) => void;
  /** 22 random bits that tell this node's ids from another's. */
  readonly nodeBits: number;
}

/** What is signed in a ticket's QR code. */
export interface SignedTicket {
  readonly eventId: EventId;
  readonly code: string;
}

/** What an actor answers when it does not refuse. */
export type Accepted = Exclude<Answered, { kind: "refused" | "timeout" | "failed" }>;

/**
 * Makes the result of an answer; null: it settles the request itself, later. `lsn`: as in Done.
 */
export type Show = (event: EventEntry, answer: Accepted, lsn: number) => DeskResult | null;

export class DeskCore {
  readonly ports: BookingDeskPorts;
  readonly minter: IdMinter;

  constructor(ports: BookingDeskPorts) {
    this.ports = ports;
    this.minter = new IdMinter(ports.nodeBits);
  }

  /** Sends a command or a question to the event's actor, and shows what is answered. */
  ask(event: EventEntry, operation: Operation, settle: Settle, show: Show): void {
    this.ports.router.execute(event.eventId, operation, (answer, lsn) => {
      if (answer.kind === "done" && answer.fact.kind !== "held") {
        const { router, recentWrites } = this.ports;
        noteReaders(recentWrites, answer.fact, router.shardOf(event.eventId), lsn);
      }
      const result = resultOf(event, answer, lsn, show);
      if (result !== null) settle(result);
    });
  }

  /** The command key of a request; `asked` is the request after validation. */
  keyOf(request: DeskRequest, asked: readonly unknown[]): CommandKey | null | Fault {
    const { idempotencyKey, identity, keyName = "Idempotency-Key" } = request;
    if (idempotencyKey === "") return null;
    if (isIdempotencyKey(idempotencyKey)) return commandKey(identity.userId, idempotencyKey, asked);
    const message = "must be 1 to 128 visible ASCII characters";
    return new Fault(invalid([{ path: keyName, message }]));
  }

  atEvent(eventId: EventId | null, settle: Settle, go: (event: EventEntry) => void): void {
    if (eventId === null) return settle(problem("event_not_found"));
    const known = this.ports.directory.peek(eventId);
    if (known !== undefined) return ifPublic(known, "event_not_found", settle, go);
    this.guard(
      settle,
      this.ports.directory.get(eventId).then((event) => {
        ifPublic(event, "event_not_found", settle, go);
      }),
    );
  }

  atHold(holdIdText: string, settle: Settle, go: (event: EventEntry, id: HoldId) => void): void {
    const holdId = parseHoldId(holdIdText);
    if (holdId === null) return settle(problem("hold_not_found"));
    this.#atTag(eventTagOf(holdId), "hold_not_found", settle, (event) => go(event, holdId));
  }

  atBooking(
    bookingIdText: string,
    settle: Settle,
    go: (event: EventEntry, bookingId: BookingId) => void,
  ): void {
    const id = parseBookingId(bookingIdText);
    if (id === null) return settle(problem("booking_not_found"));
    this.#atTag(eventTagOf(id), "booking_not_found", settle, (event) => go(event, id));
  }

  /** Finds the event whose holds and bookings end in `tag`. */
  #atTag(
    tag: EventTag,
    otherwise: ProblemCode,
    settle: Settle,
    go: (event: EventEntry) => void,
  ): void {
    const known = this.ports.directory.peekByTag(tag);
    if (known !== undefined) return ifPublic(known, otherwise, settle, go);
    this.guard(
      settle,
      this.ports.directory.getByTag(tag).then((event) => ifPublic(event, otherwise, settle, go)),
    );
  }

  /**
   * Settles what the work could not: a problem that was thrown as itself; anything else is a full
   * house, or the database out of reach, so: try again shortly.
   */
  guard(settle: Settle, work: Promise<void>): void {
    work.catch((cause: unknown) => {
      if (cause instanceof ProblemError) return settle(problem(cause.code, cause.members));
      this.ports.logError("the desk could not reach the database", cause);
      settle(problem("busy"));
    });
  }

  /** Goes on only for who may act for the event's organisation. */
  asOrganizer(event: EventEntry, identity: Identity, settle: Settle, go: () => void): void {
    const asked = this.ports.isOrganizer(identity, event.organizationId);
    this.guard(
      settle,
      asked.then((may) => (may ? go() : settle(problem("forbidden")))),
    );
  }
}

/** A request that validation refuses, told apart from what it would have become. */
export class Fault {
  readonly problem: DeskProblem;
  constructor(problem: DeskProblem) {
    this.problem = problem;
  }
}

/** An answer to another question than the one that was asked. */
export function unexpected(): DeskProblem {
  return problem("internal");
}

function resultOf(event: EventEntry, answer: Answered, lsn: number, show: Show): DeskResult | null {
  switch (answer.kind) {
    case "refused":
      return problemOfRefusal(answer.refusal, event);
    case "timeout":
      return problem("timeout");
    case "failed":
      return problem("internal");
    default:
      return show(event, answer, lsn);
  }
}

/** Bookings are read from the database: until it has this fact, those who know of it wait. */
export function noteReaders(
  recentWrites: Pick<RecentWrites, "note">,
  fact: Fact,
  shard: number,
  lsn: number,
): void {
  for (const userId of readersOf(fact)) recentWrites.note(userId, shard, lsn);
}

/** Who may ask the database about what this fact changed, because they were told. */
function readersOf(fact: Fact): readonly UserId[] {
  switch (fact.kind) {
    case "booked":
    case "paymentStarted":
      return [fact.booking.userId];
    case "bookingChanged": {
      const { by, booking } = fact;
      return by === null || by === booking.userId ? [booking.userId] : [booking.userId, by];
    }
    case "placesChanged":
      return [fact.by];
    default:
      return [];
  }
}

function ifPublic(
  event: EventEntry | null,
  otherwise: ProblemCode,
  settle: Settle,
  go: (event: EventEntry) => void,
): void {
  if (event === null || isPrivate(event)) settle(problem(otherwise));
  else go(event);
}
