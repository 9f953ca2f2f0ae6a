import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { WEBHOOK_ANSWER_BYTES_MAX } from "../../engine/notifier-limits.ts";
import { AddressGuard } from "./address-guard.ts";
import { GuardedPost, type Posted } from "./guarded-post.ts";

/** How the next request is answered. */
let answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
let requests = 0;
let sockets = 0;
const server = http.createServer((request, response) => {
  requests += 1;
  request.resume();
  answer(request, response);
});
server.on("connection", () => {
  sockets += 1;
});
let port = 0;
/** What the name `receiver.example` resolves to, question by question. */
let resolved: string[][] = [];
const guard = new AddressGuard({
  allowHttp: true,
  allowAddresses: ["127.0.0.1"],
  resolve: async () => resolved.shift() ?? [],
});
const post = new GuardedPost(guard, { tryMs: 1_500, connectMs: 1_000 });

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
after(() => {
  post.close();
  server.closeAllConnections();
  server.close();
});

const send = (url = `http://127.0.0.1:${port}/`, stopping = new AbortController().signal) =>
  post.send(url, { headers: { "X-Test": "1" }, body: "{}", stopping });
const short = ({ status, error }: Posted): unknown[] => [status, error];

test("an answer is its status and its first characters", async () => {
  answer = (request, response) => {
    assert.equal(request.headers["x-test"], "1");
    response.writeHead(429, { "Retry-After": "7" }).end(`slow\0 down ${"ü".repeat(5_000)}`);
  };
  const posted = await send();
  assert.deepEqual(short(posted), [429, null]);
  assert.equal(posted.retryAfter, "7");
  assert.match(posted.answer ?? "", /^slow down ü{490}$/);
});

test("a redirect is an answer, and not followed", async () => {
  requests = 0;
  answer = (_, response) => {
    response.writeHead(302, { Location: `http://127.0.0.1:${port}/secret` }).end();
  };
  assert.deepEqual(short(await send()), [302, null]);
  assert.equal(requests, 1);
});

test("a long answer is cut, and its connection closed", async () => {
  let isClosed = false;
  let written = 0;
  answer = (_, response) => {
    response.writeHead(200);
    const more = (): void => {
      if (isClosed) return;
      written += 4_096;
      response.write(Buffer.alloc(4_096, 97), () => setImmediate(more));
    };
    response.on("close", () => {
      isClosed = true;
    });
    more();
  };
  const posted = await send();
  assert.deepEqual(short(posted), [200, null]);
  for (let turn = 0; turn < 1_000 && !isClosed; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(isClosed);
  assert.ok(written >= WEBHOOK_ANSWER_BYTES_MAX);
});

test("a body that does not end, an answer that does not come, and one that breaks off", async () => {
  answer = (_, response) => {
    response.writeHead(200).write("a");
  };
  assert.deepEqual(short(await send()), [null, "timeout"]);
  answer = () => undefined;
  assert.deepEqual(short(await send()), [null, "timeout"]);
  answer = (request) => request.socket.destroy();
  assert.deepEqual(short(await send()), [null, "connection_closed"]);
  answer = (request, response) => {
    response.writeHead(200, { "Content-Length": "100" }).write("a");
    setImmediate(() => request.socket.destroy());
  };
  assert.deepEqual(short(await send()), [null, "connection_closed"]);
});

test("who stops does not wait", async () => {
  const stopping = new AbortController();
  answer = () => stopping.abort();
  assert.deepEqual(short(await send(undefined, stopping.signal)), [null, "stopped"]);
  assert.deepEqual(short(await send(undefined, stopping.signal)), [null, "stopped"]);
});

test("a connection is used again, and a new one made where it has gone", async () => {
  answer = (_, response) => {
    response.writeHead(204).end();
  };
  assert.deepEqual(short(await send()), [204, null]);
  const before = sockets;
  assert.deepEqual(short(await send()), [204, null]);
  assert.equal(sockets, before);
  server.closeIdleConnections();
  assert.deepEqual(short(await send()), [204, null]);
  assert.equal(sockets, before + 1);
});

test("nobody listens, or nobody speaks TLS", async () => {
  assert.deepEqual(short(await send("http://127.0.0.1:1024/")), [null, "connection_refused"]);
  const posted = await send(`https://127.0.0.1:${port}/`);
  assert.equal(posted.status, null);
  assert.match(posted.error ?? "", /^(?:tls_failed|connection_failed)$/);
});

test("each connection goes where the guard has looked, whatever the name says next", async () => {
  const own = new GuardedPost(guard, { tryMs: 1_500, connectMs: 1_000 });
  const stopping = new AbortController().signal;
  const once = () =>
    own.send(`http://receiver.example:${port}/`, { headers: {}, body: "{}", stopping });
  answer = (_, response) => {
    response.writeHead(204, { Connection: "close" }).end();
  };
  requests = 0;
  // A rebinding name: fine at first, then inside.
  resolved = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1", "10.0.0.1"], ["169.254.169.254"]];
  assert.deepEqual(short(await once()), [204, null]);
  for (let times = 0; times < 3; times += 1) {
    assert.deepEqual(short(await once()), [null, "address_refused"]);
  }
  assert.deepEqual(short(await once()), [null, "name_unknown"]);
  assert.deepEqual(resolved, []);
  assert.equal(requests, 1);
  for (const url of ["http://10.0.0.1/", "http://[::1]/", "http://0x7f000002/"]) {
    assert.deepEqual(short(await send(url)), [null, "address_refused"]);
  }
  own.close();
});

test("a name that does not resolve in time ends at the bound of connecting", async () => {
  const silent = new AddressGuard({
    allowHttp: true,
    allowAddresses: [],
    resolve: () => new Promise(() => undefined),
  });
  const own = new GuardedPost(silent, { tryMs: 5_000, connectMs: 50 });
  const stopping = new AbortController().signal;
  const posted = await own.send("http://receiver.example/", { headers: {}, body: "", stopping });
  assert.deepEqual(short(posted), [null, "connect_timeout"]);
  own.close();
});
