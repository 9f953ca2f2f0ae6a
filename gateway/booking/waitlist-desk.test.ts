import assert from "node:assert/strict";
import { test } from "node:test";
import { IdMinter, itemIdOf, offerIdOf, type WaitlistEntryId } from "../../engine/ids.ts";
import { EVENT_ID, NOON, TAG } from "../../engine/testing/fixtures.ts";
import type { Answered } from "../shard-router.ts";
import type { BookingDesk } from "./booking-desk.ts";
import type { DeskResult, Settle } from "./desk-result.ts";
import {
  ADMIN,
  CUSTOMER,
  type Document,
  deskWith,
  EngineDesk,
  OTHER,
  request,
} from "./testing/desk-bench.ts";

const AT = new Date(NOON).toISOString();
const FLOOR = [-1, -1, -1, -1];

/** A desk whose floor is sold but for one place. */
function soldOut(): EngineDesk {
  const at = new EngineDesk({ seatCategories: new Uint8Array(), perUserMax: 100 });
  at.engine.booked(at.engine.held(FLOOR));
  return at;
}

const join = (body: object, identity = CUSTOMER) => request(body, identity);

test("who waits is told their place in the line, and the same again", async () => {
  const at = soldOut();
  const wish = join({ quantity: 2, categories: ["standing"], priority: 3 });
  const [status, body] = await at.done((desk, s) => desk.waitlist.join(EVENT_ID, wish, s));
  const expected = {
    id: body.id,
    eventId: EVENT_ID,
    position: 1,
    quantity: 2,
    categories: ["standing"],
    priority: 3,
    status: "waiting",
    joinedAt: AT,
    seq: 4,
  };
  assert.deepEqual([status, body], [201, expected]);
  const again = await at.done((desk, s) => desk.waitlist.join(EVENT_ID, wish, s));
  assert.deepEqual(again, [200, expected]);
  const found = await at.done((desk, s) => desk.waitlist.find(EVENT_ID, CUSTOMER, s));
  assert.deepEqual(found, [200, expected]);
  const other = join({ quantity: 3 });
  assert.deepEqual(await at.refused((desk, s) => desk.waitlist.join(EVENT_ID, other, s)), [
    "already_waiting",
    {},
  ]);
});

test("who leaves waits no longer; leaving again is no fault", async () => {
  const at = soldOut();
  await at.done((desk, s) => desk.waitlist.join(EVENT_ID, join({ quantity: 2 }), s));
  for (let n = 0; n < 2; n += 1) {
    const [status] = await at.done((desk, s) => desk.waitlist.leave(EVENT_ID, CUSTOMER, s));
    assert.equal(status, 204);
  }
  const gone = await at.refused((desk, s) => desk.waitlist.find(EVENT_ID, CUSTOMER, s));
  assert.deepEqual(gone, ["not_waiting", {}]);
});

test("where places are free at once, they are offered in the answer", async () => {
  const at = soldOut();
  const wish = join({ quantity: 1 });
  const [status, body] = await at.done((desk, s) => desk.waitlist.join(EVENT_ID, wish, s));
  const holdId = offerIdOf(body.id as WaitlistEntryId);
  assert.deepEqual(
    [status, body],
    [
      201,
      {
        id: body.id,
        eventId: EVENT_ID,
        position: 0,
        quantity: 1,
        categories: null,
        priority: 0,
        status: "offered",
        joinedAt: AT,
        seq: 4,
        offer: {
          id: holdId,
          eventId: EVENT_ID,
          items: [{ id: itemIdOf(holdId, 0), area: "floor", category: "standing", price: 3000 }],
          total: { amount: 3000, currency: "EUR" },
          expiresAt: new Date(NOON + 600_000).toISOString(),
          status: "active",
          source: "waitlist",
          seq: 5,
        },
      },
    ],
  );
});

