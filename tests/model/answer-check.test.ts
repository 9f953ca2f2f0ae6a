/** Answers that are true, and answers that the model must not let pass. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BookingId, HoldId } from "../../engine/ids.ts";
import { ENDED_HOLD_TTL_MS, ENDED_HOLDS_PER_EVENT_MAX, KEY_TTL_MS } from "../../engine/limits.ts";
import { placeOfArea } from "../../engine/place.ts";
import type { Refusal } from "../../engine/replies.ts";
import { snapshotOf } from "../../engine/snapshot.ts";
import { ALICE, BOB, definition, EventBench, NOON } from "../../engine/testing/fixtures.ts";
import type { Answer, Operation } from "../../workers/shard-messages.ts";
import type { Circumstances } from "./expected.ts";
import { JudgedBench } from "./judged-bench.ts";

const TTL_MS = 600_000;
const FLOOR = placeOfArea(0);
const KEY = { digest: "k", fingerprint: "a" };
const NOBODYS_HOLD = "018f3c9a-7b10-7000-8000-0007a4b1c2d3" as HoldId;
const NOW: Circumstances = { fromMs: NOON, toMs: NOON };

const refused = (refusal: Refusal): Answer => ({ kind: "refused", refusal });

/** Asserts what the model says to an answer in the bench's present state. */
function said(judged: JudgedBench, operation: Operation, answer: Answer, when = NOW): string {
  assert.deepEqual(judged.judgeFacts(), []);
  return judged.model.check(operation, answer, when).join("\n");
}

function bench(changes = {}): JudgedBench {
  return new JudgedBench(new EventBench(changes));
}

interface Row {
  readonly name: string;
  readonly prepare: (bench: EventBench) => Operation;
  readonly truth: Answer;
  readonly lies: readonly Answer[];
}

const REFUSALS: readonly Row[] = [
  {
    name: "taken seats are named in the order in which they were asked for, all and only they",
    prepare: (bench) => {
      bench.held([2, 3], BOB);
      return bench.holdCommand([3, 1, 2]);
    },
    truth: refused({ code: "seat_unavailable", seats: [3, 2] }),
    lies: [
      refused({ code: "seat_unavailable", seats: [2, 3] }),
      refused({ code: "seat_unavailable", seats: [3] }),
      refused({ code: "seat_unavailable", seats: [3, 1, 2] }),
      refused({ code: "insufficient_capacity", area: 0, available: 0 }),
      { kind: "unchanged" },
    ],
  },
  {
    name: "what is free is not refused",
    prepare: (bench) => bench.holdCommand([1, FLOOR]),
    truth: refused({ code: "busy" }),
    lies: [
      refused({ code: "seat_unavailable", seats: [1] }),
      refused({ code: "insufficient_capacity", area: 0, available: 5 }),
      refused({ code: "sales_closed" }),
      refused({ code: "event_not_found" }),
      refused({ code: "event_cancelled" }),
      { kind: "failed" },
    ],
  },
  {
    name: "a buyer's limit is told before what is taken",
    prepare: (bench) => {
      bench.held([0, 1, 2, 3]);
      return bench.holdCommand([1, 2, 4]);
    },
    truth: refused({ code: "limit_exceeded", scope: "perUser", limit: 6, current: 4 }),
    lies: [
      refused({ code: "limit_exceeded", scope: "perUser", limit: 6, current: 7 }),
      refused({ code: "limit_exceeded", scope: "perOrder", limit: 4, current: 3 }),
      refused({ code: "seat_unavailable", seats: [1, 2] }),
    ],
  },
  {
    name: "an unknown place is told before a taken one",
    prepare: (bench) => {
      bench.held([0], BOB);
      return bench.holdCommand([0, 11, placeOfArea(1)]);
    },
    truth: refused({ code: "unknown_place", places: [11, -2] }),
    lies: [
      refused({ code: "unknown_place", places: [11] }),
      refused({ code: "seat_unavailable", seats: [0] }),
    ],
  },
  {
    name: "an area tells what it has left",
    prepare: (bench) => {
      bench.held([FLOOR, FLOOR, FLOOR], BOB);
      return bench.holdCommand([FLOOR, FLOOR, FLOOR]);
    },
    truth: refused({ code: "insufficient_capacity", area: 0, available: 2 }),
    lies: [refused({ code: "insufficient_capacity", area: 0, available: 3 })],
  },
  {
    name: "another buyer's hold does not exist, alive or over",
    prepare: (bench) => ({ kind: "getHold", holdId: bench.held([0], BOB), userId: ALICE }),
    truth: refused({ code: "hold_not_found" }),
    lies: [refused({ code: "hold_expired" }), { kind: "unchanged" }],
  },
  {
    name: "a released hold is released, and releasing it again changes nothing",
    prepare: (bench) => {
      const holdId = bench.held([0]);
      bench.run({ kind: "release", holdId, userId: ALICE });
      return { kind: "release", holdId, userId: ALICE };
    },
    truth: { kind: "unchanged" },
    lies: [refused({ code: "hold_released" }), refused({ code: "hold_not_found" })],
  },
  {
    name: "a booked hold tells its booking",
    prepare: (bench) => {
      const holdId = bench.held([0]);
      bench.run({ ...bench.bookCommand(holdId), bookingId: NOBODYS_HOLD as string as BookingId });
      return bench.bookCommand(holdId);
    },
    truth: refused({ code: "hold_booked", bookingId: NOBODYS_HOLD as string as BookingId }),
    lies: [
      refused({ code: "hold_booked", bookingId: "another" as BookingId }),
      refused({ code: "hold_released" }),
      refused({ code: "hold_not_found" }),
    ],
  },
  {
    name: "a key that had another request is refused whatever else is wrong",
    prepare: (bench) => {
      bench.hold([0], ALICE, KEY);
      return bench.holdCommand([0], ALICE, { ...KEY, fingerprint: "b" });
    },
    truth: refused({ code: "idempotency_key_reused" }),
    lies: [refused({ code: "seat_unavailable", seats: [0] })],
  },
  {
    name: "a new key is not refused as used",
    prepare: (bench) => bench.holdCommand([0], ALICE, KEY),
    truth: refused({ code: "busy" }),
    lies: [refused({ code: "idempotency_key_reused" })],
  },
];

