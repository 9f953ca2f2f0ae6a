/**
 * The real engine against the model once more, by fast-check: when the model has something to say,
 * the run is made as short as can be, and each of its operations as plain. Seconds, not minutes;
 * RUNS for more of them. On failure the message names the seed and the path: set SEED and PATH_OF
 * to them to run that one again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { snapshotOf } from "../../engine/snapshot.ts";
import { EventBench } from "../../engine/testing/fixtures.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { ASKED, type Chooser, Known, laterThan, RULES, sceneOf } from "./any-operation.ts";
import { JudgedBench } from "./judged-bench.ts";

/** Choices that were made before the run: one by one, and nought when they are used up. */
class Tape implements Chooser {
  readonly #choices: readonly number[];
  #at = 0;

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  below(bound: number): number {
    const choice = this.#choices[this.#at] ?? 0;
    this.#at += 1;
    return choice % bound;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

/** fast-check's own model is empty: the oracle is in the thing that is run. */
type Nothing = Record<string, never>;

interface Run {
  readonly judged: JudgedBench;
  readonly known: Known;
}

/** One operation, of which the tape says what exactly it asks for. */
class Ask implements fc.Command<Nothing, Run> {
  readonly #kind: keyof typeof ASKED;
  readonly #choices: readonly number[];
  #asked: Operation | null = null;

  constructor(kind: keyof typeof ASKED, choices: readonly number[]) {
    this.#kind = kind;
    this.#choices = choices;
  }

  check(): boolean {
    return true;
  }

  run(_: Nothing, { judged, known }: Run): void {
    const choose = new Tape(this.#choices);
    const { bench, model } = judged;
    bench.nowMs = laterThan(choose, sceneOf(judged));
    const [, ask] = ASKED[this.#kind];
    this.#asked = ask(choose, sceneOf(judged), known);
    const outcome = judged.run(this.#asked);
    assert.deepEqual(outcome.complaints, [], JSON.stringify(outcome.answer));
    assert.deepEqual(judged.untold(), []);
    assert.deepEqual(model.compare(snapshotOf(bench.state), { forgetful: false }), []);
    known.remember(this.#asked, outcome.answer);
  }

  toString(): string {
    return JSON.stringify(this.#asked ?? this.#kind);
  }
}

/** What nobody asks for: the event is wound up for a while, or its actor built again. */
class Happen implements fc.Command<Nothing, Run> {
  readonly #facts: number;

  constructor(facts: number) {
    this.#facts = facts;
  }

  check(): boolean {
    return true;
  }

  run(_: Nothing, { judged }: Run): void {
    if (this.#facts === 0) judged.reload();
    else judged.bench.windUp(this.#facts);
    assert.deepEqual(judged.judgeFacts(), []);
    assert.deepEqual(judged.untold(), []);
  }

  toString(): string {
    return this.#facts === 0 ? "reload" : `wind up ${this.#facts}`;
  }
}

const KINDS = Object.keys(ASKED) as (keyof typeof ASKED)[];
const tape = fc.array(fc.nat(999), { maxLength: 30, size: "max" });
const asking = KINDS.map((kind) => ({
  weight: ASKED[kind][0],
  arbitrary: tape.map((choices) => new Ask(kind, choices)),
}));
const happening = fc.nat(5).map((facts) => new Happen(facts));
const commands = fc.oneof(...asking, { weight: 2, arbitrary: happening });

const { RUNS = "150", SEED, PATH_OF } = process.env;

test("the model has nothing to say of any operations in any order", () => {
  fc.assert(
    fc.property(fc.commands([commands], { maxCommands: 120, size: "max" }), (some) => {
      const judged = new JudgedBench(new EventBench(RULES));
      fc.modelRun(() => ({ model: {}, real: { judged, known: new Known() } }), some);
    }),
    {
      numRuns: Number(RUNS),
      interruptAfterTimeLimit: 15_000,
      ...(SEED === undefined ? {} : { seed: Number(SEED) }),
      ...(PATH_OF === undefined ? {} : { path: PATH_OF }),
    },
  );
});
