import { noteBooking, own } from "./apply.ts";
import type { KnownBooking } from "./booking.ts";
import { standingItems } from "./booking.ts";
import type { InventoryDefinition } from "./definition.ts";
import { EventState } from "./event-state.ts";
import { type Block, type Move, movesTaking } from "./facts.ts";
import { type ActiveHold, type EndedHold, isDrop } from "./hold-book.ts";
import { BLOCKED, FREE, HELD, Inventory, SOLD } from "./inventory.ts";
import type { KeptKey } from "./key-rows.ts";
import { inOneGo, type Steps } from "./steps.ts";
import type { Waiting } from "./waitlist.ts";

/**
 * An actor's state as plain data: what the database's rows amount to, and what memory is compared
 * by.
 */
export interface Snapshot {
  readonly seq: number;
  readonly definition: InventoryDefinition | null;
  readonly holds: readonly ActiveHold[];
  /** Oldest first. */
  readonly endedHolds: readonly EndedHold[];
  readonly bookings: readonly KnownBooking[];
  /** In the order of their time. */
  readonly keys: readonly KeptKey[];
  readonly blocks: readonly Block[];
  readonly waitlist: readonly Waiting[];
}

/** Records that are restored in one step: some two milliseconds. */
const RECORDS_PER_STEP = 500;

/** Of an event that nobody has configured. */
export const EMPTY_SNAPSHOT: Snapshot = {
  seq: 0,
  definition: null,
  holds: [],
  endedHolds: [],
  bookings: [],
  keys: [],
  blocks: [],
  waitlist: [],
};

export function snapshotOf(state: EventState): Snapshot {
  const [endedHolds, keys] = [[...state.holds.ended()], [...state.keys.all()]];
  return { ...comparableOf(state), endedHolds, keys };
}

/** What is compared. Keys and ended holds may lawfully be fewer in the rows. */
export type Comparable = Omit<Snapshot, "endedHolds" | "keys">;

/**
 * That of a state as it is now, whatever happens to it later: the lists are copied, and records
 * never change.
 */
export function comparableOf(state: EventState): Comparable {
  return {
    seq: state.seq,
    definition: state.definition,
    holds: [...state.holds.active()],
    bookings: state.bookings.all(),
    blocks: state.blocks.all(),
    waitlist: state.waitlist.line().map(({ entry, skips }) => ({ entry, skips })),
  };
}

/** Builds the state that a snapshot describes. Throws when two records claim one seat. */
export function restore(snapshot: Snapshot): EventState {
  return inOneGo(restoring(snapshot));
}

/** The same in steps. */
export function* restoring(snapshot: Snapshot): Steps<EventState> {
  const state = new EventState();
  state.seq = snapshot.seq;
  state.definition = snapshot.definition;
  let records = 0;
  const isStep = (): boolean => {
    records += 1;
    return records % RECORDS_PER_STEP === 0;
  };
  for (const ended of snapshot.endedHolds) {
    state.holds.remember(ended);
    if (isDrop(ended)) state.churn.dropped(ended.userId, ended.atMs);
    if (isStep()) yield;
  }
  for (const key of snapshot.keys) {
    state.keys.keep(key, key.seq, key.atMs);
    if (isStep()) yield;
  }
  if (snapshot.definition === null) return state;
  const inventory = new Inventory(snapshot.definition);
  state.inventory = inventory;
  const moveAll = (moves: readonly Move[]): void => {
    for (const { places, from, to } of moves) {
      for (const place of places) inventory.move(place, from, to);
    }
  };
  // First what is kept from the sale: what was sold of it is taken from there.
  for (const block of snapshot.blocks) {
    state.blocks.set(block);
    inventory.move(block.place, FREE, BLOCKED, block.quantity);
    if (isStep()) yield;
  }
  for (const hold of snapshot.holds) {
    moveAll(movesTaking(hold.items, hold.terms, HELD));
    state.holds.put(hold);
    own(state, hold, 1);
    if (isStep()) yield;
  }
  for (const booking of snapshot.bookings) {
    const { record } = booking;
    state.bookings.put(booking);
    noteBooking(state, record);
    const items = standingItems(record);
    moveAll(movesTaking(items, record.terms, SOLD));
    own(state, { ...record, items }, 1);
    if (isStep()) yield;
  }
  for (const { entry, skips } of snapshot.waitlist) {
    state.waitlist.add(entry, skips);
    if (isStep()) yield;
  }
  return state;
}
