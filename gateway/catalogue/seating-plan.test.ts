import assert from "node:assert/strict";
import * as fs from "node:fs";
import { describe, it } from "node:test";
import { parseSeatingPlan } from "./seating-plan.ts";

interface SeatInput {
  readonly [member: string]: unknown;
}

/** A plan of one zone and one row. */
const planOf = (...seats: SeatInput[]) => ({
  name: "Hall",
  categories: [{ name: "A" }, { name: "Wheelchair places" }],
  zones: [{ name: "Stalls", rows: [{ row_number: "1", seats }] }],
});
const seat = (id: string, more: SeatInput = {}): SeatInput => ({
  seat_guid: id,
  seat_number: "1",
  category: "A",
  ...more,
});

function seatsOf(plan: unknown) {
  const parsed = parseSeatingPlan(plan, "seatingPlan");
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value.seats;
}

function errorsOf(plan: unknown): Record<string, string> {
  const parsed = parseSeatingPlan(plan, "seatingPlan");
  assert.ok(!parsed.ok);
  return Object.fromEntries(parsed.errors.map(({ path, message }) => [path, message]));
}

describe("parseSeatingPlan", () => {
  it("reads the theatre in its order", () => {
    const url = new URL("../demo/plans/theatre.json", import.meta.url);
    const parsed = parseSeatingPlan(JSON.parse(fs.readFileSync(url, "utf8")), "seatingPlan");
    assert.ok(parsed.ok);
    const { seats, categories } = parsed.value;
    assert.equal(seats.length, 1100);
    assert.deepEqual(categories, ["Premium", "Stalls", "Circle", "Box", "Wheelchair", "Companion"]);
    assert.equal(seats[0]?.id, "ST-A-1");
    assert.equal(new Set(seats.map(({ id }) => id)).size, 1100);
    const accessible = seats.filter((one) => one.accessible);
    assert.ok(accessible.length > 0);
    assert.ok(accessible.every((one) => categories[one.category] === "Wheelchair"));
    const companions = seats.filter((one) => one.companion);
    assert.ok(companions.length > 0);
    assert.ok(companions.every((one) => categories[one.category] === "Companion"));
    assert.deepEqual(parsed.value.focus, { x: 900, y: 100 });
  });

  it("adds up the positions of seat, row and zone, whichever of them there are", () => {
    const zones = [
      {
        name: "Z",
        position: { x: 100, y: 200 },
        rows: [
          {
            row_number: "1",
            position: { x: 10, y: 20 },
            seats: [seat("a", { position: { x: 1, y: -2.5 } }), seat("b")],
          },
          { row_number: "2", seats: [seat("c", { position: { x: 3, y: 4 } }), seat("d")] },
        ],
      },
      { name: "Y", rows: [{ seats: [seat("e", { position: { x: 7, y: 8 } }), seat("f")] }] },
    ];
    assert.deepEqual(
      seatsOf({ categories: [{ name: "A" }], zones }).map(({ x, y }) => [x, y]),
      [
        [111, 217.5],
        [110, 220],
        [103, 204],
        [100, 200],
        [7, 8],
        [null, null],
      ],
    );
  });

  it("takes plans without a size, with empty zones, empty rows and gaps", () => {
    const zones = [
      { name: "Empty", rows: [] },
      {
        name: "Balcony",
        rows: [
          { row_number: "1", seats: [] },
          { row_number: 2, seats: [seat("x", { seat_number: 5 }), seat("y", { seat_number: 9 })] },
          { seats: [seat("z", { seat_number: null })] },
        ],
      },
    ];
    assert.deepEqual(
      seatsOf({ categories: [{ name: "A" }], zones }).map(({ zone, row, number }) => [
        zone,
        row,
        number,
      ]),
      [
        ["Balcony", "2", "5"],
        ["Balcony", "2", "9"],
        ["Balcony", null, null],
      ],
    );
  });

  it("takes names in any alphabet", () => {
    const plan = {
      categories: [{ name: "Партер" }, { name: "特別席" }],
      zones: [
        {
          name: "الشرفة",
          rows: [
            {
              row_number: "Ⅳ",
              seats: [seat("место-1", { category: "Партер", seat_number: "１２" })],
            },
            { row_number: "い", seats: [seat("席-2", { category: "特別席" })] },
          ],
        },
      ],
    };
    assert.deepEqual(
      seatsOf(plan).map(({ id, zone, row, category }) => [id, zone, row, category]),
      [
        ["место-1", "الشرفة", "Ⅳ", 0],
        ["席-2", "الشرفة", "い", 1],
      ],
    );
  });

  it("knows accessible seats by their category's name and by a flag", () => {
    const seats = seatsOf(
      planOf(
        seat("a"),
        seat("b", { category: "Wheelchair places" }),
        seat("c", { accessible: true }),
        seat("d", { accessible: "yes" }),
      ),
    );
    assert.deepEqual(
      seats.map(({ accessible }) => accessible),
      [false, true, true, false],
    );
  });

  it("knows companions' seats by their category's name, in two languages", () => {
    const names = ["Companion", "Begleitperson", "Begleitplatz Parkett", "Company box"];
    const categories = names.map((name) => ({ name }));
    const seats = names.map((category) => seat(category, { category }));
    const plan = { categories, zones: [{ name: "Z", rows: [{ seats }] }] };
    assert.deepEqual(
      seatsOf(plan).map(({ companion }) => companion),
      [true, true, true, false],
    );
  });

  it("finds the stage among the areas of its zones, and takes plans that draw none", () => {
    const zones = [
      { rows: [{ seats: [seat("a")] }], areas: [{ text: "Bar", width: 1, height: 1 }, 7, null] },
      {
        position: { x: 100, y: 10 },
        rows: [],
        areas: [{ text: "STAGE", position: { x: 5, y: 5 }, width: 20, height: 10 }],
      },
      { rows: [], areas: [{ text: "Stage 2", width: 1, height: 1 }] },
    ];
    const focusOf = (zones: readonly unknown[]) => {
      const parsed = parseSeatingPlan({ categories: [{ name: "A" }], zones }, "seatingPlan");
      assert.ok(parsed.ok, JSON.stringify(parsed));
      return parsed.value.focus;
    };
    assert.deepEqual(focusOf(zones), { x: 115, y: 20 });
    assert.equal(focusOf(zones.slice(0, 1)), null);
  });

  const row0 = "seatingPlan.zones[0].rows[0]";
  const broken: readonly (readonly [
    what: string,
    plan: unknown,
    errors: Record<string, string>,
  ])[] = [
    ["a text", "plan", { seatingPlan: "must be an object" }],
    ["a list", [], { seatingPlan: "must be an object" }],
    [
      "an empty object",
      {},
      { "seatingPlan.categories": "is missing", "seatingPlan.zones": "is missing" },
    ],
    [
      "zones that are no list",
      { categories: [], zones: {} },
      { "seatingPlan.zones": "must be a list" },
    ],
    ["no seats at all", planOf(), { seatingPlan: "has no seats" }],
    [
      "categories without or with one name",
      { categories: [{}, { name: "A" }, { name: "A" }, "B"], zones: [] },
      {
        "seatingPlan.categories[0].name": "is missing",
        "seatingPlan.categories[2].name": "repeats an earlier category",
        "seatingPlan.categories[3]": "must be an object",
      },
    ],
    [
      "1,001 categories, of which none is read, and no seat",
      {
        categories: Array.from({ length: 1_001 }, (_, n) => ({ name: `${n}` })),
        zones: [{ name: "Z", rows: [{ seats: [seat("a"), seat("a")] }] }],
      },
      { "seatingPlan.categories": "must have at most 1000 entries" },
    ],
    [
      "a zone and a row that are nothing",
      { categories: [{ name: "A" }], zones: [null, { rows: [null] }, {}] },
      {
        "seatingPlan.zones[0]": "must be an object",
        "seatingPlan.zones[1].rows[0]": "must be an object",
        "seatingPlan.zones[2].rows": "is missing",
      },
    ],
    [
      "seats without an id",
      planOf(seat("a"), { category: "A" }, seat(""), seat("b", { seat_guid: 7 })),
      {
        [`${row0}.seats[1].seat_guid`]: "is missing",
        [`${row0}.seats[2].seat_guid`]: "is missing",
        [`${row0}.seats[3].seat_guid`]: "must be a string",
      },
    ],
    [
      "an id that comes twice",
      planOf(seat("a"), seat("b"), seat("a")),
      { [`${row0}.seats[2].seat_guid`]: `is "a", as is ${row0}.seats[0].seat_guid` },
    ],
    [
      "a category that the plan lacks",
      planOf(seat("a", { category: "Gold" }), seat("b", { category: undefined })),
      {
        [`${row0}.seats[0].category`]: 'is "Gold", which the plan\'s categories lack',
        [`${row0}.seats[1].category`]: "is missing",
      },
    ],
    [
      "positions that are none",
      planOf(
        seat("a", { position: { x: "1", y: 2 } }),
        seat("b", { position: { x: 1 } }),
        seat("c", { position: [1, 2] }),
        seat("d", { position: { x: 1e99, y: 0 } }),
      ),
      {
        [`${row0}.seats[0].position.x`]: "must be a number",
        [`${row0}.seats[1].position.y`]: "is missing",
        [`${row0}.seats[2].position`]: "must be an object",
        [`${row0}.seats[3].position.x`]: "must be a number",
      },
    ],
    [
      "names that are too long, or no names",
      planOf(
        seat("x".repeat(101)),
        seat("b", { seat_number: ["1"] }),
        seat("c", { seat_number: "1\n2" }),
      ),
      {
        [`${row0}.seats[0].seat_guid`]: "must have at most 100 characters",
        [`${row0}.seats[1].seat_number`]: "must be a string or a number",
        [`${row0}.seats[2].seat_number`]: "must have no control characters",
      },
    ],
  ];
  for (const [what, plan, errors] of broken) {
    it(`names the place of the fault in a plan with ${what}`, () => {
      assert.deepEqual(errorsOf(plan), errors);
    });
  }

  it("names at most 20 faults", () => {
    const seats = Array.from({ length: 500 }, () => seat("same"));
    assert.equal(Object.keys(errorsOf(planOf(...seats))).length, 20);
  });
});
