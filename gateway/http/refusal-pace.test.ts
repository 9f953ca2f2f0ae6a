import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { pino } from "pino";
import {
  REFUSAL_WAIT_MS_MAX,
  REFUSALS_AT_ONCE_MAX,
  REFUSALS_PER_SECOND_MAX,
} from "../../engine/door-limits.ts";
import { until } from "../../tests/support/server.ts";
import { ManualClock } from "../../workers/testing/manual-clock.ts";
import { OPEN_DOOR } from "./door.ts";
import { RefusalPace } from "./refusal-pace.ts";
import { HttpServer } from "./server.ts";

describe("RefusalPace", () => {
  const clock = new ManualClock();
  let pace: RefusalPace;
  let said: { readonly n: number; readonly atMs: number }[] = [];

  /** All that may be said at once is said, and then `count` more come. */
  function flood(count: number, isThere: (n: number) => boolean = () => true): void {
    pace = new RefusalPace(clock);
    said = [];
    for (let n = 0; n < REFUSALS_AT_ONCE_MAX; n += 1) assert.ok(pace.isTurn());
    for (let n = 0; n < count; n += 1) {
      assert.equal(pace.isTurn(), false);
      pace.wait(() => {
        if (isThere(n)) said.push({ n, atMs: clock.nowMs });
        return isThere(n);
      });
    }
  }

  it("says what comes past its rate in turn, at that rate", async () => {
    const count = REFUSALS_PER_SECOND_MAX / 5;
    flood(count);
    const sinceMs = clock.nowMs;
    await clock.pass(200);
    assert.deepEqual(
      said.map(({ n }) => n),
      Array.from({ length: count }, (_, n) => n),
    );
    for (const { n, atMs } of said) {
      const dueMs = ((n + 1) * 1_000) / REFUSALS_PER_SECOND_MAX;
      assert.ok(Math.abs(atMs - sinceMs - dueMs) <= 10, `${n} after ${atMs - sinceMs} ms`);
    }
    assert.equal(clock.pending, 0, "no timer runs while nobody waits");
  });

  it("tells everybody soon after the bound, however many they are, some in each turn", async () => {
    const count = REFUSALS_PER_SECOND_MAX;
    flood(count);
    const sinceMs = clock.nowMs;
    await clock.pass(REFUSAL_WAIT_MS_MAX - 5);
    assert.ok(said.length < count);
    await clock.pass(100);
    assert.equal(said.length, count);
    const perTurn = new Map<number, number>();
    for (const { atMs } of said) perTurn.set(atMs, (perTurn.get(atMs) ?? 0) + 1);
    assert.ok(Math.max(...perTurn.values()) <= 512);
    assert.ok(said.every(({ atMs }) => atMs - sinceMs <= REFUSAL_WAIT_MS_MAX + 100));
  });

  it("spends nothing on those who have gone", async () => {
    const count = REFUSALS_PER_SECOND_MAX / 5;
    flood(2 * count, (n) => n >= count);
    await clock.pass(200);
    assert.equal(said.length, count, "those behind them are told in their stead");
  });

  it("lets nobody pass those who wait", async () => {
    flood(REFUSALS_PER_SECOND_MAX / 10);
    await clock.pass(50);
    assert.ok(said.length > 0);
    assert.equal(pace.isTurn(), false);
    await clock.pass(100);
    assert.equal(pace.isTurn(), true, "when all are told, it is said at once again");
  });

  it("says at its end what still waits", () => {
    flood(100);
    pace.end();
    assert.equal(said.length, 100);
    assert.equal(clock.pending, 0);
    for (let n = 0; n < 2 * REFUSALS_AT_ONCE_MAX; n += 1) assert.ok(pace.isTurn());
  });
});

describe("a server that refuses more than its pace allows", () => {
  const ASK = "POST /full HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";

  it("keeps who waits, forgets who goes, and tells all at its close", async () => {
    const clock = new ManualClock();
    const pace = new RefusalPace(clock);
    while (pace.isTurn());
    const server = new HttpServer({
      routes: [{ method: "POST", path: "/full", isBusy: () => true, handler: () => undefined }],
      live: { open: () => undefined, message: () => undefined, close: () => undefined },
      livePath: "/ws",
      log: pino({ level: "silent" }),
      door: { ...OPEN_DOOR, pace },
    });
    const port = await server.listen("127.0.0.1", 0);
    /** Asks, and resolves once `open` requests wait at the server. */
    const ask = async (open: number, socket = connect(port, "127.0.0.1")): Promise<Socket> => {
      socket.write(ASK);
      await until("it waits", () => server.openRequests === open);
      return socket;
    };
    const told = async (socket: Socket): Promise<void> => {
      const [answer] = await once(socket, "data");
      assert.match(String(answer), /^HTTP\/1\.1 503 .*"code":"busy"/s);
    };

    const stays = await ask(1);
    const goes = await ask(2);
    goes.destroy();
    await until("it is forgotten", () => server.openRequests === 1);
    // Its body may come meanwhile: nobody listens to it.
    stays.write("body");
    const answer = told(stays);
    await clock.pass(10);
    await answer;
    assert.equal(server.openRequests, 0);

    while (pace.isTurn());
    await ask(1, stays);
    stays.write("body");
    await Promise.all([told(stays), server.close()]);
    assert.equal(server.openRequests, 0);
    stays.destroy();
  });
});
