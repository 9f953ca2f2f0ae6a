/** What crosses between gateway and shards arrives as it was sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import type { Command } from "../engine/commands.ts";
import type { Fact } from "../engine/facts.ts";
import type { EventId } from "../engine/ids.ts";
import { BLOCKED, FREE, HELD } from "../engine/inventory.ts";
import { placeOfArea } from "../engine/place.ts";
import { ALICE, BOB, definition, EventBench } from "../engine/testing/fixtures.ts";
import { postWritten } from "./batch-port.ts";
import { readBatch, writeBatch } from "./batch-wire.ts";
import { MessageReader, MessageWriter } from "./packed-message.ts";
import { readRequests, writeRequests } from "./request-wire.ts";
import type { Operation, ShardAnswer, ShardRequest, WorkerBatch } from "./shard-messages.ts";

const FLOOR = placeOfArea(0);
const KEY = { digest: "abcdefghijklmnopqrstuv", fingerprint: "abcdefghijk" };

const bench = new EventBench();
const { eventId } = definition();
const OTHER_EVENT_ID = "018f3c9a-7b10-7000-8000-0007a4b1c2d4" as EventId;

/** As all senders have it: one writer for all messages. */
const writer = new MessageWriter();

/** What was written, through the bytes that a port carries. */
function carried(): MessageReader {
  const { port1, port2 } = new MessageChannel();
  try {
    postWritten(port1, writer);
    const buffer: unknown = receiveMessageOnPort(port2)?.message;
    assert.ok(buffer instanceof ArrayBuffer);
    return new MessageReader(buffer);
  } finally {
    port1.close();
  }
}

function arrived(requests: readonly ShardRequest[]): ShardRequest[] {
  writeRequests(writer, requests);
  return readRequests(carried());
}

/** `asked`: by the ids of requests; null: nobody waits for that one any more. */
function batchArrived(
  batch: WorkerBatch,
  askedOf: (id: number) => Operation | null = () => ({ kind: "inspect" }),
): WorkerBatch {
  writeBatch(writer, batch);
  return readBatch(carried(), askedOf);
}

function factOf(at: EventBench, command: Command): Fact {
  const [fact] = at.run(command).facts;
  if (fact === undefined) throw new Error(`${command.kind} was refused`);
  return fact;
}

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
    { ...asked(12, { ...hold, key: KEY }), eventId: OTHER_EVENT_ID, shard: 8 },
    { ...asked(13, { ...book, email: null }), eventId: OTHER_EVENT_ID },
    asked(2 ** 30 - 1, hold),
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
  const commands: Command[] = [
    { ...hold, key: KEY },
    { kind: "extend", holdId: hold.holdId, userId: ALICE, key: null },
    bench.bookCommand(hold.holdId),
  ];
  const facts = commands.map((command) => factOf(bench, command));
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
        lsn: 1,
        reason: "expired",
      },
    ],
    answers: [
      ...done,
      { id: 3, lsn: 43, answer: { kind: "refused", refusal } },
      { id: 4, lsn: 43, answer: { kind: "failed" } },
    ],
  };
  const askedOf = (id: number): Operation => commands[id] ?? { kind: "inspect" };
  assert.deepEqual(batchArrived(batch, askedOf), batch);
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const traced = { ...batch, decisions: [{ trace, shard: 7, takenMs: 1, decidedMs: 2 }] };
  assert.deepEqual(batchArrived(traced, askedOf), traced);
});

test("what answers a hold or a booking is put together with what was asked", () => {
  const at = new EventBench({ charges: { fees: [], tax: null } });
  const hold = { ...at.holdCommand([5, FLOOR, FLOOR]), key: KEY };
  const otherKey = { ...KEY, digest: KEY.digest.toUpperCase() };
  const book = { ...at.bookCommand(hold.holdId), email: "änn@example.org", key: otherKey };
  const commands = [hold, book];
  const answers = commands.map((command, id): ShardAnswer => {
    return {
      id,
      lsn: 7 + id,
      answer: { kind: "done", fact: factOf(at, command), replayed: false },
    };
  });
  const batch: WorkerBatch = { sentMs: 1, changes: [], notices: [], answers };
  assert.ok(book.ticketCodes.length > 3, "more codes than places");
  assert.deepEqual(
    batchArrived(batch, (id) => commands[id] ?? null),
    batch,
  );
  // Repeated under its key, a request is not the one that made the fact.
  const replayed = answers.map((each) => ({ ...each, answer: { ...each.answer, replayed: true } }));
  const again: WorkerBatch = { ...batch, answers: replayed };
  const others = [
    { ...hold, holdId: at.holdCommand([6]).holdId },
    { ...book, code: "OTHER" },
  ];
  assert.deepEqual(
    batchArrived(again, (id) => others[id] ?? null),
    again,
  );
  assert.throws(() => batchArrived(batch), /was asked for/);
});

test("holds under other terms than the plain ones arrive whole", () => {
  const at = new EventBench({
    charges: { fees: [{ name: "fee", kind: "fixed", minor: 7 }], tax: null },
  });
  const hold = at.holdCommand([5]);
  const book = at.bookCommand(hold.holdId);
  const answers = [hold, book].map((command, id): ShardAnswer => {
    return { id, lsn: 1, answer: { kind: "done", fact: factOf(at, command), replayed: false } };
  });
  const batch: WorkerBatch = { sentMs: 1, changes: [], notices: [], answers };
  assert.deepEqual(batchArrived(batch), batch);
});

test("answers that nobody waits for any more are passed over, and those behind them are read", () => {
  const hold = bench.holdCommand([8]);
  const answers: ShardAnswer[] = [
    { id: 1, lsn: 1, answer: { kind: "done", fact: factOf(bench, hold), replayed: false } },
    { id: 2, lsn: 1, answer: { kind: "failed" } },
    { id: 3, lsn: 2, answer: { kind: "refused", refusal: { code: "busy" } } },
  ];
  const batch: WorkerBatch = { sentMs: 1, changes: [], notices: [], answers };
  const left = batchArrived(batch, (id) => (id === 3 ? hold : null));
  assert.deepEqual(left.answers, answers.slice(2));
});

test("a message may have more numbers than the one before it, and none at all", () => {
  const many = Array.from({ length: 12_000 }, (_, id) => asked(id, bench.holdCommand([1, 2, 3])));
  assert.deepEqual(arrived(many), many);
  assert.deepEqual(arrived([]), []);
  assert.deepEqual(arrived(many.slice(0, 1)), many.slice(0, 1));
});
