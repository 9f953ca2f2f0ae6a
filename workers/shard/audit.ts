import { apply } from "../../engine/apply.ts";
import { statusOf } from "../../engine/booking.ts";
import type { EventState } from "../../engine/event-state.ts";
import type { Fact } from "../../engine/facts.ts";
import {
  type Comparable,
  comparableOf,
  EMPTY_SNAPSHOT,
  restoring,
  type Snapshot,
} from "../../engine/snapshot.ts";
import { comparing } from "../../engine/snapshot-comparison.ts";
import type { Turns } from "../in-turns.ts";
import type { Answer, AuditSide } from "../shard-messages.ts";
import { type ActorLoader, DRIFT_SHOWN_MAX } from "../store/actor-loader.ts";
import type { Actor } from "./actor.ts";
import type { Shard } from "./shard.ts";

/** Facts that bring the copy forward in one turn. */
const FACTS_PER_TURN = 500;

export interface AuditPorts {
  readonly loader: ActorLoader;
  readonly turns: Turns;
}

/**
 * Compares an actor with its rows while it goes on selling: takes a copy of the state now, waits
 * until the database has at least that much, loads the rows, and brings the copy forward to the
 * very seq of the rows by the facts recorded meanwhile. So a live event is audited exactly, not
 * roughly. The totals of bookings, which memory does not keep, are compared with their tickets'
 * prices among the rows alone. What takes long is done in turns (in-turns.ts): buyers are served in
 * between.
 */
export async function auditActor(
  shard: Shard,
  actor: Actor,
  state: EventState,
  { loader, turns }: AuditPorts,
): Promise<Answer> {
  // One at a time: while PostgreSQL is away, each holds a copy and every fact since.
  if (actor.recordings.size > 0) return { kind: "refused", refusal: { code: "busy" } };
  const { lastLsn } = actor;
  const recording: Fact[] = [];
  actor.recordings.add(recording);
  try {
    const now = { ...EMPTY_SNAPSHOT, ...comparableOf(state) };
    const memory = await turns.run(restoring(now));
    await shard.whenProjected(lastLsn);
    const database = await loader.load(actor.eventId, shard.stored);
    // Of rows that may be newer: each booking's agree at any time.
    const wrongTotals = await loader.wrongTotals(actor.eventId);
    await turns.run(bringing(memory, recording, database.seq));
    return await report(memory, { database, wrongTotals }, turns);
  } finally {
    actor.recordings.delete(recording);
  }
}

/** Brings a state forward to `seq`, by facts that begin at or before its own. */
function* bringing(state: EventState, facts: readonly Fact[], seq: number) {
  for (const [index, fact] of facts.entries()) {
    if (fact.seq > seq) return;
    apply(state, fact);
    if (index % FACTS_PER_TURN === FACTS_PER_TURN - 1) yield;
  }
}

interface Stored {
  readonly database: Snapshot;
  readonly wrongTotals: readonly string[];
}

async function report(
  state: EventState,
  { database, wrongTotals }: Stored,
  turns: Turns,
): Promise<Answer> {
  const memory = comparableOf(state);
  const rows = await restored(database, turns);
  const { drift, memoryHash, databaseHash } = await turns.run(comparing(memory, database));
  drift.unshift(...(typeof rows === "string" ? [rows] : []), ...wrongTotals);
  return {
    kind: "audit",
    report: {
      ok: drift.length === 0,
      seq: database.seq,
      memory: sideOf(memory, state, memoryHash),
      database: sideOf(database, typeof rows === "string" ? null : rows, databaseHash),
      drift: drift.slice(0, DRIFT_SHOWN_MAX),
    },
  };
}

/** The state that rows describe, or how they contradict each other: two tickets for one seat. */
function restored(database: Snapshot, turns: Turns): Promise<EventState | string> {
  return turns
    .run(restoring(database))
    .catch(
      (cause: unknown) =>
        `the database contradicts itself: ${cause instanceof Error ? cause.message : cause}`,
    );
}

/** `state` null: the counts can't be told. */
function sideOf(snapshot: Comparable, state: EventState | null, hash: string): AuditSide {
  const inventory = state?.inventory;
  return {
    seq: snapshot.seq,
    capacity: inventory?.capacity ?? 0,
    free: inventory?.free ?? 0,
    held: inventory?.held ?? 0,
    sold: inventory?.sold ?? 0,
    blocked: inventory?.blocked ?? 0,
    holds: snapshot.holds.length,
    bookings: snapshot.bookings.filter(({ record }) => statusOf(record) === "confirmed").length,
    hash,
  };
}
