import assert from "node:assert/strict";
import { test } from "node:test";
import { Acknowledgements } from "../load/acknowledgements.ts";
import type { FlowFindings } from "../load/flow.ts";
import { PRICE_MINOR } from "../price.ts";
import type { Check } from "../report/report.ts";
import type { EventEvidence, Evidence, StoredBooking } from "./evidence.ts";
import { verdictOn } from "./oracle.ts";

const EVENT = "0190a000-0000-7000-8000-000000000000";
const id = (n: number): string => `0190a000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const SEATS = ["A-1", "A-2", "A-3", "A-4"];

interface Given {
  readonly told: (told: Acknowledgements) => void;
  readonly stored: readonly StoredBooking[];
  readonly sold: number;
  readonly held: number;
  readonly faults?: readonly string[];
  readonly looked?: readonly Check[];
  readonly event?: Partial<EventEvidence>;
  readonly evidence?: Partial<Evidence>;
}

/** Names of the checks that fail. */
const objections = (given: Given): string[] =>
  checksOf(given)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);

function checksOf(given: Given): Check[] {
  const { told, stored, sold, held, faults = [], looked = [], event, evidence } = given;
  const acknowledged = new Acknowledgements();
  told(acknowledged);
  const findings: FlowFindings = {
    acknowledged: acknowledged.pack(),
    faults,
    counts: {},
    checks: looked,
  };
  const free = 4 - sold - held;
  return verdictOn({
    isProjected: { ok: true, value: true },
    events: [
      {
        event: { eventId: EVENT, capacity: 4, seatIds: SEATS },
        availability: { ok: true, value: { capacity: 4, free, held, sold, blocked: 0 } },
        audit: { ok: true, value: { ok: true, drift: [] } },
        bookings: { ok: true, value: stored },
        ...event,
      },
    ],
    loads: [findings],
    holdsHaveEnded: false,
    ...evidence,
  });
}

const books = (told: Acknowledgements, booking: number, places: readonly number[]): void => {
  told.held({ id: id(100 + booking), event: 0, places });
  const totalMinor = places.length * PRICE_MINOR;
  told.booked(id(100 + booking), { id: id(booking), event: 0, places, totalMinor });
};
const stored = (booking: number, ...seats: string[]): StoredBooking => ({
  id: id(booking),
  seats,
  areaPlaces: 0,
  totalMinor: seats.length * PRICE_MINOR,
  pricesMinor: seats.map(() => PRICE_MINOR),
});

const sound: Given = {
  told: (told) => {
    books(told, 1, [0, 1]);
    told.held({ id: id(2), event: 0, places: [2] });
  },
  stored: [stored(1, "A-2", "A-1")],
  sold: 2,
  held: 1,
};

test("what was told and what there is agree", () => {
  assert.deepEqual(objections(sound), []);
});

test("a load that was told nothing proves nothing", () => {
  const nothing = { told: () => undefined, stored: [], sold: 0, held: 0 };
  assert.deepEqual(objections(nothing), ["something was sold or held"]);
});

test("a seat that two buyers were promised is found", () => {
  const told = (acknowledged: Acknowledgements): void => {
    books(acknowledged, 1, [0, 1]);
    books(acknowledged, 2, [1]);
  };
  const found = objections({
    told,
    stored: [stored(1, "A-1", "A-2"), stored(2, "A-2")],
    sold: 3,
    held: 0,
  });
  assert.deepEqual(found, [
    "no seat was confirmed to two buyers",
    "no seat is in two bookings of the database",
  ]);
});

test("a confirmed booking that the database lost is found, also when the sums are right", () => {
  assert.deepEqual(objections({ ...sound, stored: [] }), [
    "every confirmed booking is in the database, with its places",
  ]);
});

test("a booking with another seat than was promised is found", () => {
  assert.deepEqual(objections({ ...sound, stored: [stored(1, "A-1", "A-4")] }), [
    "every confirmed booking is in the database, with its places",
  ]);
});

test("a booking that costs another sum than was told, or than its places do, is found", () => {
  const costs = ["every booking costs what its places do"];
  const right = stored(1, "A-1", "A-2");
  const dearer = { ...right, totalMinor: 2_007 };
  assert.deepEqual(objections({ ...sound, stored: [dearer] }), costs);
  const doubled = { ...dearer, totalMinor: 4_000, pricesMinor: [2_000, 2_000] };
  const told = (acknowledged: Acknowledgements): void => {
    const booking = { id: id(1), event: 0, places: [0, 1], totalMinor: 4_000 };
    acknowledged.booked(id(101), booking);
    acknowledged.held({ id: id(2), event: 0, places: [2] });
  };
  assert.deepEqual(objections({ ...sound, told, stored: [doubled] }), costs);
  assert.deepEqual(objections({ ...sound, told }), costs, "told, and not so stored");
  const otherPrices = { ...right, pricesMinor: [999, 1_001] };
  assert.deepEqual(objections({ ...sound, stored: [otherPrices] }), costs);
});

test("what was looked at are the seats of bookings; of holds alone there is nothing", () => {
  const detail = (given: Given): string | undefined =>
    checksOf(given).find(({ name }) => name === "no seat was confirmed to two buyers")?.detail;
  assert.equal(detail(sound), "2 looked at");
  const told = (acknowledged: Acknowledgements): void => {
    acknowledged.held({ id: id(2), event: 0, places: [2] });
  };
  const held = { ...sound, told, stored: [], sold: 0 };
  assert.deepEqual([objections(held), detail(held)], [[], "nothing to look at"]);
});

test("a booking that nobody was told of is found, unless an answer was lost", () => {
  const more = { ...sound, stored: [stored(1, "A-1", "A-2"), stored(3, "A-4")], sold: 3 };
  assert.deepEqual(objections(more), [
    "the availability is what buyers were told, and adds up",
    "nothing was sold that nobody was told of",
  ]);
  const lost = (told: Acknowledgements): void => {
    sound.told(told);
    told.held({ id: id(4), event: 0, places: [3] });
    told.bookingUnknown(id(4));
  };
  assert.deepEqual(objections({ ...more, told: lost }), []);
});

test("a hold that vanished is found, unless holds were to have ended", () => {
  const gone = { ...sound, held: 0 };
  assert.deepEqual(objections(gone), ["the availability is what buyers were told, and adds up"]);
  assert.deepEqual(objections({ ...gone, evidence: { holdsHaveEnded: true } }), []);
  assert.deepEqual(objections({ ...sound, evidence: { holdsHaveEnded: true } }), [
    "the availability is what buyers were told, and adds up",
  ]);
});

test("sums that do not add up, and another capacity, are found", () => {
  const value = { capacity: 5, free: 1, held: 1, sold: 2, blocked: 0 };
  assert.deepEqual(objections({ ...sound, event: { availability: { ok: true, value } } }), [
    "the availability is what buyers were told, and adds up",
  ]);
});

test("drift is found, and so is what PostgreSQL never got", () => {
  const audit = { ok: true, value: { ok: false, drift: ["sold 2, database 1"] } } as const;
  const isProjected = { ok: true, value: false } as const;
  assert.deepEqual(objections({ ...sound, event: { audit }, evidence: { isProjected } }), [
    "PostgreSQL has everything",
    "memory and database agree",
  ]);
});

test("what could not be looked at fails: silence proves nothing", () => {
  const unseen = { ok: false, reason: "403" } as const;
  const event = { audit: unseen, bookings: unseen, availability: unseen };
  assert.deepEqual(objections({ ...sound, event, evidence: { isProjected: unseen } }), [
    "PostgreSQL has everything",
    "the availability is what buyers were told, and adds up",
    "memory and database agree",
    "every confirmed booking is in the database, with its places",
    "every booking costs what its places do",
    "no seat is in two bookings of the database",
    "nothing was sold that nobody was told of",
  ]);
});

test("an answer that must not be is the server's fault", () => {
  assert.deepEqual(objections({ ...sound, faults: ["a hold was answered 500"] }), [
    "no answer was one that must not be",
  ]);
});

test("what a load has looked at by itself is part of the verdict", () => {
  const looked = [{ name: "seats were chosen as was wished", ok: false, detail: "one seat twice" }];
  assert.deepEqual(objections({ ...sound, looked }), ["seats were chosen as was wished"]);
});
