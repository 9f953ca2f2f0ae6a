import type { Fact } from "../../engine/facts.ts";
import { EntryWriter } from "../journal/entry.ts";
import type { Answer } from "../shard-messages.ts";
import type { TraceContext, TracedFact } from "../traced.ts";
import type { Actor } from "./actor.ts";
import { changeOf, noticesOf } from "./announcements.ts";
import type { HostMeter } from "./host-meter.ts";
import { OutputGate, RoundOutput } from "./round.ts";
import type { Shard } from "./shard.ts";
import type { ShardHostPorts } from "./shard-host-ports.ts";

const BUSY: Answer = { kind: "refused", refusal: { code: "busy" } };

type Ports = Omit<ShardHostPorts, "loader" | "turns" | "die">;

/**
 * What a shard worker writes and says, round by round: facts on their way through the journal, and
 * what is said of them behind it.
 *
 * Invariant: an answer that rests on nothing, `busy` to who was not even looked at, waits for
 * nothing: it leaves when its round ends, before all that waits for the journal.
 */
export class Rounds {
  readonly #ports: Ports;
  readonly #meter: HostMeter;
  readonly #gate: OutputGate;
  readonly #writer = new EntryWriter();
  /** Last lsn of each shard that an append covers, until it is durable. */
  readonly #appended: { ticket: number; shard: Shard; lsn: number }[] = [];
  #ticket = 0;
  #output = new RoundOutput();
  #refused = new RoundOutput();
  /** Of this round. */
  #traced: TracedFact[] = [];

  constructor(ports: Ports, meter: HostMeter) {
    this.#ports = ports;
    this.#meter = meter;
    this.#gate = new OutputGate(ports.release);
  }

  /** When the oldest round that waits for the journal began, Unix ms; null: none waits. */
  get oldestMs(): number | null {
    return this.#gate.oldestMs;
  }

  /** Whether memory is ahead of the journal: what it says may not leave yet. */
  get isAhead(): boolean {
    return this.#writer.count > 0 || this.#gate.depth > 0;
  }

  /** Says what rests on memory as it is now. */
  answer(id: number, lsn: number, answer: Answer): void {
    this.#output.answer(id, lsn, answer);
  }

  /** Says `busy`, which rests on nothing. */
  refuse(id: number): void {
    this.#refused.answer(id, 0, BUSY);
  }

  /** Answers at least what is true now, when it settles; a failure is the database out of reach. */
  later(shard: Shard, id: number, promised: Promise<Answer | null>): void {
    const { lsn } = shard;
    const answer = (answered: Answer | null): void => {
      if (answered === null) {
        this.refuse(id);
        return this.#releaseRefused();
      }
      const output = new RoundOutput();
      output.answer(id, lsn, answered);
      this.#gate.pass(output);
    };
    promised.then(answer, (cause: unknown) => {
      this.#ports.warn("the store did not answer", cause, { shard: shard.id });
      answer(null);
    });
  }

  /** A fact that was applied gets its place in the shard, and is told to whom it concerns. */
  write(shard: Shard, actor: Actor, fact: Fact): void {
    shard.lsn += 1;
    shard.factsTotal += 1;
    this.#meter.wrote(fact);
    actor.lastLsn = shard.lsn;
    const header = { shard: shard.id, lsn: shard.lsn, epoch: shard.epoch, atMs: fact.atMs };
    this.#writer.write(header, actor.eventId, fact);
    if (fact.key !== null) shard.rememberOutcome(actor, fact);
    for (const recording of actor.recordings) recording.push(fact);
    if (actor.watched) this.#output.changes.push(changeOf(actor.eventId, fact));
    this.#output.notices.push(...noticesOf(actor.eventId, fact, shard.lsn));
  }

  /** What `decide` does, of a traced request. */
  trace(trace: TraceContext, shard: Shard, decide: () => void): void {
    const { monotonicMs } = this.#ports;
    const [takenMs, lsn] = [monotonicMs(), shard.lsn];
    const refused = this.#refused.answers.length;
    decide();
    const output = this.#refused.answers.length > refused ? this.#refused : this.#output;
    output.decisions.push({ trace, shard: shard.id, takenMs, decidedMs: monotonicMs() });
    if (shard.lsn > lsn) this.#traced.push({ trace, shard: shard.id, lsn: shard.lsn });
  }

  /** Hands the round's facts to the journal, and lets out what waits for nothing. */
  finish(shards: Iterable<Shard>, startedMs: number): void {
    this.#releaseRefused();
    const output = this.#output;
    if (this.#writer.count === 0) {
      if (output.isEmpty) return;
      this.#output = new RoundOutput();
      return this.#gate.pass(output);
    }
    this.#output = new RoundOutput();
    this.#ticket += 1;
    for (const shard of shards) {
      if (shard.lsn === shard.appendedLsn) continue;
      shard.appendedLsn = shard.lsn;
      shard.roundsTotal += 1;
      this.#appended.push({ ticket: this.#ticket, shard, lsn: shard.lsn });
    }
    this.#gate.hold(this.#ticket, output, startedMs);
    this.#meter.appended(this.#writer.count);
    const traced = this.#traced;
    if (traced.length > 0) this.#traced = [];
    this.#ports.journal.append(this.#ticket, this.#writer.take(), traced);
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
    this.#meter.released(latencyMs);
    for (const { shard } of durable) shard.latency.add(latencyMs);
  }

  #releaseRefused(): void {
    if (this.#refused.isEmpty) return;
    const refused = this.#refused;
    this.#refused = new RoundOutput();
    this.#ports.release(refused);
  }
}
