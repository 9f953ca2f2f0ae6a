import assert from "node:assert/strict";
import { test } from "node:test";
import { SOCKET_REQUESTS_IN_FLIGHT_MAX } from "../../engine/limits.ts";
import type { Told } from "../load/live-caller.ts";
import { ChangeMaker } from "./change-maker.ts";

const EVENT = "018f3c9a-7b10-7000-8000-0007a4b1c2d3";
const SEATS = 1_000;
const seatIds = Array.from({ length: SEATS }, (_, index) => `seat-${index}`);

/** A socket whose server answers the n-th request, from 1, with `statusOf` n when it is let. */
class Desk {
  readonly asked: string[] = [];
  readonly #statusOf: (n: number) => number;
  readonly #open: (() => void)[] = [];
  inFlightMax = 0;
  isCongested = false;
  priceMinor = 1_000;
  /** Answers nothing until so many are on their way. */
  waitsFor = 1;

  constructor(statusOf: (n: number) => number = () => 201) {
    this.#statusOf = statusOf;
  }

  get inFlight(): number {
    return this.#open.length;
  }

  request(_op: string, fields: string, told: Told): void {
    const n = this.asked.push(/"seat":"([^"]+)"/.exec(fields)?.[1] ?? "");
    const bodyId = `018f3c9a-7b10-7000-8000-${String(n).padStart(12, "0")}`;
    const price = this.priceMinor;
    const body = `{"items":[{"price":${price}}],"total":{"amount":${price}}}`;
    this.#open.push(() => told({ status: this.#statusOf(n), body, bodyId, seq: n }));
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
    if (this.inFlight >= this.waitsFor) setImmediate(() => this.answer());
  }

  answer(): void {
    for (const tell of this.#open.splice(0)) tell();
  }

  close(): void {
    this.isCongested = true;
  }
}

const makerAt = (desk: Desk): ChangeMaker =>
  new ChangeMaker({ caller: desk, eventId: EVENT, seatIds });

test("each change is due by the timetable, also where it is finer than a timer", async () => {
  const desk = new Desk();
  const { made, startMs, neverSent } = await makerAt(desk).make(500, 5_000);
  assert.equal(made.length + neverSent, 500);
  for (const { seq, dueMs } of made) {
    assert.ok(Math.abs(dueMs - startMs - (seq - 1) / 5) < 0.01, `${seq}: ${dueMs - startMs}`);
  }
  assert.deepEqual(desk.asked, seatIds.slice(0, made.length));
});

test("times count from when a change was due, though the server stood still", async () => {
  const desk = new Desk();
  desk.waitsFor = 20;
  const { made, streams } = await makerAt(desk).make(20, 1_000);
  const [changes] = streams;
  assert.equal(made.length, 20);
  assert.equal(changes?.isCorrected, true);
  assert.deepEqual(changes?.statuses, { 201: 20 });
  // The first was answered no sooner than the last was due, 19 ms after it.
  assert.ok((made[0]?.answeredMs ?? 0) >= (made[19]?.dueMs ?? Number.POSITIVE_INFINITY));
  assert.ok((changes?.latencyMs.max ?? 0) > 18.9);
  assert.ok((changes?.seconds ?? 0) > 0.0189);
});

test("what a socket does not take is never sent, and said", async () => {
  const desk = new Desk();
  desk.isCongested = true;
  const { made, neverSent } = await makerAt(desk).make(10, 1_000);
  assert.deepEqual([made.length, neverSent, desk.asked.length], [0, 10, 0]);
});

test("no more are on their way than the server takes of one socket", async () => {
  const desk = new Desk();
  desk.waitsFor = SOCKET_REQUESTS_IN_FLIGHT_MAX;
  const making = makerAt(desk).make(SOCKET_REQUESTS_IN_FLIGHT_MAX * 2, 1_000_000);
  const { made, neverSent } = await making;
  assert.equal(desk.inFlightMax, SOCKET_REQUESTS_IN_FLIGHT_MAX);
  assert.equal(made.length + neverSent, SOCKET_REQUESTS_IN_FLIGHT_MAX * 2);
});

test("refusals are counted apart, and the next seat is asked for", async () => {
  const desk = new Desk((n) => (n % 5 === 0 ? 503 : 201));
  const maker = makerAt(desk);
  const { made, streams, neverSent } = await maker.make(20, 10_000);
  const sent = 20 - neverSent;
  const refused = Math.floor(sent / 5);
  assert.equal(made.length, sent - refused);
  assert.deepEqual(
    streams.map(({ name, count }) => [name, count]),
    [
      ["changes", sent - refused],
      ["refused changes", refused],
    ],
  );
  assert.equal(new Set(desk.asked).size, sent);
  const { acknowledged, faults } = maker.findings;
  assert.equal(acknowledged.holds.ends.length, made.length);
  assert.deepEqual(faults, []);
});

test("answers that can't be right are faults, with what was said", async () => {
  const desk = new Desk((n) => (n === 2 ? 409 : 201));
  const maker = makerAt(desk);
  await maker.make(3, 1_000);
  const [fault = "", ...more] = maker.findings.faults;
  assert.match(fault, /^a hold of seat-1: 409 \{/);
  assert.deepEqual(more, []);
  const dearer = new Desk();
  dearer.priceMinor = 2_000;
  const other = makerAt(dearer);
  await other.make(1, 1_000);
  assert.match(other.findings.faults.join(), /has a total of 2000 for 1 places/);
});

test("answers of all rounds are counted by status", async () => {
  const maker = makerAt(new Desk((n) => (n === 1 ? 429 : 201)));
  await maker.make(1, 1_000);
  await maker.make(1, 1_000);
  assert.deepEqual(maker.statuses, { 201: 1, 429: 1 });
});

test("a connection that ends is the end, and what it had on the way is unknown", async () => {
  const desk = new Desk((n) => (n < 4 ? 201 : 0));
  const maker = makerAt(desk);
  const { made, neverSent } = await maker.make(1_000, 100);
  const unknown = maker.findings.acknowledged.unknownHeld.reduce((sum, [, n]) => sum + n, 0);
  assert.equal(made.length, 3);
  assert.equal(unknown, maker.statuses["0"]);
  assert.equal(made.length + unknown + neverSent, 1_000);
  assert.ok(neverSent > 0);
});
