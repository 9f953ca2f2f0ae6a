import assert from "node:assert/strict";
import { test } from "node:test";
import { type Asked, HoldStream } from "./hold-stream.ts";
import type { Told } from "./live-caller.ts";
import type { LiveLoadOptions } from "./live-load.ts";

const options: LiveLoadOptions = {
  url: "",
  eventIds: ["a", "b"],
  tokens: [],
  sockets: 1,
  inFlightPerSocket: 4,
  durationSeconds: null,
  amount: 100,
  ratePerSecond: null,
  keyPrefix: "k",
};

const BODY = '{"items":[{"price":1000}],"total":{"amount":1000}}';

/** A socket whose server answers each request a turn later with `statusOf` its number. */
class Desk implements Asked {
  readonly asked: string[] = [];
  readonly #statusOf: (n: number) => number;
  inFlight = 0;
  inFlightMax = 0;
  isCongested = false;

  constructor(statusOf: (n: number) => number) {
    this.#statusOf = statusOf;
  }

  request(_op: string, fields: string, told: Told): void {
    const n = this.asked.push(fields);
    this.inFlight += 1;
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
    const bodyId = `018f3c9a-7b10-7000-8000-${String(n).padStart(12, "0")}`;
    setImmediate(() => {
      this.inFlight -= 1;
      told({ status: this.#statusOf(n), body: BODY, bodyId, seq: n });
    });
  }
}

test("exactly the amount is sent, to the events in turn, each under a key of its own", async () => {
  const desk = new Desk(() => 201);
  const { streams, findings } = await new HoldStream([desk], options).run();
  assert.equal(desk.asked.length, 100);
  assert.equal(desk.inFlightMax, 4);
  assert.equal(new Set(desk.asked).size, 100);
  assert.deepEqual(streams[0]?.statuses, { 201: 100 });
  const { events, ids } = findings.acknowledged.holds;
  assert.deepEqual([ids.length, [...events].filter((event) => event === 1).length], [1_600, 50]);
});

test("only what was acknowledged counts; a hold that was given twice is a fault", async () => {
  const desk = new Desk((n) => (n % 4 === 0 ? 503 : 201));
  const { findings } = await new HoldStream([desk], options).run();
  assert.equal(findings.acknowledged.holds.ends.length, 75);
  class Repeating extends Desk {
    override request(op: string, fields: string, told: Told): void {
      super.request(op, fields, (reply) => told({ ...reply, bodyId: "same".padEnd(36) }));
    }
  }
  const again = await new HoldStream([new Repeating(() => 201)], { ...options, amount: 2 }).run();
  assert.equal(again.findings.faults.length, 1);
});

test("a hold of another price is a fault", async () => {
  class Dearer extends Desk {
    override request(op: string, fields: string, told: Told): void {
      const body = BODY.replaceAll("1000", "2000");
      super.request(op, fields, (reply) => told({ ...reply, body }));
    }
  }
  const { findings } = await new HoldStream([new Dearer(() => 201)], {
    ...options,
    amount: 1,
  }).run();
  assert.match(findings.faults.join(), /has a total of 2000 for 1 places/);
});

test("a connection that ends is the end, and what it had on the way is unknown", async () => {
  const desk = new Desk((n) => (n < 10 ? 201 : 0));
  const { streams, findings } = await new HoldStream([desk], options).run();
  const unknown = findings.acknowledged.unknownHeld.reduce((sum, [, places]) => sum + places, 0);
  assert.equal(unknown, streams[0]?.statuses["0"]);
  assert.ok(desk.asked.length < 20, String(desk.asked.length));
});

test("a socket that takes nothing is not written to", async () => {
  const [stuck, free] = [new Desk(() => 201), new Desk(() => 201)];
  stuck.isCongested = true;
  await new HoldStream([stuck, free], options).run();
  assert.deepEqual([stuck.asked.length, free.asked.length], [0, 100]);
});

test("with a rate it sends what is due, and ends although nothing is due at its very end", async () => {
  for (const amount of [null, 1_000]) {
    const [stuck, desk] = [new Desk(() => 201), new Desk(() => 201)];
    const rated = { ...options, amount, durationSeconds: 0.1, ratePerSecond: 100 };
    const { streams, neverSent } = await new HoldStream([desk], rated).run();
    assert.equal(desk.asked.length + neverSent, 10);
    assert.equal(streams[0]?.isCorrected, true);
    stuck.isCongested = true;
    assert.equal((await new HoldStream([stuck], rated).run()).neverSent, 10);
  }
});
