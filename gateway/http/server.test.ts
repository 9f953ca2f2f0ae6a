import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pino } from "pino";
import { WebSocket } from "ws";
import {
  BODY_BYTES_MAX,
  SOCKET_BACKLOG_BYTES_MAX,
  SOCKET_MESSAGE_BYTES_MAX,
} from "../../engine/limits.ts";
import type { HttpRequest, LiveHandler, LiveSocket, Respond, Route, Said } from "./exchange.ts";
import { ProblemError } from "./problem.ts";
import { asyncRoute, json } from "./routes.ts";
import { HttpServer } from "./server.ts";

/** Answers with what the route saw. */
const echo = (request: HttpRequest, respond: Respond): void =>
  respond(json(200, { ...request, body: request.body.toString("utf8") }));

/** More than the socket buffers of both sides take. */
const BIG = Buffer.alloc(24_000_000, "x");

class Room implements LiveHandler {
  readonly sockets: LiveSocket[] = [];
  readonly closed: number[] = [];
  open(socket: LiveSocket): void {
    this.sockets.push(socket);
    socket.send(`welcome ${socket.id} ${socket.accessToken}`);
  }
  message(socket: LiveSocket, said: Said): void {
    if (said === "explode") throw new Error("room failed");
    if (said === "join") socket.subscribe("all");
    socket.send(typeof said === "string" ? said : JSON.stringify(said));
  }
  /** What was asked of it is answered then. */
  finished: Promise<void> = Promise.resolve();
  finish(): Promise<void> {
    return this.finished;
  }
  close(socket: LiveSocket): void {
    this.closed.push(socket.id);
  }
}

