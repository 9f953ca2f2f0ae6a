import assert from "node:assert/strict";
import { test } from "node:test";
import { type EventId, eventTagOf, IdMinter, uuidV7 } from "./ids.ts";
import { ITEM_IDS_PER_HOLD } from "./limits.ts";
import { Random } from "./testing/random.ts";
import { TextIndex } from "./text-index.ts";

/** Rows that are nothing but their texts, and what they should be: a Map in the same order. */
class Bench {
  readonly index = new TextIndex(this);
  readonly model = new Map<string, number>();
  readonly #texts: string[] = [];

  isOf(row: number, text: string): boolean {
    return this.#texts[row] === text;
  }

  add(text: string): void {
    const row = this.index.add(text);
    this.#texts[row] = text;
    this.model.set(text, row);
  }

  remove(text: string): void {
    const row = this.model.get(text);
    assert.ok(row !== undefined);
    this.index.remove(row);
    this.model.delete(text);
  }

  find(text: string): void {
    assert.equal(this.index.find(text), this.model.get(text) ?? -1, text);
  }

  /** All that are there, in their order; and each has a number of its own. */
  check(): void {
    const listed: number[] = [];
    for (let row = this.index.oldest(); row >= 0; row = this.index.after(row)) listed.push(row);
    assert.deepEqual(listed, [...this.model.values()]);
    assert.equal(new Set(listed).size, this.index.count);
    for (const text of this.model.keys()) this.find(text);
  }
}

test("with every row that comes, all are found, while rows move and when they have moved", () => {
  const bench = new Bench();
  for (let n = 0; n < 600; n += 1) {
    bench.find(`row ${n}`);
    bench.add(`row ${n}`);
    bench.check();
  }
});

test("rows go and come in any order, at any time of a move, and numbers are used again", () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = new Random(seed);
    const bench = new Bench();
    const gone: string[] = [];
    let most = 0;
    for (let step = 0; step < 400; step += 1) {
      const known = [...bench.model.keys()];
      const isFewer = random.below(100) < (step % 150 < 100 ? 30 : 75);
      if (isFewer && known.length > 0) {
        const text = random.pick(known);
        bench.remove(text);
        gone.push(text);
      } else if (gone.length > 0 && random.below(3) === 0) {
        const text = random.pick(gone);
        if (!bench.model.has(text)) bench.add(text);
      } else bench.add(`${seed} ${step}`);
      most = Math.max(most, bench.model.size);
      for (const text of gone.slice(-20)) bench.find(text);
      if (step % 5 === 0) bench.check();
    }
    bench.check();
    const numbers = [...bench.model.values()];
    assert.ok(Math.max(...numbers) < most, "no more numbers than there were rows at once");
  }
});

test("texts of one hash are told apart, also when one has the other's number", () => {
  const [one, other] = ["àaxx", "``xx"];
  const bench = new Bench();
  for (let n = 0; n < 8; n += 1) bench.add(`${n}`);
  bench.add(one);
  bench.find(other);
  bench.add(other);
  bench.check();
  bench.remove(one);
  bench.find(one);
  bench.check();
  for (let n = 10; n < 40; n += 1) {
    bench.remove(other);
    bench.add(one);
    bench.find(other);
    bench.remove(one);
    bench.add(other);
    bench.find(one);
    bench.add(`${n}`);
    bench.check();
  }
});

test("whoever comes and goes for long needs no more numbers", () => {
  const bench = new Bench();
  for (let n = 0; n < 20_000; n += 1) {
    bench.add(`${n}`);
    if (n >= 100) bench.remove(`${n - 100}`);
  }
  bench.check();
  assert.ok(Math.max(...bench.model.values()) <= 100);
});

const IDS = 4_000;
const AT_MS = 1_800_000_000_000;
const TAG = eventTagOf("018f3c9a-7b10-7000-8000-0007a4b1c2d3" as EventId);

/** How often a text was read that was not the right one. */
function misreadings(texts: readonly string[], isRouted: boolean): number {
  const known: string[] = [];
  let wrong = 0;
  const isOf = (row: number, text: string): boolean => {
    const isRight = known[row] === text;
    if (!isRight) wrong += 1;
    return isRight;
  };
  const index = new TextIndex({ isOf }, { isRouted });
  for (const text of texts) {
    assert.equal(index.find(text), -1);
    known[index.add(text)] = text;
  }
  for (const [row, text] of texts.entries()) assert.equal(index.find(text), row);
  return wrong;
}

test("ids of holds differ in what is looked at, in a rush and when they come one by one", () => {
  for (const msApart of [0, 1, 1_000, 60_000]) {
    const minter = new IdMinter(7);
    const ids = Array.from({ length: IDS }, (_, n) =>
      minter.mintHold(AT_MS + n * msApart, TAG, ITEM_IDS_PER_HOLD),
    );
    assert.ok(misreadings(ids, true) <= 1, `${msApart} ms apart`);
  }
});

test("buyers of one millisecond differ in what is looked at, and so do digests", () => {
  const random = new Random(7);
  const bytes = () => Uint8Array.from({ length: 16 }, () => random.below(256));
  const buyers = Array.from({ length: IDS }, () => uuidV7(AT_MS, bytes()));
  assert.ok(misreadings(buyers, false) <= 1);
  const digests = Array.from({ length: IDS }, () => Buffer.from(bytes()).toString("base64url"));
  assert.ok(misreadings(digests, false) <= 1);
});
