/** The WebSocket in MessagePack: the same as in JSON, and several messages in a frame. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiClient, LiveClient } from "../support/client.ts";
import { TestNode, until } from "../support/server.ts";
import type { HoldShape } from "../support/shapes.ts";
import { availabilityOf, guestToken, ok, openStudio } from "../support/venue.ts";

const PACKED = ["evently.v1.msgpack"];

let node: TestNode;
let api: ApiClient;
const open: LiveClient[] = [];
before(async () => {
  node = await TestNode.start();
  api = new ApiClient(() => node.url);
});
after(async () => {
  for (const live of open) live.close();
  api.close();
  assert.deepEqual(node.errors, []);
  await node.remove();
});

async function connect(token?: string, protocols = PACKED): Promise<LiveClient> {
  const live = await LiveClient.open(node.url, token, protocols);
  open.push(live);
  return live;
}

test("the subprotocol is agreed on where it is offered, and no other", async () => {
  assert.equal((await connect(undefined, ["other", ...PACKED])).socket.protocol, PACKED[0]);
  assert.equal((await connect(undefined, [])).socket.protocol, "");
});

test("state, deltas, resuming and the desk are what they are in JSON", async () => {
  const event = await openStudio(api);
  const token = await guestToken(api);
  const [live, plain] = [await connect(token), await connect(token, [])];
  for (const each of [live, plain]) {
    each.send({ op: "subscribe", eventId: event.id });
    await each.next("snapshot");
  }
  const items = [{ seat: "A-1" }, { area: "floor", quantity: 2 }];
  const held = await live.ask({ op: "hold", eventId: event.id, items, idempotencyKey: "k-1" });
  assert.equal(held.status, 201);
  const hold = held.body as HoldShape;
  assert.deepEqual(ok(await api.get<HoldShape>(`/api/v1/holds/${hold.id}`, { token })), hold);
  const again = await live.ask({ op: "hold", eventId: event.id, items, idempotencyKey: "k-1" });
  assert.deepEqual([again.replayed, again.body], [true, hold]);
  const taken = await live.ask({ op: "hold", eventId: event.id, items: [{ seat: "A-1" }] });
  assert.equal(taken.status, 409);
  const shown = await availabilityOf(api, event.id);
  for (const each of [live, plain]) {
    await until("the deltas have arrived", () => each.reader.seq >= shown.seq);
    assert.equal(each.reader.statuses, shown.statuses);
    assert.deepEqual(each.faults, []);
  }
  assert.deepEqual(live.untaken("delta"), plain.untaken("delta"));
  const { epoch, seq } = live.reader;
  const later = await connect(token);
  later.reader = live.reader;
  assert.equal((await live.ask({ op: "release", eventId: event.id, holdId: hold.id })).status, 204);
  await until("the release is told", () => live.reader.seq > seq);
  later.send({ op: "subscribe", eventId: event.id, since: { epoch, seq } });
  assert.equal((await later.next("delta")).from, seq);
});

test("several messages in a frame are answered in frames of several", async () => {
  const event = await openStudio(api);
  const live = await connect(await guestToken(api));
  const hold = (id: number) => {
    return { op: "hold", id, eventId: event.id, items: [{ area: "floor", quantity: 1 }] };
  };
  live.send(hold(1));
  assert.equal((await live.next("reply", 1)).status, 201);
  assert.deepEqual(live.frameSizes, [1]);
  live.sendTogether(...[2, 3, 4, 5].map(hold));
  for (const id of [2, 3, 4, 5]) assert.equal((await live.next("reply", id)).status, 201);
  assert.ok(live.frameSizes.length < 5, `${live.frameSizes}`);
  live.sendTogether({ op: "unsubscribe", eventId: event.id }, { op: "dance", id: 6 });
  assert.equal((await live.next("error", 6)).code, "unknown_op");
  assert.equal((await live.next("unsubscribed")).eventId, event.id);
});

test("text frames go on being JSON; what makes no sense is an error, and it stays", async () => {
  const live = await connect();
  live.socket.send('{"op":"dance","id":1}');
  assert.equal((await live.next("error", 1)).code, "unknown_op");
  const garbage = [
    [],
    [0xc1],
    [0x81, 0xa2, 0x6f],
    [0xd4, 0x72, 0x40],
    [0xc4, 1, 1],
    [0xc0],
    [0x07],
  ];
  for (const bytes of garbage) {
    live.socket.send(Buffer.from(bytes));
    const { code } = await live.next("error");
    assert.match(String(code), /^(malformed_msgpack|validation_failed)$/);
  }
  const plain = await connect(undefined, []);
  plain.socket.send(Buffer.from([0x80]));
  assert.equal((await plain.next("error")).code, "unsupported_frame");
  live.send({ op: "dance", id: 2 });
  assert.equal((await live.next("error", 2)).code, "unknown_op");
});
