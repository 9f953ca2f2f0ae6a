import type { WaitingReason } from "../engine/by-itself.ts";
import type { Command } from "../engine/commands.ts";
import type { InventoryDefinition } from "../engine/definition.ts";
import type { Booked, BookingChanged, Held, Move } from "../engine/facts.ts";
import type { ActiveHold } from "../engine/hold-book.ts";
import type { EventId, HoldId, UserId } from "../engine/ids.ts";
import type { AreaCounts } from "../engine/inventory.ts";
import type { Reply } from "../engine/replies.ts";
import type { Waiting } from "../engine/waitlist.ts";
import type { TraceContext, TracedDecision } from "./traced.ts";

/**
 * What passes between the gateway and a shard worker. Both directions travel in batches: one buffer
 * a turn of the sender's event loop, which is transferred (batch-port.ts, request-wire.ts,
 * batch-wire.ts).
 */

/** Questions to an actor: they change nothing, but wait for durability as every answer does. */
export type Query =
  | { readonly kind: "getHold"; readonly holdId: HoldId; readonly userId: UserId }
  /** Where the buyer stands in the waitlist, or the hold that they were offered. */
  | { readonly kind: "getWaiting"; readonly userId: UserId }
  /** A part of the line, and why each in it has not been offered anything: for the organiser. */
  | { readonly kind: "getWaitlist"; readonly from: number; readonly limit: number }
  /** Answers with a view of the inventory, and sends every later change of it. */
  | { readonly kind: "watch" }
  | { readonly kind: "unwatch" }
  /** What operators may know of the actor. */
  | { readonly kind: "inspect" }
  /** Compares memory with the database at one seq. */
  | { readonly kind: "audit" };

export type Operation = Command | Query;

export interface ShardRequest {
  /** Chosen by the gateway; its answer carries it. */
  readonly id: number;
  readonly shard: number;
  readonly eventId: EventId;
  /** Unix ms; past it the request is refused unexecuted. */
  readonly deadlineMs: number;
  readonly operation: Operation;
  /** Only of a request that is traced: the span that asks. */
  readonly trace?: TraceContext;
}

/** Availability at one seq, before which nothing that is shown here may be lost. */
export interface InventoryView {
  readonly definition: InventoryDefinition;
  readonly epoch: number;
  readonly seq: number;
  readonly statuses: Uint8Array;
  readonly areas: readonly AreaCounts[];
}

/** One entry of the line, and why it waits. */
export interface WaitingReport extends Waiting {
  readonly reason: WaitingReason;
}

export interface ActorReport {
  readonly eventId: EventId;
  readonly shard: number;
  readonly seq: number;
  readonly configured: boolean;
  readonly holds: number;
  readonly bookings: number;
  readonly keys: number;
  readonly watched: boolean;
  readonly hash: string;
}

export interface AuditReport {
  readonly ok: boolean;
  /** The seq at which the two were compared. */
  readonly seq: number;
  readonly memory: AuditSide;
  readonly database: AuditSide;
  /** A sentence per difference; empty when `ok`. */
  readonly drift: readonly string[];
}

export interface AuditSide {
  readonly seq: number;
  readonly capacity: number;
  readonly free: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
  readonly holds: number;
  readonly bookings: number;
  readonly hash: string;
}

export type Answer =
  | Reply
  | { readonly kind: "hold"; readonly hold: ActiveHold }
  /** `count`: of all who wait. */
  | {
      readonly kind: "waitlist";
      readonly seq: number;
      readonly count: number;
      readonly line: readonly WaitingReport[];
    }
  | { readonly kind: "view"; readonly view: InventoryView }
  | { readonly kind: "actor"; readonly report: ActorReport }
  | { readonly kind: "audit"; readonly report: AuditReport }
  /** A bug was contained: the command did nothing. */
  | { readonly kind: "failed" };

export interface ShardAnswer {
  readonly id: number;
  /**
   * The shard's last lsn at the answer; what it tells is in the database once projected up to here.
   */
  readonly lsn: number;
  readonly answer: Answer;
}

/** Durable changes of one watched event, in order. The gateway applies them before the answers. */
export interface InventoryChange {
  readonly eventId: EventId;
  /** seq of the fact that moved the places. */
  readonly seq: number;
  readonly moves: readonly Move[];
}

/** The event's rules or capacities changed: whoever watches must ask for a new view. */
export interface InventoryReset {
  readonly eventId: EventId;
  readonly seq: number;
  readonly reset: true;
}

/** What the owner of something is told without having asked. */
export type Notice = NoticeBase &
  (
    | {
        /** A hold ended by time, or with its event. */
        readonly kind: "holdExpired";
        readonly seq: number;
        readonly holdId: HoldId;
        readonly reason: "expired" | "event_cancelled";
      }
    /** Places that somebody waited for are held for them. */
    | { readonly kind: "waitlistOffer"; readonly offer: Held }
    /** A booking was confirmed by money, or changed in another way. */
    | { readonly kind: "bookingUpdated"; readonly fact: Booked | BookingChanged }
  );

interface NoticeBase {
  readonly eventId: EventId;
  /** Its owner. */
  readonly userId: UserId;
  /** In the journal, of the fact that it tells of: reads of it wait until PostgreSQL has that. */
  readonly lsn: number;
}

/** One batch from a worker. Changes come first: an answer is never ahead of the availability. */
export interface WorkerBatch {
  /** When it left, by the clock that all threads share. */
  readonly sentMs: number;
  readonly changes: readonly (InventoryChange | InventoryReset)[];
  readonly notices: readonly Notice[];
  readonly answers: readonly ShardAnswer[];
  /** Of the traced ones among what was asked; absent: none was. */
  readonly decisions?: readonly TracedDecision[];
}

/** One shard as its worker sees it, for operators. */
export interface ShardReport {
  readonly shard: number;
  readonly worker: number;
  readonly epoch: number;
  readonly actors: readonly EventId[];
  readonly actorCount: number;
  readonly mailboxDepth: number;
  readonly commandsTotal: number;
  readonly commandsPerSecond: number;
  readonly factsPerRound: number;
  readonly lsn: number;
  readonly durableLsn: number;
  readonly projectedLsn: number;
  readonly logicalMs: number;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  readonly eventLoopUtilisation: number;
}
