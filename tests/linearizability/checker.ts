/**
 * Whether a history is linearizable: for each event there is one order of everything that happened
 * in which every answer is true, and in which nothing comes before what had been answered when it
 * was asked for (Herlihy and Wing, 1990). The search is that of Wing and Gong (1993), made cheap by
 * three facts:
 *
 * - Accepted commands say their place in the order (`seq`): only the ends of holds, which nobody is
 *   told, have to be guessed. They fill the gaps between the seqs that are known.
 * - An answer that changes nothing can go as soon as it is true and may come next: taking it out of
 *   the way never hurts.
 * - Among several ends for one gap, the one that can't wait goes first, and then the one that was
 *   due or asked for first; a wrong guess is taken back.
 */
import { isTrue } from "./answers.ts";
import { firstIndex } from "./bounds.ts";
import { EventSpec } from "./event-spec.ts";
import type { EventRecord, History } from "./history.ts";
import { type Plan, type PlannedStatement, planOf } from "./plan.ts";
import type { PlannedEnd, PlannedStep, Window } from "./planned-step.ts";
import { Trail } from "./trail.ts";

/** Wrong guesses in one event, after which it counts as not explained. */
const DEAD_ENDS_MAX = 10_000;

export interface Verdict {
  readonly eventId: string;
  readonly operations: number;
  /** seq of the last step that was needed to explain everything. */
  readonly seq: number;
  /** Ends of holds that filled gaps. */
  readonly guessed: number;
  readonly deadEnds: number;
  /** null: there is an order that explains every answer. */
  readonly fault: string | null;
}

export interface CheckResult {
  readonly verdicts: readonly Verdict[];
  readonly operations: number;
  readonly seconds: number;
  /** One sentence for each event whose history nothing explains. */
  readonly faults: readonly string[];
}

/** `nowMs` is read for the record only. */
export function checkHistory(history: History, nowMs: () => number): CheckResult {
  const startedMs = nowMs();
  const verdicts = history.events.map((event) => checkEvent(event, history));
  return {
    verdicts,
    operations: verdicts.reduce((sum, { operations }) => sum + operations, 0),
    seconds: (nowMs() - startedMs) / 1_000,
    faults: verdicts.flatMap(({ eventId, fault }) =>
      fault === null ? [] : [`event ${eventId}: ${fault}`],
    ),
  };
}

export function checkEvent(event: EventRecord, history: History): Verdict {
  const plan = planOf(event, history);
  const search = new Search(plan);
  const [first] = plan.faults;
  const fault = first ?? search.run();
  const { seq, guessed, deadEnds } = search;
  const operations = plan.statements.length;
  return { eventId: event.eventId, operations, seq, guessed, deadEnds, fault };
}

interface Choice {
  readonly mark: number;
  readonly others: PlannedEnd[];
}

/**
 * Invariants:
 * - `#done` is what the order has so far; `spec` is the state after it.
 * - Every change of state is on the trail, so that a mark brings back everything at once.
 * - `#waiting` has the statements that may come next and are not true yet; `#open` the ends of
 *   holds that are active.
 */
