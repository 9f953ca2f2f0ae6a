/** The bench's own WebSocket client against the real server, and against a server that lies. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { WebSocketServer } from "ws";
import { BenchApi } from "../../bench/bench-api.ts";
import { contentCheck } from "../../bench/live/content-verdict.ts";
import { Crowd } from "../../bench/live/crowd.ts";
import { fanOutChecks } from "../../bench/live/fan-out-verdict.ts";
import { LiveCaller } from "../../bench/load/live-caller.ts";
import { LiveRefused, LiveSocket } from "../../bench/load/live-socket.ts";
import { ADMIN, OPS_TOKEN, TestNode } from "../support/server.ts";

const node = await TestNode.start();
after(() => node.remove());
const api = new BenchApi(node.url, { ...ADMIN, opsToken: OPS_TOKEN });

test("a snapshot that is longer than two bytes can say arrives whole", async () => {
  const seats = 70_000;
  const eventId = await api.openEvent({ title: "Big", seats });
  let heard: (text: string) => void = () => undefined;
  const message = new Promise<string>((resolve) => {
    heard = resolve;
  });
  const socket = await LiveSocket.open({
    url: node.url,
    token: "",
    heard: (bytes, start, end) => heard(bytes.toString("latin1", start, end)),
    closed: () => undefined,
  });
  socket.send(JSON.stringify({ op: "subscribe", eventId }));
  const snapshot = JSON.parse(await message) as { op: string; statuses: string };
  socket.close();
  assert.deepEqual([snapshot.op, snapshot.statuses], ["snapshot", "f".repeat(seats)]);
});

test("64 requests of one turn are answered, each once and as it was asked", async () => {
  const eventId = await api.openEvent({ title: "Club", places: 60 });
  const [token = ""] = await api.guestTokens(1);
  const caller = await LiveCaller.open({ url: node.url, token });
  const replies = await Promise.all(
    Array.from(
      { length: 64 },
      () =>
        new Promise<{ status: number; id: string; seq: number }>((resolve) => {
          const fields = `"eventId":"${eventId}","items":[{"area":"floor","quantity":1}]`;
          caller.request("hold", fields, ({ status, bodyId, seq }) => {
            resolve({ status, id: bodyId, seq });
          });
        }),
    ),
  );
  assert.equal(caller.inFlight, 0);
  const held = replies.filter(({ status }) => status === 201);
  assert.equal(held.length, 60);
  assert.equal(new Set(held.map(({ id }) => id)).size, 60);
  assert.equal(new Set(held.map(({ seq }) => seq)).size, 60);
  assert.ok(replies.every(({ status }) => status === 201 || status === 409));
  caller.close();
});

test("who asks over a connection that has ended is told so", async () => {
  const caller = await LiveCaller.open({ url: node.url, token: "" });
  caller.close();
  const status = await new Promise((resolve) => {
    caller.request("hold", `"eventId":""`, (reply) => resolve(reply.status));
  });
  assert.equal(status, 0);
});

test("a server that refuses the upgrade, or is not there, is an error", async () => {
  const heard = { heard: () => undefined, closed: () => undefined, token: "" };
  await assert.rejects(LiveSocket.open({ url: "http://127.0.0.1:1", ...heard }), LiveRefused);
  await assert.rejects(
    LiveSocket.open({ url: node.url, ...heard, token: " bad\r\n" }),
    LiveRefused,
  );
});

const EVENT = "018f3c9a-7b10-7000-8000-0007a4b1c2d3";

/** Five subscribers of a server that welcomes them with this, and then says what a test wants. */
async function crowdOf(snapshot: object): Promise<{ crowd: Crowd; server: WebSocketServer }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  server.on("connection", (socket) => {
    socket.on("message", () => socket.send(JSON.stringify(snapshot)));
  });
  const crowd = await Crowd.gather({
    url: `http://127.0.0.1:${address.port}`,
    eventId: EVENT,
    subscribers: 5,
    threads: 2,
    localAddresses: [],
    welcomed: () => undefined,
  });
  crowd.begin();
  return { crowd, server };
}

test("a subscriber that a server leaves out once finds the gap", async () => {
  const base = { eventId: EVENT, epoch: 1 };
  const { crowd, server } = await crowdOf({ op: "snapshot", ...base, seq: 1, statuses: "" });
  const clients = [...server.clients];
  for (const to of [2, 3, 4]) {
    const delta = JSON.stringify({ op: "delta", ...base, from: to - 1, to, seats: [] });
    for (const [index, client] of clients.entries()) {
      if (to !== 3 || index !== 2) client.send(delta);
    }
  }
  const found = await crowd.end(4);
  await crowd.leave();
  assert.equal(
    found.reduce((sum, { gapCount }) => sum + gapCount, 0),
    1,
  );
  assert.equal(
    found.reduce((sum, { behind }) => sum + behind, 0),
    0,
  );
});

test("a server that leaves a seat out of a delta is found out by content alone", async () => {
  const base = { eventId: EVENT, epoch: 1 };
  const counts = { areas: [], free: 0, held: 2, sold: 0, blocked: 0 };
  const first = { op: "snapshot", ...base, seq: 1, statuses: "ff", ...counts, free: 2, held: 0 };
  const truth = { ...base, seq: 3, statuses: "hh", ...counts };
  for (const liesTo of [null, 3]) {
    const { crowd, server } = await crowdOf(first);
    for (const [index, client] of [...server.clients].entries()) {
      for (const to of [2, 3]) {
        const seats = to === 3 && index === liesTo ? [] : [[to - 2, "h"]];
        const delta = { op: "delta", ...base, from: to - 1, to, seats, ...counts };
        client.send(JSON.stringify(delta));
      }
    }
    const found = await crowd.end(3);
    await crowd.leave();
    const made = [2, 3].map((seq) => ({ seq, dueMs: 0, answeredMs: 0 }));
    assert.ok(fanOutChecks(made, found, 5).every(({ ok }) => ok));
    const sample = found.flatMap((each) => each.sample);
    const { ok, detail } = contentCheck(sample, { ok: true, value: truth }, 5);
    assert.equal(ok, liesTo === null, detail);
  }
});
