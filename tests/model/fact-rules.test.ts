/** Each rule of a sale, broken once by a fact that was planted into a legal run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../engine/facts.ts";
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import { KEY_TTL_MS } from "../../engine/limits.ts";
import { type PlaceItem, placeOfArea } from "../../engine/place.ts";
import {
  ALICE,
  BOB,
  definition,
  EVENT_ID,
  EventBench,
  NOON,
} from "../../engine/testing/fixtures.ts";
import { EventModel } from "./event-model.ts";

const TTL_MS = 600_000;
const FLOOR = placeOfArea(0);
const KEY = { digest: "k", fingerprint: "a" };
const OTHER_EVENT = "018f3c9a-7b10-7000-8000-0007a4b1c2d9" as EventId;
const OTHER_HOLD = "018f3c9a-7b10-7000-8000-0007a4b1c2d3" as HoldId;

type FactOf<Kind extends Fact["kind"]> = Extract<Fact, { kind: Kind }>;

function isOf<Kind extends Fact["kind"]>(fact: Fact | undefined, kind: Kind): fact is FactOf<Kind> {
  return fact?.kind === kind;
}

/** The bench's last fact, which is of this kind. */
function last<Kind extends Fact["kind"]>(bench: EventBench, kind: Kind): FactOf<Kind> {
  const fact = bench.facts.at(-1);
  if (!isOf(fact, kind)) throw new Error(`the last fact is ${fact?.kind}, not ${kind}`);
  return fact;
}

function seat(place: number): PlaceItem {
  return { place, category: 0, priceMinor: 4500, charge: null };
}

/** Releases a hold and returns the fact. */
function released(bench: EventBench, holdId: HoldId): FactOf<"holdEnded"> {
  bench.run({ kind: "release", holdId, userId: ALICE });
  return last(bench, "holdEnded");
}

function booked(bench: EventBench, places = [0]): FactOf<"booked"> {
  bench.booked(bench.held(places));
  return last(bench, "booked");
}

function extended(bench: EventBench, holdId: HoldId): FactOf<"extended"> {
  bench.run({ kind: "extend", holdId, userId: ALICE, key: null });
  return last(bench, "extended");
}

function cancelled(bench: EventBench, bookingId: BookingId): FactOf<"bookingChanged"> {
  const rest = { asOrganizer: true, tickets: null, reason: null, key: null };
  bench.run({ kind: "cancel", bookingId, userId: ALICE, ...rest });
  return last(bench, "bookingChanged");
}

interface Planted {
  readonly rule: string;
  readonly says: RegExp;
  /** Runs the bench legally and returns a fact that may not stand where its seq says. */
  readonly plant: (bench: EventBench) => Fact;
}

const ORDER: readonly Planted[] = [
  {
    rule: "an event's first fact configures it",
    says: /nobody configured the event/,
    plant: (bench) => {
      bench.held([0]);
      return { ...last(bench, "held"), seq: 1 };
    },
  },
  {
    rule: "time does not run back",
    says: /time runs back from 1800000000005 to 1800000000004/,
    plant: (bench) => {
      bench.nowMs += 5;
      bench.held([0]);
      bench.held([1]);
      return { ...last(bench, "held"), atMs: NOON + 4, expiresAtMs: NOON + 4 + TTL_MS };
    },
  },
  {
    rule: "a hold that is due ends before anything else happens",
    says: /a hold that was due at 1800000600000 had not ended at 1800000600000/,
    plant: (bench) => {
      bench.held([0]);
      bench.nowMs += 1;
      bench.held([1]);
      const atMs = NOON + TTL_MS;
      return { ...last(bench, "held"), atMs, expiresAtMs: atMs + TTL_MS };
    },
  },
  {
    rule: "a key has one outcome within its time",
    says: /its key k had its outcome at seq 2 already/,
    plant: (bench) => {
      bench.hold([0], ALICE, KEY);
      bench.nowMs += 1000;
      bench.held([1]);
      return { ...last(bench, "held"), key: KEY };
    },
  },
  {
    rule: "a key has one outcome even at the last instant of its time",
    says: /its key k had its outcome at seq 2 already/,
    plant: (bench) => {
      bench.hold([0], ALICE, KEY);
      bench.nowMs += KEY_TTL_MS;
      bench.held([1]);
      return { ...last(bench, "held"), key: KEY };
    },
  },
  {
    rule: "the end of a hold is no outcome of a key",
    says: /it may not have a key/,
    plant: (bench) => ({ ...released(bench, bench.held([0])), key: KEY }),
  },
  {
    rule: "a configuration is of its event",
    says: /it is of event 018f3c9a-7b10-7000-8000-0007a4b1c2d9/,
    plant: (bench) => {
      const configured = last(bench, "configured");
      return { ...configured, definition: definition({ eventId: OTHER_EVENT }) };
    },
  },
  {
    rule: "the places of an event are fixed",
    says: /the event's places are fixed: it.areas\[0\].capacity is 6, not 5/,
    plant: (bench) => {
      bench.run({ kind: "configure", definition: definition({ perUserMax: 7 }) });
      const areas = [{ key: "floor", category: 1, capacity: 6 }];
      return { ...last(bench, "configured"), definition: definition({ areas }) };
    },
  },
];

