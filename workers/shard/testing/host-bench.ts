/** A shard host whose journal, database and clock are in the hands of a test. */
import { apply } from "../../../engine/apply.ts";
import { EventState } from "../../../engine/event-state.ts";
import type { Fact } from "../../../engine/facts.ts";
import { type EventId, type EventTag, eventTagOf, IdMinter } from "../../../engine/ids.ts";
import { restore, type Snapshot, snapshotOf } from "../../../engine/snapshot.ts";
import { ALICE, definition, EVENT_ID, NOON } from "../../../engine/testing/fixtures.ts";
import { Turns } from "../../in-turns.ts";
import { type Entry, forEachEntry, readEntry } from "../../journal/entry.ts";
import type { Answer, Operation, ShardRequest } from "../../shard-messages.ts";
import { type ActorLoader, checkStored } from "../../store/actor-loader.ts";
import type { OwnedShard } from "../../store/shard-table.ts";
import type { RoundOutput } from "../round.ts";
import { ShardHost } from "../shard-host.ts";

export const SHARD = 3;
export const EPOCH = 9;
const IDS = new IdMinter(11);

/** The rows, as far as facts have been projected into them. */
class FakeDatabase implements ActorLoader {
  readonly states = new Map<EventId, EventState>();
  readonly outcomes = new Map<string, Fact>();
  /** Set: the database is out of reach. */
  failure: Error | null = null;
  /** False: loads wait until `answerLoads`. */
  answersLoads = true;
  readonly loadsAsked: EventId[] = [];
  /** The row of the shard. */
  stored: OwnedShard = { shard: SHARD, epoch: EPOCH, appliedLsn: 0 };
  wrong: string[] = [];
  #waiting: (() => void)[] = [];

  load(eventId: EventId, known?: OwnedShard): Promise<Snapshot> {
    this.loadsAsked.push(eventId);
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        try {
          if (this.failure !== null) throw this.failure;
          if (known !== undefined) checkStored(this.stored, known);
          // Restored first: rows share nothing with the memory that wrote them.
          resolve(snapshotOf(restore(snapshotOf(this.#stateOf(eventId)))));
        } catch (error) {
          reject(error);
        }
      };
      if (this.answersLoads) answer();
      else this.#waiting.push(answer);
    });
  }

  answerLoads(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const answer of waiting) answer();
  }

  async loadOutcome(eventId: EventId, seq: number): Promise<Fact | null> {
    if (this.failure !== null) throw this.failure;
    return this.outcomes.get(`${eventId} ${seq}`) ?? null;
  }

  async eventsToWake(): Promise<EventId[]> {
    const hasWork = ({ definition, holds, waitlist, inventory }: EventState): boolean =>
      holds.count + waitlist.count > 0 ||
      (definition?.status === "cancelled" && (inventory?.sold ?? 0) > 0);
    return [...this.states].filter(([, state]) => hasWork(state)).map(([id]) => id);
  }

  async wrongTotals(): Promise<string[]> {
    if (this.failure !== null) throw this.failure;
    return this.wrong;
  }

  apply({ eventId, fact, lsn }: Entry): void {
    apply(this.#stateOf(eventId), fact);
    this.stored = { ...this.stored, appliedLsn: lsn };
    if (fact.key !== null) this.outcomes.set(`${eventId} ${fact.seq}`, fact);
  }

  #stateOf(eventId: EventId): EventState {
    const state = this.states.get(eventId) ?? new EventState();
    this.states.set(eventId, state);
    return state;
  }
}

export class HostBench {
  nowMs = NOON;
  readonly database: FakeDatabase;
  readonly host: ShardHost;
  readonly released: RoundOutput[] = [];
  readonly deaths: string[] = [];
  readonly warnings: string[] = [];
  /** Everything that the journal was given. */
  readonly entries: Entry[] = [];
  /** False: entries are not looked at. */
  decodes = true;
  /** False: what is to be gone on with waits for `turn`. */
  goesOn = true;
  readonly #turns: (() => void)[] = [];
  readonly #entriesByTicket = new Map<number, Entry[]>();
  #nextRequest = 1;
  #projected = 0;
  #durable = 0;

