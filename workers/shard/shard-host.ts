/**
 * The loop of a shard worker. It knows no thread, timer or socket: requests, durability, watermarks
 * and ticks are handed in, entries and outputs handed out, so that a simulator can drive the same
 * code.
 *
 *   receive ─► for each request: actor (load it first) ─► what is due ─► decide ─► apply ─► offers
 *                                                            │ facts       │ reply        │ facts
 *                                                            ▼             ▼              ▼
 *                                                      journal.append   OutputGate   journal.append
 *                                                            └── durable(ticket) ──► release
 *
 * Rounds keeps the lower part of it.
 *
 * Invariants:
 * - Facts of a shard get consecutive lsns in the order in which they were applied.
 * - Nothing leaves before the facts that it rests on are durable (OutputGate).
 * - A throw in `decide`, or of what it leads to and no entry can hold, refuses one command; a throw
 *   in `apply` is fatal, as memory is no longer true.
 */
import { apply } from "../../engine/apply.ts";
import {
  aftermath,
  isCancelled,
  mayLeadToOffer,
  nextExpiry,
  nextOffer,
  placeOfOffer,
} from "../../engine/by-itself.ts";
import { decide } from "../../engine/decide.ts";
import type { EventState } from "../../engine/event-state.ts";
import type { Fact } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import {
  AFTERMATH_FACTS_PER_TICK,
  PASSED_ENTRIES_PER_TURN_MAX,
  ROUND_REQUESTS_MAX,
} from "../../engine/limits.ts";
import { restoring } from "../../engine/snapshot.ts";
import type { Steps } from "../../engine/steps.ts";
import { assertFitsEntry } from "../journal/entry.ts";
import type { Answer, ShardReport, ShardRequest } from "../shard-messages.ts";
import { Actor } from "./actor.ts";
import { HostMeter, type ShardWorkerVitals } from "./host-meter.ts";
import { LoadQueue } from "./load-queue.ts";
import { type Asked, answerOf, isLong, isQuery, longAnswerOf } from "./queries.ts";
import { Rounds } from "./rounds.ts";
import { Shard } from "./shard.ts";
import type { ShardHostOptions, ShardHostPorts } from "./shard-host-ports.ts";
import { SHARD_LIMITS, type ShardLimits } from "./shard-limits.ts";
import { WakeList } from "./wake-list.ts";

const FAILED: Answer = { kind: "failed" };

export class ShardHost {
  readonly #ports: ShardHostPorts;
  readonly #options: ShardHostOptions & ShardLimits;
  readonly #shards = new Map<number, Shard>();
  readonly #rounds: Rounds;
  readonly #loads: LoadQueue;
  readonly #toWake = new WakeList();
  readonly #meter = new HostMeter();
  #journalFull = false;
  #projectorFull = false;
  #nextSecondMs = 0;

  constructor(options: ShardHostOptions, ports: ShardHostPorts) {
    this.#ports = ports;
    this.#options = { ...SHARD_LIMITS, ...options };
    this.#rounds = new Rounds(ports, this.#meter);
    this.#loads = new LoadQueue((cause) => ports.die("parked requests were not decided", cause));
    for (const start of options.shards) {
      this.#shards.set(start.shard, new Shard(start, ports.wallMs, options));
    }
  }

  /** Decides a batch of requests, in rounds of bounded size. */
  receive(requests: readonly ShardRequest[]): void {
    for (let from = 0; from < requests.length; from += ROUND_REQUESTS_MAX) {
      const startedMs = this.#ports.wallMs();
      for (const request of requests.slice(from, from + ROUND_REQUESTS_MAX)) {
        this.#admit(request, startedMs);
      }
      this.#finishRound(startedMs);
    }
  }

  /** The journal has made everything up to this ticket durable. */
  durable(ticket: number): void {
    this.#rounds.durable(ticket);
  }

  /** PostgreSQL has these shards' facts up to these lsns. */
  projected(watermarks: readonly (readonly [shard: number, lsn: number])[]): void {
    for (const [shard, lsn] of watermarks) this.#shards.get(shard)?.projected(lsn);
  }

