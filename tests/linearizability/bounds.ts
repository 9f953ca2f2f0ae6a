/**
 * Bounds for the seqs of ends of holds, from what is known for certain: real time, the server's
 * time, the next hold of a seat, and every look at seats and areas. They spare the search guesses;
 * whether a history has an order does not depend on them.
 */
import { timeOf } from "./event-spec.ts";
import type { EventRecord } from "./history.ts";
import type { PlannedEnd, PlannedStep } from "./planned-step.ts";

/** An answer that showed all places as of a seq. */
export interface Look {
  readonly seq: number;
  readonly statuses: string;
  readonly areas: readonly { readonly key: string; readonly held: number }[];
  readonly invokedMs: number;
  readonly answeredMs: number;
}

export interface Bounded {
  /** Their `seqMin` and `seqMax` are narrowed. */
  readonly ends: readonly PlannedEnd[];
  readonly known: ReadonlyMap<number, PlannedStep>;
  readonly looks: readonly Look[];
  readonly event: EventRecord;
}

interface MadeHold {
  readonly heldSeq: number;
  /** Of its extension; without one, `heldSeq`. */
  readonly seq: number;
  readonly seats: readonly string[];
  /** Units by area. */
  readonly units: ReadonlyMap<string, number>;
  /** seq of its booking; Infinity: it has none. */
  bookedSeq: number;
  /** What may have ended it otherwise. */
  ends: readonly PlannedEnd[];
}

export function boundEnds({ ends, known, looks: unsorted, event }: Bounded): void {
  const looks = [...unsorted].sort((a, b) => a.seq - b.seq);
  const steps = [...known].sort(([a], [b]) => a - b);
  const holds = holdsOf(steps, ends);
  boundByTime(ends, steps, looks, event);
  boundBySeats(holds, looks, event);
  for (const { key } of event.areas) boundByArea(key, holds, looks);
}

function holdsOf(
  steps: readonly (readonly [number, PlannedStep])[],
  ends: readonly PlannedEnd[],
): Map<string, MadeHold> {
  const holds = new Map<string, MadeHold>();
  for (const [seq, { step }] of steps) {
    if (step.kind === "booked") {
      const hold = holds.get(step.booking.holdId);
      if (hold !== undefined) hold.bookedSeq = seq;
    }
    if (step.kind !== "held" && step.kind !== "extended") continue;
    const units = new Map<string, number>();
    for (const { area } of step.hold.items) {
      if (area !== undefined) units.set(area, (units.get(area) ?? 0) + 1);
    }
    const seats = step.hold.items.flatMap(({ seat }) => seat ?? []);
    const heldSeq = holds.get(step.hold.id)?.heldSeq ?? seq;
    const made = { heldSeq, seq, seats, units, bookedSeq: Number.POSITIVE_INFINITY, ends: [] };
    holds.set(step.hold.id, made);
  }
  for (const end of ends) {
    const hold = holds.get(end.holdId);
    if (hold === undefined) continue;
    hold.ends = [...hold.ends, end];
    end.seqMin = Math.max(end.seqMin, hold.seq + 1);
  }
  return holds;
}

/** What was answered before an end was asked for, or due, comes before it; and the other way. */
function boundByTime(
  ends: readonly PlannedEnd[],
  steps: readonly (readonly [number, PlannedStep])[],
  looks: readonly Look[],
  event: EventRecord,
): void {
  const times = [
    ...steps.map(([seq, { invokedMs, answeredMs }]) => ({
      invokedMs,
      answeredMs,
      seq,
      before: seq - 1,
    })),
    ...looks.map(({ invokedMs, answeredMs, seq }) => ({ invokedMs, answeredMs, seq, before: seq })),
  ];
  const byAnswer = [...times].sort((a, b) => a.answeredMs - b.answeredMs);
  const lastSeq = running(
    byAnswer.map(({ seq }) => seq),
    Math.max,
  );
  const byAsk = [...times].sort((a, b) => b.invokedMs - a.invokedMs);
  const firstSeq = running(
    byAsk.map(({ before }) => before),
    Math.min,
  );
  const timed = steps.flatMap(([seq, { step }]) => {
    const atMs = timeOf(step, event.holdTtlMs);
    return atMs === null ? [] : [{ seq, atMs }];
  });
  const latest = running(
    timed.map(({ atMs }) => atMs),
    Math.max,
  );
  const earliest = running(timed.map(({ atMs }) => atMs).reverse(), Math.min).reverse();
  for (const end of ends) {
    const answered = firstIndex(byAnswer, ({ answeredMs }) => answeredMs >= end.invokedMs);
    const asked = firstIndex(byAsk, ({ invokedMs }) => invokedMs <= end.answeredMs);
    narrow(end, (lastSeq[answered - 1] ?? 0) + 1, firstSeq[asked - 1] ?? Number.POSITIVE_INFINITY);
    if (end.step.kind === "expired") {
      const due = firstIndex(earliest, (atMs) => atMs >= end.expiresAtMs);
      narrow(end, (timed[due - 1]?.seq ?? 0) + 1, Number.POSITIVE_INFINITY);
    } else {
      const over = firstIndex(latest, (atMs) => atMs >= end.expiresAtMs);
      narrow(end, 0, (timed[over]?.seq ?? Number.POSITIVE_INFINITY) - 1);
    }
  }
}

