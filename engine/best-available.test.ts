import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeatPicker } from "./best-available.ts";
import { BLOCKED, FREE, SOLD } from "./inventory.ts";
import { decodeSeatMap } from "./seat-map.ts";
import { Hall } from "./testing/hall.ts";

describe("seats side by side", () => {
  it("are the nearest to the focus", () => {
    const hall = new Hall("ffffffff", "ffffffff");
    assert.deepEqual(hall.groups({ quantity: 2 }), [[3, 4]]);
    assert.deepEqual(hall.groups({ quantity: 4 }), [[2, 3, 4, 5]]);
    assert.deepEqual(hall.groups({ quantity: 8 }), [[0, 1, 2, 3, 4, 5, 6, 7]]);
    assert.equal(hall.groups({ quantity: 9 }), "none");
  });

  it("of equal distance are those with the lowest index", () => {
    assert.deepEqual(new Hall("ffff").groups({ quantity: 1 }), [[0]]);
    assert.deepEqual(new Hall("sffffs").groups({ quantity: 4 }), [[1, 2, 3, 4]]);
    assert.deepEqual(new Hall("ffssff").groups({ quantity: 2 }), [[0, 1]]);
  });

  it("leave no seat alone, even if they are farther away", () => {
    // Of the three in front one would be left behind.
    assert.deepEqual(new Hall("fffssss", "sffffss").groups({ quantity: 2 }), [[10, 11]]);
    // All that is left of a stretch leaves nobody.
    assert.deepEqual(new Hall("sfffs").groups({ quantity: 3 }), [[1, 2, 3]]);
    // Two are not alone, however they are split off.
    assert.deepEqual(new Hall("sffffffs").groups({ quantity: 2 }), [[3, 4]]);
  });

  it("take no account of a seat that was alone before", () => {
    const answer = new Hall("fsffsf").find({ quantity: 2 });
    assert.ok(answer.kind === "found");
    assert.deepEqual([answer.seats, answer.orphans], [[2, 3], 0]);
  });

  it("leave as few seats alone as can be when some must be", () => {
    const hall = new Hall("ffff", "", "fff");
    hall.take([0]);
    const answer = hall.find({ quantity: 2 });
    assert.ok(answer.kind === "found");
    assert.deepEqual([answer.seats, answer.orphans, answer.split], [[1, 2], 1, false]);
    assert.equal(answer.groups[0]?.orphans, 1);
  });

  it("are never across an aisle", () => {
    assert.deepEqual(new Hall("ff|ff").groups({ quantity: 3 }), "none");
    assert.deepEqual(new Hall("ff|ff", "fff").groups({ quantity: 3 }), [[4, 5, 6]]);
  });

  it("are of the category and the zone that are asked for", () => {
    const hall = new Hall("ffFF", "----", "ffFF");
    assert.deepEqual(hall.groups({ quantity: 2, category: 1 }), [[2, 3]]);
    assert.deepEqual(hall.groups({ quantity: 2, zone: 1 }), [[4, 5]]);
    assert.deepEqual(hall.groups({ quantity: 2, zone: 1, category: 1 }), [[6, 7]]);
    for (const wrong of [{ category: 7 }, { zone: 9 }, { quantity: 3, category: 1 }]) {
      assert.equal(hall.groups(wrong), "none");
    }
  });

  it("are of one category where nobody asks for one, and of several rather than of none", () => {
    assert.deepEqual(new Hall("ffFF", "", "ffff").groups({ quantity: 4 }), [[4, 5, 6, 7]]);
    assert.deepEqual(new Hall("ffFF").groups({ quantity: 3 }), [[0, 1, 2]]);
  });

  it("count a seat of another category as company", () => {
    // Of the second category 1 + 2 are left, and 3 is not alone: 4 is beside it.
    const answer = new Hall("sFFFff").find({ quantity: 2, category: 1 });
    assert.ok(answer.kind === "found");
    assert.deepEqual([answer.seats, answer.orphans], [[1, 2], 0]);
  });

  it("may be blocked ones for those who may take them, and only in that search", () => {
    const hall = new Hall("bbff", "", "ffff");
    const mayTake = (seat: number): boolean => seat === 1;
    assert.deepEqual(hall.groups({ quantity: 3, mayTake }), [[1, 2, 3]]);
    assert.deepEqual(hall.groups({ quantity: 4, mayTake }), [[4, 5, 6, 7]]);
    hall.take([4], SOLD);
    assert.deepEqual(hall.groups({ quantity: 3 }), [[5, 6, 7]]);
  });

  it("are found where no geometry is known", () => {
    const statuses = new Uint8Array(7).fill(FREE);
    const picker = new SeatPicker(
      decodeSeatMap(new Uint8Array(), 7),
      statuses.map(() => 0),
      statuses,
    );
    const query = { category: null, zone: null, adjacent: true, accessible: false };
    const answer = picker.find({ ...query, quantity: 3 });
    assert.ok(answer.kind === "found");
    assert.deepEqual(answer.seats, [2, 3, 4]);
  });

  it("are searched for in an event that has none", () => {
    const nothing = new Uint8Array();
    const picker = new SeatPicker(decodeSeatMap(nothing, 0), nothing, nothing);
    const query = { quantity: 1, category: null, zone: null, adjacent: false, accessible: false };
    const none = { kind: "none", free: 0, alternatives: [] };
    assert.deepEqual(picker.find(query), none);
    assert.deepEqual(picker.find({ ...query, accessible: true }), none);
  });
});

