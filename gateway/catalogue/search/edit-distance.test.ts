import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deletesOf, editDistance } from "./edit-distance.ts";

test("counts letters that are left out, put in, replaced, or swapped", () => {
  const table: readonly (readonly [one: string, other: string, distance: number])[] = [
    ["opera", "opera", 0],
    ["opra", "opera", 1],
    ["operra", "opera", 1],
    ["opara", "opera", 1],
    ["oprea", "opera", 1],
    ["konsrt", "konzert", 2],
    ["шоу", "шоы", 1],
    ["🎻a", "🎻b", 1],
    ["jazz", "opera", 3],
    ["", "ab", 2],
  ];
  for (const [one, other, distance] of table) {
    assert.equal(editDistance(one, other, 2), distance, `${one} and ${other}`);
    assert.equal(editDistance(other, one, 2), distance, `${other} and ${one}`);
  }
});

/** A word with up to two differences from another. */
const misspelt = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(..."abcde"), minLength: 3, maxLength: 14 }),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(..."abcde"), fc.nat(3)), { maxLength: 2 }),
  )
  .map(([word, changes]) => {
    let letters = Array.from(word);
    for (const [n, letter, how] of changes) {
      const at = n % letters.length;
      if (how === 0 && letters.length > 2) letters = letters.toSpliced(at, 1);
      else if (how === 1) letters = letters.toSpliced(at, 0, letter);
      else if (how === 2) letters = letters.toSpliced(at, 1, letter);
      else letters = letters.toSpliced(at, 2, ...letters.slice(at, at + 2).reverse());
    }
    return { word, other: letters.join(""), changes: changes.length };
  });

test("of words that differ so little, the beginnings have a variant in common", () => {
  fc.assert(
    fc.property(misspelt, ({ word, other }) => {
      const distance = editDistance(word, other, 2);
      fc.pre(distance <= 2);
      // What is stored of a word always has two letters left out.
      const known = new Set(deletesOf(word, 2));
      assert.ok(deletesOf(other, distance).some((variant) => known.has(variant)));
    }),
  );
});
