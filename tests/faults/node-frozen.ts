/**
 * The node is stopped (SIGSTOP) for a while, as by a hypervisor, and goes on. Its clock jumps, its
 * timers are late, and its clients have waited or gone away.
 */
import assert from "node:assert/strict";
import { Client } from "pg";
import { LiveClient } from "../support/client.ts";
import { until } from "../support/server.ts";
import type { EventShape, HoldShape } from "../support/shapes.ts";
import { availabilityOf, guestToken, ok, openStudio } from "../support/venue.ts";
import { openRig, type Rig, reckon } from "./rig.ts";
import { type Scenario, sleep } from "./scenario.ts";

/** 504: whoever waited for longer than the gateway keeps requests learns the outcome by its key. */
const FAIR = new Set(["201", "503 busy", "504 timeout"]);
const TTL_SECONDS = 3;
/** The contract's exactness of a hold's end. */
const EXPIRY_MS_MAX = 1_000;

export const nodeFrozen: Scenario = {
  name: "node-frozen",
  title: "a node that stood still goes on: deadlines hold, holds end, subscribers miss nothing",
  async run(stage) {
    const rig = await openRig(stage);
    const { node, api, traffic } = rig;
    const brief = await openStudio(api, { holdTtlSeconds: TTL_SECONDS });
    const live = await subscriber(rig, brief);
    stage.after(() => live.close());
    await traffic.start(16, 0);
    for (const ms of stage.isLong ? [2_000, 10_000, 20_000] : [3_500]) {
      await traffic.sees("201", 300);
      const gone = await subscriber(rig, brief);
      const token = await guestToken(api);
      const body = { items: [{ area: "floor", quantity: 1 }] };
      const path = `/api/v1/events/${brief.id}/holds`;
      const hold = ok(await api.post<HoldShape>(path, { token, body }), 201);
      // So that the row is there to be looked at.
      await endedMs(rig, hold, "active");
      const frozenMs = Date.now();
      process.kill(node.pid, "SIGSTOP");
      gone.close();
      await sleep(ms);
      process.kill(node.pid, "SIGCONT");
      const thawedMs = Date.now();
      await holdEnds(rig, { hold, token, thawedMs });
      await returns(rig, brief, gone);
      await traffic.sees("201", 100);
      const outcomes = traffic.outcomes(frozenMs - 1_000, thawedMs);
      assert.ok(
        Object.keys(outcomes).every((one) => FAIR.has(one)),
        JSON.stringify(outcomes),
      );
      stage.did(`SIGSTOP of the node under load for ${ms} ms`);
      stage.figure(`${ms} ms: requests of then`, JSON.stringify(outcomes));
    }
    await sameView(rig, brief, live);
    stage.holds("a hold ended within 1 s after; it was not sold before its end");
    stage.holds("subscribers have what a fresh look shows, those who reconnected too");
    await reckon(stage, rig, node.databaseUrl);
  },
};

async function subscriber({ node }: Rig, event: EventShape): Promise<LiveClient> {
  const live = await LiveClient.open(node.url);
  live.send({ op: "subscribe", eventId: event.id });
  await live.next("snapshot");
  return live;
}

interface Frozen {
  readonly hold: HoldShape;
  readonly token: string;
  readonly thawedMs: number;
}

async function holdEnds(rig: Rig, { hold, token, thawedMs }: Frozen): Promise<void> {
  await until("the hold has ended", async () => {
    return (await rig.api.get(`/api/v1/holds/${hold.id}`, { token })).status === 410;
  });
  const atMs = await endedMs(rig, hold, "expired");
  assert.ok(atMs >= Date.parse(hold.expiresAt), "never earlier");
  const dueMs = Math.max(thawedMs, Date.parse(hold.expiresAt));
  assert.ok(atMs <= dueMs + EXPIRY_MS_MAX, `${atMs - dueMs} ms late`);
}

/** Waits until the hold's row has this status; 0: it has not ended. */
async function endedMs({ node }: Rig, { id }: HoldShape, status: string): Promise<number> {
  const client = new Client({ connectionString: node.databaseUrl });
  await client.connect();
  try {
    const text = "SELECT ended_ms FROM holds WHERE id = $1 AND status = $2";
    let row: { ended_ms: string | null } | undefined;
    await until(`the hold is stored as ${status}`, async () => {
      row = (await client.query<{ ended_ms: string | null }>(text, [id, status])).rows[0];
      return row !== undefined;
    });
    return Number(row?.ended_ms ?? 0);
  } finally {
    await client.end();
  }
}

/** Who went away meanwhile goes on where it was. */
async function returns(rig: Rig, event: EventShape, gone: LiveClient): Promise<void> {
  const again = await LiveClient.open(rig.node.url);
  again.reader = gone.reader;
  const { epoch, seq } = gone.reader;
  again.send({ op: "subscribe", eventId: event.id, since: { epoch, seq } });
  await sameView(rig, event, again);
  again.close();
}

async function sameView({ api }: Rig, event: EventShape, live: LiveClient): Promise<void> {
  const shown = await availabilityOf(api, event.id);
  await until("the subscriber has heard everything", () => live.reader.seq === shown.seq);
  assert.equal(live.reader.statuses, shown.statuses);
  assert.equal(live.reader.totals.held, shown.held);
  assert.deepEqual(live.faults, []);
}