test("an offer is found where its entry was, and who leaves the line gives it back", async () => {
  const at = soldOut();
  const wish = join({ quantity: 1 });
  const [, joined] = await at.done((desk, s) => desk.waitlist.join(EVENT_ID, wish, s));
  const [, found] = await at.done((desk, s) => desk.waitlist.find(EVENT_ID, CUSTOMER, s));
  assert.deepEqual(found, {
    id: joined.id,
    eventId: EVENT_ID,
    position: 0,
    quantity: 1,
    status: "offered",
    offer: joined.offer,
    seq: 5,
  });
  for (let n = 0; n < 2; n += 1) {
    const left = await at.ask((desk, s) => desk.waitlist.leave(EVENT_ID, CUSTOMER, s));
    assert.ok(left.kind === "ok" && left.status === 204);
    assert.deepEqual(at.engine.state.holds.offersTo(CUSTOMER.userId), []);
  }
  const gone = await at.refused((desk, s) => desk.waitlist.find(EVENT_ID, CUSTOMER, s));
  assert.deepEqual(gone, ["not_waiting", {}]);
});

test("who was offered places and joins again is told of that offer", async () => {
  const at = new EngineDesk({ perUserMax: 100 });
  const wish = join({ quantity: 1 });
  const [, joined] = await at.done((desk, s) => desk.waitlist.join(EVENT_ID, wish, s));
  const other = join({ quantity: 2 });
  const [status, again] = await at.done((desk, s) => desk.waitlist.join(EVENT_ID, other, s));
  assert.deepEqual([status, again.status, again.id], [200, "offered", joined.id]);
  assert.deepEqual(again.offer, joined.offer);
  assert.equal(at.engine.state.holds.count, 1);
});

test("who waits while an offer was being paid for leaves both, once it is not", async () => {
  const at = soldOut();
  const wish = join({ quantity: 1 });
  const [, joined] = await at.done((desk, s) => desk.waitlist.join(EVENT_ID, wish, s));
  const holdId = offerIdOf(joined.id as WaitlistEntryId);
  const pay = at.engine.payCommand(holdId);
  at.engine.run(pay);
  await at.done((desk, s) => desk.waitlist.join(EVENT_ID, wish, s));
  const { intentId } = pay;
  at.engine.run({ kind: "settlePayment", intentId, outcome: "failed" });
  await at.ask((desk, s) => desk.waitlist.leave(EVENT_ID, CUSTOMER, s));
  assert.deepEqual(at.engine.state.holds.offersTo(CUSTOMER.userId), []);
  const gone = await at.refused((desk, s) => desk.waitlist.find(EVENT_ID, CUSTOMER, s));
  assert.deepEqual(gone, ["not_waiting", {}]);
});

test("wishes that make no sense are refused by what is wrong with them", async () => {
  const at = soldOut();
  const refused = (body: object) =>
    at.refused((desk, s) => desk.waitlist.join(EVENT_ID, join(body), s));
  assert.deepEqual(await refused({ quantity: 2, categories: ["royal"] }), [
    "unknown_category",
    { categories: ["royal"] },
  ]);
  assert.deepEqual(await refused({ quantity: 5 }), [
    "limit_exceeded",
    { scope: "perOrder", limit: 4, current: 5 },
  ]);
  for (const body of [
    {},
    { quantity: 0 },
    { quantity: 1.5 },
    { quantity: 1, priority: 101 },
    { quantity: 1, priority: -1 },
    { quantity: 1, categories: [] },
  ]) {
    assert.equal((await refused(body))[0], "validation_failed", JSON.stringify(body));
  }
});

