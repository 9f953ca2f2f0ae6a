import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stageCentre } from "./stage-area.ts";

const FAR = 1_000_000;
const at = { x: 100, y: 200 };

describe("stageCentre", () => {
  const position = { x: 10, y: 20 };
  const named = { text: { text: "Stage", size: 16 }, position };
  const read: readonly (readonly [what: string, area: unknown, x: number, y: number])[] = [
    ["a flat rectangle", { text: "Stage", position, width: 6, height: 4 }, 113, 222],
    ["a rectangle", { ...named, rectangle: { width: 6, height: 4 } }, 113, 222],
    ["a circle", { ...named, circle: { radius: 9 } }, 110, 220],
    ["an ellipse", { ...named, ellipse: { radius: { x: 9, y: 4 } } }, 110, 220],
    [
      "a polygon",
      {
        ...named,
        polygon: {
          points: [
            { x: 0, y: 0 },
            { x: 8, y: 0 },
            { x: 1, y: 6 },
          ],
        },
      },
      114,
      223,
    ],
    ["an area without a position", { text: "Stage", width: 2, height: 2 }, 101, 201],
    ["an area without a size", { text: "Stage" }, 100, 200],
    ["sizes that are none", { text: "Stage", width: "wide", height: null }, 100, 200],
  ];
  for (const [what, area, x, y] of read) {
    it(`takes the middle of ${what}`, () => {
      assert.deepEqual(stageCentre([area], at, FAR), { x, y });
    });
  }

  it("knows a stage by its name in several languages, whole or in a longer word", () => {
    const names = ["Bühne", "Bu\u0308hne", "HAUPTBÜHNE", "Scène", "Scena", "podium", "Pitch"];
    for (const text of [...names, "Main stage", "Playing field", "Center Court", "Spielfeld"]) {
      assert.deepEqual(stageCentre([{ text }], at, FAR), at, text);
    }
    for (const text of ["Backstage", "Courtyard", "Bar", "", 7, null, { text: ["Stage"] }]) {
      assert.equal(stageCentre([{ text }], at, FAR), null, String(text));
    }
  });

  it("passes over what is no area, and what is out of sight", () => {
    const out = { text: "Stage", position: { x: FAR, y: 0 } };
    const endless = { text: "Stage", position: { x: Number.NaN, y: 0 } };
    const areas = [null, "Stage", [], {}, out, endless, { text: "Stage" }];
    assert.deepEqual(stageCentre(areas, at, FAR), at);
    for (const none of [undefined, null, {}, "Stage"]) {
      assert.equal(stageCentre(none, at, FAR), null);
    }
    assert.deepEqual(stageCentre([{ text: "Stage" }], null, FAR), { x: 0, y: 0 });
  });
});