function narrow(end: PlannedEnd, seqMin: number, seqMax: number): void {
  end.seqMin = Math.max(end.seqMin, seqMin);
  end.seqMax = Math.min(end.seqMax, seqMax);
}

/** A hold has ended before the next hold of its seat, and before its seat was seen free. */
function boundBySeats(
  holds: ReadonlyMap<string, MadeHold>,
  looks: readonly Look[],
  { seats }: EventRecord,
): void {
  const indexOf = new Map(seats.map((seat, index) => [seat, index]));
  const nextOf = new Map<string, number>();
  const latestFirst = [...holds.values()].sort((a, b) => b.heldSeq - a.heldSeq);
  for (const { heldSeq, seq, seats: held, ends } of latestFirst) {
    for (const seat of held) {
      const next = nextOf.get(seat) ?? Number.POSITIVE_INFINITY;
      nextOf.set(seat, heldSeq);
      if (ends.length === 0) continue;
      const seen = between(looks, indexOf.get(seat) ?? -1, seq, next);
      for (const end of ends) narrow(end, seen.lastHeld + 1, Math.min(next - 1, seen.firstFree));
    }
  }
}

/** What was seen of the seat at seqs in [from, before). */
function between(
  looks: readonly Look[],
  index: number,
  from: number,
  before: number,
): { readonly lastHeld: number; readonly firstFree: number } {
  let lastHeld = 0;
  for (let at = firstIndex(looks, ({ seq }) => seq >= from); at < looks.length; at += 1) {
    const { seq, statuses } = looks[at] ?? { seq: before, statuses: "" };
    if (seq >= before) break;
    if (statuses[index] === "f") return { lastHeld, firstFree: seq };
    if (statuses[index] === "h") lastHeld = seq;
  }
  return { lastHeld, firstFree: Number.POSITIVE_INFINITY };
}

/** What an area's count says of single holds: this one can't be among the held, or must be. */
function boundByArea(
  area: string,
  holds: ReadonlyMap<string, MadeHold>,
  looks: readonly Look[],
): void {
  const coming = [...holds.values()]
    .filter(({ units }) => units.has(area))
    .sort((a, b) => a.heldSeq - b.heldSeq);
  let active: MadeHold[] = [];
  let next = 0;
  for (const { seq, areas } of looks) {
    for (let hold = coming[next]; hold !== undefined && hold.heldSeq <= seq; hold = coming[next]) {
      active.push(hold);
      next += 1;
    }
    active = active.filter((hold) => lastSeqOf(hold) > seq);
    const held = areas.find(({ key }) => key === area)?.held ?? 0;
    const unitsOf = (hold: MadeHold): number => hold.units.get(area) ?? 0;
    const unsure = active.filter((hold) => firstSeqOf(hold) <= seq);
    const all = active.reduce((sum, hold) => sum + unitsOf(hold), 0);
    const sure = all - unsure.reduce((sum, hold) => sum + unitsOf(hold), 0);
    for (const hold of unsure) {
      const isGone = sure + unitsOf(hold) > held;
      const isThere = all - unitsOf(hold) < held;
      for (const end of hold.ends) {
        if (isGone) narrow(end, 0, seq);
        if (isThere) narrow(end, seq + 1, Number.POSITIVE_INFINITY);
      }
    }
  }
}

/** The hold ended at a seq in [firstSeqOf, lastSeqOf], with a booking or without. */
function firstSeqOf({ ends, bookedSeq }: MadeHold): number {
  return Math.min(bookedSeq, ...ends.map(({ seqMin }) => seqMin));
}
function lastSeqOf({ ends, bookedSeq }: MadeHold): number {
  return ends.length === 0 ? bookedSeq : Math.max(...ends.map(({ seqMax }) => seqMax));
}

function running(values: readonly number[], best: (a: number, b: number) => number): number[] {
  let last: number | null = null;
  return values.map((value) => {
    last = last === null ? value : best(last, value);
    return last;
  });
}

/** Index of the first item that the test holds for; it holds for all behind it, too. */
export function firstIndex<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && !holds(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
