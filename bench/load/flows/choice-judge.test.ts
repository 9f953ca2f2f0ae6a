import assert from "node:assert/strict";
import { test } from "node:test";
import type { Wish } from "../../hall/hall.ts";
import { smallHall as hall } from "../../hall/testing/small-hall.ts";
import { type Choice, type ChoiceRefusal, type Hearing, judge } from "./choice-judge.ts";
import { SeatTenures } from "./seat-tenures.ts";

const pair: Wish = { quantity: 2, category: null, zone: null, adjacent: true, accessible: false };
/** What is asked at 100 and answered at 110. */
const moment = { fromMs: 100, toMs: 110 };

/** [seats, asked, answered, ended]: from the first to the last they may be somebody's. */
type Taken = readonly [seats: number[], askedMs: number, heldMs: number, untilMs: number];

interface Said extends Partial<Pick<Hearing, "named" | "unknownSinceMs">> {
  readonly taken?: readonly Taken[];
  readonly choices?: readonly Partial<Choice>[];
  readonly refusals?: readonly (Partial<ChoiceRefusal> & Pick<ChoiceRefusal, "told">)[];
}

/** What is objected to, check by check. */
function objections({ taken = [], choices = [], refusals = [], named, unknownSinceMs }: Said) {
  const tenures = new SeatTenures(hall.ids.length);
  for (const [seats, askedMs, heldMs, untilMs] of taken) {
    tenures.add(seats, { askedMs, heldMs, sureUntilMs: untilMs, untilMs });
  }
  const checks = judge({
    hall,
    tenures,
    choices: choices.map((choice) => {
      return { wish: pair, moment, groups: [], isNamed: false, ...choice };
    }),
    refusals: refusals.map((refusal) => ({ wish: pair, moment, ...refusal })),
    named: named ?? [],
    unknownSinceMs: unknownSinceMs ?? Infinity,
  });
  return checks.map(({ ok, detail }) => (ok ? "" : detail));
}

const FOR_GOOD = Infinity;
/** Of the ordinary seats none two side by side are left. */
const SPARSE: Taken = [[1, 4, 6], 0, 1, FOR_GOOD];
const FULL: Taken = [[0, 1, 2, 4, 5, 6, 7], 0, 1, FOR_GOOD];
const apart = { ...pair, adjacent: false };
const none = (alternatives: readonly number[][][]): ChoiceRefusal["told"] => {
  return { code: "no_adjacent_seats", alternatives };
};
const few = (available: number): ChoiceRefusal["told"] => {
  return { code: "insufficient_capacity", available };
};

test("seats that are not as was wished are found", () => {
  assert.deepEqual(objections({ choices: [{ groups: [[0, 1]] }] }), ["", "", ""]);
  assert.match(
    objections({ choices: [{ groups: [[0, 2]] }] })[0] ?? "",
    /not side by side: a1, a3/,
  );
  assert.match(objections({ choices: [{ groups: [] }] })[0] ?? "", /0 seats for 2/);
  const cheap = { wish: { ...pair, category: 1 }, groups: [[0, 1]] };
  assert.match(objections({ choices: [cheap] })[0] ?? "", /for 2, category 1, together: seat a1/);
});

test("a party is split only where it can't sit together, and by its own choice always", () => {
  const split = { wish: apart, groups: [[0], [5]] };
  assert.match(objections({ choices: [split] })[0] ?? "", /split, with a1, a2 free all the while/);
  assert.deepEqual(objections({ choices: [split], taken: [SPARSE] }), ["", "", ""]);
  assert.deepEqual(objections({ choices: [{ ...split, isNamed: true }] }), ["", "", ""]);
});

test("a seat that was another's all the while may not be given, one that may have been may", () => {
  const choices = [{ groups: [[0, 1]] }];
  assert.match(objections({ choices, taken: [[[1], 0, 100, 110]] })[1] ?? "", /^seat a2 was/);
  const doubtful: readonly Taken[] = [
    [[1], 0, 101, 110],
    [[1], 0, 100, 109],
  ];
  for (const taken of doubtful) assert.equal(objections({ choices, taken: [taken] })[1], "");
});

test("nothing is refused while enough was free all the while", () => {
  const untrue = (said: Said): string => objections(said)[2] ?? "";
  assert.match(untrue({ refusals: [{ told: few(1) }] }), /a1, a2 were free all the while/);
  assert.equal(untrue({ refusals: [{ told: few(0) }], taken: [FULL] }), "");
  // One is free, and one whose holder was on the way.
  const coming: Taken = [[0, 1, 2, 4, 5, 6], 0, 1, FOR_GOOD];
  assert.equal(untrue({ refusals: [{ told: few(1) }], taken: [coming] }), "");
  const one: Taken = [[0, 1, 2, 4, 5], 0, 1, FOR_GOOD];
  assert.equal(untrue({ refusals: [{ told: few(1) }], taken: [one, [[6], 110, 120, 130]] }), "");
  assert.match(
    untrue({ refusals: [{ told: few(1) }], taken: [one, [[6], 111, 120, 130]] }),
    /b3, b4/,
  );
  assert.match(untrue({ refusals: [{ told: few(2) }], taken: [FULL] }), /2 to be had/);
  const wheelchair = { wish: { ...pair, quantity: 1, accessible: true }, told: few(0) };
  assert.match(untrue({ refusals: [wheelchair], taken: [FULL] }), /a4 were free/);
  assert.equal(untrue({ refusals: [wheelchair], taken: [[[3], 0, 1, FOR_GOOD]] }), "");
});

test("nobody has to sit apart while there is room side by side", () => {
  const untrue = (told: ChoiceRefusal["told"], taken = SPARSE, wish = pair): string =>
    objections({ refusals: [{ told, wish }], taken: [taken] })[2] ?? "";
  assert.equal(untrue(none([[[0], [2]]])), "");
  assert.match(untrue(none([[[0], [2]]]), [[1], 0, 1, FOR_GOOD]), /were free all/);
  assert.match(untrue(none([])), /0 alternatives/);
  assert.match(
    untrue(
      none([
        [[0], [2]],
        [[2], [5]],
      ]),
    ),
    /share a seat/,
  );
  assert.match(untrue(none([[[0], [1]]])), /offered were a2, which were taken/);
  assert.match(untrue(none([[[0], [2], [5]]])), /3 seats for 2/);
  assert.match(untrue(none([[[0, 2]]])), /not side by side/);
  assert.match(untrue(none([[[0], [2]]]), SPARSE, apart), /they need not be together/);
});

test("seats that nobody had can't be refused by name; what was lost may be anybody's", () => {
  const named = [{ seats: [5], moment }];
  assert.match(objections({ named })[2] ?? "", /nobody had were refused: b2/);
  assert.match(objections({ named: [{ seats: [], moment }] })[2] ?? "", /nobody had/);
  assert.equal(objections({ named, taken: [[[5], 105, 120, 130]] })[2], "");
  assert.equal(objections({ named, taken: [[[5], 0, 1, 105]] })[2], "");
  assert.match(objections({ named, taken: [[[5], 0, 1, 99]] })[2] ?? "", /nobody had/);
  const refusals = [{ told: few(0) }];
  assert.deepEqual(objections({ named, refusals, unknownSinceMs: 110 }), ["", "", ""]);
});