  /** While the journal has no room for its next segment, nothing new is admitted. */
  setJournalFull(full: boolean): void {
    this.#journalFull = full;
  }

  /** While the projector has more than it may keep, nothing new is admitted. */
  setProjectorFull(full: boolean): void {
    this.#projectorFull = full;
  }

  /** Begins to load the actors that do something by themselves, though nobody asks. */
  async wake(shardOf: (eventId: EventId) => number): Promise<WakeList> {
    for (const eventId of await this.#ports.loader.eventsToWake()) {
      const shard = this.#shards.get(shardOf(eventId));
      if (shard !== undefined) this.#toWake.add(eventId, shard);
    }
    this.#wakeNext();
    return this.#toWake;
  }

  /**
   * Does what is due, winds up what was cancelled, and lets idle actors go; called every
   * EXPIRY_TICK_MS.
   */
  tick(): void {
    const nowMs = this.#ports.wallMs();
    for (const shard of this.#shards.values()) {
      const timeMs = shard.clock.read();
      for (const actor of shard.actors.values()) {
        if (actor.state === null) continue;
        this.#doDue(shard, actor, actor.state, timeMs);
        if (actor.aftermath !== null) this.#windUp(shard, actor, actor.state, actor.aftermath);
      }
    }
    this.#finishRound(nowMs);
    if (nowMs < this.#nextSecondMs) return;
    this.#nextSecondMs = nowMs + 1000;
    this.#wakeNext();
    for (const shard of this.#shards.values()) {
      shard.measureRate();
      this.#letIdleGo(shard, nowMs - this.#options.actorIdleMs);
    }
  }

  reports(eventLoopUtilisation: number): ShardReport[] {
    const { worker } = this.#options;
    return Array.from(this.#shards.values(), (shard) => shard.report(worker, eventLoopUtilisation));
  }

  vitals(): Omit<ShardWorkerVitals, "worker" | "thread"> {
    const waitsSinceMs = this.#rounds.oldestMs;
    const unsyncedMs = waitsSinceMs === null ? 0 : this.#ports.wallMs() - waitsSinceMs;
    return { ...this.#meter.vitals(this.#shards.values()), unsyncedMs };
  }

  #admit(request: ShardRequest, nowMs: number): void {
    const { id, trace } = request;
    const shard = this.#shards.get(request.shard);
    if (shard === undefined || nowMs > request.deadlineMs) return this.#rounds.refuse(id);
    const actor = shard.actors.get(request.eventId) ?? this.#admitActor(shard, request.eventId);
    if (actor === null) return this.#rounds.refuse(id);
    actor.lastUsedMs = nowMs;
    const timeMs = shard.clock.read();
    if (actor.state !== null) this.#doDue(shard, actor, actor.state, timeMs);
    const { state } = actor;
    if (state === null || actor.offering !== null) {
      if (!actor.park(request)) this.#rounds.refuse(id);
      return;
    }
    const asked = { shard, actor, state, nowMs: timeMs };
    if (trace === undefined) return this.#execute(request, asked);
    this.#rounds.trace(trace, shard, () => this.#execute(request, asked));
  }

  /** What was due by then has happened. */
  #execute({ id, operation }: ShardRequest, asked: Asked): void {
    const { shard, actor, state, nowMs } = asked;
    shard.commandsTotal += 1;
    this.#meter.asked(operation.kind);
    if (isQuery(operation)) {
      // What is true can't be told before the journal has it, and the journal is late.
      if (this.#journalFull && this.#rounds.isAhead) return this.#rounds.refuse(id);
      const answer = this.#contained(actor, operation.kind, () =>
        isLong(operation)
          ? longAnswerOf(operation, asked, this.#ports)
          : answerOf(operation, asked),
      );
      if (answer instanceof Promise) return this.#rounds.later(shard, id, answer);
      return this.#rounds.answer(id, shard.lsn, answer ?? FAILED);
    }
    if (this.#isFull(shard)) return this.#rounds.refuse(id);
    let decision: ReturnType<typeof decide>;
    try {
      decision = decide(state, operation, nowMs);
      for (const fact of decision.facts) assertFitsEntry(fact);
    } catch (cause) {
      const about = { shard: shard.id, eventId: actor.eventId };
      this.#ports.warn(`decide failed on ${operation.kind}`, cause, about);
      return this.#rounds.answer(id, shard.lsn, FAILED);
    }
    let mayOffer = false;
    for (const fact of decision.facts) {
      this.#commit(shard, actor, state, fact);
      mayOffer ||= mayLeadToOffer(fact);
    }
    if (mayOffer) this.#offer(shard, actor, state, nowMs);
    const { reply } = decision;
    if (reply.kind === "replay") return this.#replay(shard, actor, id, reply);
    const { offering } = actor;
    if (offering === null) this.#rounds.answer(id, shard.lsn, reply);
    else offering.push(() => this.#rounds.answer(id, shard.lsn, reply));
  }

  /** Answers a repeated request with the fact that it caused the first time. */
  #replay(shard: Shard, actor: Actor, id: number, { seq }: { seq: number }): void {
    const recent = actor.recentOutcomes.find(seq);
    if (recent !== null) {
      return this.#rounds.answer(id, shard.lsn, { kind: "done", fact: recent, replayed: true });
    }
    const load = this.#ports.loader.loadOutcome(actor.eventId, seq);
    const found = load.then((fact): Answer | null =>
      fact === null ? null : { kind: "done", fact, replayed: true },
    );
    this.#rounds.later(shard, id, found);
  }

  /** Nothing new is admitted. */
  #isFull(shard: Shard): boolean {
    return shard.isBehind || this.#journalFull || this.#projectorFull;
  }

  /** Ends the holds that are due, and offers what is free to those who wait. */
  #doDue(shard: Shard, actor: Actor, state: EventState, nowMs: number): void {
    let mayOffer = nowMs >= actor.offersDueMs;
    for (let fact = nextExpiry(state, nowMs); fact !== null; fact = nextExpiry(state, nowMs)) {
      this.#commit(shard, actor, state, fact);
      mayOffer = true;
    }
    if (mayOffer) this.#offer(shard, actor, state, nowMs);
  }

  /** Offers all that can be offered now: what is too much for one turn, in further ones. */
  #offer(shard: Shard, actor: Actor, state: EventState, nowMs: number): void {
    if (actor.offering !== null || !this.#offerSome(shard, actor, state, nowMs)) return;
    actor.offering = [];
    this.#ports.turns.run(this.#offeringMore(shard, actor, state)).catch((cause: unknown) => {
      this.#ports.die(`the line of event ${actor.eventId} was not offered what is free`, cause);
    });
  }

  *#offeringMore(shard: Shard, actor: Actor, state: EventState): Steps<void> {
    for (let isMore = true; isMore; ) {
      yield;
      const nowMs = shard.clock.read();
      this.#doDue(shard, actor, state, nowMs);
      isMore = this.#offerSome(shard, actor, state, nowMs);
      if (isMore) this.#finishRound(this.#ports.wallMs());
    }
    const answers = actor.offering ?? [];
    actor.offering = null;
    for (const answer of answers) answer();
    this.#finishRound(this.#ports.wallMs());
    this.receive(actor.takeParked());
  }

  /** Makes a portion of offers, and notes when time alone will allow more. True: there are more. */
  #offerSome(shard: Shard, actor: Actor, state: EventState, nowMs: number): boolean {
    actor.offersDueMs = Number.POSITIVE_INFINITY;
    let passed = 0;
    for (let made = 0; state.waitlist.count > 0; made += 1) {
      const offer = this.#contained(actor, "an offer", () => nextOffer(state, nowMs));
      if (offer === null) break;
      const isEnough = passed >= PASSED_ENTRIES_PER_TURN_MAX;
      if (made === this.#options.offersPerTurnMax || isEnough) return true;
      passed += placeOfOffer(state, offer);
      this.#commit(shard, actor, state, offer);
    }
    const opensMs = state.definition?.salesOpenMs ?? null;
    const isClosed = opensMs !== null && opensMs > nowMs && state.waitlist.count > 0;
    if (isClosed) actor.offersDueMs = opensMs;
    return false;
  }

  /** Does a portion of what a cancellation leads to, unless nothing new is admitted. */
  #windUp(shard: Shard, actor: Actor, state: EventState, left: Generator<Fact>): void {
    for (let count = 0; count < AFTERMATH_FACTS_PER_TICK && !this.#isFull(shard); count += 1) {
      const next = this.#contained(actor, "the aftermath", () => left.next());
      if (next === null || next.done === true) {
        actor.aftermath = null;
        return;
      }
      this.#commit(shard, actor, state, next.value);
    }
  }

  /** Questions change nothing, nor does what an event does by itself before `apply`. */
  #contained<Result>(actor: Actor, what: string, next: () => Result): Result | null {
    try {
      return next();
    } catch (cause) {
      this.#ports.warn(`${what} failed`, cause, { eventId: actor.eventId });
      return null;
    }
  }

  #beginAftermath(shard: Shard, actor: Actor, state: EventState): void {
    actor.aftermath = isCancelled(state) ? aftermath(state, () => shard.clock.read()) : null;
  }

  #commit(shard: Shard, actor: Actor, state: EventState, fact: Fact): void {
    try {
      apply(state, fact);
    } catch (cause) {
      this.#ports.die(`apply failed on ${fact.kind} of event ${actor.eventId}`, cause);
      throw cause;
    }
    this.#rounds.write(shard, actor, fact);
    if (fact.kind === "configured") this.#beginAftermath(shard, actor, state);
  }

  #finishRound(startedMs: number): void {
    this.#rounds.finish(this.#shards.values(), startedMs);
  }

  #wakeNext(): void {
    for (const [eventId, shard] of this.#toWake.entries()) {
      if (!shard.actors.has(eventId)) this.#startActor(shard, eventId);
    }
  }

  /** Makes room by letting idle actors go early; null: all are in use. */
  #admitActor(shard: Shard, eventId: EventId): Actor | null {
    if (this.#actorCount() >= this.#options.actorsMax) {
      for (const each of this.#shards.values()) this.#letIdleGo(each, Number.POSITIVE_INFINITY);
      if (this.#actorCount() >= this.#options.actorsMax) return null;
    }
    return this.#startActor(shard, eventId);
  }

  #actorCount(): number {
    let count = 0;
    for (const shard of this.#shards.values()) count += shard.actors.size;
    return count;
  }

  #startActor(shard: Shard, eventId: EventId): Actor {
    const actor = new Actor(eventId, this.#ports.wallMs());
    shard.actors.set(eventId, actor);
    this.#loads.add(() => this.#load(shard, actor));
    return actor;
  }

  async #load(shard: Shard, actor: Actor): Promise<void> {
    try {
      const { loader, turns } = this.#ports;
      actor.state = await turns.run(restoring(await loader.load(actor.eventId, shard.stored)));
    } catch (cause) {
      const about = { shard: shard.id, eventId: actor.eventId };
      this.#ports.warn("an event could not be loaded", cause, about);
      shard.actors.delete(actor.eventId);
      for (const { id } of actor.takeParked()) this.#rounds.refuse(id);
      return this.#finishRound(this.#ports.wallMs());
    }
    this.#beginAftermath(shard, actor, actor.state);
    this.#doDue(shard, actor, actor.state, shard.clock.read());
    this.#finishRound(this.#ports.wallMs());
    this.#toWake.loaded(actor.eventId);
    this.receive(actor.takeParked());
  }

  #letIdleGo(shard: Shard, unusedSinceMs: number): void {
    for (const actor of shard.actors.values()) {
      if (actor.isIdle(shard.projectedLsn, unusedSinceMs)) shard.actors.delete(actor.eventId);
    }
  }
}
