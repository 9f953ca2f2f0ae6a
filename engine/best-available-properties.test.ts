/** Halls of a few seats, where the best can be found by trying everything. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type SeatAnswer, SeatPicker, type SeatQuery } from "./best-available.ts";
import { BLOCKED, FREE, HELD, SOLD } from "./inventory.ts";
import { shapesOf } from "./party-shapes.ts";
import { ACCESSIBLE, COMPANION, decodeSeatMap, type SeatMap } from "./seat-map.ts";
import { Hall } from "./testing/hall.ts";

const letter = fc.constantFrom(..."fffffffFFssbGwc||");
const line = fc.oneof(
  { arbitrary: fc.string({ unit: letter, minLength: 1, maxLength: 9 }), weight: 6 },
  { arbitrary: fc.constantFrom("", "----"), weight: 1 },
);
const halls = fc
  .array(line, { minLength: 1, maxLength: 6 })
  .filter((lines) => lines.some((text) => /[a-z]/i.test(text)))
  .map((lines) => new Hall(...lines));
const queries = fc.record({
  quantity: fc.integer({ min: 1, max: 6 }),
  category: fc.constantFrom(null, null, 0, 1, 2),
  zone: fc.constantFrom(null, null, 0, 1),
  adjacent: fc.boolean(),
  accessible: fc.boolean(),
});
/** Party, and which of the blocked seats it may take. */
const searches = fc.tuple(queries, fc.constantFrom(null, 2, 3)).map(([query, every]): SeatQuery => {
  return every === null ? query : { ...query, mayTake: (seat) => seat % every === 0 };
});

/** What the search must know of a seat, found in the plainest way. */
class Reference {
  readonly map: SeatMap;
  readonly #hall: Hall;
  readonly #query: SeatQuery;

  constructor(hall: Hall, query: SeatQuery) {
    this.#hall = hall;
    this.#query = query;
    this.map = hall.map;
  }