class Search {
  readonly #plan: Plan;
  readonly #trail = new Trail();
  readonly #spec: EventSpec;
  readonly #byAnswer: readonly Window[];
  readonly #byInvocation: readonly PlannedStatement[];
  readonly #exact = new Map<number, PlannedStatement[]>();
  readonly #endsOf = new Map<string, readonly PlannedEnd[]>();
  readonly #done = new Set<Window>();
  readonly #waiting = new Set<PlannedStatement>();
  readonly #open = new Set<PlannedEnd>();
  readonly #knownSeqs: readonly number[];
  readonly #lastKnownSeq: number;
  #oldest = 0;
  #nextStatement = 0;
  #statementsLeft: number;
  guessed = 0;
  deadEnds = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#spec = new EventSpec(plan.event, this.#trail);
    const { known, ends, statements } = plan;
    const items: Window[] = [...known.values(), ...ends, ...statements];
    this.#byAnswer = items.sort((a, b) => a.answeredMs - b.answeredMs);
    this.#byInvocation = [...statements].sort((a, b) => a.invokedMs - b.invokedMs);
    for (const end of ends) {
      this.#endsOf.set(end.holdId, [...(this.#endsOf.get(end.holdId) ?? []), end]);
    }
    this.#statementsLeft = statements.length;
    this.#knownSeqs = [...known.keys()].sort((a, b) => a - b);
    this.#lastKnownSeq = this.#knownSeqs.at(-1) ?? plan.event.seq;
    for (const statement of statements) {
      if (!statement.isExact) continue;
      const same = this.#exact.get(statement.seqMin) ?? [];
      this.#exact.set(statement.seqMin, [...same, statement]);
    }
  }

  get seq(): number {
    return this.#spec.seq;
  }

  /** Why there is no order that explains everything; null: there is one. */
  run(): string | null {
    const choices: Choice[] = [];
    let deepest = { seq: -1, fault: "" };
    for (;;) {
      const fault = this.#settle() ?? this.#goOn(choices);
      if (fault === null) {
        if (this.#statementsLeft > 0 || this.#spec.seq < this.#lastKnownSeq) continue;
        return null;
      }
      if (this.#spec.seq > deepest.seq) deepest = { seq: this.#spec.seq, fault };
      this.deadEnds += 1;
      if (this.deadEnds > DEAD_ENDS_MAX) return `${deepest.fault} (after many other guesses)`;
      if (!this.#back(choices)) return deepest.fault;
    }
  }

  /** Takes every statement that is true and may come next. */
  #settle(): string | null {
    for (const statement of this.#waiting) this.#tell(statement);
    for (;;) {
      const frontMs = this.#frontMs();
      const from = this.#nextStatement;
      let next = from;
      for (;;) {
        const statement = this.#byInvocation[next];
        if (statement === undefined || statement.invokedMs > frontMs) break;
        next += 1;
        this.#trail.add(this.#waiting, statement);
        this.#tell(statement);
      }
      if (next === from) break;
      this.#nextStatement = next;
      this.#trail.note(() => {
        this.#nextStatement = from;
      });
    }
    const { seq } = this.#spec;
    const untrue = this.#exact.get(seq)?.find((statement) => !this.#done.has(statement));
    if (untrue === undefined) return null;
    if (!this.#waiting.has(untrue)) return this.#blocked(untrue.title);
    return `what was shown of seq ${seq} is not so: ${untrue.title}`;
  }

  #tell(statement: PlannedStatement): void {
    if (statement.seqMin > this.#spec.seq || !isTrue(this.#spec, statement.statement)) return;
    this.#trail.delete(this.#waiting, statement);
    this.#trail.add(this.#done, statement);
    this.#statementsLeft -= 1;
    this.#trail.note(() => {
      this.#statementsLeft += 1;
    });
  }

  /** Nothing that was asked for later may come before what was answered by then. */
  #frontMs(): number {
    const before = this.#oldest;
    for (;;) {
      const item = this.#byAnswer[this.#oldest];
      if (item === undefined || !this.#done.has(item)) break;
      this.#oldest += 1;
    }
    if (this.#oldest > before) {
      this.#trail.note(() => {
        this.#oldest = before;
      });
    }
    return this.#byAnswer[this.#oldest]?.answeredMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the next step: the one that is known, or the best guess. */
  #goOn(choices: Choice[]): string | null {
    const seq = this.#spec.seq + 1;
    if (this.#statementsLeft === 0 && seq > this.#lastKnownSeq) return null;
    const frontMs = this.#frontMs();
    const known = this.#plan.known.get(seq);
    if (known !== undefined) {
      return known.invokedMs <= frontMs ? this.#take(known) : this.#blocked(known.title);
    }
    const open = [...this.#open];
    const crowded = this.#crowded(open, seq);
    if (crowded !== null) return crowded;
    // Once the server's time is past a hold's end, the hold can't be released any more.
    const releases = open.filter(({ step, other }) => step.kind === "released" && other === null);
    const beforeMs = Math.min(...releases.map(({ expiresAtMs }) => expiresAtMs));
    // Holds expire in the order of their ends. Without this rule ten that are due at once could be
    // guessed in three million orders, which all come to the same.
    const firstMs = Math.min(...open.map(({ expiresAtMs }) => expiresAtMs));
    const mayExpire = (expiresAtMs: number): boolean =>
      expiresAtMs < beforeMs && expiresAtMs === firstMs;
    const [best, ...others] = open
      .filter(({ step, expiresAtMs }) => step.kind === "released" || mayExpire(expiresAtMs))
      .filter((end) => end.seqMin <= seq && end.invokedMs <= frontMs)
      .sort(
        (a, b) => Number(b.seqMax === seq) - Number(a.seqMax === seq) || a.likelyMs - b.likelyMs,
      );
    if (best === undefined) return this.#blocked(`seq ${seq}, of which nobody was told,`);
    if (others.length > 0) choices.push({ mark: this.#trail.mark(), others });
    return this.#take(best);
  }

  /** Says so when more ends must have a seq up to some point than there are gaps for. */
  #crowded(open: readonly PlannedEnd[], seq: number): string | null {
    const latest = open
      .filter(({ step, other }) => other === null || step.kind === "expired")
      .map((end) => ({ end, seqMax: Math.max(end.seqMax, end.other?.seqMax ?? 0) }))
      .filter(({ seqMax }) => seqMax < Number.POSITIVE_INFINITY)
      .sort((a, b) => a.seqMax - b.seqMax);
    for (const [index, { end, seqMax }] of latest.entries()) {
      if (index < this.#gapsBetween(seq, seqMax)) continue;
      return `${end.title} must have had a seq up to ${seqMax}, as ${index} others must`;
    }
    return null;
  }

  /** Seqs in [from, to] that nobody was told. */
  #gapsBetween(from: number, to: number): number {
    if (to < from) return 0;
    const knownUpTo = (seq: number): number => firstIndex(this.#knownSeqs, (known) => known > seq);
    return to - from + 1 - (knownUpTo(to) - knownUpTo(from - 1));
  }

  #blocked(what: string): string {
    const item = this.#byAnswer[this.#oldest];
    return item === undefined
      ? `${what} is explained by nothing`
      : `${what} can't come before ${item.title}, whose turn had to be by seq ${this.seq}`;
  }

  #take(planned: PlannedStep): string | null {
    const { step } = planned;
    const wrong = this.#spec.take(step);
    if (wrong !== null) return `${planned.title} is not possible after seq ${this.seq}: ${wrong}`;
    this.#trail.add(this.#done, planned);
    if (step.kind === "held") {
      for (const end of this.#endsOf.get(step.hold.id) ?? []) this.#trail.add(this.#open, end);
    }
    if (step.kind !== "released" && step.kind !== "expired") return null;
    for (const end of this.#endsOf.get(step.holdId) ?? []) {
      this.#trail.add(this.#done, end);
      this.#trail.delete(this.#open, end);
    }
    this.guessed += 1;
    this.#trail.note(() => {
      this.guessed -= 1;
    });
    return null;
  }

  /** Takes the last guess back that has an alternative; false: there is none. */
  #back(choices: Choice[]): boolean {
    for (;;) {
      const choice = choices.at(-1);
      if (choice === undefined) return false;
      this.#trail.rewind(choice.mark);
      const other = choice.others.shift();
      if (choice.others.length === 0) choices.pop();
      if (other !== undefined && this.#take(other) === null) return true;
    }
  }
}
