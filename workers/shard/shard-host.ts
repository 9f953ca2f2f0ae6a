/**
 * The loop of a shard worker. It knows no thread, timer or socket: requests, durability, watermarks
 * and ticks are handed in, entries and outputs handed out, so that a simulator can drive the same
 * code.
 *
 *   receive ─► for each request: actor (load it first) ─► expire what is due ─► decide ─► apply
 *                                                              │ facts             │ reply
 *                                                              ▼                   ▼
 *                                                        journal.append      OutputGate
 *                                                              └── durable(ticket) ──► release
 *
 * Invariants:
 * - Facts of a shard get consecutive lsns in the order in which they were applied.
 * - Nothing leaves before the facts that it rests on are durable (OutputGate).
 * - A throw in `decide` refuses one command; a throw in `apply` is fatal, as memory is no longer
 *   true.
 */
import { apply } from "../../engine/apply.ts";
import { decide, findHold, nextExpiry } from "../../engine/decide.ts";
import type { EventState } from "../../engine/event-state.ts";
import { type Fact, moveOf } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { FREE } from "../../engine/inventory.ts";
import { ROUND_REQUESTS_MAX } from "../../engine/limits.ts";
import { restore, snapshotHash, snapshotOf } from "../../engine/snapshot.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { EntryWriter } from "../journal/entry.ts";
import type { JournalAppender } from "../journal/journal-port.ts";
import type { ActorReport, Answer, Query, ShardReport, ShardRequest } from "../shard-messages.ts";
import type { ActorLoader } from "../store/actor-loader.ts";
import type { OwnedShard } from "../store/shard-table.ts";
import { Actor } from "./actor.ts";
import { auditActor } from "./audit.ts";
import { LoadQueue } from "./load-queue.ts";
import { OutputGate, RoundOutput } from "./round.ts";
import { Shard } from "./shard.ts";
import { SHARD_LIMITS, type ShardLimits } from "./shard-limits.ts";
import { WakeList } from "./wake-list.ts";

export interface ShardHostPorts {
  readonly journal: JournalAppender;
  readonly loader: ActorLoader;
  /** Sends what is durable to the gateway. */
  readonly release: (output: RoundOutput) => void;
  /** Unix ms. */
  readonly wallMs: () => number;
  /** Never returns when it is real: memory and journal disagree, or a bug broke an invariant. */
  readonly die: (reason: string, cause: unknown) => void;
  readonly warn: (message: string, cause: unknown) => void;
}

/** Limits that are not given are SHARD_LIMITS. */
export interface ShardHostOptions extends Partial<ShardLimits> {
  readonly worker: number;
  readonly shards: readonly OwnedShard[];
  /** No shard's time starts before this, Unix ms. */
  readonly logicalMs: number;
}

const BUSY: Answer = { kind: "refused", refusal: { code: "busy" } };

export class ShardHost {
  readonly #ports: ShardHostPorts;
  readonly #options: ShardHostOptions & ShardLimits;
  readonly #shards = new Map<number, Shard>();
  readonly #gate: OutputGate;
  readonly #writer = new EntryWriter();
  readonly #loads: LoadQueue;
  /** Last lsn of each shard that an append covers, until it is durable. */
  readonly #appended: { ticket: number; shard: Shard; lsn: number }[] = [];
  readonly #toWake = new WakeList();
  #ticket = 0;
  #journalFull = false;
  #projectorFull = false;
  #output = new RoundOutput();
  #nextSecondMs = 0;

