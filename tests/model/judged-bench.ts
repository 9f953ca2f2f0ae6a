import { statusOf } from "../../engine/booking.ts";
import { findHold } from "../../engine/holds.ts";
import { ENDED_HOLD_TTL_MS } from "../../engine/limits.ts";
import { restore, snapshotOf } from "../../engine/snapshot.ts";
import { snapshotHash } from "../../engine/snapshot-comparison.ts";
import { EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { lineOf, waitingOf } from "../../workers/shard/queries.ts";
import type { Answer, Operation, Query } from "../../workers/shard-messages.ts";
import { differences } from "./differences.ts";
import { EventModel } from "./event-model.ts";
import type { Circumstances } from "./expected.ts";

export interface Judged {
  readonly answer: Answer;
  /** What the model said to the facts and to the answer; []: nothing. */
  readonly complaints: readonly string[];
  readonly when: Circumstances;
}

/**
 * The real engine under the eyes of the model: one event, decided as a shard worker does it, each
 * fact and each answer judged.
 */
export class JudgedBench {
  readonly bench: EventBench;
  model = new EventModel(EVENT_ID);

  constructor(bench = new EventBench()) {
    this.bench = bench;
  }

  run(operation: Operation): Judged {
    const complaints = this.judgeFacts();
    this.bench.expire();
    const when = { fromMs: this.bench.nowMs, toMs: this.bench.nowMs, beforeSeq: this.model.seq };
    const answer = this.#answer(operation);
    complaints.push(...this.judgeFacts(), ...this.model.check(operation, answer, when));
    return { answer, complaints, when };
  }

  /** Has the model take in what the engine did meanwhile. */
  judgeFacts(): string[] {
    return this.bench.facts.slice(this.model.seq).flatMap((fact) => this.model.take(fact));
  }

  /** The actor forgets all that it may, as one that is built again from rows. */
  reload(): void {
    this.bench.expire();
    this.judgeFacts();
    const { endedHolds, ...rest } = snapshotOf(this.bench.state);
    const purgedBeforeMs = this.bench.nowMs - ENDED_HOLD_TTL_MS;
    this.bench.state = restore({
      ...rest,
      endedHolds: endedHolds.filter(({ end, atMs }) => end === "booked" || atMs >= purgedBeforeMs),
    });
    this.model.reloaded(purgedBeforeMs);
  }

  /** What of the engine's memory no answer tells, and is not what it should be; []: nothing. */
  untold(): string[] {
    const { state, nowMs } = this.bench;
    const { model } = this;
    const untold = differences("the seats", this.bench.statuses(), model.statuses());
    const due = model.overdue(nowMs).map(({ entry }) => `${entry.entryId} should be served`);
    for (const [userId, places] of state.placesByUser) {
      untold.push(...differences(`places of ${userId}`, places, model.placesOf(userId)));
    }
    for (const { code, userId, uses } of state.promoUses.all()) {
      untold.push(...differences(`uses of ${code}`, uses, model.usesOf(code, userId)));
    }
    for (const { place, channel } of state.blocks.all()) {
      if (place >= 0) continue;
      const used = state.blocks.inUseOf(place, channel);
      untold.push(...differences("used", used, model.usedIn(-1 - place, channel)));
    }
    return [...untold, ...due];
  }

  #answer(operation: Operation): Answer {
    switch (operation.kind) {
      case "getHold":
      case "getWaiting":
      case "getWaitlist":
      case "watch":
      case "unwatch":
      case "inspect":
      case "audit":
        return this.#query(operation);
      default:
        break;
    }
    const { reply } = this.bench.run(operation);
    if (reply.kind !== "replay") return reply;
    const fact = this.bench.facts[reply.seq - 1];
    if (fact === undefined) return { kind: "failed" };
    return { kind: "done", fact, replayed: true };
  }

  #query(query: Query): Answer {
    const { state } = this.bench;
    const snapshot = snapshotOf(state);
    const { definition, inventory, seq } = state;
    switch (query.kind) {
      case "getHold": {
        const found = findHold(state, query.holdId, query.userId);
        if ("code" in found) return { kind: "refused", refusal: found };
        return { kind: "hold", hold: found };
      }
      case "getWaiting":
        return waitingOf(state, query.userId);
      case "getWaitlist":
        return lineOf(state, query, this.bench.nowMs);
      case "watch": {
        if (definition === null || inventory === null) {
          return { kind: "refused", refusal: { code: "event_not_found" } };
        }
        const areas = definition.areas.map((_, index) => inventory.area(index));
        const statuses = inventory.statuses.slice();
        return { kind: "view", view: { definition, epoch: 1, seq, statuses, areas } };
      }
      case "unwatch":
        return { kind: "unchanged" };
      case "inspect": {
        const { holds, bookings, keys } = state;
        const counts = { holds: holds.count, bookings: bookings.size, keys: keys.count };
        const where = { eventId: EVENT_ID, shard: 0, watched: false };
        const hash = snapshotHash(snapshot);
        const configured = definition !== null;
        return { kind: "actor", report: { ...where, seq, configured, ...counts, hash } };
      }
      case "audit": {
        const { capacity = 0, free = 0, held = 0, sold = 0, blocked = 0 } = inventory ?? {};
        const holds = snapshot.holds.length;
        const bookings = snapshot.bookings.filter(
          ({ record }) => statusOf(record) === "confirmed",
        ).length;
        const counts = { capacity, free, held, sold, blocked, holds, bookings };
        const side = { seq, ...counts, hash: snapshotHash(snapshot) };
        const report = { ok: true, seq, memory: side, database: side, drift: [] };
        return { kind: "audit", report };
      }
      default:
        return unreachable(query);
    }
  }
}
