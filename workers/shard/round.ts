import type {
  Answer,
  InventoryChange,
  InventoryReset,
  Notice,
  ShardAnswer,
  WorkerBatch,
} from "../shard-messages.ts";
import type { TracedDecision } from "../traced.ts";

/** What one round has to tell the gateway, once everything that it rests on is durable. */
export class RoundOutput implements Omit<WorkerBatch, "sentMs"> {
  readonly changes: (InventoryChange | InventoryReset)[] = [];
  readonly notices: Notice[] = [];
  readonly answers: ShardAnswer[] = [];
  /** Of traced commands, which are few. */
  readonly decisions: TracedDecision[] = [];

  get isEmpty(): boolean {
    return this.changes.length + this.notices.length + this.answers.length === 0;
  }

  answer(id: number, lsn: number, answer: Answer): void {
    this.answers.push({ id, lsn, answer });
  }

  /** Adds a later round's output behind this one's. */
  append(later: RoundOutput): void {
    for (const change of later.changes) this.changes.push(change);
    for (const notice of later.notices) this.notices.push(notice);
    for (const answer of later.answers) this.answers.push(answer);
    for (const decision of later.decisions) this.decisions.push(decision);
  }
}

/** Rounds whose facts are at the journal, oldest first. */
interface WaitingRound {
  readonly ticket: number;
  readonly output: RoundOutput;
  readonly startedMs: number;
}

/**
 * Keeps outputs back until they are durable.
 *
 * Invariants:
 * - Outputs leave in the order of their rounds.
 * - A round without facts leaves with the newest round still waiting: what it says may rest on
 *   facts of that round ("sold out" is not said before the sale is durable).
 */
export class OutputGate {
  readonly #waiting: WaitingRound[] = [];
  readonly #release: (output: RoundOutput) => void;

  constructor(release: (output: RoundOutput) => void) {
    this.#release = release;
  }

  get depth(): number {
    return this.#waiting.length;
  }

  /** When the oldest round that waits began, Unix ms; null: none waits. */
  get oldestMs(): number | null {
    return this.#waiting[0]?.startedMs ?? null;
  }

  /** Keeps the output of a round whose facts were appended under `ticket`. */
  hold(ticket: number, output: RoundOutput, startedMs: number): void {
    this.#waiting.push({ ticket, output, startedMs });
  }

  /** Lets the output of a round without facts leave as soon as it may. */
  pass(output: RoundOutput): void {
    if (output.isEmpty) return;
    const newest = this.#waiting.at(-1);
    if (newest === undefined) this.#release(output);
    else newest.output.append(output);
  }

  /** Everything up to `ticket` is durable. Returns when the oldest released round began, if any. */
  durable(ticket: number): number | null {
    let count = 0;
    while ((this.#waiting[count]?.ticket ?? Number.POSITIVE_INFINITY) <= ticket) count += 1;
    const [first, ...others] = this.#waiting.splice(0, count);
    if (first === undefined) return null;
    for (const { output } of others) first.output.append(output);
    this.#release(first.output);
    return first.startedMs;
  }
}
