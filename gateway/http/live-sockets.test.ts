import assert from "node:assert/strict";
import { test } from "node:test";
import { Packr } from "msgpackr";
import { pino } from "pino";
import { SOCKET_FLOOD_FACTOR } from "../../engine/door-limits.ts";
import { Door, OPEN_DOOR } from "./door.ts";
import type { Said } from "./exchange.ts";
import type { LiveConnection, RawSocket } from "./live-connection.ts";
import { LiveSockets } from "./live-sockets.ts";
import { watchOf } from "./observation.ts";

const BOUND = 5;
const packr = new Packr({ useRecords: false });

/** One connection that speaks MessagePack, and may say five messages, and hardly any more. */
function bench() {
  const heard: Said[] = [];
  const ends: number[] = [];
  let connection: LiveConnection | null = null;
  const log = pino({ level: "silent" });
  const live = {
    open: () => undefined,
    message: (_: unknown, said: Said) => heard.push(said),
    close: () => undefined,
  };
  const door = new Door({ ...OPEN_DOOR, messages: { count: BOUND, windowMs: 10_000_000 } });
  const sockets = new LiveSockets({ live, door, watch: watchOf(log), log });
  const raw: RawSocket = {
    send: () => undefined,
    cork: (send) => send(),
    subscribe: () => true,
    unsubscribe: () => true,
    getTopics: () => [],
    getBufferedAmount: () => 0,
    end: (code) => {
      ends.push(code);
      if (connection !== null) sockets.closed(connection);
    },
    close: () => undefined,
  };
  const entered = sockets.enter(
    { getRemoteAddress: () => new Uint8Array([127, 0, 0, 1]).buffer },
    {
      getHeader: (name) => (name === "sec-websocket-protocol" ? "evently.v1.msgpack" : ""),
      getQuery: () => undefined,
      forEach: () => undefined,
    },
  );
  assert.ok(typeof entered !== "string");
  connection = entered;
  sockets.opened(connection, raw);
  const say = (...messages: unknown[]): void => {
    const bytes = Uint8Array.from(Buffer.concat(messages.map((each) => packr.pack(each))));
    sockets.heard(entered, bytes.buffer, true);
  };
  return { heard, ends, say, sockets };
}

test("of messages in one frame each is counted, and beyond the bound none is read", () => {
  const { heard, ends, say } = bench();
  say({ op: "a" }, { op: "b" }, { op: "c" });
  assert.equal(heard.length, 3);
  say({ op: "d" }, { op: "e" }, { op: "f" }, { op: "g" });
  assert.equal(heard.length, BOUND);
  assert.deepEqual(ends, []);
});

test("who floods is ended in the middle of a frame, and nothing behind that is heard", () => {
  const { heard, ends, say, sockets } = bench();
  say(...Array.from({ length: 200 }, () => ({ op: "a" })));
  assert.deepEqual([heard.length, ends, sockets.size], [BOUND, [1008], 0]);
  say({ op: "more" });
  assert.equal(heard.length, BOUND);
});

test("a frame without a message counts as one", () => {
  const { heard, ends, say } = bench();
  for (let n = 0; n <= BOUND * SOCKET_FLOOD_FACTOR; n += 1) say([]);
  assert.deepEqual([heard.length, ends], [BOUND, [1008]]);
});
