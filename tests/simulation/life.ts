import type { Fact } from "../../engine/facts.ts";
import type { BookingId, EventId, HoldId, WaitlistEntryId } from "../../engine/ids.ts";
import type { Notice, Operation, ShardRequest } from "../../workers/shard-messages.ts";

/** One life of the node, as the oracle knows it. */
export interface Life {
  readonly number: number;
  /** Another process has taken its shards since. */
  readonly isSuperseded: boolean;
  /** What its wall clock showed at most, Unix ms. */
  wallMsMax: number;
  /** What its wall clock shows, Unix ms. */
  readonly wallMs: () => number;
  /** Holds due from then on must end in time, Unix ms of its wall clock. */
  calmSinceMs: number;
  /** Of the shards as it took them. */
  readonly epochs: Map<number, number>;
  readonly requests: Map<number, AskedRequest>;
  /** Watched events: the seq of the last view or change that was told. */
  readonly watched: Map<EventId, number>;
  /** Facts whose owner is to be told, and was not told yet. */
  readonly unnoticed: Set<UnnoticedEnd>;
  /** What its workers gave the journal, and were not told to be durable. */
  readonly undurable: Set<Append>;
  /** Workers that were told that nothing new may be admitted, and by whom. */
  readonly full: Set<string>;
  /** Ids of the holds, bookings and waitlist entries that it made. */
  readonly made: Set<HoldId | BookingId | WaitlistEntryId>;
}

export interface Ticket {
  readonly worker: number;
  readonly ticket: number;
}

export interface Append extends Ticket, FactPlace {}

export interface UnnoticedEnd extends FactPlace {
  readonly eventId: EventId;
  readonly seq: number;
  readonly kinds: readonly Notice["kind"][];
}

export interface AskedRequest {
  readonly request: ShardRequest;
  readonly askedMs: number;
}

export interface FactPlace {
  readonly shard: number;
  readonly lsn: number;
}

/** The fresh id in a request, of what it makes. */
function idIn(operation: Operation): HoldId | BookingId | WaitlistEntryId | null {
  switch (operation.kind) {
    case "hold":
      return operation.holdId;
    case "book":
    case "pay":
      return operation.bookingId;
    case "joinWaitlist":
      return operation.entryId;
    default:
      return null;
  }
}

/** What a fact makes that has a fresh id. */
export function idMadeBy(fact: Fact): HoldId | BookingId | WaitlistEntryId | null {
  if (fact.kind === "held") return fact.holdId;
  if (fact.kind === "queued") return fact.entry.entryId;
  return fact.kind === "booked" || fact.kind === "paymentStarted" ? fact.booking.bookingId : null;
}

/** The id of what a request has made; undefined: nothing, or it makes nothing with an id. */
export function madeBy({ made }: Life, operation: Operation): string | undefined {
  const id = idIn(operation);
  return id !== null && made.has(id) ? id : undefined;
}