test("the organiser reads the line with its reasons, page by page; nobody else does", async () => {
  const at = soldOut();
  await at.done((desk, s) => desk.waitlist.join(EVENT_ID, join({ quantity: 2 }), s));
  const first = join({ quantity: 3, priority: 1 }, OTHER);
  await at.done((desk, s) => desk.waitlist.join(EVENT_ID, first, s));
  const page = (cursor: string | null) =>
    at.done((desk, s) => desk.waitlist.list(EVENT_ID, ADMIN, { limit: 1, cursor }, s));
  const [, one] = await page(null);
  const told = ({ userId, position, skips, reason }: Document) => [userId, position, skips, reason];
  assert.deepEqual((one.data as Document[]).map(told), [[OTHER.userId, 1, 0, "too_few_places"]]);
  const [, two] = await page(String(one.nextCursor));
  assert.deepEqual((two.data as Document[]).map(told), [[CUSTOMER.userId, 2, 0, "too_few_places"]]);
  assert.deepEqual([two.nextCursor, two.count], [null, 2]);
  const asCustomer = await at.refused((desk, s) =>
    desk.waitlist.list(EVENT_ID, CUSTOMER, { limit: 1, cursor: null }, s),
  );
  assert.deepEqual(asCustomer, ["forbidden", {}]);
  const wrong = await at.refused((desk, s) =>
    desk.waitlist.list(EVENT_ID, ADMIN, { limit: 1, cursor: "x" }, s),
  );
  assert.equal(wrong[0], "validation_failed");
});

const minter = new IdMinter(3);
const entryAt = (seq: number) => ({
  entryId: minter.mintEntry(NOON, TAG),
  userId: CUSTOMER.userId,
  ...{ quantity: 2, categories: null, priority: 0, seq, atMs: NOON },
});
const BUSY: Answered = { kind: "refused", refusal: { code: "busy" } };

/** What a request hears whose questions to the actor are answered one after the other. */
function told(run: (desk: BookingDesk, settle: Settle) => void, answers: readonly Answered[]) {
  const { desk, commands } = deskWith();
  const results: DeskResult[] = [];
  run(desk, (result) => results.push(result));
  for (const [n, answer] of answers.entries()) commands[n]?.done(answer, 77);
  assert.deepEqual([results.length, commands.length], [1, answers.length]);
  return results[0];
}

const joinWith = (...answers: Answered[]) =>
  told((desk, s) => desk.waitlist.join(EVENT_ID, join({ quantity: 2 }), s), answers);
const queued = (entry: ReturnType<typeof entryAt>, replayed: boolean): Answered => ({
  kind: "done",
  fact: { kind: "queued", entry, seq: entry.seq, atMs: NOON, key: null },
  replayed,
});

test("a join that is repeated is told of its own entry, not of another one in line", () => {
  const entry = entryAt(4);
  const other: Answered = { kind: "waiting", entry: entryAt(6), position: 1 };
  const gone: Answered = { kind: "refused", refusal: { code: "hold_not_found" } };
  const over = joinWith(queued(entry, true), other, gone);
  assert.ok(over?.kind === "ok" && over.replayed);
  const { id, position, status, seq } = over.body as Document;
  assert.deepEqual([id, position, status, seq], [entry.entryId, 0, "over", 4]);
  const own = joinWith(queued(entry, true), { kind: "waiting", entry, position: 7 });
  assert.ok(own?.kind === "ok");
  assert.equal((own.body as Document).position, 7);
});

test("busy is said only where nothing was changed; afterwards the outcome is not known", () => {
  const entry = entryAt(4);
  const codes = (result: DeskResult | undefined) => result?.kind === "problem" && result.code;
  const waitsNot: Answered = { kind: "refused", refusal: { code: "not_waiting" } };
  assert.equal(codes(joinWith(BUSY)), "busy");
  assert.equal(codes(joinWith(queued(entry, false), BUSY)), "timeout");
  assert.equal(codes(joinWith(queued(entry, false), waitsNot, BUSY)), "timeout");
  const leaveWith = (...answers: Answered[]) =>
    told((desk, s) => desk.waitlist.leave(EVENT_ID, CUSTOMER, s), answers);
  const { entryId, userId } = entry;
  const left = { kind: "unqueued", entryId, userId, reason: "left" } as const;
  const fact = { ...left, seq: 5, atMs: NOON, key: null };
  assert.equal(codes(leaveWith(BUSY)), "busy");
  assert.equal(codes(leaveWith({ kind: "done", fact, replayed: false }, BUSY)), "timeout");
});
