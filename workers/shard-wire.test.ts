import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import type { Fact } from "../engine/facts.ts";
import { BLOCKED, FREE, HELD } from "../engine/inventory.ts";
import { placeOfArea } from "../engine/place.ts";
import { ALICE, BOB, definition, EventBench } from "../engine/testing/fixtures.ts";
import { type PackedMessage, postPacked, unpackMessage } from "./batch-port.ts";
import type { Operation, ShardAnswer, ShardRequest, WorkerBatch } from "./shard-messages.ts";
import { decodeBatch, decodeRequests, encodeBatch, encodeRequests } from "./shard-wire.ts";

const FLOOR = placeOfArea(0);
const KEY = { digest: "abcdefghijklmnopqrstuv", fingerprint: "abcdefghijk" };

const bench = new EventBench();
const { eventId } = definition();

/** Through the bytes that a port carries. */
function carried(message: PackedMessage): unknown {
  const { port1, port2 } = new MessageChannel();
  try {
    postPacked(port1, message);
    const buffer: unknown = receiveMessageOnPort(port2)?.message;
    assert.ok(buffer instanceof ArrayBuffer);
    return unpackMessage(buffer);
  } finally {
    port1.close();
  }
}

const arrived = (requests: readonly ShardRequest[]): ShardRequest[] =>
  decodeRequests(carried(encodeRequests(requests)));

const batchArrived = (batch: WorkerBatch): WorkerBatch => decodeBatch(carried(encodeBatch(batch)));

const asked = (id: number, operation: Operation): ShardRequest => ({
  id,
  shard: 7,
  eventId,
  deadlineMs: 1_790_000_000_123,
  operation,
});

test("every kind of request arrives as it was sent, in order", () => {
  const hold = bench.holdCommand([3, FLOOR, FLOOR]);
  const wish = { quantity: 2, category: 0, zone: null, adjacent: true, accessible: false };
  const book = bench.bookCommand(hold.holdId);
  const requests = [
    asked(1, hold),
    asked(2, { ...hold, key: KEY }),
    asked(3, { ...hold, best: [wish] }),
    asked(4, { ...hold, promoCode: "P" }),
    asked(5, { ...hold, channel: "press" }),
    asked(6, book),
    asked(7, { ...book, email: "änn☃@example.org", invoiceAllowed: false, key: KEY }),
    asked(8, { kind: "release", holdId: hold.holdId, userId: ALICE }),
    asked(9, { kind: "getHold", holdId: hold.holdId, userId: BOB }),
    asked(10, { kind: "watch" }),
    { ...asked(11, hold), trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
  ];
  assert.deepEqual(arrived(requests), requests);
});

test("the bytes of a definition arrive", () => {
  const { seatCategories } = definition();
  const [request] = arrived([asked(1, { kind: "configure", definition: definition() })]);
  const { operation } = request ?? {};
  assert.ok(operation?.kind === "configure");
  assert.deepEqual(Uint8Array.from(operation.definition.seatCategories), seatCategories);
});

test("every kind of answer, change and notice arrives as it was sent, in order", () => {
  const hold = bench.holdCommand([5, FLOOR]);
  const facts: Fact[] = [
    ...bench.run({ ...hold, key: KEY }).facts,
    ...bench.run({ kind: "extend", holdId: hold.holdId, userId: ALICE, key: null }).facts,
    ...bench.run(bench.bookCommand(hold.holdId)).facts,
  ];
  assert.deepEqual(
    facts.map(({ kind }) => kind),
    ["held", "extended", "booked"],
  );
  const done = facts.map(
    (fact, id): ShardAnswer => ({
      id,
      lsn: 40 + id,
      answer: { kind: "done", fact, replayed: id === 1 },
    }),
  );
  const refusal = { code: "seat_unavailable", seats: [1, 2] } as const;
  const batch: WorkerBatch = {
    sentMs: 12.25,
    changes: [
      { eventId, seq: 8, moves: [{ places: [5, FLOOR], from: FREE, to: HELD }] },
      { eventId, seq: 9, moves: [{ places: [FLOOR], from: FREE, to: BLOCKED, times: 1_000 }] },
      { eventId, seq: 10, reset: true },
    ],
    notices: [
      {
        kind: "holdExpired",
        eventId,
        userId: BOB,
        seq: 9,
        holdId: hold.holdId,
        reason: "expired",
      },
    ],
    answers: [
      ...done,
      { id: 3, lsn: 43, answer: { kind: "refused", refusal } },
      { id: 4, lsn: 43, answer: { kind: "failed" } },
    ],
  };
  assert.deepEqual(batchArrived(batch), batch);
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const traced = { ...batch, decisions: [{ trace, shard: 7, takenMs: 1, decidedMs: 2 }] };
  assert.deepEqual(batchArrived(traced), traced);
});