  constructor(options: { database?: FakeDatabase; lsn?: number } = {}) {
    this.database = options.database ?? new FakeDatabase();
    const start = { shard: SHARD, epoch: EPOCH, appliedLsn: options.lsn ?? 0 };
    this.database.stored = start;
    const shards = [start];
    this.host = new ShardHost(
      { worker: 0, shards, logicalMs: 0 },
      {
        journal: { append: (ticket, bytes) => this.#append(ticket, Buffer.from(bytes.buffer)) },
        loader: this.database,
        release: (output) => this.released.push(output),
        wallMs: () => this.nowMs,
        monotonicMs: () => this.nowMs,
        turns: new Turns({
          monotonicMs: () => this.nowMs,
          soon: (run) => (this.goesOn ? setImmediate(run) : this.#turns.push(run)),
        }),
        die: (reason) => this.deaths.push(reason),
        warn: (message) => this.warnings.push(message),
      },
    );
  }

  /** A host with the fixtures' event configured, durable and projected. */
  static async selling(changes: Parameters<typeof definition>[0] = {}): Promise<HostBench> {
    const bench = new HostBench();
    bench.ask({ kind: "configure", definition: definition(changes) });
    await settled();
    bench.makeDurable();
    bench.project();
    return bench;
  }

  /** One turn of work that is done in several. False: there was none. */
  async turn(): Promise<boolean> {
    const run = this.#turns.shift();
    run?.();
    await settled();
    return run !== undefined;
  }

  /** Sends one request in a round of its own; returns its id. */
  ask(operation: Operation, changes: Partial<ShardRequest> = {}): number {
    const request = this.request(operation, changes);
    this.host.receive([request]);
    return request.id;
  }

  request(operation: Operation, changes: Partial<ShardRequest> = {}): ShardRequest {
    const id = this.#nextRequest;
    this.#nextRequest += 1;
    const deadlineMs = this.nowMs + 5_000;
    return { id, shard: SHARD, eventId: EVENT_ID, deadlineMs, operation, ...changes };
  }

  /** What has left for this request so far. */
  answersOf(id: number): Answer[] {
    return this.released
      .flatMap((output) => output.answers)
      .filter((answer) => answer.id === id)
      .map(({ answer }) => answer);
  }

  /** The one answer that has left for this request. */
  answerOf(id: number): Answer {
    const [answer, ...others] = this.answersOf(id);
    if (answer === undefined || others.length > 0) {
      throw new Error(`request ${id} has ${others.length + (answer ? 1 : 0)} answers`);
    }
    return answer;
  }

  /** Tickets that the journal was given and has not confirmed. */
  get unconfirmed(): number[] {
    return [...this.#entriesByTicket.keys()].filter((ticket) => ticket > this.#durable);
  }

  makeDurable(ticket = Math.max(0, ...this.#entriesByTicket.keys())): void {
    this.#durable = ticket;
    this.host.durable(ticket);
  }

  /** Projects what is durable. */
  project(): void {
    const durable = [...this.#entriesByTicket]
      .filter(([ticket]) => ticket <= this.#durable)
      .flatMap(([, entries]) => entries)
      .filter((entry) => entry.lsn > this.#projected);
    for (const entry of durable) {
      this.database.apply(entry);
      this.#projected = entry.lsn;
    }
    this.host.projected([[SHARD, this.#projected]]);
  }

  #append(ticket: number, bytes: Buffer): void {
    const entries: Entry[] = [];
    if (this.decodes) forEachEntry(bytes, (offset) => entries.push(readEntry(bytes, offset)));
    this.#entriesByTicket.set(ticket, entries);
    this.entries.push(...entries);
  }
}

/** Waits until every promise that could settle has done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export const hold = (
  places: readonly number[],
  { userId = ALICE, key = null as { digest: string; fingerprint: string } | null } = {},
): Extract<Operation, { kind: "hold" }> => ({
  kind: "hold",
  holdId: IDS.mintHold(NOON, TAG, places.length),
  userId,
  places,
  best: [],
  promoCode: null,
  channel: null,
  key,
});

const TAG: EventTag = eventTagOf(EVENT_ID);