for (const { name, prepare, truth, lies } of REFUSALS) {
  test(`told true from false: ${name}`, () => {
    const judged = bench();
    const operation = prepare(judged.bench);
    assert.equal(said(judged, operation, truth), "");
    for (const lie of lies) assert.notEqual(said(judged, operation, lie), "", JSON.stringify(lie));
  });
}

test("an event that nobody configured has no view, and sells nothing", () => {
  const judged = new JudgedBench(new EventBench(null));
  const nobody = refused({ code: "event_not_found" });
  for (const operation of [{ kind: "watch" } as const, judged.bench.holdCommand([0])]) {
    assert.equal(said(judged, operation, nobody), "");
    assert.notEqual(said(judged, operation, refused({ code: "event_cancelled" })), "");
  }
});

test("a replay is the very first outcome, and nothing else is one", () => {
  const judged = bench();
  const first = judged.run(judged.bench.holdCommand([0], ALICE, KEY)).answer;
  const other = judged.run(judged.bench.holdCommand([1], BOB)).answer;
  assert.ok(first.kind === "done" && other.kind === "done");
  const again = judged.bench.holdCommand([0], ALICE, KEY);
  assert.equal(said(judged, again, { ...first, replayed: true }), "");
  assert.match(said(judged, again, { ...other, replayed: true }), /the outcome/);
  assert.match(said(judged, again, { ...first, replayed: false }), /not the last fact/);
  const fresh = judged.bench.holdCommand([1], BOB);
  assert.match(said(judged, fresh, { ...other, replayed: true }), /is not true/);
});