  isOpen(at: number): boolean {
    const seat = this.map.seats[at] ?? -1;
    const status = this.#hall.statuses[seat];
    return status === FREE || (status === BLOCKED && (this.#query.mayTake?.(seat) ?? false));
  }

  categoryOf(at: number): number {
    return this.#hall.categories[this.map.seats[at] ?? -1] ?? -1;
  }

  flagsOf(at: number): number {
    return this.map.flags[at] ?? 0;
  }

  rowOf(at: number): number {
    const run = this.runOf(at);
    return this.map.rowRuns.findLastIndex((first) => first <= run);
  }

  runOf(at: number): number {
    return this.map.runStarts.findLastIndex((first) => first <= at);
  }

  positions(): number[] {
    return [...this.map.seats.keys()];
  }

  mayTake(at: number): boolean {
    const { category, zone, accessible } = this.#query;
    if (!this.isOpen(at)) return false;
    if (zone !== null && this.map.rowZones[this.rowOf(at)] !== zone) return false;
    const isMine = category === null || this.categoryOf(at) === category;
    const flags = this.flagsOf(at);
    const hasSome = (wanted: number): boolean =>
      this.positions().some((p) => this.categoryOf(p) === category && this.flagsOf(p) === wanted);
    if (flags === ACCESSIBLE) return accessible && (isMine || !hasSome(ACCESSIBLE));
    if (flags === COMPANION) return accessible || (category !== null && isMine && !hasSome(0));
    return isMine;
  }

  /** Ordinary open seats without company, when those of `taken` are gone. */
  alone(taken: readonly number[]): Set<number> {
    const isThere = (at: number): boolean =>
      at >= 0 && this.flagsOf(at) === 0 && this.isOpen(at) && !taken.includes(at);
    const isBeside = (a: number, b: number): boolean =>
      isThere(b) && this.runOf(a) === this.runOf(b);
    return new Set(
      this.positions().filter((at) => {
        return isThere(at) && !isBeside(at, at - 1) && !isBeside(at, at + 1);
      }),
    );
  }

  orphans(taken: readonly number[]): number {
    const before = this.alone([]);
    return [...this.alone(taken)].filter((at) => !before.has(at)).length;
  }

  /** Every group side by side, by position. */
  groups(size: number): number[][] {
    const all = this.positions().map((first) => Array.from({ length: size }, (_, n) => first + n));
    return all.filter((group) => {
      const isOneRun = new Set(group.map((at) => this.runOf(at))).size === 1;
      const isMine = group.every((at) => at < this.map.seatCount && this.mayTake(at));
      const hasPlace = group.some((at) => this.flagsOf(at) === ACCESSIBLE);
      return isOneRun && isMine && (hasPlace || !this.#query.accessible);
    });
  }

  /** Less is better, from the first number on. */
  rank(group: readonly number[]): number[] {
    const count = (flags: number): number => {
      return group.filter((at) => this.flagsOf(at) === flags).length;
    };
    const orphans = this.orphans(group);
    const categories = new Set(group.map((at) => this.categoryOf(at))).size;
    const distance = group.reduce((sum, at) => sum + (this.map.distances[at] ?? 0), 0);
    const index = this.map.seats[group[0] ?? -1] ?? 0;
    return this.#query.accessible
      ? [count(ACCESSIBLE), orphans, count(0), distance, index]
      : [orphans, categories > 1 ? 1 : 0, distance, index];
  }

  /** Lengths of the stretches of a row, longest first. */
  stretches(row: number): number[] {
    const lengths: number[] = [];
    let last = -2;
    for (const at of this.positions().filter((p) => this.rowOf(p) === row && this.mayTake(p))) {
      const follows = at === last + 1 && this.runOf(at) === this.runOf(last);
      if (follows) lengths.push((lengths.pop() ?? 0) + 1);
      else lengths.push(1);
      last = at;
    }
    return lengths;
  }

  /** The first shape that fits somewhere. */
  bestShape(party: number): readonly number[] | null {
    const fits = (sizes: readonly number[]): boolean => {
      for (let head = 0; head < this.map.rowCount; head++) {
        const lengths = this.stretches(head);
        for (let row = head; row < head + Math.min(sizes.length, 3) - 1; row++) {
          // A row without seats for this search ends a neighbourhood.
          if (this.map.rowNeighbours[row] !== 1 || this.members(row + 1) === 0) break;
          lengths.push(...this.stretches(row + 1));
        }
        lengths.sort((a, b) => b - a);
        if (sizes.every((size, index) => (lengths[index] ?? 0) >= size)) return true;
      }
      return false;
    };
    return shapesOf(party).find(({ sizes }) => fits(sizes))?.sizes ?? null;
  }

  /** Seats of a row that the search might take, were they free. */
  members(row: number): number {
    const { category } = this.#query;
    const isOrdinary = (at: number): boolean => this.flagsOf(at) === 0;
    const ofCategory = this.positions().filter((at) => {
      return category === null ? isOrdinary(at) : this.categoryOf(at) === category;
    });
    const hasOrdinary = ofCategory.some(isOrdinary);
    const wanted = ofCategory.filter((at) => this.flagsOf(at) === (hasOrdinary ? 0 : COMPANION));
    return wanted.filter((at) => this.rowOf(at) === row).length;
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    if (value !== b[index]) return value - (b[index] ?? 0);
  }
  return 0;
}

/** What holds for every answer, whatever is best. */
function checkSeats(hall: Hall, query: SeatQuery, answer: SeatAnswer): void {
  const reference = new Reference(hall, query);
  const ways = answer.kind === "found" ? [answer.groups] : answer.alternatives;
  const all = ways.flat().flatMap((group) => group.seats);
  assert.equal(new Set(all).size, all.length, "no seat is given twice");
  for (const groups of ways) {
    const seats = groups.flatMap((group) => group.seats);
    const positions = seats.map((seat) => hall.map.positions[seat] ?? -1);
    assert.equal(seats.length, query.quantity);
    assert.ok(positions.every((at) => reference.mayTake(at)));
    if (query.accessible) {
      assert.ok(positions.some((at) => reference.flagsOf(at) === ACCESSIBLE));
    }
    for (const { seats, row, zone, distance } of groups) {
      const group = seats.map((seat) => hall.map.positions[seat] ?? -1);
      assert.ok(
        group.every((at, n) => at === (group[0] ?? 0) + n),
        "side by side",
      );
      assert.equal(new Set(group.map((at) => reference.runOf(at))).size, 1);
      assert.equal(row, reference.rowOf(group[0] ?? -1));
      assert.equal(zone, hall.map.rowZones[row]);
      const sum = group.reduce((far, at) => far + (hall.map.distances[at] ?? 0), 0);
      assert.equal(distance, sum);
    }
    const orphans = groups.reduce((sum, group) => sum + group.orphans, 0);
    assert.equal(orphans, reference.orphans(positions));
  }
}

const runs = { numRuns: 1_000 };

describe("the best available seats of any small hall", () => {
  it("are free, as many as wanted, side by side in their groups", () => {
    const property = fc.property(halls, searches, (hall, query) => {
      checkSeats(hall, query, hall.picker.find(query));
    });
    fc.assert(property, runs);
  });

  it("are the best side by side of all that there are", () => {
    const property = fc.property(halls, searches, (hall, query) => {
      const reference = new Reference(hall, query);
      const [best] = reference
        .groups(query.quantity)
        .map((group) => ({ group, rank: reference.rank(group) }))
        .sort((a, b) => compare(a.rank, b.rank));
      const answer = hall.picker.find(query);
      const isFound = answer.kind === "found" && !answer.split;
      const wanted = best?.group.map((at) => hall.map.seats[at]);
      if (isFound || best !== undefined) assert.deepEqual(isFound && answer.seats, wanted);
    });
    fc.assert(property, runs);
  });

  it("are split in the best way that fits anywhere, and refused only if there are too few", () => {
    const property = fc.property(halls, searches, (hall, query) => {
      const reference = new Reference(hall, query);
      const answer = hall.picker.find(query);
      const free = reference.positions().filter((at) => reference.mayTake(at));
      const hasPlace = free.some((at) => reference.flagsOf(at) === ACCESSIBLE);
      const count = query.accessible && !hasPlace ? 0 : free.length;
      const isEnough = count >= query.quantity;
      if (answer.kind === "none") {
        assert.equal(answer.free, Math.min(count, query.quantity));
        assert.equal(answer.alternatives.length > 0, isEnough);
        assert.ok(query.adjacent || !isEnough);
      }
      const best = answer.kind === "none" ? answer.alternatives[0] : answer.groups;
      const isSplit = answer.kind === "none" || answer.split;
      if (best === undefined || !isSplit || query.accessible) return;
      const shape = reference.bestShape(query.quantity);
      const sizes = best.map((group) => group.seats.length).sort((a, b) => b - a);
      if (shape !== null) return assert.deepEqual(sizes, shape);
      const nearest = free.map((at) => hall.map.distances[at] ?? 0).sort((a, b) => a - b);
      const sum = best.reduce((far, group) => far + group.distance, 0);
      const least = nearest.slice(0, query.quantity).reduce((far, distance) => far + distance, 0);
      assert.equal(sum, least, "the nearest seats anywhere");
    });
    fc.assert(property, runs);
  });

  it("do not depend on how the statuses came about", () => {
    const change = fc.tuple(fc.nat(60), fc.constantFrom(FREE, FREE, HELD, SOLD, BLOCKED));
    const steps = fc.array(fc.tuple(fc.array(change, { maxLength: 6 }), searches), {
      maxLength: 8,
    });
    const property = fc.property(halls, steps, (hall, steps) => {
      for (const [changes, query] of steps) {
        for (const [n, status] of changes) hall.take([n % hall.statuses.length], status);
        const fresh = new SeatPicker(hall.map, hall.categories, hall.statuses);
        const answer = hall.picker.find(query);
        assert.deepEqual(answer, fresh.find(query));
        assert.deepEqual(answer, hall.picker.find(query), "asking changes nothing");
      }
    });
    fc.assert(property, runs);
  });

  it("can be taken one after the other until there are too few", () => {
    const property = fc.property(halls, fc.integer({ min: 1, max: 5 }), (hall, quantity) => {
      const query = { quantity, category: null, zone: null, adjacent: false, accessible: false };
      for (;;) {
        const answer = hall.picker.find(query);
        if (answer.kind === "none") return assert.ok(answer.free < quantity);
        checkSeats(hall, query, answer);
        hall.take(answer.seats);
      }
    });
    fc.assert(property, runs);
  });

  it("are found without a geometry, too", () => {
    const statuses = fc.uint8Array({ minLength: 1, maxLength: 40 });
    const property = fc.property(statuses, fc.integer({ min: 1, max: 5 }), (bytes, quantity) => {
      const seats = bytes.map((byte) => (byte % 3 === 0 ? SOLD : FREE));
      const map = decodeSeatMap(new Uint8Array(), seats.length);
      const picker = new SeatPicker(map, new Uint8Array(seats.length), seats);
      const query = { quantity, category: null, zone: null, adjacent: false, accessible: false };
      const answer = picker.find(query);
      const free = seats.filter((status) => status === FREE).length;
      assert.equal(answer.kind, free >= quantity ? "found" : "none");
      if (answer.kind === "found") assert.ok(answer.seats.every((seat) => seats[seat] === FREE));
    });
    fc.assert(property, runs);
  });
});
