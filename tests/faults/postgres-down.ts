/**
 * PostgreSQL is down for longer than the node may go on without it. Selling goes on until the bound
 * of what PostgreSQL lacks, then `busy` is the answer, and reads are still answered.
 */
import assert from "node:assert/strict";
import { REQUEST_DEADLINE_MS } from "../../engine/limits.ts";
import type { ApiClient } from "../support/client.ts";
import { OPS_TOKEN } from "../support/server.ts";
import { availabilityOf } from "../support/venue.ts";
import { caughtUp, impediments, openRig, ownPostgres, type Rig, reckon } from "./rig.ts";
import { type Scenario, type Stage, sleep } from "./scenario.ts";

const BUSY = "503 busy";

const BOUNDS: readonly Readonly<Record<string, string>>[] = [
  { UNPROJECTED_FACTS_MAX: "1000" },
  { UNPROJECTED_MIB_MAX: "1" },
];

export const postgresDown: Scenario = {
  name: "postgres-down",
  title: "PostgreSQL down for long: selling goes on up to the bound, then busy, then all is well",
  async run(stage) {
    const database = await ownPostgres(stage);
    if (stage.isLong) await belowTheBound(stage);
    // The short form tries one bound, the long form each.
    for (const env of stage.isLong ? BOUNDS : BOUNDS.slice(0, 1)) {
      const rig = await openRig(stage, { database, env });
      const downMs = stage.isLong ? 60_000 : 1_500;
      await pastTheBound(stage, { rig, database, downMs, bound: Object.entries(env).join() });
      await rig.node.stop();
    }
  },
};

async function belowTheBound(stage: Stage): Promise<void> {
  const database = await ownPostgres(stage);
  const rig = await openRig(stage, { database });
  const { api, traffic } = rig;
  await traffic.start();
  await traffic.sees("201", 300);
  await database.kill9();
  const goneMs = Date.now();
  await sleep(60_000);
  const upMs = Date.now();
  await database.restart();
  const lagMs = await caughtUp(api);
  assert.deepEqual(Object.keys(traffic.outcomes()), ["201"]);
  stage.did("SIGKILL of PostgreSQL under load, away for 60 s, default bounds");
  stage.holds("no request of the sale was refused in those 60 s");
  stage.figure("default bounds: 201 while down", traffic.latency("201", goneMs, upMs));
  stage.figure("caught up", `${lagMs} ms after`);
  await reckon(stage, rig, database.url);
}

/** It can't be answered, and is not waited for. */
async function auditIsBusy(api: ApiClient, eventId: string): Promise<void> {
  const askedMs = performance.now();
  const reply = await api.get(`/ops/events/${eventId}/audit`, { token: OPS_TOKEN });
  assert.equal(reply.status, 503);
  assert.ok(performance.now() - askedMs < REQUEST_DEADLINE_MS);
}

interface Past {
  readonly rig: Rig;
  readonly database: Awaited<ReturnType<typeof ownPostgres>>;
  readonly downMs: number;
  readonly bound: string;
}

async function pastTheBound(stage: Stage, { rig, database, downMs, bound }: Past): Promise<void> {
  const { api, traffic } = rig;
  await traffic.start();
  await traffic.sees("201", 100);
  await database.kill9();
  const goneMs = Date.now();
  await traffic.sees(BUSY, 100);
  const fullMs = traffic.seen.find(({ outcome }) => outcome === BUSY)?.atMs ?? 0;
  const [held] = traffic.held.values();
  assert.ok(held !== undefined);
  await availabilityOf(api, traffic.event.id);
  await auditIsBusy(api, traffic.event.id);
  assert.match(await impediments(api), /projection/);
  await sleep(downMs);
  const upMs = Date.now();
  await database.restart();
  await traffic.sees("201", 100);
  const lagMs = await caughtUp(api);
  const isOnlyBusy = Object.keys(traffic.outcomes()).every((one) => one === "201" || one === BUSY);
  assert.ok(isOnlyBusy, JSON.stringify(traffic.outcomes()));
  const busy = traffic.seen.filter(({ outcome }) => outcome === BUSY);
  assert.ok(busy.every(({ retryAfter }) => retryAfter === "1"));
  assert.ok(
    busy.every(({ tookMs }) => tookMs < REQUEST_DEADLINE_MS),
    traffic.latency(BUSY),
  );
  stage.did(`SIGKILL of PostgreSQL under load, away for ${upMs - goneMs} ms, ${bound}`);
  stage.holds("up to the bound all is sold; past it 503 busy with Retry-After; reads answered");
  stage.figure(`${bound}: 201 while down`, traffic.latency("201", goneMs, upMs));
  stage.figure("bound reached", `after ${fullMs - goneMs} ms`);
  stage.figure("busy", traffic.latency(BUSY, goneMs, upMs));
  stage.figure("caught up", `${lagMs} ms after`);
  await reckon(stage, rig, database.url);
}