  constructor(options: ShardHostOptions, ports: ShardHostPorts) {
    this.#ports = ports;
    this.#options = { ...SHARD_LIMITS, ...options };
    this.#gate = new OutputGate(ports.release);
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
    let count = 0;
    for (const append of this.#appended) {
      if (append.ticket > ticket) break;
      append.shard.durableLsn = append.lsn;
      count += 1;
    }
    const durable = this.#appended.splice(0, count);
    const startedMs = this.#gate.durable(ticket);
    if (startedMs === null) return;
    const latencyMs = this.#ports.wallMs() - startedMs;
    for (const { shard } of durable) shard.latency.add(latencyMs);
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

  /** Begins to load the actors that have holds, so that these end on time though nobody asks. */
  async wake(shardOf: (eventId: EventId) => number): Promise<WakeList> {
    for (const eventId of await this.#ports.loader.eventsWithHolds()) {
      const shard = this.#shards.get(shardOf(eventId));
      if (shard !== undefined) this.#toWake.add(eventId, shard);
    }
    this.#wakeNext();
    return this.#toWake;
  }

  /** Ends holds that are due and lets idle actors go; called every EXPIRY_TICK_MS. */
  tick(): void {
    const nowMs = this.#ports.wallMs();
    for (const shard of this.#shards.values()) {
      const timeMs = shard.clock.read();
      for (const actor of shard.actors.values()) {
        if (actor.state !== null) this.#expireDue(shard, actor, actor.state, timeMs);
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
    return Array.from(this.#shards.values(), (shard) => ({
      shard: shard.id,
      worker: this.#options.worker,
      epoch: shard.epoch,
      actors: [...shard.actors.keys()].slice(0, 100),
      actorCount: shard.actors.size,
      mailboxDepth: [...shard.actors.values()].reduce((sum, a) => sum + a.mailboxDepth, 0),
      commandsTotal: shard.commandsTotal,
      commandsPerSecond: shard.commandsPerSecond,
      factsPerRound: shard.roundsTotal === 0 ? 0 : shard.factsTotal / shard.roundsTotal,
      lsn: shard.lsn,
      durableLsn: shard.durableLsn,
      projectedLsn: shard.projectedLsn,
      logicalMs: shard.clock.lastMs,
      latencyMsP50: shard.latency.percentile(0.5),
      latencyMsP99: shard.latency.percentile(0.99),
      eventLoopUtilisation,
    }));
  }

  #admit(request: ShardRequest, nowMs: number): void {
    const shard = this.#shards.get(request.shard);
    if (shard === undefined || nowMs > request.deadlineMs) {
      this.#output.answer(request.id, 0, BUSY);
      return;
    }
    const actor = shard.actors.get(request.eventId) ?? this.#admitActor(shard, request.eventId);
    if (actor === null) return this.#output.answer(request.id, 0, BUSY);
    actor.lastUsedMs = nowMs;
    if (actor.state !== null) this.#execute(shard, actor, actor.state, request);
    else if (!actor.park(request)) this.#output.answer(request.id, 0, BUSY);
  }

  #execute(shard: Shard, actor: Actor, state: EventState, request: ShardRequest): void {
    const nowMs = shard.clock.read();
    shard.commandsTotal += 1;
    this.#expireDue(shard, actor, state, nowMs);
    const { operation, id } = request;
    switch (operation.kind) {
      case "getHold":
      case "watch":
      case "unwatch":
      case "inspect":
      case "audit":
        return this.#query(shard, actor, state, id, operation);
      default:
        break;
    }
    if (shard.isBehind || this.#journalFull || this.#projectorFull)
      return this.#output.answer(id, shard.lsn, BUSY);
    let decision: ReturnType<typeof decide>;
    try {
      decision = decide(state, operation, nowMs);
    } catch (cause) {
      this.#ports.warn(`decide failed on ${operation.kind} of event ${actor.eventId}`, cause);
      return this.#output.answer(id, shard.lsn, { kind: "failed" });
    }
    for (const fact of decision.facts) this.#commit(shard, actor, state, fact);
    const { reply } = decision;
    if (reply.kind === "replay") this.#replay(shard, actor, id, reply);
    else this.#output.answer(id, shard.lsn, reply);
  }

