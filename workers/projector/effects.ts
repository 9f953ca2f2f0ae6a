/** What a run of facts amounts to in the database's rows, table by table. */
import type { BookingPayment, BookingRecord, Refund } from "../../engine/booking.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { Block, Fact } from "../../engine/facts.ts";
import type { ActiveHold, EndedHold } from "../../engine/hold-book.ts";
import type { BookingId, EventId, HoldId, UserId, WaitlistEntryId } from "../../engine/ids.ts";
import type { WaitlistEntry } from "../../engine/waitlist.ts";
import type { PackedPlace } from "../store/fact-bytes.ts";
import type { KeyBlock } from "../store/key-blocks.ts";
import type { HistoryFact } from "./history-detail.ts";
import type { OutboxRow } from "./outbox-rows.ts";

/** An event's facts in the run are those in [firstSeq, lastSeq]. */
export interface EventAdvance {
  readonly eventId: EventId;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** How many more seats are free than before; below 0: fewer. */
  readonly seatsFreed: number;
  /** The last configuration in the run; null: none. */
  readonly definition: InventoryDefinition | null;
}

/** Counts are added to the row's. */
export interface AreaChange {
  readonly eventId: EventId;
  readonly area: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
  /** null: as it was. */
  readonly capacity: number | null;
}

export interface BlockChange extends Block {
  readonly eventId: EventId;
}

export interface HoldMade {
  readonly eventId: EventId;
  readonly hold: ActiveHold;
  /** null: still active. */
  readonly ended: HoldEnd | null;
}

export interface HoldEnd {
  readonly end: EndedHold;
  readonly seq: number;
}

/** What is absent stays as it is. `items`, `ordinals` and `terms` come together. */
export type HoldUpdate = Partial<
  Pick<ActiveHold, "items" | "ordinals" | "terms" | "paying" | "expiresAtMs" | "extended">
>;

/** Changes, ends, or changes and ends a hold that an earlier run made. */
export interface HoldChange {
  readonly eventId: EventId;
  readonly holdId: HoldId;
  readonly seq: number;
  readonly update: HoldUpdate;
  /** null: still active. */
  readonly ended: HoldEnd | null;
}

/** A hold that an earlier run made became a booking at once: that tells all of it. */
export interface HoldBooked {
  readonly eventId: EventId;
  readonly holdId: HoldId;
}

/** A booking as it is at the end of the run. */
export interface BookingMade {
  readonly eventId: EventId;
  /** Of the fact that made it. */
  readonly seq: number;
  readonly record: BookingRecord;
  /** null: it is still its buyer's. */
  readonly buyerId: UserId | null;
}

/** Changes a booking that an earlier run made. */
export interface BookingChange {
  readonly eventId: EventId;
  readonly record: BookingRecord;
  /** Positions in the record of tickets that may have changed. */
  readonly tickets: readonly number[];
  /** Of these, those that may have another seat. */
  readonly moved: readonly number[];
}

export interface EntryEnd {
  readonly status: "offered" | "left" | "closed";
  readonly seq: number;
  readonly atMs: number;
  /** null: nothing was offered. */
  readonly holdId: HoldId | null;
}

export interface EntryQueued {
  readonly eventId: EventId;
  readonly entry: WaitlistEntry;
  /** null: it waits. */
  readonly ended: EntryEnd | null;
}

/** Ends an entry of an earlier run. */
export interface EntryEnded {
  readonly eventId: EventId;
  readonly entryId: WaitlistEntryId;
  readonly ended: EntryEnd;
}

/** Money that is to go back. It may be told of again by later facts, until it is settled. */
export interface RefundDue {
  readonly eventId: EventId;
  readonly bookingId: BookingId;
  readonly payment: BookingPayment;
  readonly refund: Refund;
  readonly atMs: number;
}

export interface HistoryEntry {
  readonly eventId: EventId;
  readonly fact: HistoryFact;
}

export interface EventFact {
  readonly eventId: EventId;
  readonly fact: Fact;
  /** Where the journal has it packed. Absent: it is not known. */
  readonly packed?: PackedPlace;
}

/** Rows change in this order: what a seat frees must be written before it is sold again. */
export interface NetEffects {
  readonly events: readonly EventAdvance[];
  readonly areas: readonly AreaChange[];
  readonly blocks: readonly BlockChange[];
  readonly holdsMade: readonly HoldMade[];
  readonly holdChanges: readonly HoldChange[];
  readonly holdsBooked: readonly HoldBooked[];
  readonly bookingChanges: readonly BookingChange[];
  readonly bookingsMade: readonly BookingMade[];
  readonly entriesEnded: readonly EntryEnded[];
  readonly entriesQueued: readonly EntryQueued[];
  readonly refunds: readonly RefundDue[];
  /** Facts that leave a row in the event's history. */
  readonly history: readonly HistoryEntry[];
  /** What others are to be told of. */
  readonly outbox: readonly OutboxRow[];
  /** Facts that are the outcomes of requests with a key. */
  readonly keyBlocks: readonly KeyBlock[];
}
