/** The state of one event at any seq, made from its facts by the code that sells: engine/apply. */
import { apply } from "../../../engine/apply.ts";
import { EventState } from "../../../engine/event-state.ts";
import type { Fact } from "../../../engine/facts.ts";
import type { EventId } from "../../../engine/ids.ts";
import { restore, type Snapshot } from "../../../engine/snapshot.ts";
import type { Disk } from "../disk.ts";
import { readEntry, readEntryHeader } from "../entry.ts";
import { ENTRIES } from "../frame.ts";
import { parseSegmentHeader } from "../segment.ts";
import { bytesOf, entriesIn, journalFiles, partsOf } from "./journal-files.ts";
import type { ReplayLimits } from "./tool-arguments.ts";
import { ToolError } from "./tool-errors.ts";

/** A journal in use changes while it is read; what is really missing stays missing. */
const ATTEMPTS = 3;

export interface FoundFact {
  readonly fact: Fact;
  readonly bytes: Buffer;
  /** Where it was found first, for the reader. */
  readonly place: string;
}

export type FoundFacts = ReadonlyMap<number, FoundFact>;

export interface Replayed {
  readonly state: EventState;
  /** 0: from the event's first fact; otherwise the seq of the rows that it began with. */
  readonly baseSeq: number;
  /** What was applied, in order. */
  readonly applied: readonly Fact[];
}

/**
 * Collects an event's facts and replays them. `database` gives the event's rows, and is asked only
 * if the journal alone does not do; null: there is none. Throws ToolError.
 */
