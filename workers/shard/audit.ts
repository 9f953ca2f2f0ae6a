import { apply } from "../../engine/apply.ts";
import { statusOf } from "../../engine/booking.ts";
import type { EventState } from "../../engine/event-state.ts";
import type { Fact } from "../../engine/facts.ts";
import {
  driftBetween,
  restore,
  type Snapshot,
  snapshotHash,
  snapshotOf,
} from "../../engine/snapshot.ts";
import type { Answer, AuditSide } from "../shard-messages.ts";
import type { ActorLoader } from "../store/actor-loader.ts";
import type { Actor } from "./actor.ts";
import type { Shard } from "./shard.ts";

const DRIFT_SHOWN_MAX = 100;

/**
 * Compares an actor with its rows while it goes on selling: takes a copy of the state now, waits
 * until the database has at least that much, loads the rows, and brings the copy forward to the
 * very seq of the rows by the facts recorded meanwhile. So a live event is audited exactly, not
 * roughly.
 */
export async function auditActor(
  shard: Shard,
  actor: Actor,
  state: EventState,
  loader: ActorLoader,
): Promise<Answer> {
  // One at a time: while PostgreSQL is away, each holds a copy and every fact since.
  if (actor.recordings.size > 0) return { kind: "refused", refusal: { code: "busy" } };
  const memory = restore(snapshotOf(state));
  const recording: Fact[] = [];
  actor.recordings.add(recording);
  try {
    await shard.whenProjected(actor.lastLsn);
    const database = await loader.load(actor.eventId);
    for (const fact of recording) {
      if (fact.seq <= database.seq) apply(memory, fact);
    }
    return report(snapshotOf(memory), database);
  } finally {
    actor.recordings.delete(recording);
  }
}

function report(memory: Snapshot, database: Snapshot): Answer {
  const rows = restored(database);
  const drift = driftBetween(memory, database);
  if (typeof rows === "string") drift.unshift(rows);
  return {
    kind: "audit",
    report: {
      ok: drift.length === 0,
      seq: database.seq,
      memory: sideOf(memory, restore(memory)),
      database: sideOf(database, typeof rows === "string" ? null : rows),
      drift: drift.slice(0, DRIFT_SHOWN_MAX),
    },
  };
}

/** The state that rows describe, or how they contradict each other: two tickets for one seat. */
function restored(database: Snapshot): EventState | string {
  try {
    return restore(database);
  } catch (cause) {
    return `the database contradicts itself: ${cause instanceof Error ? cause.message : cause}`;
  }
}

/** `state` null: the counts can't be told. */
function sideOf(snapshot: Snapshot, state: EventState | null): AuditSide {
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
    hash: snapshotHash(snapshot),
  };
}
