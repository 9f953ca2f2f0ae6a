/** What an actor is asked, and its answers out of memory. */
import { whyWaiting } from "../../engine/by-itself.ts";
import type { EventState } from "../../engine/event-state.ts";
import { findHold } from "../../engine/holds.ts";
import type { UserId } from "../../engine/ids.ts";
import type { Refusal } from "../../engine/replies.ts";
import { snapshotHash, snapshotOf } from "../../engine/snapshot.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { ActorReport, Answer, Operation, Query } from "../shard-messages.ts";
import type { Actor } from "./actor.ts";
import type { Shard } from "./shard.ts";

export function isQuery(operation: Operation): operation is Query {
  switch (operation.kind) {
    case "getHold":
    case "getWaiting":
    case "getWaitlist":
    case "watch":
    case "unwatch":
    case "inspect":
    case "audit":
      return true;
    default:
      return false;
  }
}

/** Those that need nothing but the actor. */
export type MemoryQuery = Exclude<Query, { readonly kind: "audit" }>;

interface Asked {
  readonly shard: Shard;
  readonly actor: Actor;
  readonly state: EventState;
  /** What was due by then has happened. */
  readonly nowMs: number;
}

export function answerOf(query: MemoryQuery, { shard, actor, state, nowMs }: Asked): Answer {
  switch (query.kind) {
    case "getHold": {
      const found = findHold(state, query.holdId, query.userId);
      return "code" in found ? refused(found) : { kind: "hold", hold: found };
    }
    case "getWaiting":
      return waitingOf(state, query.userId);
    case "getWaitlist":
      return lineOf(state, query, nowMs);
    case "watch":
      return watch(shard, actor, state);
    case "unwatch":
      actor.watched = false;
      return { kind: "unchanged" };
    case "inspect":
      return { kind: "actor", report: reportOf(shard, actor, state) };
    default:
      return unreachable(query);
  }
}

const refused = (refusal: Refusal): Answer => ({ kind: "refused", refusal });

/** A buyer's place in the line, or what they were offered. */
export function waitingOf({ definition, waitlist, holds }: EventState, userId: UserId): Answer {
  if (definition === null) return refused({ code: "event_not_found" });
  const entry = waitlist.ofUser(userId);
  if (entry === undefined) {
    const [hold] = holds.offersTo(userId);
    return hold === undefined ? refused({ code: "not_waiting" }) : { kind: "hold", hold };
  }
  return { kind: "waiting", entry, position: waitlist.positionOf(entry.entryId) };
}

/** Why each waits is found out for the part that is asked for: a line may be long. */
export function lineOf(
  state: EventState,
  { from, limit }: { readonly from: number; readonly limit: number },
  nowMs: number,
): Answer {
  const { waitlist, seq } = state;
  const line = waitlist.line().slice(from, from + limit);
  const told = line.map(({ entry, skips }) => {
    return { entry, skips, reason: whyWaiting(state, entry, nowMs) };
  });
  return { kind: "waitlist", seq, count: waitlist.count, line: told };
}

function watch({ epoch }: Shard, actor: Actor, state: EventState): Answer {
  const { definition, inventory, seq } = state;
  if (definition === null || inventory === null) return refused({ code: "event_not_found" });
  actor.watched = true;
  const statuses = inventory.statuses.slice();
  const areas = definition.areas.map((_, index) => inventory.area(index));
  return { kind: "view", view: { definition, epoch, seq, statuses, areas } };
}

function reportOf(shard: Shard, actor: Actor, state: EventState): ActorReport {
  return {
    eventId: actor.eventId,
    shard: shard.id,
    seq: state.seq,
    configured: state.definition !== null,
    holds: state.holds.count,
    bookings: state.bookings.size,
    keys: state.keys.count,
    watched: actor.watched,
    hash: snapshotHash(snapshotOf(state)),
  };
}
