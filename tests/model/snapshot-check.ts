import type { ActiveHold, EndedHold } from "../../engine/hold-book.ts";
import type { KeptKey } from "../../engine/key-rows.ts";
import { ENDED_HOLD_TTL_MS, KEY_TTL_MS } from "../../engine/limits.ts";
import type { Snapshot } from "../../engine/snapshot.ts";
import { differences } from "./differences.ts";
import { isInBooking, mayBeForgotten, mayBeKnown } from "./expectations.ts";
import type { ModelState } from "./model-state.ts";

/** Where a snapshot comes from. */
export interface SnapshotSource {
  /** True when it was read from rows, so that what rows do not tell may be missing. */
  readonly forgetful: boolean;
  /**
   * Keys and ended holds whose time was over at this instant may be missing, Unix ms: the clock of
   * whoever purges rows goes on where an event's last fact stands still. Default: the time of the
   * last fact.
   */
  readonly nowMs?: number;
}

/**
 * Differences between what is and what a snapshot of an actor or of its rows says, as sentences;
 * []: they agree. Both are of the same seq.
 */
export function driftOf(state: ModelState, snapshot: Snapshot, source: SnapshotSource): string[] {
  const { forgetful, nowMs = state.lastMs } = source;
  return [
    ...differences("seq", snapshot.seq, state.seq),
    ...differences("the definition", snapshot.definition, state.definition),
    ...driftOfHolds(state, snapshot.holds),
    ...driftOfEnds(state, snapshot.endedHolds, { forgetful, nowMs }),
    ...driftOfBookings(state, snapshot),
    ...driftOfBlocks(state, snapshot),
    ...differences("the line", snapshot.waitlist, state.line),
    ...driftOfKeys(state, snapshot.keys, nowMs),
  ];
}

function driftOfHolds(state: ModelState, holds: readonly ActiveHold[]): string[] {
  const told = new Map(holds.map((hold) => [hold.holdId, hold]));
  const drift = repeated("hold", holds.length, told.size);
  for (const [holdId, hold] of state.holds) {
    if (told.has(holdId)) drift.push(...differences(`hold ${holdId}`, told.get(holdId), hold));
    else drift.push(`hold ${holdId} is missing`);
  }
  for (const holdId of told.keys()) {
    if (!state.holds.has(holdId)) drift.push(`hold ${holdId} is not active`);
  }
  return drift;
}

function driftOfEnds(
  state: ModelState,
  ends: readonly EndedHold[],
  { forgetful, nowMs }: Required<SnapshotSource>,
): string[] {
  const told = new Map(ends.map((end) => [end.holdId, end]));
  const drift = repeated("ended hold", ends.length, told.size);
  for (const end of state.ends.values()) {
    const found = told.get(end.holdId);
    if (found === undefined) {
      const isOld = end.atMs < nowMs - ENDED_HOLD_TTL_MS;
      const isPurged = forgetful && isOld && !isInBooking(state, end);
      if (isPurged || mayBeForgotten(state, end)) continue;
      drift.push(`hold ${end.holdId}, ${end.end} at seq ${end.seq}, is forgotten`);
    } else if (mayBeKnown(state, end, forgetful)) {
      const { seq: _, ordinal: __, ...ended } = end;
      drift.push(...differences(`ended hold ${end.holdId}`, found, ended));
    } else {
      drift.push(`hold ${end.holdId} is remembered too long`);
    }
  }
  for (const holdId of told.keys()) {
    if (!state.ends.has(holdId)) drift.push(`hold ${holdId} has not ended`);
  }
  return drift;
}

function driftOfBookings(state: ModelState, { bookings }: Snapshot): string[] {
  const told = new Map(bookings.map((booking) => [booking.record.bookingId, booking]));
  const drift = repeated("booking", bookings.length, told.size);
  for (const [bookingId, { record, seq }] of state.bookings) {
    const found = told.get(bookingId);
    if (found === undefined) drift.push(`booking ${bookingId} is missing`);
    else drift.push(...differences(`booking ${bookingId}`, found, { record, seq }));
  }
  for (const bookingId of told.keys()) {
    if (!state.bookings.has(bookingId)) drift.push(`booking ${bookingId} was never made`);
  }
  return drift;
}

/** What is kept from the sale, in whatever order. */
function driftOfBlocks(state: ModelState, { blocks }: Snapshot): string[] {
  const lineOf = (place: number, channel: string, quantity: number): string =>
    `${quantity} of ${place} for "${channel}"`;
  const told = blocks.map(({ place, channel, quantity }) => lineOf(place, channel, quantity));
  const kept = [
    ...Array.from(state.keptSeats, ([seat, channel]) => lineOf(seat, channel, 1)),
    ...Array.from(state.keptInAreas.values(), ({ area, channel, quantity }) =>
      lineOf(-1 - area, channel, quantity),
    ),
  ];
  return differences("what is kept", told.sort(), kept.sort());
}

function driftOfKeys(state: ModelState, keys: readonly KeptKey[], nowMs: number): string[] {
  const told = new Map(keys.map((key) => [key.digest, key]));
  const drift = repeated("key", keys.length, told.size);
  if (keys.some((key, at) => key.seq < (keys[at - 1]?.seq ?? 0))) {
    drift.push("the keys are not in the order of their time");
  }
  for (const [digest, { key, seq, atMs }] of state.outcomes) {
    const found = told.get(digest);
    const kept: KeptKey = { digest, fingerprint: key?.fingerprint ?? "", seq, atMs };
    if (found !== undefined) drift.push(...differences(`key ${digest}`, found, kept));
    else if (isWithinTime(atMs, nowMs)) drift.push(`key ${digest} of seq ${seq} is forgotten`);
  }
  for (const digest of told.keys()) {
    if (!state.outcomes.has(digest)) drift.push(`key ${digest} was never used`);
  }
  return drift;
}

const isWithinTime = (atMs: number, nowMs: number): boolean => atMs >= nowMs - KEY_TTL_MS;

/** How many keys an actor remembers: those within their time for sure, older ones at leisure. */
export function keptKeyCounts(
  { outcomes, lastMs }: ModelState,
  nowMs: number,
): { readonly keptMin: number; readonly keptMax: number } {
  const times = [...outcomes.values()].map(({ atMs }) => atMs);
  const within = times.filter((atMs) => isWithinTime(atMs, Math.max(nowMs, lastMs)));
  return { keptMin: within.length, keptMax: times.length };
}

function repeated(what: string, records: number, distinct: number): string[] {
  return records === distinct ? [] : [`a ${what} is there ${records - distinct} times too often`];
}
