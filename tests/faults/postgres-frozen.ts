/** PostgreSQL stands still (SIGSTOP): no connection breaks, and nothing is answered. */
import assert from "node:assert/strict";
import { until } from "../support/server.ts";
import type { Problem } from "../support/shapes.ts";
import { availabilityOf } from "../support/venue.ts";
import { caughtUp, impediments, openRig, ownPostgres, reckon } from "./rig.ts";
import { type Scenario, sleep } from "./scenario.ts";

export const postgresFrozen: Scenario = {
  name: "postgres-frozen",
  title:
    "PostgreSQL frozen under load: selling goes on, the node says it is not ready, and recovers",
  async run(stage) {
    const database = await ownPostgres(stage);
    const rig = await openRig(stage, { database });
    const { api, traffic } = rig;
    await traffic.start();
    // The last one is longer than a statement of the projector may take.
    for (const ms of stage.isLong ? [10_000, 20_000, 75_000] : [3_500]) {
      await traffic.sees("201", 200);
      const frozenMs = Date.now();
      database.freeze();
      await until("the node says that it is not ready", async () => {
        return /database: PostgreSQL is away/.test(await impediments(api));
      });
      const noticedMs = Date.now() - frozenMs;
      const listed = await api.get<Problem>("/api/v1/events");
      const listedMs = Date.now() - frozenMs - noticedMs;
      assert.deepEqual([listed.status, listed.body.code], [503, "busy"]);
      await availabilityOf(api, traffic.event.id);
      await sleep(Math.max(0, frozenMs + ms - Date.now()));
      const thawedMs = Date.now();
      database.thaw();
      const lagMs = await caughtUp(api);
      stage.did(
        `SIGSTOP of all of PostgreSQL's processes under load for ${thawedMs - frozenMs} ms`,
      );
      stage.figure(`${ms} ms: 201 meanwhile`, traffic.latency("201", frozenMs, thawedMs));
      stage.figure("not ready", `after ${noticedMs} ms`);
      stage.figure("GET /events", `${listed.status} after ${listedMs} ms`);
      stage.figure("caught up", `${lagMs} ms after`);
    }
    assert.deepEqual(Object.keys(traffic.outcomes()), ["201"]);
    stage.holds("no request of the sale was refused; /health/ready said 503 within seconds");
    await reckon(stage, rig, database.url);
  },
};
