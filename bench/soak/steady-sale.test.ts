import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { FlowFindings } from "../load/flow.ts";
import type { Told } from "../load/live-caller.ts";
import { type SaleCaller, SteadySale } from "./steady-sale.ts";

const bodyOf = (amount: number): string =>
  `{"items":[{"price":${amount}}],"total":{"amount":${amount}}}`;

/** So many that some of them are booked, and some of those bookings stay. */
const HOLDS = 40;

/** A socket whose server takes so many holds, and tells of each kind of request the price given. */
class Till implements SaleCaller {
  readonly asked: string[] = [];
  readonly #prices: Readonly<Record<string, number>>;
  inFlight = 0;
  isClosed = false;

  constructor(prices: Readonly<Record<string, number>>) {
    this.#prices = prices;
  }

  get isCongested(): boolean {
    return this.asked.length >= HOLDS;
  }

  request(op: string, _fields: string, told: Told): void {
    const n = this.asked.push(op);
    const bodyId = `018f3c9a-7b10-7000-8000-${String(n).padStart(12, "0")}`;
    const body = bodyOf(this.#prices[op] ?? 1_000);
    setImmediate(() => told({ status: 201, body, bodyId, seq: n }));
  }

  close(): void {
    this.isClosed = true;
  }
}

/** What becomes of the holds; nobody answers who looks at the availability. */
async function sold(prices: Readonly<Record<string, number>>): Promise<FlowFindings> {
  const till = new Till(prices);
  const options = { url: "http://127.0.0.1:9", tokens: [], holdsPerSecond: 10_000, seed: 3 };
  const sale = new SteadySale([till], options);
  sale.sell("a");
  while (!till.isCongested) await delay(1);
  const { findings } = await sale.end();
  assert.ok(till.isClosed);
  return findings;
}

test("holds and bookings at their price are no fault, and the total that was told is kept", async () => {
  const { faults, acknowledged } = await sold({});
  assert.deepEqual(faults, []);
  assert.ok(acknowledged.bookings.totals.length > 0);
  assert.ok(acknowledged.bookings.totals.every((total) => total === 1_000));
});

test("a hold or a booking of another price is a fault", async () => {
  for (const op of ["hold", "book"]) {
    const { faults } = await sold({ [op]: 1_001 });
    assert.match(faults.join("\n"), new RegExp(`^${op}: .* has a total of 1001 for 1 places`));
  }
});