async function decoded(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

const lengthOf = (text: unknown): number => (typeof text === "string" ? text.length : -1);

describe("HttpServer", () => {
  let server: HttpServer;
  let room: Room;
  let port = 0;
  let logged: { msg: string; requestId?: string }[];
  let held: { request: HttpRequest; respond: Respond }[];

  const routes: Route[] = [
    { method: "GET", path: "/things/:id", handler: echo },
    { method: "POST", path: "/things/:id/:part", handler: echo },
    { method: "GET", path: "/big", handler: (_, respond) => respond({ status: 200, body: BIG }) },
    { method: "POST", path: "/big", handler: echo, bodyBytesMax: 24_000_000 },
    { method: "DELETE", path: "/gone", handler: (_, r) => r({ status: 204, body: null }) },
    {
      method: "POST",
      path: "/hold",
      handler: (request, respond) => held.push({ request, respond }),
    },
    { method: "POST", path: "/signed", headers: ["x-signature", "x-none"], handler: echo },
    { method: "POST", path: "/full/:id", isBusy: ([id]) => id === "7", handler: echo },
    {
      method: "GET",
      path: "/throws",
      handler: () => {
        throw new Error("boom");
      },
    },
    {
      method: "GET",
      path: "/refuses",
      handler: asyncRoute(async () => {
        throw new ProblemError("forbidden", { detail: "not you" });
      }),
    },
    {
      method: "GET",
      path: "/twice",
      handler: (_, respond) => {
        respond(json(200, "first"));
        respond(json(200, "second"));
      },
    },
  ];

  beforeEach(async () => {
    logged = [];
    held = [];
    room = new Room();
    const log = pino({ level: "error" }, { write: (line) => logged.push(JSON.parse(line)) });
    server = new HttpServer({ routes, live: room, livePath: "/ws", log });
    port = await server.listen("127.0.0.1", 0);
  });

  afterEach(async () => {
    for (const { respond } of held) respond({ status: 204, body: null });
    await server.close();
  });

  /** Sends bytes as they are and reads until `enough` says so, or the connection ends. */
  function raw(text: string, enough: (got: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      let got = "";
      socket.on("data", (chunk) => {
        got += chunk.toString("latin1");
        if (enough(got)) socket.destroy();
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(got));
    });
  }

  /** A connection that has sent the beginning of a request. */
  function begin(text: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(text, () => resolve(socket)));
      socket.on("error", reject);
    });
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  }

  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
  const answered = (got: string): boolean => got.includes("\r\n\r\n") && got.endsWith("}");

  it("hands routes a copy of the request", async () => {
    const response = await fetch(url("/things/7/a%20b%C3%A9?x=1&y=%20"), {
      method: "POST",
      body: '{"a":"é"}',
      headers: {
        "content-type": "application/json",
        authorization: "Bearer t",
        "idempotency-key": "k-1",
        "x-request-id": "mine",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      },
    });
    assert.equal(response.headers.get("x-request-id"), "mine");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.deepEqual(await response.json(), {
      method: "POST",
      query: "x=1&y=%20",
      params: ["7", "a bé"],
      authorization: "Bearer t",
      contentType: "application/json",
      idempotencyKey: "k-1",
      ifNoneMatch: "",
      requestId: "mine",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      body: '{"a":"é"}',
    });
  });

  it("hands a route the headers that it asks for, and the body as it came", async () => {
    const body = '{ "b":1,\n"a" : "é" }';
    const headers = { "X-Signature": "v1,abc=", "x-other": "o" };
    const answer = await decoded(await fetch(url("/signed"), { method: "POST", body, headers }));
    assert.deepEqual(answer.headers, { "x-signature": "v1,abc=", "x-none": "" });
    assert.equal(answer.body, body);
  });

  it("makes a request id when the given one is not visible ASCII of 128 characters", async () => {
    for (const given of ["a b", "x".repeat(129), ""]) {
      const response = await fetch(url("/things/1"), { headers: { "x-request-id": given } });
      assert.match(response.headers.get("x-request-id") ?? "", /^[0-9a-f]{12}-[0-9a-z]+$/);
    }
  });

  it("goes on with the connection after a HEAD", async () => {
    const { pathname } = new URL(url("/things/1"));
    const ask = (method: string) => `${method} ${pathname} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const socket = connect(Number(new URL(url("/")).port), "127.0.0.1");
    const heads = await new Promise<number>((resolve, reject) => {
      let got = "";
      socket.on("data", (chunk) => {
        got += String(chunk);
        const count = got.split("HTTP/1.1 200 OK").length - 1;
        if (count === 1 && !got.includes("\r\n\r\n{")) socket.write(ask("GET"));
        if (count === 2) resolve(count);
      });
      socket.on("close", () => reject(new Error(`closed after ${got}`)));
      socket.write(ask("HEAD"));
    });
    socket.destroy();
    assert.equal(heads, 2);
  });

  it("answers HEAD like GET, without the body", async () => {
    const response = await fetch(url("/things/1"), { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.ok(Number(response.headers.get("content-length")) > 0);
    assert.equal(await response.text(), "");
  });

  it("answers 404 to unknown paths and to parameters that are not encoded UTF-8", async () => {
    for (const path of ["/nowhere", "/things/", "/things/%zz", "/things/%ff"]) {
      const response = await fetch(url(path));
      assert.equal(response.status, 404, path);
      assert.equal(response.headers.get("content-type"), "application/problem+json; charset=utf-8");
      const body = await decoded(response);
      assert.equal(body.code, "not_found");
      assert.equal(body.requestId, response.headers.get("x-request-id"));
    }
  });

  it("answers 405 with the methods that a known path has", async () => {
    for (const method of ["PUT", "BREW", "POST"]) {
      const response = await fetch(url("/things/1"), { method });
      assert.equal(response.status, 405, method);
      assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
    }
    const response = await fetch(url("/big"), { method: "DELETE" });
    assert.equal(response.headers.get("allow"), "GET, HEAD, POST, OPTIONS");
  });

  it("answers 204 without a body or a length", async () => {
    const response = await fetch(url("/gone"), { method: "DELETE" });
    assert.equal(response.status, 204);
    assert.equal(response.headers.get("content-length"), null);
    assert.equal(response.headers.get("content-type"), null);
  });

  it("answers busy before the body has come, and goes on with the connection", async () => {
    const ask = (id: number) =>
      `POST /full/${id} HTTP/1.1\r\nHost: h\r\nX-Request-Id: "r${id}"\r\n`;
    const refused = `${ask(7)}Content-Length: 5\r\n\r\n`;
    const got = await raw(refused, answered);
    assert.match(got, /^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n/s);
    const body = JSON.parse(got.slice(got.indexOf("\r\n\r\n")));
    assert.deepEqual([body.code, body.requestId], ["busy", '"r7"']);
    const whole = `${refused}abcde${ask(8)}Content-Length: 2\r\n\r\nhi`;
    assert.match(await raw(whole, (text) => text.includes('"body":"hi"')), /503.*200 OK/s);
    assert.deepEqual([server.openRequests, server.bodyBytes], [0, 0]);
  });

  it("refuses a body whose declared length is over the bound before it comes", async () => {
    const head = "POST /things/1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n\r\n";
    const got = await raw(head, answered);
    assert.match(got, /^HTTP\/1\.1 413 /);
    assert.match(got, /"code":"payload_too_large"/);
  });

  it("refuses a chunked body once it grows over the bound, and keeps nothing of it", async () => {
    const head = "POST /things/1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    const chunk = `8000\r\n${"x".repeat(32_768)}\r\n`;
    const got = await raw(head + chunk + chunk + chunk, answered);
    assert.match(got, /^HTTP\/1\.1 413 /);
    assert.equal(server.bodyBytes, 0);
  });

  it("takes a body of exactly the bound, whole or in chunks", async () => {
    const body = "x".repeat(BODY_BYTES_MAX);
    const whole = await fetch(url("/things/1/x"), { method: "POST", body });
    assert.equal(lengthOf((await decoded(whole)).body), BODY_BYTES_MAX);
    const head = "POST /things/1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    const got = await raw(`${head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`, answered);
    assert.match(got, /"body":"abcde"/);
  });

  it("takes larger bodies where the route says so", async () => {
    const response = await fetch(url("/big"), { method: "POST", body: BIG });
    assert.equal(lengthOf((await decoded(response)).body), BIG.length);
    assert.equal(server.bodyBytes, 0);
  });

  it("sends large answers whole, also to a client that reads late", async () => {
    const response = await fetch(url("/big"));
    assert.equal((await response.arrayBuffer()).byteLength, BIG.length);
    const socket = await begin("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    socket.pause();
    await until(() => server.openRequests === 1);
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
    });
    socket.resume();
    await until(() => bytes > BIG.length);
    await until(() => server.openRequests === 0);
    socket.destroy();
  });

  it("forgets requests that are cut off half-way", async () => {
    const half = await begin("POST /things/1/x HTTP/1.1\r\nHost: h\r\nContent-Le");
    const body = await begin("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\nabc");
    await until(() => server.openRequests === 1 && server.bodyBytes === 3);
    half.destroy();
    body.destroy();
    await until(() => server.openRequests === 0);
    assert.equal(server.bodyBytes, 0);
  });

  it("ignores the answer to a client that went away", async () => {
    const socket = await begin("POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
    await until(() => held.length === 1);
    socket.destroy();
    await until(() => server.openRequests === 0);
    held[0]?.respond(json(200, "too late"));
    assert.deepEqual(logged, []);
    assert.equal((await fetch(url("/things/1"))).status, 200);
  });

  it("sends the first of two answers and logs the second as a bug", async () => {
    const response = await fetch(url("/twice"));
    assert.equal(await response.text(), '"first"');
    assert.deepEqual(
      logged.map(({ msg }) => msg),
      ["answered twice"],
    );
  });

  it("turns a throw into 500 internal without its text, logged with the request id", async () => {
    const response = await fetch(url("/throws"), { headers: { "x-request-id": "r1" } });
    assert.equal(response.status, 500);
    const text = await response.text();
    assert.match(text, /"code":"internal"/);
    assert.doesNotMatch(text, /boom/);
    assert.equal(logged[0]?.requestId, "r1");
  });

  it("turns a thrown problem into its answer, unlogged", async () => {
    const response = await fetch(url("/refuses"));
    assert.equal(response.status, 403);
    assert.equal((await decoded(response)).detail, "not you");
    assert.deepEqual(logged, []);
  });

  it("answers pipelined requests in order", async () => {
    const get = (id: number): string => `GET /things/${id} HTTP/1.1\r\nHost: h\r\n\r\n`;
    const got = await raw(get(1) + get(2), (text) => text.includes('"params":["2"]'));
    assert.match(got, /"params":\["1"\].*"params":\["2"\]/s);
  });

  it("ends a connection at garbage, and only that one", async () => {
    const get = "GET /things/1 HTTP/1.1\r\nHost: h\r\n\r\n";
    for (const garbage of ["\x00\x01 nonsense\r\n\r\n", `${get}\x00\x01 nonsense\r\n\r\n`]) {
      assert.match(await raw(garbage, () => false), /HTTP\/1\.1 (400|505) /);
    }
    assert.equal((await fetch(url("/things/3"))).status, 200);
  });

  it("refuses lengths that are no numbers, and requests with two lengths", async () => {
    const head = "POST /things/1/x HTTP/1.1\r\nHost: h\r\n";
    assert.match(await raw(`${head}Content-Length: abc\r\n\r\n`, () => false), /^HTTP\/1\.1 400 /);
    const both = `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    assert.match(await raw(both, () => false), /^HTTP\/1\.1 400 /);
    await until(() => server.openRequests === 0);
  });

  it("does not share its port", async () => {
    const other = new HttpServer({
      routes,
      live: room,
      livePath: "/ws",
      log: pino({ level: "silent" }),
    });
    await assert.rejects(other.listen("127.0.0.1", port), { code: "listen_failed" });
    await other.close();
  });

  it("waits at its close for what is open and refuses what comes on old connections", async () => {
    const slow = fetch(url("/hold"), { method: "POST", body: "{}" });
    const idle = await begin("GET /things/1 HTTP/1.1\r\nHost: h\r\n\r\n");
    await new Promise((resolve) => idle.once("data", resolve));
    await until(() => held.length === 1);
    const closed = server.close();
    const refused = new Promise((resolve) => idle.once("data", resolve));
    idle.write("GET /things/2 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert.match(String(await refused), /^HTTP\/1\.1 503 /);
    held[0]?.respond(json(201, "done"));
    assert.equal((await slow).status, 201);
    await closed;
    await assert.rejects(fetch(url("/things/1")));
  });

  describe("live connections", () => {
    const socketUrl = (query = ""): string => `ws://127.0.0.1:${port}/ws${query}`;

    function opened(client: WebSocket): Promise<string[]> {
      const got: string[] = [];
      client.on("message", (data) => got.push(String(data)));
      return new Promise((resolve, reject) => {
        client.once("message", () => resolve(got));
        client.once("error", reject);
      });
    }

    const closing = (client: WebSocket): Promise<number> =>
      new Promise((resolve) => client.once("close", (code) => resolve(code)));

    it("hands on the token of the upgrade, text and binary frames", async () => {
      const client = new WebSocket(socketUrl("?access_token=a.b%2Bc"));
      const got = await opened(client);
      client.send("hello é");
      client.send(Buffer.from([1]));
      await until(() => got.length === 3);
      assert.deepEqual(got.slice(0, 2), ["welcome 1 a.b+c", "hello é"]);
      assert.match(got[2] ?? "", /unsupported_frame/);
      client.close(1000);
      assert.equal(await closing(client), 1000);
      await until(() => room.closed.length === 1);
      const [socket] = room.sockets;
      socket?.send("late");
      socket?.subscribe("all");
      socket?.unsubscribe("all");
      socket?.end(1000, "late");
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(got.length, 3);
    });

    it("publishes to the subscribers of a topic", async () => {
      const client = new WebSocket(socketUrl());
      const got = await opened(client);
      client.send("join");
      await until(() => server.subscriberCount("all") === 1);
      server.publish("all", "news");
      server.publish("others", "nothing");
      await until(() => got.includes("news"));
      client.terminate();
      await until(() => server.subscriberCount("all") === 0);
    });

    it("keeps the order of what is sent and what is published around it", async () => {
      for (const size of [0, 20_000]) {
        const client = new WebSocket(socketUrl());
        const got = await opened(client);
        const socket = room.sockets.at(-1);
        const say = (text: string): string => text.padEnd(size, ".");
        const texts = ["snapshot", "first", "answer", "second", "bye"].map(say);
        const [snapshot = "", first = "", answer = "", second = "", bye = ""] = texts;
        const topic = `t${size}`;
        server.publish(topic, "for nobody");
        socket?.send(snapshot);
        socket?.subscribe(topic);
        server.publish(topic, first);
        await until(() => got.includes(first));
        socket?.send(answer);
        await until(() => got.includes(answer));
        server.publish(topic, second);
        await until(() => got.includes(second));
        socket?.send(bye);
        const closed = closing(client);
        socket?.end(1000, "done");
        assert.equal(await closed, 1000);
        assert.deepEqual(got.slice(1), texts);
      }
    });

    it("ends a connection that sends too much at once", async () => {
      const client = new WebSocket(socketUrl());
      await opened(client);
      client.send("x".repeat(SOCKET_MESSAGE_BYTES_MAX + 1));
      assert.equal(await closing(client), 1006);
      await until(() => room.closed.length === 1);
    });

    it("ends the one connection whose handling fails, with 1011", async () => {
      const client = new WebSocket(socketUrl());
      const other = new WebSocket(socketUrl());
      // Heard from the beginning: whoever comes first is not always welcomed first.
      const [, got] = await Promise.all([opened(client), opened(other)]);
      client.send("explode");
      assert.equal(await closing(client), 1011);
      assert.equal(logged[0]?.msg, "live handler failed");
      other.send("still here");
      await until(() => got.includes("still here"));
      other.terminate();
    });

    for (const way of ["send", "publish"] as const) {
      it(`cuts off a slow reader of ${way} with 1013 once it reads again`, async () => {
        const client = new WebSocket(socketUrl());
        const got = await opened(client);
        client.send("join");
        await until(() => server.subscriberCount("all") === 1);
        client.pause();
        const [socket] = room.sockets;
        const text = "y".repeat(SOCKET_BACKLOG_BYTES_MAX / 4);
        while (server.subscriberCount("all") === 1) {
          if (way === "publish") server.publish("all", text);
          else socket?.send(text);
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket?.send("more");
        const closed = closing(client);
        client.resume();
        assert.equal(await closed, 1013);
        assert.ok(!got.includes("more"));
      });
    }

    it("answers at its close what was asked, before it ends connections", async () => {
      const client = new WebSocket(socketUrl());
      const got = await opened(client);
      let finish = (): void => undefined;
      room.finished = new Promise((resolve) => {
        finish = resolve;
      });
      const [ended, closed] = [closing(client), server.close()];
      client.send("still here");
      await until(() => got.includes("still here"));
      room.sockets[0]?.send("the answer");
      finish();
      assert.equal(await ended, 1001);
      assert.equal(got.at(-1), "the answer");
      await closed;
    });

    it("tells its clients at its close", async () => {
      const client = new WebSocket(socketUrl());
      await opened(client);
      const closed = closing(client);
      await server.close();
      assert.equal(await closed, 1001);
    });
  });
});
