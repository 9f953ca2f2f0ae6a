import assert from "node:assert/strict";
import { test } from "node:test";
import { Unpackr } from "msgpackr";
import { SOCKET_CUT_OFF_MS_MAX } from "../../engine/limits.ts";
import { LiveConnection, type RawSocket } from "./live-connection.ts";

const unpackr = new Unpackr({ useRecords: false });

/** What the library was asked for, in order; what is sent corked is one write. */
class FakeRaw implements RawSocket {
  readonly calls: string[] = [];
  #corked: string[] | null = null;
  /** Called when this text is sent, as the library does for one that it drops. */
  dropped: { readonly text: string; readonly tell: () => void } | null = null;
  /** Called at its end, at once, as the library does. */
  ended: () => void = () => undefined;

  /** Bytes of it that the client has not read. */
  backlog = 0;

  send(text: string | Uint8Array, isBinary: boolean): void {
    const said = isBinary
      ? `packed ${JSON.stringify(unpackr.unpackMultiple(text as Uint8Array))}`
      : Buffer.from(text).toString();
    if (said === this.dropped?.text) this.dropped.tell();
    else if (this.#corked === null) this.calls.push(`write ${said}`);
    else this.#corked.push(said);
  }
  cork(send: () => void): void {
    this.#corked = [];
    send();
    if (this.#corked.length > 0) this.calls.push(`write ${this.#corked.join(" ")}`);
    this.#corked = null;
  }
  subscribe(topic: string): boolean {
    return this.calls.push(`subscribe ${topic}`) > 0;
  }
  unsubscribe(topic: string): boolean {
    return this.calls.push(`unsubscribe ${topic}`) > 0;
  }
  getTopics(): string[] {
    return ["a"];
  }
  getBufferedAmount(): number {
    return this.backlog;
  }
  end(code: number): void {
    this.calls.push(`end ${code}`);
    this.ended();
  }
  close(): void {
    this.calls.push("close");
  }
}

function opened(isPacked = false): { connection: LiveConnection; raw: FakeRaw } {
  const options = { id: 1, accessToken: "", network: 1, messages: null, isPacked };
  const connection = new LiveConnection(options);
  const raw = new FakeRaw();
  connection.opened(raw);
  raw.ended = () => connection.closed();
  return { connection, raw };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what is sent during a turn leaves at its end, in order and in one write", async () => {
  const { connection, raw } = opened();
  connection.send("one");
  connection.send(Buffer.from("two"));
  assert.deepEqual(raw.calls, []);
  await turn();
  assert.deepEqual(raw.calls, ["write one two"]);
  connection.send("three");
  await turn();
  assert.deepEqual(raw.calls, ["write one two", "write three"]);
});

test("of what is sent at once, so much is kept and no more", async () => {
  const { connection, raw } = opened();
  const texts = Array.from({ length: 150 }, (_, n) => String(n));
  for (const text of texts) connection.send(text);
  assert.equal(raw.calls.length, 2);
  await turn();
  assert.equal(raw.calls.length, 3);
  assert.deepEqual(raw.calls.join(" ").replaceAll("write ", "").split(" "), texts);
});

test("what was sent leaves before another topic is heard, and before the end", async () => {
  const { connection, raw } = opened();
  connection.send("snapshot");
  connection.subscribe("a");
  connection.send("bye");
  connection.end(1001, "away");
  await turn();
  assert.deepEqual(raw.calls, ["write snapshot", "subscribe a", "write bye", "end 1001"]);
});

test("nothing reaches a socket that is gone", async () => {
  const { connection, raw } = opened();
  connection.send("too late");
  connection.closed();
  connection.send("later still");
  connection.end(1000, "");
  await turn();
  assert.deepEqual(raw.calls, []);
});

test("nothing is sent behind the end, in the same turn or later", async () => {
  const { connection, raw } = opened();
  connection.send("bye");
  connection.end(1000, "");
  connection.send("more");
  connection.end(1001, "");
  await turn();
  connection.send("later");
  await turn();
  assert.deepEqual(raw.calls, ["write bye", "end 1000"]);
});

test("who is cut off by what was published does not hear what waited", async () => {
  const { connection, raw } = opened();
  connection.send("answer");
  connection.cutOff();
  await turn();
  assert.deepEqual(raw.calls, ["unsubscribe a"]);
  connection.drained();
  assert.deepEqual(raw.calls, ["unsubscribe a", "end 1013"]);
});

test("topics that are left between two texts are left at once", async () => {
  const { connection, raw } = opened();
  connection.send("one");
  connection.unsubscribe("a");
  connection.send("two");
  await turn();
  assert.deepEqual(raw.calls, ["unsubscribe a", "write one two"]);
});

test("a slow reader gets nothing behind what was dropped but the end", async () => {
  const { connection, raw } = opened();
  raw.dropped = { text: "two", tell: () => connection.cutOff() };
  for (const text of ["one", "two", "three"]) connection.send(text);
  await turn();
  connection.send("four");
  await turn();
  assert.deepEqual(raw.calls, ["write one", "unsubscribe a"]);
  connection.drained();
  assert.deepEqual(raw.calls, ["write one", "unsubscribe a", "end 1013"]);
});

test("the end of a slow reader waits until all of its backlog is read", async () => {
  const { connection, raw } = opened();
  connection.cutOff();
  await turn();
  raw.backlog = 1_000;
  connection.drained();
  assert.deepEqual(raw.calls, ["unsubscribe a"]);
  raw.backlog = 0;
  connection.drained();
  assert.deepEqual(raw.calls, ["unsubscribe a", "end 1013"]);
});

test("who reads some of the backlog has more time for the rest; who does not is closed", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { connection, raw } = opened();
  raw.backlog = 1_000_000;
  connection.cutOff();
  await turn();
  for (const left of [900_000, 800_000, 700_000]) {
    t.mock.timers.tick(SOCKET_CUT_OFF_MS_MAX - 1);
    raw.backlog = left;
    connection.drained();
  }
  raw.backlog -= 1_000;
  t.mock.timers.tick(SOCKET_CUT_OFF_MS_MAX - 1);
  connection.drained();
  assert.deepEqual(raw.calls, ["unsubscribe a"]);
  t.mock.timers.tick(1);
  assert.deepEqual(raw.calls, ["unsubscribe a", "close"]);
});

test("who speaks MessagePack hears the same, one message in a frame", async () => {
  const { connection, raw } = opened(true);
  connection.send('{"op":"a","n":1.5}');
  connection.send(Buffer.from('{"op":"ä","list":[null,true]}'));
  connection.subscribe("t");
  connection.unsubscribe("t");
  await turn();
  assert.deepEqual(raw.calls, [
    'write packed [{"op":"a","n":1.5}] packed [{"op":"ä","list":[null,true]}]',
    "subscribe t:packed",
    "unsubscribe t:packed",
  ]);
});

test("who has said several messages in a frame hears several in one", async () => {
  const { connection, raw } = opened(true);
  connection.takesSeveral();
  for (const n of [1, 2, 3]) connection.send(`{"n":${n}}`);
  await turn();
  assert.deepEqual(raw.calls, ['write packed [{"n":1},{"n":2},{"n":3}]']);
});
