import { apply } from "../../engine/apply.ts";
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
  const drift = driftBetween(memory, database).slice(0, DRIFT_SHOWN_MAX);
  return {
    kind: "audit",
    report: {
      ok: drift.length === 0,
      seq: database.seq,
      memory: sideOf(memory),
      database: sideOf(database),
      drift,
    },
  };
}

function sideOf(snapshot: Snapshot): AuditSide {
  const { inventory } = restore(snapshot);
  return {
    seq: snapshot.seq,
    capacity: inventory?.capacity ?? 0,
    free: inventory?.free ?? 0,
    held: inventory?.held ?? 0,
    sold: inventory?.sold ?? 0,
    blocked: inventory?.blocked ?? 0,
    holds: snapshot.holds.length,
    bookings: snapshot.bookings.filter((booking) => booking.cancelled === null).length,
    hash: snapshotHash(snapshot),
  };
}
