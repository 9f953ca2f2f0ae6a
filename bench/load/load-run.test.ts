import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { unpacked } from "./acknowledgements.ts";
import { plainSale } from "./flows/plain-sale.ts";
import { runHttpLoad } from "./http-load.ts";

const HOLD_ID = "0190a000-0000-7000-8000-000000000000";

/** A server that answers each request as it is told to; `n` counts from 1. */
async function serve(
  context: TestContext,
  answer: (socket: Socket, n: number) => void,
): Promise<{ url: string; requests: () => number }> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      for (const _ of chunk.toString("latin1").matchAll(/^(?:POST|GET) /gm)) {
        requests += 1;
        answer(socket, requests);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return { url: `http://127.0.0.1:${port}`, requests: () => requests };
}

const idOf = (n: number): string => HOLD_ID.slice(0, -6) + String(n).padStart(6, "0");
const money = '"items":[{"price":1000}],"total":{"amount":1000}';
const body = (n: number): string => `{"id":"${idOf(n)}",${money},"status":"active"}`;
const whole = (n: number, status = "201 Created"): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${body(n).length}\r\n\r\n${body(n)}`;

const flow = {
  kind: "hold",
  eventId: HOLD_ID,
  area: "floor",
  capacity: 1e6,
  tokens: ["t"],
} as const;
const load = { flow, connections: 4, seconds: 10 };

test("exactly as many requests are sent as were wanted, and every answer is counted", async (t) => {
  const { url, requests } = await serve(t, (socket, n) => socket.write(whole(n)));
  const { streams, findings } = await runHttpLoad({ ...load, url, requests: 501 });
  assert.equal(requests(), 501);
  assert.equal(streams[0]?.count, 501);
  assert.deepEqual(streams[0]?.statuses, { 201: 501 });
  const held = new Set([...unpacked(findings.acknowledged.holds)].map(({ id }) => id));
  assert.deepEqual([held.size, held.has(idOf(501)), findings.faults], [501, true, []]);
});

test("what is sent while a load settles is acknowledged, and counts for no figure", async (t) => {
  const { url, requests } = await serve(t, (socket, n) => socket.write(whole(n)));
  const rated = { ...load, url, settleSeconds: 0.5, seconds: 0.5, ratePerSecond: 100 };
  const { streams, findings, neverSent, succeeded } = await runHttpLoad(rated);
  const count = Number(streams[0]?.count);
  assert.ok(count > 0 && count <= 51, `${count} of about 50 that were due then`);
  assert.ok(requests() > count);
  assert.deepEqual(succeeded, { holds: requests() });
  assert.equal([...unpacked(findings.acknowledged.holds)].length, requests());
  assert.equal(requests() + neverSent >= 100, true, "all of both halves was due");
});

test("what was on its way when times began to count is made up for by what is at the end", async (t) => {
  const answer = (socket: Socket, n: number): void => {
    setTimeout(() => socket.write(whole(n)), 300);
  };
  const { url } = await serve(t, answer);
  let counted = 0;
  const counting = (): void => {
    counted += 1;
  };
  const settled = { ...load, url, settleSeconds: 0.4, seconds: 0.5, counting };
  const { streams, seconds } = await runHttpLoad(settled);
  assert.equal(seconds, 0.5, "and not 0.5 to 0.8, by when the last answer came");
  assert.ok(Number(streams[0]?.count) > 0);
  assert.equal(counted, 1);
});

test("when the time is over, what is on its way is waited for", async (t) => {
  const answer = (socket: Socket, n: number): void => {
    setTimeout(() => socket.write(whole(n)), 600);
  };
  const { url, requests } = await serve(t, answer);
  const { streams, seconds } = await runHttpLoad({ ...load, url, seconds: 0.3 });
  assert.equal(requests(), 4);
  assert.equal(streams[0]?.count, 4);
  assert.ok(seconds >= 0.6);
});

test("answers are read whole, in pieces, in chunks, and without a body", async (t) => {
  const { url } = await serve(t, (socket, n) => {
    const text = whole(n);
    if (n % 4 === 0) socket.write(text);
    else if (n % 4 === 1) {
      socket.write(text.slice(0, 60));
      setImmediate(() => socket.write(text.slice(60)));
    } else if (n % 4 === 2) {
      const size = body(n).length.toString(16);
      const head = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n";
      socket.write(`${head}${size}\r\n${body(n)}\r\n0\r\n\r\n`);
    } else socket.write("HTTP/1.1 204 No Content\r\n\r\n");
  });
  const { streams, findings } = await runHttpLoad({ ...load, url, connections: 1, requests: 40 });
  assert.deepEqual(streams[0]?.statuses, { 201: 30, 204: 10 });
  assert.equal([...unpacked(findings.acknowledged.holds)].length, 30);
  assert.match(findings.faults[0] ?? "", /^a hold was answered 204/);
});

test("a lost answer is counted, and asked for again under the same key", async (t) => {
  const { url } = await serve(t, (socket, n) => {
    if (n % 3 === 0) socket.destroy();
    else socket.write(whole(n));
  });
  const { streams, findings } = await runHttpLoad({ ...load, url, connections: 1, requests: 9 });
  assert.deepEqual(streams[0]?.statuses, { 0: 3, 201: 6 });
  assert.equal([...unpacked(findings.acknowledged.holds)].length, 6);
  // The ninth was the last that was wanted: nobody asked again.
  assert.deepEqual(findings.acknowledged.unknownHeld, [[0, 1]]);
});

test("where nobody answers, the load ends by itself", async (t) => {
  const { url } = await serve(t, (socket) => socket.destroy());
  const { streams } = await runHttpLoad({ ...load, url, seconds: 600 });
  assert.equal(streams[0]?.count, 0);
  const nobody = await runHttpLoad({ ...load, url: "http://127.0.0.1:9", seconds: 600 });
  assert.deepEqual(nobody.streams[0]?.statuses, {});
});

test("with a rate, a standstill makes all late that were due in it", async (t) => {
  const standstillMs = 500;
  let isStill = false;
  const waiting: (() => void)[] = [];
  const { url } = await serve(t, (socket, n) => {
    if (n === 20) {
      isStill = true;
      setTimeout(() => {
        isStill = false;
        for (const answer of waiting.splice(0)) answer();
      }, standstillMs);
    }
    const answer = (): void => {
      socket.write(whole(n));
    };
    if (isStill) waiting.push(answer);
    else answer();
  });
  const options = { ...load, url, connections: 1, seconds: 1.5, ratePerSecond: 100 };
  const { streams } = await runHttpLoad(options);
  const [holds] = streams;
  assert.equal(holds?.isCorrected, true);
  assert.ok(Number(holds?.count) <= 150, "no more than the rate");
  // About 50 of 150 were due meanwhile; uncorrected, one would be late.
  assert.ok(Number(holds?.latencyMs.p90) > standstillMs / 4, `p90 ${holds?.latencyMs.p90}`);
});

test("a load that is told to stop ends as if its time were over", async (t) => {
  const stopping = new AbortController();
  const { url } = await serve(t, (socket, n) => {
    if (n === 10) stopping.abort();
    socket.write(whole(n));
  });
  const { streams } = await runHttpLoad({ ...load, url, seconds: 600, signal: stopping.signal });
  assert.ok(Number(streams[0]?.count) >= 10);
});

test("what would have been due after all was held is not missed", async (t) => {
  const { url } = await serve(t, (socket, n) => socket.write(whole(n)));
  const few = { ...flow, capacity: 20 };
  const options = { url, flow: few, connections: 4, seconds: 60, ratePerSecond: 100 };
  const { neverSent, streams } = await runHttpLoad(options);
  assert.ok(Number(streams[0]?.count) >= 20);
  assert.ok(neverSent < 1_000, `${neverSent} of 6000`);
});

test("with a rate, no request is late since somebody thinks", async (t) => {
  const { url } = await serve(t, (socket, n) => socket.write(whole(n)));
  const event = { eventId: HOLD_ID, seatIds: null, area: "floor", capacity: 1e6 };
  const asked = { tokens: ["t"], lagMs: 0, holdTtlSeconds: 60, seed: 1 };
  const thinking = { meanMs: 30_000, hasRate: true };
  const sale = { ...plainSale(event, asked), thinking };
  const options = { url, flow: sale, connections: 2, seconds: 1, ratePerSecond: 100 };
  const { streams, neverSent, findings } = await runHttpLoad(options);
  const [holds, ...others] = streams;
  assert.deepEqual([holds?.name, others], ["holds", []]);
  // Two connections whose buyers think would send two.
  assert.ok(Number(holds?.count) > 20 && Number(holds?.count) + neverSent <= 101);
  assert.equal(findings.counts.buyers, holds?.count);
});
