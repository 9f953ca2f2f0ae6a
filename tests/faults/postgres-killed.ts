/** PostgreSQL is killed with all its processes under load, and comes back. */
import assert from "node:assert/strict";
import type { HoldShape, Problem } from "../support/shapes.ts";
import { availabilityOf, guestToken, ok } from "../support/venue.ts";
import { caughtUp, isReady, openRig, ownPostgres, type Rig, reckon } from "./rig.ts";
import { type Scenario, sleep } from "./scenario.ts";

export const postgresKilled: Scenario = {
  name: "postgres-killed",
  title: "PostgreSQL killed under load: selling goes on, and PostgreSQL catches up when it is back",
  async run(stage) {
    const database = await ownPostgres(stage);
    const rig = await openRig(stage, { database });
    const { api, traffic } = rig;
    await traffic.start();
    const rounds = stage.isLong ? 5 : 1;
    for (let round = 0; round < rounds; round += 1) {
      await traffic.sees("201", 300);
      const downMs = Date.now();
      await database.kill9();
      const goneMs = Date.now();
      await sleep(stage.isLong ? 8_000 : 500);
      await trueWithoutDatabase(rig);
      await traffic.sees("201", 100);
      const upMs = Date.now();
      await database.restart();
      const startedMs = Date.now();
      const lagMs = await caughtUp(api);
      stage.figure(`round ${round + 1}: 201 while down`, traffic.latency("201", goneMs, upMs));
      stage.figure("away", `${startedMs - downMs} ms`);
      stage.figure("caught up", `${lagMs} ms after`);
      assert.deepEqual(Object.keys(traffic.outcomes()), ["201"], "nobody is refused anything");
    }
    stage.did(`SIGKILL of all of PostgreSQL's processes under load, ${rounds} ×, and a restart`);
    stage.holds("no request of the sale was refused");
    await reckon(stage, rig, database.url);
  },
};

/** What needs no database is answered truly; what needs one is refused at once. */
async function trueWithoutDatabase(rig: Rig): Promise<void> {
  const { api, traffic } = rig;
  const token = await guestToken(api);
  const items = [{ area: "floor", quantity: 1 }];
  const at = `/api/v1/events/${traffic.event.id}`;
  const ask = { token, key: "while-down", body: { items } };
  const held = ok(await api.post<HoldShape>(`${at}/holds`, ask), 201);
  assert.deepEqual(ok(await api.post<HoldShape>(`${at}/holds`, ask), 201), held);
  assert.deepEqual(ok(await api.get<HoldShape>(`/api/v1/holds/${held.id}`, { token })), held);
  ok(await api.delete(`/api/v1/holds/${held.id}`, { token }), 204);
  await availabilityOf(api, traffic.event.id);
  const catalogue = await api.get<Problem>("/api/v1/events");
  assert.deepEqual([catalogue.status, catalogue.body.code], [503, "busy"]);
  assert.equal(catalogue.headers["retry-after"], "1");
  assert.equal(await isReady(api), false);
}