  #query(shard: Shard, actor: Actor, state: EventState, id: number, query: Query): void {
    const answer = (answered: Answer): void => this.#output.answer(id, shard.lsn, answered);
    switch (query.kind) {
      case "getHold": {
        const found = findHold(state, query.holdId, query.userId);
        if ("code" in found) return answer({ kind: "refused", refusal: found });
        return answer({ kind: "hold", hold: found });
      }
      case "watch": {
        const { definition, inventory, seq } = state;
        if (definition === null || inventory === null) {
          return answer({ kind: "refused", refusal: { code: "event_not_found" } });
        }
        actor.watched = true;
        const statuses = inventory.statuses.slice();
        const areas = definition.areas.map((_, index) => inventory.area(index));
        const { epoch } = shard;
        return answer({ kind: "view", view: { definition, epoch, seq, statuses, areas } });
      }
      case "unwatch":
        actor.watched = false;
        return answer({ kind: "unchanged" });
      case "inspect":
        return answer({ kind: "actor", report: reportOf(shard, actor, state) });
      case "audit":
        return this.#later(shard, id, auditActor(shard, actor, state, this.#ports.loader));
      default:
        return unreachable(query);
    }
  }

  /** Answers a repeated request with the fact that it caused the first time. */
  #replay(shard: Shard, actor: Actor, id: number, first: { seq: number; digest: string }): void {
    const recent = actor.recentOutcomes.find(first.seq);
    if (recent !== null) {
      return this.#output.answer(id, shard.lsn, { kind: "done", fact: recent, replayed: true });
    }
    const load = this.#ports.loader.loadOutcome(actor.eventId, first.digest);
    this.#later(
      shard,
      id,
      load.then((fact): Answer => (fact === null ? BUSY : { kind: "done", fact, replayed: true })),
    );
  }

  /** Answers when a promise settles; a failed one is the database out of reach. */
  #later(shard: Shard, id: number, promised: Promise<Answer>): void {
    const answer = (answered: Answer): void => {
      const output = new RoundOutput();
      output.answer(id, shard.lsn, answered);
      this.#gate.pass(output);
    };
    promised.then(answer, (cause: unknown) => {
      this.#ports.warn("the store did not answer", cause);
      answer(BUSY);
    });
  }

  #expireDue(shard: Shard, actor: Actor, state: EventState, nowMs: number): void {
    for (;;) {
      const fact = nextExpiry(state, nowMs);
      if (fact === null) return;
      this.#commit(shard, actor, state, fact);
      const { holdId, userId, seq } = fact;
      this.#output.expired.push({ eventId: actor.eventId, seq, holdId, userId });
    }
  }

  #commit(shard: Shard, actor: Actor, state: EventState, fact: Fact): void {
    try {
      apply(state, fact);
    } catch (cause) {
      this.#ports.die(`apply failed on ${fact.kind} of event ${actor.eventId}`, cause);
      throw cause;
    }
    shard.lsn += 1;
    shard.factsTotal += 1;
    actor.lastLsn = shard.lsn;
    const header = { shard: shard.id, lsn: shard.lsn, epoch: shard.epoch, atMs: fact.atMs };
    this.#writer.write(header, actor.eventId, fact);
    if (fact.key !== null) shard.rememberOutcome(actor, fact);
    for (const recording of actor.recordings) recording.push(fact);
    if (actor.watched) this.#announce(actor.eventId, fact);
  }

  #announce(eventId: EventId, fact: Fact): void {
    const { seq } = fact;
    if (fact.kind === "configured") {
      this.#output.changes.push({ eventId, seq, reset: true });
      return;
    }
    // A fact that moves nothing is told too: the copy's seq keeps up with the actor's.
    const { items, from, to } = moveOf(fact) ?? { items: [], from: FREE, to: FREE };
    const places = items.map((item) => item.place);
    this.#output.changes.push({ eventId, seq, places, from, to });
  }

  #finishRound(startedMs: number): void {
    const output = this.#output;
    if (this.#writer.count === 0) {
      if (output.isEmpty) return;
      this.#output = new RoundOutput();
      return this.#gate.pass(output);
    }
    this.#output = new RoundOutput();
    this.#ticket += 1;
    for (const shard of this.#shards.values()) {
      if (shard.lsn === shard.appendedLsn) continue;
      shard.appendedLsn = shard.lsn;
      shard.roundsTotal += 1;
      this.#appended.push({ ticket: this.#ticket, shard, lsn: shard.lsn });
    }
    this.#gate.hold(this.#ticket, output, startedMs);
    this.#ports.journal.append(this.#ticket, this.#writer.take());
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
      actor.state = restore(await this.#ports.loader.load(actor.eventId));
    } catch (cause) {
      this.#ports.warn(`event ${actor.eventId} could not be loaded`, cause);
      shard.actors.delete(actor.eventId);
      for (const { id } of actor.takeParked()) this.#output.answer(id, shard.lsn, BUSY);
      return this.#finishRound(this.#ports.wallMs());
    }
    this.#expireDue(shard, actor, actor.state, shard.clock.read());
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