describe("seats for companions and wheelchairs", () => {
  it("are not for others", () => {
    assert.deepEqual(new Hall("wcff", "ffff").groups({ quantity: 4 }), [[4, 5, 6, 7]]);
    assert.equal(new Hall("wc").groups({ quantity: 1 }), "none");
  });

  it("for companions are given to who asks for their category, if it has no others", () => {
    assert.deepEqual(new Hall("wccw").groups({ quantity: 2, category: 2 }), [[1, 2]]);
    assert.deepEqual(new Hall("wccw", "GG").groups({ quantity: 2, category: 2 }), [[4, 5]]);
  });

  it("are neither company nor orphans", () => {
    const answer = new Hall("sfffws").find({ quantity: 2 });
    assert.ok(answer.kind === "found");
    assert.equal(answer.orphans, 1);
    const two = new Hall("ffws").find({ quantity: 2 });
    assert.ok(two.kind === "found");
    assert.equal(two.orphans, 0);
  });

  const accessible = { accessible: true };

  it("go together: one for the wheelchair, companions' seats first, then ordinary ones", () => {
    const hall = new Hall("ffffffff", "ffwccfww");
    assert.deepEqual(hall.groups({ ...accessible, quantity: 1 }), [[10]]);
    assert.deepEqual(hall.groups({ ...accessible, quantity: 2 }), [[10, 11]]);
    assert.deepEqual(hall.groups({ ...accessible, quantity: 3 }), [[10, 11, 12]]);
    assert.deepEqual(hall.groups({ ...accessible, quantity: 4 }), [[10, 11, 12, 13]]);
    hall.take([10]);
    assert.deepEqual(hall.groups({ ...accessible, quantity: 2 }), [[13, 14]]);
  });

  it("are taken by a party of friends only if there is no other way", () => {
    assert.deepEqual(new Hall("wwsWc", "ffff").groups({ ...accessible, quantity: 2 }), [[0, 1]]);
  });

  it("are of the category asked for, companions' seats of any", () => {
    const hall = new Hall("fwcF", "Fwcf");
    assert.deepEqual(hall.groups({ ...accessible, quantity: 3, category: 0 }), [[0, 1, 2]]);
    assert.deepEqual(hall.groups({ ...accessible, quantity: 3, category: 1 }), [[1, 2, 3]]);
    assert.deepEqual(hall.groups({ ...accessible, quantity: 2, category: 2 }), [[1, 2]]);
  });

  it("split a party into groups near each other, the wheelchair not alone", () => {
    const hall = new Hall("wcsff", "sssss");
    assert.equal(hall.groups({ ...accessible, quantity: 4 }), "none");
    const split = { ...accessible, quantity: 4, adjacent: false };
    assert.deepEqual(hall.groups(split), [
      [0, 1],
      [3, 4],
    ]);
    assert.deepEqual(new Hall("wcss", "ssff").groups(split), [
      [0, 1],
      [6, 7],
    ]);
    assert.deepEqual(new Hall("wsss", "", "sfsf", "", "fsss").groups(split), [[0], [5], [7], [8]]);
    assert.deepEqual(new Hall("ffff").find(split), { kind: "none", free: 0, alternatives: [] });
  });
});