/** A hold of seat 1 that ALICE made, changed. */
function heldBut(
  changes: Partial<FactOf<"held">>,
  before: (bench: EventBench) => void = () => undefined,
): Planted["plant"] {
  return (bench) => {
    before(bench);
    bench.held([1]);
    return { ...last(bench, "held"), ...changes };
  };
}

const floor = { place: FLOOR, category: 1, priceMinor: 3000, charge: null };

const HELD: readonly Planted[] = [
  {
    rule: "a seat that is held is not held again",
    says: /seat 0 was not free but h/,
    plant: heldBut({ items: [seat(0)] }, (bench) => bench.held([0], BOB)),
  },
  {
    rule: "a seat that is sold is not held again",
    says: /seat 0 was not free but s/,
    plant: heldBut({ items: [seat(0)] }, (bench) => booked(bench)),
  },
  {
    rule: "a seat is in a hold once",
    says: /seat 2 is in it twice/,
    plant: heldBut({ items: [seat(2), seat(2)] }),
  },
  {
    rule: "a seat must exist",
    says: /place 10 does not exist/,
    plant: heldBut({ items: [seat(10)] }),
  },
  {
    rule: "an area must exist",
    says: /place -2 does not exist/,
    plant: heldBut({ items: [{ ...floor, place: placeOfArea(1) }] }),
  },
  {
    rule: "an area gives no more than it has",
    says: /area 0 had 2 places free, not 3/,
    plant: heldBut({ items: [floor, floor, floor] }, (bench) => {
      bench.held([FLOOR, FLOOR, FLOOR], BOB);
    }),
  },
  {
    rule: "a place costs what its category costs now",
    says: /place 1 costs 4499, not 4500/,
    plant: heldBut({ items: [{ ...seat(1), priceMinor: 4499 }] }),
  },
  {
    rule: "a place costs what its category costs now, not what it did",
    says: /place 1 costs 4500, not 9900/,
    plant: heldBut({ items: [seat(1)] }, (bench) => {
      const categories = [9900, 3000].map((priceMinor, n) => ({ key: `${n}`, priceMinor }));
      bench.run({ kind: "configure", definition: definition({ categories }) });
    }),
  },
  {
    rule: "a place is of its own category",
    says: /place 1 has category 1/,
    plant: heldBut({ items: [{ place: 1, category: 1, priceMinor: 3000, charge: null }] }),
  },
  {
    rule: "a hold has places",
    says: /it has no places/,
    plant: heldBut({ items: [] }),
  },
  {
    rule: "a hold lasts as long as the event says",
    says: /it ends 600001 ms after it began, not 600000/,
    plant: heldBut({ expiresAtMs: NOON + TTL_MS + 1 }),
  },
  {
    rule: "an order has a limit",
    says: /5 places in an order of 4/,
    plant: heldBut({ items: [1, 2, 3, 4, 5].map(seat) }),
  },
  {
    rule: "a buyer has a limit, counting what is held and what is bought",
    says: /its buyer has 7 places of 6/,
    plant: heldBut({ items: [4, 5].map(seat) }, (bench) => {
      bench.held([2, 3, 7]);
      booked(bench, [0, 6]);
    }),
  },
  {
    rule: "nothing is held before sales open",
    says: /sales open at 1800000000010/,
    plant: (bench) => {
      bench.run({ kind: "configure", definition: definition({ salesOpenMs: NOON + 10 }) });
      bench.nowMs += 10;
      bench.held([1]);
      return { ...last(bench, "held"), atMs: NOON + 9, expiresAtMs: NOON + 9 + TTL_MS };
    },
  },
  {
    rule: "nothing is held once sales have closed",
    says: /sales closed at 1800000000010/,
    plant: (bench) => {
      bench.run({ kind: "configure", definition: definition({ salesCloseMs: NOON + 10 }) });
      bench.held([1]);
      return { ...last(bench, "held"), atMs: NOON + 10, expiresAtMs: NOON + 10 + TTL_MS };
    },
  },
  {
    rule: "nothing is held of a cancelled event",
    says: /the event is cancelled/,
    plant: (bench) => {
      bench.held([0]);
      const held = last(bench, "held");
      bench.run({ kind: "configure", definition: definition({ status: "cancelled" }) });
      return { ...held, seq: 4, holdId: OTHER_HOLD, items: [seat(1)] };
    },
  },
  {
    rule: "a hold's id is new, though the hold that had it is over",
    says: /hold \S+ has been before/,
    plant: (bench) => {
      released(bench, bench.held([0]));
      const [, first] = bench.facts;
      bench.held([1]);
      const { seq } = last(bench, "held");
      return isOf(first, "held") ? { ...first, seq } : last(bench, "held");
    },
  },
  {
    rule: "a hold's id leads to its event",
    says: /does not lead to the event/,
    plant: heldBut({ holdId: "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as HoldId }),
  },
];

const EXTENDED: readonly Planted[] = [
  {
    rule: "a hold is extended once",
    says: /hold \S+ was extended before/,
    plant: (bench) => {
      const holdId = bench.held([0]);
      bench.nowMs += 1000;
      const fact = extended(bench, holdId);
      return { ...fact, seq: fact.seq + 1 };
    },
  },
  {
    rule: "an extension gives the event's time once more",
    says: /would end at 1800001200000, not 1800001200001/,
    plant: (bench) => {
      const fact = extended(bench, bench.held([0]));
      return { ...fact, expiresAtMs: fact.expiresAtMs + 1 };
    },
  },
  {
    rule: "an extension never passes twice the event's time from the hold's creation",
    says: /would end at 1800001000000, not 1800001100000/,
    plant: (bench) => {
      const holdId = bench.held([0]);
      bench.run({ kind: "configure", definition: definition({ holdTtlMs: 500_000 }) });
      return { ...extended(bench, holdId), expiresAtMs: NOON + 1_100_000 };
    },
  },
  {
    rule: "an extension gives time, it takes none",
    says: /it gives the hold no more time/,
    plant: (bench) => {
      const holdId = bench.held([0]);
      const fact = extended(bench, bench.held([1]));
      bench.run({ kind: "configure", definition: definition({ holdTtlMs: 300_000 }) });
      const { seq } = last(bench, "configured");
      return { ...fact, seq: seq + 1, holdId, items: [seat(0)], expiresAtMs: NOON + 600_000 };
    },
  },
  {
    rule: "only what lives is extended",
    says: /hold \S+ was over at 1800000600000/,
    plant: (bench) => ({ ...extended(bench, bench.held([0])), atMs: NOON + TTL_MS }),
  },
  {
    rule: "a hold is extended for its owner",
    says: /is not of 018f3c9a-7b10-7000-8000-000000000b0b/,
    plant: (bench) => ({ ...extended(bench, bench.held([0])), userId: BOB }),
  },
  {
    rule: "an extension changes no price",
    says: /items\[0\].priceMinor is 1, not 4500/,
    plant: (bench) => {
      const fact = extended(bench, bench.held([0]));
      return { ...fact, items: [{ ...seat(0), priceMinor: 1 }] };
    },
  },
];

const ENDED: readonly Planted[] = [
  {
    rule: "a hold that never was does not end",
    says: /hold \S+ never was/,
    plant: (bench) => ({ ...released(bench, bench.held([0])), holdId: OTHER_HOLD }),
  },
  {
    rule: "a hold ends once",
    says: /hold \S+ was released at seq 3/,
    plant: (bench) => ({ ...released(bench, bench.held([0])), seq: 4 }),
  },
  {
    rule: "a hold that was booked does not end again",
    says: /hold \S+ was booked at seq 3/,
    plant: (bench) => {
      const { holdId, userId, items } = booked(bench).booking;
      const reason = "released";
      return { ...released(bench, bench.held([1])), seq: 4, holdId, userId, items, reason };
    },
  },
  {
    rule: "a hold ends by time when it is due, not before",
    says: /it was due at 1800000600000, not 1800000000000/,
    plant: (bench) => ({ ...released(bench, bench.held([0])), reason: "expired" }),
  },
  {
    rule: "a hold is released while it lives",
    says: /hold \S+ was over at 1800000600000/,
    plant: (bench) => ({ ...released(bench, bench.held([0])), atMs: NOON + TTL_MS }),
  },
  {
    rule: "holds end in the order in which they are due",
    says: /it was due at 1800000600001, but another at 1800000600000/,
    plant: (bench) => {
      bench.held([0]);
      bench.nowMs += 1;
      bench.held([1]);
      bench.nowMs += TTL_MS;
      bench.expire();
      return { ...last(bench, "holdEnded"), seq: 4 };
    },
  },
  {
    rule: "a hold is its owner's to the end",
    says: /is not of 018f3c9a-7b10-7000-8000-000000000b0b/,
    plant: (bench) => ({ ...released(bench, bench.held([0])), userId: BOB }),
  },
  {
    rule: "a hold gives back what it had",
    says: /items has 1 entries, not 2/,
    plant: (bench) => ({ ...released(bench, bench.held([0, 1])), items: [seat(0)] }),
  },
];

/** A booking of seat 0 that ALICE made, changed. */
function bookedBut(changes: Partial<FactOf<"booked">["booking"]>): Planted["plant"] {
  return (bench) => {
    const fact = booked(bench);
    return { ...fact, booking: { ...fact.booking, ...changes } };
  };
}

const BOOKED: readonly Planted[] = [
  {
    rule: "only a hold is booked",
    says: /hold \S+ never was/,
    plant: bookedBut({ holdId: OTHER_HOLD }),
  },
  {
    rule: "a hold that has ended never sells",
    says: /hold \S+ was expired at seq 3/,
    plant: (bench) => {
      const holdId = bench.held([0]);
      bench.nowMs += TTL_MS;
      const fact = booked(bench, [1]);
      return { ...fact, booking: { ...fact.booking, holdId, items: [seat(0)] } };
    },
  },
  {
    rule: "a hold that is over does not sell, though its end was not noted yet",
    says: /hold \S+ was over at 1800000600000/,
    plant: (bench) => {
      const fact = booked(bench);
      const atMs = NOON + TTL_MS;
      return { ...fact, atMs, booking: { ...fact.booking, bookedAtMs: atMs } };
    },
  },
  {
    rule: "a hold is booked by its owner",
    says: /is not of 018f3c9a-7b10-7000-8000-000000000b0b/,
    plant: bookedBut({ userId: BOB }),
  },
  {
    rule: "what is booked is what was held",
    says: /items\[0\].place is 5, not 0/,
    plant: bookedBut({ items: [seat(5)] }),
  },
  {
    rule: "what is booked costs what it did when it was held",
    says: /items\[0\].priceMinor is 0, not 4500/,
    plant: bookedBut({ items: [{ ...seat(0), priceMinor: 0 }] }),
  },
  {
    rule: "every place has a ticket code",
    says: /2 ticket codes for 1 places/,
    plant: bookedBut({ ticketCodes: ["a", "b"] }),
  },
  {
    rule: "a ticket code is used once in an event",
    says: /ticket code \S+ was used/,
    plant: (bench) => {
      const { ticketCodes } = booked(bench).booking;
      const fact = booked(bench, [1]);
      return { ...fact, booking: { ...fact.booking, ticketCodes } };
    },
  },
  {
    rule: "a ticket code is used once in a booking",
    says: /ticket code a was used/,
    plant: (bench) => {
      const fact = booked(bench, [0, 1]);
      return { ...fact, booking: { ...fact.booking, ticketCodes: ["a", "a"] } };
    },
  },
  {
    rule: "a booking's id is new",
    says: /booking \S+ has been before/,
    plant: (bench) => {
      const { bookingId } = booked(bench).booking;
      const fact = booked(bench, [1]);
      return { ...fact, booking: { ...fact.booking, bookingId } };
    },
  },
  {
    rule: "a booking's id leads to its event",
    says: /does not lead to the event/,
    plant: bookedBut({ bookingId: "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as BookingId }),
  },
  {
    rule: "a booking is of the time of its fact",
    says: /it says that it was booked at 1800000000001/,
    plant: bookedBut({ bookedAtMs: NOON + 1 }),
  },
  {
    rule: "nothing of a cancelled event is booked",
    says: /the event is cancelled/,
    plant: (bench) => {
      bench.run({ kind: "configure", definition: definition({ status: "cancelled" }) });
      const cancelledAt = last(bench, "configured");
      bench.run({ kind: "configure", definition: definition() });
      const fact = booked(bench);
      return { ...fact, seq: cancelledAt.seq + 1 };
    },
  },
];

const CANCELLED: readonly Planted[] = [
  {
    rule: "only a booking is cancelled",
    says: /booking \S+ does not exist/,
    plant: (bench) => {
      const fact = cancelled(bench, booked(bench).booking.bookingId);
      return {
        ...fact,
        booking: { ...fact.booking, bookingId: OTHER_HOLD as string as BookingId },
      };
    },
  },
  {
    rule: "a booking is cancelled once",
    says: /only tickets that stand are cancelled/,
    plant: (bench) => ({ ...cancelled(bench, booked(bench).booking.bookingId), seq: 5 }),
  },
  {
    rule: "a cancellation repeats its booking",
    says: /the booking.userId is "u", not/,
    plant: (bench) => {
      const fact = cancelled(bench, booked(bench).booking.bookingId);
      return { ...fact, booking: { ...fact.booking, userId: "u" as UserId } };
    },
  },
];

for (const { rule, says, plant } of [
  ...ORDER,
  ...HELD,
  ...EXTENDED,
  ...ENDED,
  ...BOOKED,
  ...CANCELLED,
]) {
  test(`broken, it is told: ${rule}`, () => {
    const bench = new EventBench();
    const planted = plant(bench);
    const lawful = new EventModel(EVENT_ID);
    for (const fact of bench.facts) assert.deepEqual(lawful.take(fact), []);
    const model = new EventModel(EVENT_ID);
    for (const fact of bench.facts.slice(0, planted.seq - 1)) model.take(fact);
    const [first = "nothing was told", ...rest] = model.take(planted);
    assert.match([first, ...rest].join("\n"), says);
  });
}

test("facts follow each other without gaps", () => {
  const bench = new EventBench();
  bench.held([0]);
  const held = last(bench, "held");
  for (const seq of [1, 3]) {
    const model = new EventModel(EVENT_ID);
    for (const fact of bench.facts.slice(0, 1)) model.take(fact);
    assert.match(model.take({ ...held, seq }).join("\n"), /it follows seq 1/);
  }
});

test("what is taken in against the rules shows in the totals", () => {
  const bench = new EventBench();
  bench.held([0]);
  const { holdId } = last(bench, "held");
  bench.held([FLOOR], BOB);
  const held = last(bench, "held");
  bench.booked(holdId);
  const told = (before: number, planted: Fact): string => {
    const model = new EventModel(EVENT_ID);
    for (const fact of bench.facts.slice(0, before)) model.take(fact);
    return model.take(planted).join("\n");
  };
  assert.match(told(2, { ...held, items: [seat(0)] }), /1 places are held, but holds have 2/);
  const { booking } = last(bench, "booked");
  const twice = { ...last(bench, "booked"), booking: { ...booking, items: [seat(0), seat(0)] } };
  assert.match(told(3, twice), /1 places are sold, but bookings have 2/);
  const overfull = told(2, { ...held, items: Array.from({ length: 16 }, () => floor) });
  assert.match(overfull, /area 0 of 5 places has 16 held and 0 sold/);
  assert.match(overfull, /-2 places are free/);
});

test("a key whose time is over has a new outcome, and the old one is the past", () => {
  const bench = new EventBench();
  bench.hold([0], ALICE, KEY);
  bench.nowMs += KEY_TTL_MS + 1;
  bench.hold([1], ALICE, KEY);
  const model = new EventModel(EVENT_ID);
  for (const fact of bench.facts) assert.deepEqual(model.take(fact), []);
  assert.equal(model.outcomeOf("k")?.seq, bench.facts.length);
});

test("a copy goes its own way", () => {
  const bench = new EventBench();
  const holdId = bench.held([0, FLOOR]);
  const model = new EventModel(EVENT_ID);
  for (const fact of bench.facts) model.take(fact);
  const copy = model.clone();
  assert.deepEqual(copy.take(released(bench, holdId)), []);
  assert.deepEqual([model.seq, copy.seq], [2, 3]);
  assert.deepEqual(model.counts(), { capacity: 15, free: 13, held: 2, sold: 0, blocked: 0 });
  assert.deepEqual(copy.counts(), { capacity: 15, free: 15, held: 0, sold: 0, blocked: 0 });
  assert.deepEqual([model.statuses(), copy.statuses()], ["hfffffffff", "ffffffffff"]);
  assert.deepEqual(model.areas(), [{ capacity: 5, free: 4, held: 1, sold: 0, blocked: 0 }]);
  assert.deepEqual([model.placesOf(ALICE), copy.placesOf(ALICE)], [2, 0]);
  assert.deepEqual([model.nextDueMs, copy.nextDueMs], [NOON + TTL_MS, null]);
});