test("a key is remembered to the last instant of its time, and not beyond", () => {
  const judged = bench();
  const { answer } = judged.run(judged.bench.holdCommand([0], ALICE, KEY));
  assert.ok(answer.kind === "done");
  const replay = { ...answer, replayed: true };
  const again = judged.bench.holdCommand([0], ALICE, KEY);
  judged.bench.nowMs += TTL_MS;
  judged.bench.expire();
  const at = (fromMs: number, toMs: number): string =>
    said(judged, again, replay, { fromMs, toMs });
  const lastMs = NOON + KEY_TTL_MS;
  assert.equal(at(lastMs, lastMs), "");
  assert.equal(at(lastMs, lastMs + 10), "");
  assert.match(at(lastMs + 1, lastMs + 10), /"accepted" would be/);
});

test("when the instant is not known, every answer that one instant makes true is true", () => {
  const judged = bench({ salesOpenMs: NOON + 10, salesCloseMs: NOON + 20 });
  const operation = judged.bench.holdCommand([0]);
  const early = refused({ code: "sales_not_open", opensAtMs: NOON + 10 });
  const late = refused({ code: "sales_closed" });
  const at = (answer: Answer, fromMs: number, toMs: number): boolean =>
    said(judged, operation, answer, { fromMs: NOON + fromMs, toMs: NOON + toMs }) === "";
  assert.deepEqual([at(early, 0, 9), at(early, 9, 10), at(early, 10, 30)], [true, true, false]);
  assert.deepEqual([at(late, 0, 19), at(late, 0, 20), at(late, 20, 30)], [false, true, true]);
});

test("sales that may have opened meanwhile, or a key whose time may be over, allow both", () => {
  const judged = bench();
  const taken = refused({ code: "seat_unavailable", seats: [0] });
  judged.bench.hold([0], ALICE, KEY);
  judged.bench.run({ kind: "configure", definition: definition({ salesOpenMs: NOON + 10 }) });
  const ask = (key: typeof KEY | null, fromMs: number, toMs: number): string =>
    said(judged, judged.bench.holdCommand([0], BOB, key), taken, { fromMs, toMs });
  assert.notEqual(ask(null, NOON, NOON + 9), "");
  assert.equal(ask(null, NOON, NOON + 10), "");
  judged.bench.nowMs += KEY_TTL_MS - TTL_MS;
  judged.bench.held([0]);
  const lastMs = NOON + KEY_TTL_MS;
  assert.notEqual(ask(KEY, lastMs - 1, lastMs), "");
  judged.bench.nowMs += TTL_MS;
  judged.bench.held([0]);
  assert.equal(ask(KEY, lastMs, lastMs + 1), "");
});

test("nothing is decided before the fact that stands before it", () => {
  const judged = bench({ salesOpenMs: NOON + 10 });
  const early = refused({ code: "sales_not_open", opensAtMs: NOON + 10 });
  const when = { fromMs: NOON, toMs: NOON + 20 };
  assert.equal(said(judged, judged.bench.holdCommand([0]), early, when), "");
  judged.bench.nowMs += 10;
  judged.bench.held([1]);
  assert.notEqual(said(judged, judged.bench.holdCommand([0]), early, when), "");
});

test("nothing is decided while a hold that was due has not ended", () => {
  const judged = bench();
  const holdId = judged.bench.held([0]);
  const operation = { kind: "getHold", holdId, userId: BOB } as const;
  const notFound = refused({ code: "hold_not_found" });
  const dueMs = NOON + TTL_MS;
  assert.equal(said(judged, operation, notFound, { fromMs: dueMs - 1, toMs: dueMs + 1 }), "");
  const late = said(judged, operation, notFound, { fromMs: dueMs, toMs: dueMs + 1 });
  assert.match(late, /it was decided from 1800000600000/);
  // Who is told "busy" may not have been asked at all.
  const busy = refused({ code: "busy" });
  assert.equal(said(judged, operation, busy, { fromMs: dueMs, toMs: dueMs + 1 }), "");
});

test("what is refused, or answered again, changed nothing", () => {
  const judged = bench();
  judged.judgeFacts();
  const beforeSeq = judged.model.seq;
  judged.bench.held([0]);
  const operation = judged.bench.holdCommand([0]);
  const taken = refused({ code: "seat_unavailable", seats: [0] });
  assert.equal(said(judged, operation, taken), "");
  const told = said(judged, operation, taken, { ...NOW, beforeSeq });
  assert.match(told, /it is answered "refused", but held at seq 2 is its own/);
  const busy = said(judged, operation, refused({ code: "busy" }), { ...NOW, beforeSeq });
  assert.match(busy, /held at seq 2 is its own/);
});