describe("a party that may be split", () => {
  const split = { adjacent: false };

  it("is not, where it need not be", () => {
    const answer = new Hall("ffsff", "ffff").find({ ...split, quantity: 4 });
    assert.ok(answer.kind === "found");
    assert.deepEqual([answer.split, answer.seats], [false, [5, 6, 7, 8]]);
  });

  it("sits in few and even groups, nobody alone", () => {
    assert.deepEqual(new Hall("sfffs", "sfffs").groups({ ...split, quantity: 5 }), [
      [1, 2, 3],
      [6, 7],
    ]);
    assert.deepEqual(new Hall("ffffs", "sffff").groups({ ...split, quantity: 6 }), [
      [1, 2, 3],
      [6, 7, 8],
    ]);
    assert.deepEqual(new Hall("fffsf").groups({ ...split, quantity: 4 }), [[0, 1, 2], [4]]);
  });

  it("sits in one row or in rows behind each other, not across a cross aisle", () => {
    assert.deepEqual(new Hall("ffsff").groups({ ...split, quantity: 4 }), [
      [0, 1],
      [3, 4],
    ]);
    // Two in the first row would be nearer, but who is with them would not.
    assert.deepEqual(new Hall("sffs", "", "sffs", "sffs").groups({ ...split, quantity: 4 }), [
      [5, 6],
      [9, 10],
    ]);
    assert.deepEqual(new Hall("ffs", "---", "sff", "ffs").groups({ ...split, quantity: 4 }), [
      [4, 5],
      [6, 7],
    ]);
  });

  it("sits near each other where all places are equally good otherwise", () => {
    assert.deepEqual(new Hall("ffffssss", "ffsssfff").groups({ ...split, quantity: 6 }), [
      [1, 2, 3],
      [13, 14, 15],
    ]);
    assert.deepEqual(new Hall("ffssss", "ffssff").groups({ ...split, quantity: 4 })[1], [6, 7]);
  });

  it("sits in three groups over three rows, and at last anywhere", () => {
    assert.deepEqual(new Hall("ff", "ff", "ff").groups({ ...split, quantity: 6 }), [
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    const scattered = new Hall("sfs", "", "sfs", "", "fss", "", "sff");
    assert.deepEqual(scattered.groups({ ...split, quantity: 4 }), [[1], [4], [6], [10]]);
  });

  it("sits in the nearest seats there are when no neighbourhood has enough", () => {
    const hall = new Hall("fsssssssssssssssssssf", "", "f", "", "f");
    assert.deepEqual(hall.groups({ ...split, quantity: 3 }), [[0], [21], [22]]);
  });

  it("is refused only when there are fewer seats than people", () => {
    const hall = new Hall("fsf", "", "sFs");
    assert.deepEqual(hall.find({ ...split, quantity: 4 }), {
      kind: "none",
      free: 3,
      alternatives: [],
    });
    const inCategory = hall.find({ ...split, quantity: 3, category: 0 });
    assert.deepEqual(inCategory, { kind: "none", free: 2, alternatives: [] });
  });
});

describe("alternatives", () => {
  it("seat the whole party, best first, and share no seat", () => {
    const hall = new Hall("sffs", "sffs", "", "sffs", "sffs", "", "fsfs", "sfsf");
    const answer = hall.find({ quantity: 4 });
    assert.ok(answer.kind === "none");
    assert.equal(answer.free, 4);
    assert.deepEqual(
      answer.alternatives.map((groups) => groups.map((group) => group.seats)),
      [
        [
          [1, 2],
          [5, 6],
        ],
        [
          [9, 10],
          [13, 14],
        ],
        [[16], [18], [21], [23]],
      ],
    );
  });

  it("come from one neighbourhood, too, as long as it has room for the party", () => {
    const answer = new Hall("ffsffsff", "ffsffsff").find({ quantity: 4 });
    assert.ok(answer.kind === "none");
    assert.deepEqual(
      answer.alternatives.map((groups) => groups.map((group) => group.seats)),
      [
        [
          [3, 4],
          [11, 12],
        ],
        [
          [0, 1],
          [8, 9],
        ],
        [
          [6, 7],
          [14, 15],
        ],
      ],
    );
  });

  it("can be taken as they are", () => {
    const hall = new Hall("sffsffs", "sffsffs", "fsfsfsf");
    const answer = hall.find({ quantity: 3 });
    assert.ok(answer.kind === "none" && answer.alternatives.length > 0);
    for (const groups of answer.alternatives) {
      const seats = groups.flatMap((group) => group.seats);
      assert.equal(seats.length, 3);
      for (const seat of seats) assert.equal(hall.statuses[seat], FREE);
      hall.take(seats);
    }
  });

  it("with a wheelchair have a seat for it", () => {
    const answer = new Hall("wsfff", "sssff").find({ quantity: 4, accessible: true });
    assert.ok(answer.kind === "none");
    const [first] = answer.alternatives.map((groups) => groups.map((group) => group.seats));
    assert.deepEqual(first, [[0], [2, 3, 4]]);
  });

  it("are none when there are fewer seats than people", () => {
    const blocked = new Hall("fbf");
    assert.deepEqual(blocked.find({ quantity: 3 }), { kind: "none", free: 2, alternatives: [] });
    const mayTake = () => true;
    assert.equal(blocked.find({ quantity: 3, mayTake }).kind, "found");
    blocked.take([1], BLOCKED);
    assert.equal(blocked.find({ quantity: 3 }).kind, "none");
  });
});
