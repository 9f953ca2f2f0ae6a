/** Short trials of the scenarios that have a load of their own: that they work, not how fast. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { after, test } from "node:test";
import { isSound, type Report } from "../../bench/report/report.ts";
import type { BenchOptions, Findings, Scenario } from "../../bench/scenario.ts";
import { UsageError } from "../../bench/scenario.ts";
import { bestAvailable } from "../../bench/scenarios/best-available.ts";
import { engine } from "../../bench/scenarios/engine.ts";
import { fanOut, TooFewDescriptors } from "../../bench/scenarios/fan-out.ts";
import { holdLive } from "../../bench/scenarios/hold-live.ts";
import { machine } from "../../bench/scenarios/machine.ts";
import { recovery } from "../../bench/scenarios/recovery.ts";
import { scale } from "../../bench/scenarios/scale.ts";
import { soak } from "../../bench/scenarios/soak.ts";
import { NO_OPTIONS } from "../../bench/testing/no-options.ts";
import { ADMIN, OPS_TOKEN, TestNode } from "../support/server.ts";

const node = await TestNode.start();
after(() => node.remove());

async function trial(scenario: Scenario, chosen: Partial<BenchOptions> = {}): Promise<Findings> {
  const options: BenchOptions = {
    ...NO_OPTIONS,
    url: node.url,
    durationSeconds: 1,
    access: { ...ADMIN, opsToken: OPS_TOKEN },
    ...chosen,
  };
  return scenario.run(options, () => undefined);
}

function assertSound(found: Pick<Report, "checks">): void {
  const objections = found.checks.filter(({ ok }) => !ok);
  assert.ok(isSound(found), JSON.stringify(objections, null, 2));
}

function figure({ figures }: Findings, name: string): number {
  const found = figures.find((each) => each.name === name);
  assert.ok(found !== undefined, `${name} is among ${figures.map((each) => each.name).join(", ")}`);
  return found.value;
}

test("hold-live holds over a few sockets, and the oracle agrees", async () => {
  const found = await trial(holdLive, { connections: 2 });
  assertSound(found);
  assert.ok((found.streams[0]?.count ?? 0) > 64);
});

test("with a rate, hold-live sends what is due, and counts from then", async () => {
  const found = await trial(holdLive, { connections: 2, ratePerSecond: 100 });
  assertSound(found);
  const [holds] = found.streams;
  assert.equal(holds?.isCorrected, true);
  assert.equal((holds?.count ?? 0) + figure(found, "due, never sent"), 100);
});

test("an arena fills up by the server's choice, and all that was said of seats is true", async () => {
  const found = await trial(bestAvailable, { connections: 4, seats: 300 });
  assertSound(found);
  assert.ok(figure(found, "seats sold") > 0 && figure(found, "buyers who got seats") > 0);
  const names = found.streams.map(({ name }) => name);
  for (const name of ["together, to 50 %", "or split, to 50 %", "bookings", "releases"]) {
    assert.ok(names.includes(name), names.join(", "));
  }
  const judged = found.checks.find(({ name }) => name === "seats were chosen as was wished");
  assert.match(judged?.detail ?? "", /^\d{2,} looked at$/);
});

test("fan-out: every subscriber sees every change", async () => {
  const found = await trial(fanOut, { connections: 50, ratePerSecond: 10, seats: 40 });
  assertSound(found);
  const [fromDue, fromAnswer, changes, ...others] = found.streams;
  assert.deepEqual([changes?.name, others.length], ["changes", 0]);
  assert.equal((changes?.count ?? 0) + figure(found, "due, never sent"), 10);
  assert.equal(fromDue?.count, 50 * (changes?.count ?? 0));
  assert.equal(fromDue?.isCorrected, true);
  assert.ok((fromDue?.latencyMs.p50 ?? 0) > 0);
  assert.ok((fromAnswer?.latencyMs.p50 ?? 0) <= (fromDue?.latencyMs.p50 ?? 0));
  const content = found.checks.find(({ name }) => name.startsWith("by content"));
  assert.equal(content?.detail.split(",")[0], "16 subscribers");
});

test("fan-out counts changes that are refused, and goes on", async () => {
  const strict = await TestNode.start({ RATE_LIMIT: "on", RATE_LIMIT_HOLD: "19/24h" });
  after(() => strict.remove());
  const found = await trial(fanOut, { url: strict.url, connections: 5, ratePerSecond: 10 });
  assertSound(found);
  const [, , changes, refused] = found.streams;
  assert.deepEqual(changes?.statuses, { 201: 8, 429: 2 });
  assert.deepEqual([changes.count, refused?.count], [8, 2]);
  // The one to begin with, and those of the first second, are judged, too.
  const judged = found.checks.find(({ name }) => name.endsWith("were refused"));
  assert.equal(judged?.detail, "2 of 21");
});

test("fan-out says how many files it may open before it opens too many", async () => {
  await assert.rejects(trial(fanOut, { connections: 2_000_000_000 }), TooFewDescriptors);
});

test("soak sells one event after another, and nothing is left behind", async () => {
  const found = await trial(soak, { connections: 2, ratePerSecond: 100, durationSeconds: 2 });
  assertSound(found);
  assert.equal(found.chosen.isMemoryJudged, false);
  const names = found.streams.map(({ name }) => name);
  const wanted = ["holds", "bookings", "cancellations", "releases", "reads of the availability"];
  assert.deepEqual(names, wanted);
  assert.ok(found.streams.every(({ count }) => count > 0));
});

test("recovery kills its server behind a tail, and everything is there again", async () => {
  const found = await trial(recovery, { url: null, events: 3, extra: { facts: "3000" } });
  assertSound(found);
  assert.ok(figure(found, "facts in the tail") >= 3_000);
  assert.ok(figure(found, "after SIGKILL: ready") > 0);
  assert.ok(figure(found, "after SIGKILL: memory when ready") > 0);
  // All of the tail, written while PostgreSQL could not be: by the journal's own count.
  assert.ok(figure(found, "tail in the journal") > 0);
  assert.ok((found.journal?.facts ?? 0) >= 3_000 && (found.journal?.fsyncs ?? 0) > 0);
  const wrote = found.serverFigures?.threads.map(({ name }) => name) ?? [];
  assert.ok(wrote.includes("gateway"), wrote.join());
  const [starts] = found.tables ?? [];
  for (const name of ["all threads", "gateway", "PostgreSQL, all processes"]) {
    const row = starts?.rows.find(([thread]) => thread === name) ?? [];
    assert.ok(Number(row[1]) > 0 && Number(row[2]) > 0, row.join(" | "));
  }
});

test("scale runs each point against a server of its own", async () => {
  const extra = { axis: "shards", points: "2" };
  const found = await trial(scale, { url: null, durationSeconds: 0.5, extra });
  assertSound(found);
  assert.deepEqual(
    found.streams.map(({ name }) => name),
    ["shards 2"],
  );
});

test("engine checks all that it measures in process", async () => {
  const found = await trial(engine, { durationSeconds: 0.02 });
  assertSound(found);
  assert.ok(found.checks.length > 20);
  const [choices] = found.tables ?? [];
  assert.ok((choices?.rows.length ?? 0) > 40, choices?.title);
  assert.ok(found.figures.every(({ value }) => Number.isFinite(value)));
});

test("machine looks at every core, at messages and at the disk, and asks for no server", async () => {
  const found = await trial(machine, { url: null, durationSeconds: 0.05 });
  assertSound(found);
  assert.equal(found.figures.length, 3 * availableParallelism());
  for (const { count, latencyMs } of found.streams) {
    assert.ok(count > 0 && latencyMs.p50 > 0 && latencyMs.max >= latencyMs.p999);
  }
  await assert.rejects(trial(machine, {}), UsageError);
});

test("options that make no sense are refused before anything is started", async () => {
  await assert.rejects(trial(recovery, {}), UsageError);
  await assert.rejects(trial(scale, {}), UsageError);
  await assert.rejects(trial(recovery, { url: null, extra: { facts: "many" } }), UsageError);
  await assert.rejects(trial(scale, { url: null, extra: { axis: "luck" } }), UsageError);
  const half = { axis: "shards", points: "1.5" };
  await assert.rejects(trial(scale, { url: null, extra: half }), UsageError);
});