test("an outcome is new, of its own time, and what was asked for", () => {
  const judged = bench();
  const operation = judged.bench.holdCommand([0, 1]);
  const { answer } = judged.run(operation);
  assert.ok(answer.kind === "done");
  const check = (asked: Operation, when = NOW): string => said(judged, asked, answer, when);
  assert.equal(check(operation, { ...NOW, beforeSeq: 1 }), "");
  assert.match(check(operation, { ...NOW, beforeSeq: 2 }), /its outcome at seq 2 is not new/);
  assert.match(check(operation, { fromMs: NOON + 1, toMs: NOON + 2 }), /is of 1800000000000/);
  assert.match(check({ ...operation, places: [1, 0] }), /what it brought about.places\[0\]/);
  assert.match(check({ ...operation, userId: BOB }), /what it brought about.userId/);
  assert.match(check({ ...operation, key: KEY }), /the outcome's key/);
  const query = { kind: "getHold", holdId: operation.holdId, userId: ALICE } as const;
  assert.match(check(query), /no request to change anything/);
  assert.match(check({ ...query, kind: "release" }), /its outcome is held, not holdEnded/);
});

test("only who may owe books unpaid, and only who may cancels", () => {
  const judged = bench();
  const holdId = judged.bench.held([0]);
  const book = judged.bench.bookCommand(holdId);
  const { answer } = judged.run(book);
  const unpaid = { ...book, invoiceAllowed: false };
  assert.match(said(judged, unpaid, answer), /4500 is owed, but may not be/);
  assert.match(said(judged, { ...book, ticketCodes: ["x"] }, answer), /the tickets' codes/);
  const { bookingId } = book;
  const rest = { asOrganizer: true, tickets: null, reason: null, key: null } as const;
  const cancel = { kind: "cancel", bookingId, userId: BOB, ...rest } as const;
  const cancelled = judged.run(cancel).answer;
  const own = { ...cancel, asOrganizer: false };
  const when = { ...NOW, beforeSeq: judged.model.seq - 1 };
  assert.equal(said(judged, cancel, cancelled, when), "");
  assert.match(said(judged, own, cancelled, when), /was cancelled by/);
});

test("a booking that is handed over has the codes that were brought, and no others admit", () => {
  const judged = bench();
  const { bench: engine } = judged;
  const bookingId = engine.booked(engine.held([0, 1]));
  const { ticketCodes: old = [] } = engine.state.bookings.get(bookingId)?.record ?? {};
  const of = { bookingId, userId: ALICE, toUserId: BOB, asOrganizer: false, key: null };
  const transfer = engine.drafts.transfer({ ...of, email: "bob@example.org" });
  judged.judgeFacts();
  const before = judged.model.clone();
  const { answer, when } = judged.run(transfer);
  assert.match(said(judged, { ...transfer, ticketCodes: ["x"] }, answer, when), /tickets' codes/);
  const fact = engine.facts.at(-1);
  assert.ok(fact?.kind === "bookingChanged");
  const illegal = [old, [old[0] ?? "", "new"], ["a", "a"], ["a"]].map((ticketCodes) =>
    before
      .clone()
      .take({ ...fact, booking: { ...fact.booking, ticketCodes } })
      .join("\n"),
  );
  for (const complaint of illegal) assert.match(complaint, /ticket code/);
  assert.deepEqual(before.take(fact), []);
  const [ticketCode = ""] = old;
  const enter = { kind: "checkIn", ticketCode, by: BOB, undo: false, key: null } as const;
  assert.equal(said(judged, enter, refused({ code: "ticket_not_found" })), "");
  const [newCode = ""] = fact.booking.ticketCodes;
  const entered = judged.run({ ...enter, ticketCode: newCode }).answer;
  assert.notEqual(said(judged, enter, entered, { ...NOW, beforeSeq: fact.seq }), "");
});

test("cancelling again tells the booking as it is, under whatever key", () => {
  const judged = bench();
  const { bench: engine } = judged;
  const bookingId = engine.booked(engine.held([0]));
  const rest = { asOrganizer: false, tickets: null, reason: null, key: KEY } as const;
  const cancel = { kind: "cancel", bookingId, userId: ALICE, ...rest } as const;
  judged.run(cancel);
  const other = { ...cancel, reason: "another", key: null };
  const { answer, complaints } = judged.run(other);
  assert.ok(answer.kind === "booking" && complaints.length === 0);
  assert.equal(said(judged, other, answer, { ...NOW, beforeSeq: judged.model.seq }), "");
  const late = { ...answer, booking: { ...answer.booking, seq: 9 } };
  assert.match(said(judged, other, late), /the booking.seq is 9/);
  assert.match(said(judged, other, refused({ code: "booking_not_found" })), /"booking" would/);
});

test("an actor that was built again may have forgotten how a hold ended a day ago, but no booking", () => {
  const judged = bench();
  const { bench: engine } = judged;
  const [released, booked] = [engine.held([0]), engine.held([1])];
  engine.run({ kind: "release", holdId: released, userId: ALICE });
  engine.booked(booked);
  const notFound = refused({ code: "hold_not_found" });
  const hears = (holdId: HoldId, answer: Answer): boolean =>
    said(judged, { kind: "extend", holdId, userId: ALICE, key: null }, answer) === "";
  assert.ok(!hears(released, notFound));
  judged.model.reloaded();
  assert.ok(!hears(released, notFound), "its row is there");
  judged.model.reloaded(engine.nowMs + 1);
  assert.ok(hears(released, notFound), "its row may be purged");
  assert.ok(hears(released, refused({ code: "hold_released" })));
  assert.ok(!hears(booked, notFound));
  const later = engine.held([0]);
  engine.run({ kind: "release", holdId: later, userId: ALICE });
  assert.ok(!hears(later, notFound), "what ended since is not forgotten");
});

test("an actor remembers its last ended holds, up to their bound", () => {
  const judged = bench({ perUserMax: 100_000 });
  const { bench: engine } = judged;
  const release = (): HoldId => {
    const holdId = engine.held([0]);
    engine.run({ kind: "release", holdId, userId: ALICE });
    return holdId;
  };
  const first = release();
  for (let n = 1; n < ENDED_HOLDS_PER_EVENT_MAX; n += 1) release();
  const ask = { kind: "getHold", holdId: first, userId: ALICE } as const;
  const { answer: known, complaints } = judged.run(ask);
  assert.deepEqual([known, complaints], [refused({ code: "hold_released" }), []]);
  release();
  const { answer: forgotten, complaints: none } = judged.run(ask);
  assert.deepEqual([forgotten, none], [refused({ code: "hold_not_found" }), []]);
  assert.match(said(judged, ask, known), /is "hold_released", not "hold_not_found"/);
  assert.deepEqual(judged.model.compare(snapshotOf(engine.state), { forgetful: false }), []);
});

test("a view, a hold and a report are compared field by field", () => {
  const judged = bench();
  const holdId = judged.bench.held([0, FLOOR]);
  const view = judged.run({ kind: "watch" }).answer;
  assert.ok(view.kind === "view");
  const lie = { ...view, view: { ...view.view, statuses: new Uint8Array(10).fill(0x66) } };
  assert.match(said(judged, { kind: "watch" }, lie), /the view's seats\[0\] is "f", not "h"/);
  const report = judged.run({ kind: "inspect" }).answer;
  assert.ok(report.kind === "actor");
  const tooMany = { ...report, report: { ...report.report, keys: 1 } };
  assert.match(said(judged, { kind: "inspect" }, tooMany), /1 keys, not from 0 to 0/);
  const hold = judged.run({ kind: "getHold", holdId, userId: ALICE }).answer;
  assert.ok(hold.kind === "hold");
  const extended = { ...hold, hold: { ...hold.hold, extended: true } };
  const query = { kind: "getHold", holdId, userId: ALICE } as const;
  assert.match(said(judged, query, extended), /the hold.extended is true, not false/);
});

test("an audit that found drift is a complaint, whenever it was made", () => {
  const judged = bench();
  const audit = judged.run({ kind: "audit" }).answer;
  assert.ok(audit.kind === "audit");
  const { report } = audit;
  const drift = { ...report, ok: false, drift: ["hold 1 differs"] };
  const told = said(judged, { kind: "audit" }, { kind: "audit", report: drift });
  assert.match(told, /the audit found that hold 1 differs\n.*the audit is not ok/);
  judged.bench.held([0]);
  assert.equal(said(judged, { kind: "audit" }, audit), "");
  const future = { ...report, seq: 9 };
  const early = said(judged, { kind: "audit" }, { kind: "audit", report: future });
  assert.match(early, /the audit is of seq 9, which never was/);
});

test("a snapshot that lost, invented or changed a record does not pass", () => {
  const judged = bench();
  const { bench: engine } = judged;
  engine.held([0]);
  engine.booked(engine.held([1]));
  engine.hold([2], BOB, KEY);
  engine.run({ kind: "release", holdId: engine.held([3]), userId: ALICE });
  judged.judgeFacts();
  const snapshot = snapshotOf(engine.state);
  const told = (changes: Partial<typeof snapshot>, forgetful = true): string =>
    judged.model.compare({ ...snapshot, ...changes }, { forgetful }).join("\n");
  assert.equal(told({}), "");
  assert.match(told({ seq: 3 }), /seq is 3, not 7/);
  assert.match(told({ definition: definition({ perUserMax: 5 }) }), /perUserMax is 5, not 6/);
  assert.match(told({ holds: snapshot.holds.slice(1) }), /hold \S+ is missing/);
  assert.match(told({ holds: [...snapshot.holds, ...snapshot.holds] }), /2 times too often/);
  const [hold] = snapshot.holds;
  assert.ok(hold !== undefined);
  const stranger = { ...hold, holdId: NOBODYS_HOLD };
  assert.match(told({ holds: [...snapshot.holds, stranger] }), /hold \S+ is not active/);
  assert.match(told({ bookings: [] }), /booking \S+ is missing/);
  assert.match(told({ keys: [] }), /key k of seq \d is forgotten/);
  const unused = { digest: "u", fingerprint: "a", seq: 2, atMs: NOON };
  assert.match(told({ keys: [...snapshot.keys, unused] }), /not in the order of their time/);
  assert.match(told({ keys: [unused, ...snapshot.keys] }), /key u was never used/);
  const [booking] = snapshot.bookings;
  assert.ok(booking !== undefined);
  const record = { ...booking.record, bookingId: NOBODYS_HOLD as string as BookingId };
  const invented = [...snapshot.bookings, { ...booking, record }];
  assert.match(told({ bookings: invented }), /booking \S+ was never made/);
  const end = { end: "expired", bookingId: null, atMs: NOON, isOffer: false } as const;
  const ended = { holdId: NOBODYS_HOLD, userId: ALICE, ...end };
  assert.match(told({ endedHolds: [...snapshot.endedHolds, ended] }), /hold \S+ has not ended/);
  const released = snapshot.endedHolds.filter(({ end }) => end !== "booked");
  assert.match(told({ endedHolds: released }), /booked at seq 4, is forgotten/);
  const booked = snapshot.endedHolds.filter(({ end }) => end === "booked");
  assert.match(told({ endedHolds: booked }), /released at seq 7, is forgotten/);
  const dayLater = { forgetful: true, nowMs: NOON + 2 * ENDED_HOLD_TTL_MS };
  assert.deepEqual(
    judged.model.compare({ ...snapshot, keys: [], endedHolds: booked }, dayLater),
    [],
  );
});

test("a key whose time is over may be gone from rows, as they are purged by another clock", () => {
  const judged = bench();
  judged.bench.hold([0], ALICE, KEY);
  judged.judgeFacts();
  const snapshot = { ...snapshotOf(judged.bench.state), keys: [] };
  const at = (nowMs: number): number =>
    judged.model.compare(snapshot, { forgetful: true, nowMs }).length;
  assert.deepEqual([at(NOON + KEY_TTL_MS), at(NOON + KEY_TTL_MS + 1)], [1, 0]);
});
