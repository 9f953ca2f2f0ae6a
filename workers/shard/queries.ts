/** What an actor is asked, and its answers out of memory. */
import { whyWaiting } from "../../engine/by-itself.ts";
import type { EventState } from "../../engine/event-state.ts";
import { findHold } from "../../engine/holds.ts";
import type { UserId } from "../../engine/ids.ts";
import type { Refusal } from "../../engine/replies.ts";
import { comparableOf } from "../../engine/snapshot.ts";
import { hashing } from "../../engine/snapshot-comparison.ts";
import type { Steps } from "../../engine/steps.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Answer, Operation, Query } from "../shard-messages.ts";
import type { Actor } from "./actor.ts";
import { type AuditPorts, auditActor } from "./audit.ts";
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

/** Those that look at everything: a large event is gone through in turns. */
type LongQuery = Extract<Query, { readonly kind: "inspect" | "audit" }>;

export const isLong = (query: Query): query is LongQuery =>
  query.kind === "inspect" || query.kind === "audit";

/** An inspection of an event that is not large is answered at once. */
export function longAnswerOf(
  { kind }: LongQuery,
  { shard, actor, state }: Asked,
  ports: AuditPorts,
): Answer | Promise<Answer> {
  if (kind === "audit") return auditActor(shard, actor, state, ports);
  const running = actor.inspection;
  if (running !== null) {
    // One at a time: each holds a list of all that is in the event.
    return running.seq === state.seq ? running.answer : refused({ code: "busy" });
  }
  const steps = inspecting(shard, actor, state);
  try {
    const first = steps.next();
    if (first.done === true) return first.value;
  } catch (cause) {
    return Promise.reject(cause);
  }
  const answer = ports.turns.run(steps).finally(() => {
    actor.inspection = null;
  });
  actor.inspection = { seq: state.seq, answer };
  return answer;
}

export interface Asked {
  readonly shard: Shard;
  readonly actor: Actor;
  readonly state: EventState;
  /** What was due by then has happened. */
  readonly nowMs: number;
}

export function answerOf(
  query: Exclude<Query, LongQuery>,
  { shard, actor, state, nowMs }: Asked,
): Answer {
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
  const line = waitlist.line(from, limit);
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

function* inspecting(shard: Shard, actor: Actor, state: EventState): Steps<Answer> {
  const report = {
    eventId: actor.eventId,
    shard: shard.id,
    seq: state.seq,
    configured: state.definition !== null,
    holds: state.holds.count,
    bookings: state.bookings.size,
    keys: state.keys.count,
    watched: actor.watched,
  };
  return { kind: "actor", report: { ...report, hash: yield* hashing(comparableOf(state)) } };
}
