import assert from "node:assert/strict";
import { test } from "node:test";
import { OWNERSHIP_CHECK_MS } from "../../engine/limits.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import type { ThreadContext } from "../thread-context.ts";
import {
  FenceLost,
  InvariantViolated,
  type ProjectionRefused,
  type ProjectionStore,
  WatermarkGap,
} from "./projection-store.ts";
import type { FromProjectorThread } from "./projector-messages.ts";
import { ProjectorService } from "./projector-service.ts";

/** A death after which a test goes on. */
const goOn = <Nothing>(): Nothing => undefined as Nothing;

/** A service whose store answers every question of ownership with `refusal`. */
function serviceWith(refusal: ProjectionRefused) {
  const clock = new ManualClock();
  const deaths: string[] = [];
  const told: FromProjectorThread[] = [];
  const context: ThreadContext = {
    parent: {
      on: () => undefined,
      postMessage: (message: FromProjectorThread) => told.push(message),
      close: () => undefined,
    },
    clock,
    take: () => undefined,
    die: (reason, cause) => {
      deaths.push(`${reason}: ${cause}`);
      return goOn();
    },
    utilisation: () => 0,
    vitals: () => {
      throw new Error("nobody asks");
    },
  };
  const asked: unknown[] = [];
  const store: ProjectionStore = {
    apply: async () => "applied",
    confirm: async (...args) => {
      asked.push(args);
      throw refusal;
    },
    purge: async () => false,
    close: async () => undefined,
  };
  new ProjectorService({ epochs: [[4, 7, 12]] }, store, context);
  return { clock, deaths, asked, told };
}

for (const [refusal, death] of [
  [
    new FenceLost("shard 4 is at epoch 8"),
    "another process owns this node's shards: shard 4 is at epoch 8",
  ],
  [
    new WatermarkGap("shard 4 is applied up to 3"),
    "the database is not as this node left it, but in an older state: shard 4 is applied up to 3",
  ],
] as const) {
  test(`a quiet projector that hears of ${refusal.code} ends the process`, async () => {
    const { clock, deaths, asked } = serviceWith(refusal);
    await clock.pass(OWNERSHIP_CHECK_MS);
    assert.deepEqual(asked, [[[[4, 7]], [[4, 12]]]]);
    assert.deepEqual(deaths, [death]);
  });
}

test("any other refusal stops the shard, and no more", async () => {
  const { clock, deaths, told } = serviceWith(new InvariantViolated("a seat twice"));
  await clock.pass(OWNERSHIP_CHECK_MS);
  const failed = { kind: "projectorFailed", shard: 4, code: "invariant_violated" };
  const failures = told.filter(({ kind }) => kind === "projectorFailed");
  assert.deepEqual(failures, [{ ...failed, reason: "a seat twice" }]);
  assert.deepEqual(deaths, []);
});
