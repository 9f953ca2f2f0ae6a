import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pino } from "pino";
import type { Route } from "./exchange.ts";
import { json } from "./routes.ts";
import { HttpServer } from "./server.ts";
import { SlowClients } from "./slow-clients.ts";

/** More than the socket buffers of both sides take. */
const BIG = Buffer.alloc(24_000_000, "x");
const POST = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n";

describe("SlowClients", () => {
  let server: HttpServer;
  let slow: SlowClients;
  let port = 0;
  const routes: Route[] = [
    { method: "GET", path: "/big", handler: (_, respond) => respond({ status: 200, body: BIG }) },
    {
      method: "POST",
      path: "/echo",
      handler: ({ body }, respond) => respond(json(200, body.toString())),
    },
  ];

  async function serve(clients: SlowClients): Promise<void> {
    slow = clients;
    const live = { open: () => undefined, message: () => undefined, close: () => undefined };
    const log = pino({ level: "silent" });
    server = new HttpServer({ routes, live, livePath: "/ws", log, slow });
    port = await server.listen("127.0.0.1", 0);
  }

  beforeEach(() => serve(new SlowClients(0, Number.POSITIVE_INFINITY)));
  afterEach(() => server.close());

  function begin(text: string): Socket {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(text);
    return socket;
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  }

  it("hangs up on a body that does not come to its end, and keeps nothing of it", async () => {
    const socket = begin(`${POST}half`);
    let answer = "";
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    await once(socket, "close");
    assert.match(answer, /^HTTP\/1\.1 408 .*"code":"request_timeout"/s);
    assert.deepEqual([server.openRequests, server.bodyBytes, slow.size], [0, 0, 0]);
  });

  it("hangs up on who asks for much and does not read it", async () => {
    const socket = begin("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    socket.pause();
    await until(() => server.openRequests === 1);
    await until(() => server.openRequests === 0);
    assert.equal(slow.size, 0);
    socket.resume();
    await once(socket, "close");
    assert.ok(socket.bytesRead < BIG.length);
  });

  it("forgets who has sent all of it, and who has gone", async () => {
    await server.close();
    await serve(new SlowClients());
    const socket = begin(`${POST}half`);
    await until(() => slow.size === 1);
    socket.write("morebb");
    const [answer] = await once(socket, "data");
    assert.match(String(answer), /200 OK.*"halfmorebb"/s);
    assert.equal(slow.size, 0);
    socket.write(`${POST}half`);
    await until(() => slow.size === 1);
    socket.destroy();
    await until(() => slow.size === 0);
    assert.deepEqual([server.openRequests, server.bodyBytes], [0, 0]);
  });
});