export async function replay(
  disk: Disk,
  event: { readonly eventId: EventId; readonly limits: ReplayLimits },
  database: (() => Promise<Snapshot>) | null,
): Promise<Replayed> {
  for (let attempt = 1; ; attempt += 1) {
    const facts = collectFacts(disk, event.eventId);
    try {
      return await replayFrom(facts, event.limits, database);
    } catch (error) {
      if (!isMissing(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

async function replayFrom(
  facts: FoundFacts,
  limits: ReplayLimits,
  database: (() => Promise<Snapshot>) | null,
): Promise<Replayed> {
  try {
    return replayFacts(facts, limits, null);
  } catch (error) {
    if (database === null || !isMissing(error)) throw error;
    const base = await database();
    // Nothing is projected of it: the rows are of no help.
    if (base.seq === 0) throw error;
    return replayFacts(facts, limits, base);
  }
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof ToolError && (error.code === "facts_missing" || error.code === "no_facts")
  );
}

/**
 * All facts of an event in the archive and the journal, by seq. Every valid frame counts, whatever
 * is wrong elsewhere. Throws ToolError `facts_differ`.
 */
export function collectFacts(disk: Disk, eventId: EventId): FoundFacts {
  const facts = new Map<number, FoundFact>();
  for (const { name } of journalFiles(disk)) {
    const bytes = bytesOf(disk, name);
    const header = bytes === null ? "" : parseSegmentHeader(bytes);
    if (bytes === null || typeof header === "string") continue;
    for (const part of partsOf(bytes, header.salt)) {
      if (part.kind === "bad" || part.frame.kind !== ENTRIES) continue;
      const { payload, offset } = part.frame;
      // Most frames are of other events: the id itself is looked for before anything is decoded.
      if (!payload.includes(eventId)) continue;
      for (const [at, end] of entriesIn(payload)) {
        const entry = payload.subarray(at, end);
        if (entry.includes(eventId)) keep(facts, eventId, entry, `${name} at offset ${offset}`);
      }
    }
  }
  return facts;
}

function keep(facts: Map<number, FoundFact>, eventId: EventId, entry: Buffer, place: string): void {
  const { eventId: owner, fact } = readEntry(entry, 0);
  if (owner !== eventId) return;
  const known = facts.get(fact.seq);
  // A start writes what PostgreSQL lacks once more, byte for byte.
  if (known === undefined) facts.set(fact.seq, { fact, bytes: Buffer.from(entry), place });
  else if (!known.bytes.equals(entry)) {
    const { shard, lsn } = readEntryHeader(entry, 0);
    const other = readEntryHeader(known.bytes, 0);
    const first = `${known.place} (shard ${other.shard}, lsn ${other.lsn})`;
    const second = `${place} (shard ${shard}, lsn ${lsn})`;
    const message = `seq ${fact.seq} is two different facts: in ${first}, and in ${second}`;
    throw new ToolError("facts_differ", message);
  }
}

/** Applies the facts behind `base`, or, if that is null, all from seq 1 on. Throws ToolError. */
export function replayFacts(
  facts: FoundFacts,
  limits: ReplayLimits,
  base: Snapshot | null,
): Replayed {
  const seqs = [...facts.keys()].sort((a, b) => a - b);
  if (base === null) checkBeginning(seqs);
  else checkBase(facts, limits, base.seq);
  const state = base === null ? new EventState() : restored(base);

  const applied: Fact[] = [];
  for (const seq of seqs) {
    const found = facts.get(seq);
    if (found === undefined || seq <= (base?.seq ?? 0) || !isWithin(found, limits)) continue;
    if (seq !== state.seq + 1) throw missing(state.seq + 1, seq - 1, "later ones are there");
    applyFound(state, found);
    applied.push(found.fact);
  }
  const { untilSeq, atMs } = limits;
  if (untilSeq !== null && atMs === null && state.seq < untilSeq) {
    throw missing(state.seq + 1, untilSeq, "the journal ends before");
  }
  return { state, baseSeq: base?.seq ?? 0, applied };
}

function checkBeginning(seqs: readonly number[]): void {
  const [first] = seqs;
  if (first === 1) return;
  const hint = "--database URL begins with the rows of PostgreSQL instead, if it has some";
  if (first === undefined) {
    throw new ToolError("no_facts", `the journal has no fact of this event; ${hint}`);
  }
  const why = "removed when PostgreSQL had them (JOURNAL_ARCHIVE_BYTES keeps them)";
  throw missing(1, first - 1, `${why}; ${hint}`);
}

/** The rows are one state, and no earlier one can be told from them. */
function checkBase(facts: FoundFacts, { untilSeq, atMs }: ReplayLimits, baseSeq: number): void {
  const start = `the journal lacks facts, and PostgreSQL is at seq ${baseSeq} already`;
  if (untilSeq !== null && untilSeq < baseSeq) {
    throw new ToolError("facts_missing", `${start}: seq ${untilSeq} can't be told any more`);
  }
  if (atMs === null) return;
  const known = facts.get(baseSeq) ?? facts.get(baseSeq + 1);
  if (known !== undefined && known.fact.atMs <= atMs) return;
  throw new ToolError("facts_missing", `${start}: the state at that time can't be told any more`);
}

function restored(base: Snapshot): EventState {
  try {
    return restore(base);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the rows of PostgreSQL contradict each other: ${why}`;
    throw new ToolError("fact_impossible", message, { cause });
  }
}

function isWithin({ fact }: FoundFact, { untilSeq, atMs }: ReplayLimits): boolean {
  if (untilSeq !== null && fact.seq > untilSeq) return false;
  return atMs === null || fact.atMs <= atMs;
}

function applyFound(state: EventState, { fact, place }: FoundFact): void {
  try {
    apply(state, fact);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const what = `seq ${fact.seq} (${fact.kind}, in ${place})`;
    const message = `${what} does not follow from the facts before it: ${why}`;
    throw new ToolError("fact_impossible", message, { cause });
  }
}

function missing(first: number, last: number, why: string): ToolError {
  const which = first === last ? `seq ${first} is` : `seq ${first} to ${last} are`;
  return new ToolError("facts_missing", `${which} missing: ${why}`);
}
