import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { type EventId, type HoldId, type UserId, uuidV7 } from "../../engine/ids.ts";
import { FREE } from "../../engine/inventory.ts";
import {
  SOCKET_REQUESTS_IN_FLIGHT_MAX,
  SUBSCRIPTIONS_PER_SOCKET_MAX,
} from "../../engine/limits.ts";
import {
  ALICE,
  BOB,
  definition,
  EVENT_ID,
  EventBench,
  NOON,
} from "../../engine/testing/fixtures.ts";
import type { DeskRequest } from "../booking/desk-core.ts";
import type { Settle } from "../booking/desk-result.ts";
import { eventEntry } from "../booking/testing/event-entry.ts";
import { bookingView, holdView } from "../booking/views.ts";
import type { LiveSocket } from "../http/exchange.ts";
import type { Admission } from "../limits/request-limits.ts";
import type { Done } from "../shard-router.ts";
import { AvailabilityHub } from "./availability-hub.ts";
import { LiveRoom } from "./live-room.ts";

const TOKEN = "token-of-alice";
const OTHER_TOKEN = "token-of-bob";
const USERS = new Map([
  [`Bearer ${TOKEN}`, ALICE],
  [`Bearer ${OTHER_TOKEN}`, BOB],
]);

class FakeSocket implements LiveSocket {
  static #count = 0;
  readonly network = 0x7f000001;
  readonly id: number;
  readonly accessToken: string;
  readonly sent: Record<string, unknown>[] = [];
  readonly topics = new Set<string>();

  constructor(accessToken = "") {
    FakeSocket.#count += 1;
    this.id = FakeSocket.#count;
    this.accessToken = accessToken;
  }
  send(text: string | Uint8Array): void {
    this.sent.push(JSON.parse(Buffer.from(text).toString()));
  }
  subscribe(topic: string): void {
    this.topics.add(topic);
  }
  unsubscribe(topic: string): void {
    this.topics.delete(topic);
  }
  end(): void {
    this.topics.clear();
  }
  /** The op and code of everything that was sent. */
  get heard(): string[] {
    return this.sent.map(({ op, code }) => (code === undefined ? `${op}` : `${op} ${code}`));
  }
}

/** A room whose actors and desk a test answers for. */
class RoomBench {
  readonly views: Done[] = [];
  readonly deskCalls: { op: string; named: unknown; asked: object; settle: Settle }[] = [];
  readonly hub = new AvailabilityHub({
    now: () => Date.now(),
    router: {
      execute: (_eventId, operation, done) => {
        if (operation.kind === "watch") this.views.push(done);
      },
    },
    exists: () => true,
    publish: () => undefined,
  });
  readonly room: LiveRoom;
  isFull = false;
  isAllFull = false;
  isSignedIn = true;
  /** Who was counted, and what lets them in; empty unless the room counts. */
  readonly asking: { userId: string | null; answer: (isAllowed: boolean) => void }[] = [];

  /** `isCounting`: each message waits until a test lets it in. */
  constructor(isCounting = false) {
    const note = (op: string) => (named: unknown, asked: object, settle: Settle) => {
      this.deskCalls.push({ op, named, asked, settle });
    };
    this.room = new LiveRoom({
      hub: this.hub,
      tokens: {
        verify: (header) => {
          const userId = this.isSignedIn ? USERS.get(header ?? "") : undefined;
          return userId === undefined ? null : { userId, role: "customer" };
        },
      },
      desk: {
        refusesHolds: () => this.isFull,
        refusesAllHolds: () => this.isAllFull,
        holds: {
          hold: note("hold"),
          change: note("change"),
          extend: note("extend"),
          release: note("release"),
        },
        orders: { book: note("book"), cancel: note("cancel"), transfer: note("transfer") },
        tickets: { move: note("move"), checkIn: note("check-in") },
        inventory: { change: note("inventory") },
        waitlist: { join: note("waitlist.join"), leave: note("waitlist.leave") },
      },
      directory: { peek: () => eventEntry(), get: async () => eventEntry() },
      limits: isCounting ? { admit: (_, { userId }) => this.#admission(userId) } : null,
    });
  }

  #admission(userId: string | null): Promise<Admission> {
    return new Promise((resolve) => {
      const answer = (isAllowed: boolean): void => {
        const at = { isAllowed, scope: "user", bound: { count: 1, windowMs: 1_000 } } as const;
        const quota = { ...at, remaining: 0, resetSeconds: 1, retrySeconds: 1 };
        resolve({ quota, giveBack: () => quota });
      };
      this.asking.push({ userId, answer });
    });
  }

  /** Answers the oldest message that waits. */
  async letIn(isAllowed = true): Promise<void> {
    this.asking.shift()?.answer(isAllowed);
    await new Promise((resolve) => setImmediate(resolve));
  }

  open(accessToken = ""): FakeSocket {
    const socket = new FakeSocket(accessToken);
    this.room.open(socket);
    return socket;
  }

  say(socket: FakeSocket, message: object): void {
    this.room.message(socket, JSON.stringify(message));
  }

  answerView(): void {
    const statuses = new Uint8Array(10).fill(FREE);
    const areas = [{ capacity: 5, free: 5, held: 0, sold: 0, blocked: 0 }];
    const view = { definition: definition(), epoch: 1, seq: 3, statuses, areas };
    this.views.shift()?.({ kind: "view", view }, 0);
  }
}

let bench: RoomBench;
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: NOON });
  bench = new RoomBench();
});
afterEach(() => {
  bench.hub.stop();
  mock.timers.reset();
});

const subscribe = { op: "subscribe", eventId: EVENT_ID };
const unsubscribe = { op: "unsubscribe", eventId: EVENT_ID };

test("who subscribes gets a snapshot and joins the deltas; who resumes up to date gets nothing", () => {
  const socket = bench.open();
  bench.say(socket, subscribe);
  assert.deepEqual(socket.heard, []);
  bench.answerView();
  assert.deepEqual(socket.heard, ["snapshot"]);
  assert.equal(socket.topics.size, 1);
  const resumed = bench.open();
  bench.say(resumed, { ...subscribe, since: { epoch: 1, seq: 3 } });
  assert.deepEqual(resumed.heard, []);
  assert.equal(resumed.topics.size, 1);
  assert.equal(bench.hub.subscribersOf(EVENT_ID), 2);
});

test("subscribing again sends a snapshot again, and counts once", () => {
  const socket = bench.open();
  bench.say(socket, subscribe);
  bench.say(socket, subscribe);
  bench.answerView();
  bench.say(socket, subscribe);
  assert.deepEqual(socket.heard, ["snapshot", "snapshot", "snapshot"]);
  assert.equal(bench.hub.subscribersOf(EVENT_ID), 1);
});

test("who leaves before the view is there hears no more of the event", () => {
  const socket = bench.open();
  bench.say(socket, subscribe);
  bench.say(socket, unsubscribe);
  const gone = bench.open();
  bench.say(gone, subscribe);
  bench.room.close(gone);
  bench.answerView();
  assert.deepEqual(socket.heard, ["unsubscribed"]);
  assert.deepEqual(gone.heard, []);
  assert.equal(bench.hub.subscribersOf(EVENT_ID), 0);
  assert.equal(bench.room.socketCount, 1);
});

test("a socket that closes or unsubscribes is counted out once", () => {
  const [stays, leaves] = [bench.open(), bench.open()];
  for (const socket of [stays, leaves]) bench.say(socket, subscribe);
  bench.answerView();
  bench.say(leaves, unsubscribe);
  bench.say(leaves, unsubscribe);
  bench.room.close(leaves);
  assert.equal(bench.hub.subscribersOf(EVENT_ID), 1);
  assert.equal(leaves.topics.size, 0);
});

test("a socket watches a bounded number of events, also when it asks for all at once", () => {
  const socket = bench.open();
  for (let n = 0; n <= SUBSCRIPTIONS_PER_SOCKET_MAX; n += 1) {
    const eventId: EventId | string = uuidV7(NOON + n, new Uint8Array(10));
    bench.say(socket, { op: "subscribe", eventId });
  }
  assert.deepEqual(socket.heard, ["error too_many_subscriptions"]);
  bench.views.shift()?.({ kind: "refused", refusal: { code: "event_not_found" } }, 0);
  bench.say(socket, subscribe);
  assert.deepEqual(socket.heard.slice(1), ["error event_not_found"], "a refused one makes room");
});

test("what makes no sense is answered with an error, and the connection goes on", () => {
  const socket = bench.open();
  bench.room.message(socket, { ok: false, code: "malformed_msgpack", detail: "too short" });
  bench.room.message(socket, { ok: true, value: { op: "dance" } });
  for (const text of ["", "{", "null", "[]", "7", '{"op":7}', '{"op":"dance"}', "{}"]) {
    bench.room.message(socket, text);
  }
  bench.say(socket, { op: "subscribe", eventId: "x" });
  bench.say(socket, { op: "subscribe", since: 7 });
  assert.ok(socket.heard.every((heard) => heard.startsWith("error ")));
  assert.deepEqual(socket.heard.slice(0, 2), ["error malformed_msgpack", "error unknown_op"]);
  assert.equal(socket.heard.length, 12);
  bench.say(socket, { op: "dance", id: "q1" });
  assert.equal(socket.sent.at(-1)?.id, "q1");
});

test("what names nothing is told what is missing; what names nothing that there is, that", () => {
  const socket = bench.open(TOKEN);
  const told = (message: object): unknown => {
    bench.say(socket, { id: 1, ...message });
    return socket.sent.at(-1);
  };
  for (const op of ["subscribe", "unsubscribe"]) {
    const error = { op: "error", id: 1, code: "validation_failed", detail: "eventId is missing" };
    assert.deepEqual(told({ op }), error);
    const unknown = { code: "event_not_found", detail: "There is no such event." };
    assert.deepEqual(told({ op, eventId: "x" }), { ...error, ...unknown });
  }
  for (const [op, ...missing] of [
    ["hold", "eventId"],
    ["release", "holdId"],
    ["move", "bookingId", "ticketId"],
  ]) {
    const { status, body } = told({ op }) as { status: number; body: { errors: unknown } };
    assert.equal(status, 400);
    assert.deepEqual(
      body.errors,
      missing.map((path) => ({ path, message: "is missing" })),
    );
  }
  assert.equal(bench.deskCalls.length, 0);
  bench.say(socket, { op: "hold", eventId: "x" });
  assert.equal(bench.deskCalls.length, 1, "whether it is an id is for the desk to say");
});

test("the desk's second door needs a token, and passes on body, key and id", () => {
  const socket = bench.open();
  const body = { op: "hold", id: 1, eventId: EVENT_ID, items: [{ seat: "A-1" }] };
  bench.say(socket, { ...body, idempotencyKey: "k" });
  assert.equal(socket.sent[0]?.status, 401);
  bench.say(socket, { op: "auth", token: "wrong" });
  bench.say(socket, { op: "auth", token: TOKEN });
  assert.deepEqual(socket.heard.slice(1), ["error unauthenticated"]);
  bench.say(socket, { ...body, idempotencyKey: "k" });
  const [call] = bench.deskCalls;
  const asked = call?.asked as DeskRequest;
  assert.deepEqual([asked.identity.userId, asked.idempotencyKey], [ALICE, "k"]);
  call?.settle({ kind: "ok", status: 201, body: { id: "h" }, replayed: true });
  assert.deepEqual(socket.sent.at(-1), {
    op: "reply",
    id: 1,
    status: 201,
    body: { id: "h" },
    replayed: true,
  });
  bench.say(socket, { op: "release", id: "r", holdId: "h" });
  bench.deskCalls[1]?.settle({ kind: "ok", status: 204, body: null, replayed: false });
  assert.deepEqual(socket.sent.at(-1), { op: "reply", id: "r", status: 204, body: null });
});

test("an expired hold is told on every open socket of its owner, and to nobody else", () => {
  const mine = [bench.open(TOKEN), bench.open(TOKEN)];
  const others = bench.open();
  const holdId = "0197f3c9-7b10-7001-8aaa-aa07a4b1c2d3" as HoldId;
  const notice = {
    kind: "holdExpired" as const,
    eventId: EVENT_ID,
    seq: 9,
    holdId,
    userId: ALICE,
    lsn: 1,
    reason: "expired" as const,
  };
  bench.room.tell(notice);
  for (const { heard } of mine) assert.deepEqual(heard, ["hold.expired"]);
  assert.deepEqual(others.heard, []);
  for (const socket of mine) bench.room.close(socket);
  bench.room.tell(notice);
  for (const { heard } of mine) assert.equal(heard.length, 1);
});

test("who is signed out hears nothing personal any more, is told so, and may come again", () => {
  const socket = bench.open(TOKEN);
  bench.room.signedOut(ALICE);
  assert.deepEqual(socket.heard, []);
  bench.isSignedIn = false;
  bench.room.signedOut(BOB);
  assert.deepEqual(socket.heard, []);
  bench.room.signedOut(ALICE);
  assert.deepEqual(socket.heard, ["error unauthenticated"]);
  const holdId = uuidV7(NOON, new Uint8Array(10)) as HoldId;
  const about = { eventId: EVENT_ID, seq: 9, holdId, userId: ALICE };
  const notice = { kind: "holdExpired", ...about, lsn: 1, reason: "expired" } as const;
  bench.room.tell(notice);
  bench.room.signedOut(ALICE);
  assert.equal(socket.heard.length, 1);
  bench.isSignedIn = true;
  bench.say(socket, { op: "auth", token: TOKEN });
  bench.room.tell(notice);
  assert.equal(socket.heard.at(-1), "hold.expired");
});

test("a token that is over hears nothing personal any more; it is told so, once", () => {
  const [mine, other] = [bench.open(TOKEN), bench.open()];
  bench.say(mine, subscribe);
  bench.answerView();
  bench.isSignedIn = false;
  const holdId = uuidV7(NOON, new Uint8Array(10)) as HoldId;
  const about = { eventId: EVENT_ID, seq: 9, holdId, userId: ALICE };
  const notice = { kind: "holdExpired", ...about, lsn: 1, reason: "expired" } as const;
  bench.room.tell(notice);
  bench.room.tell(notice);
  assert.deepEqual(mine.heard, ["snapshot", "error unauthenticated"]);
  assert.equal(mine.topics.size, 1, "what everybody hears goes on");
  bench.isSignedIn = true;
  bench.room.tell(notice);
  assert.equal(mine.heard.length, 2, "until it comes again");
  bench.say(mine, { op: "auth", token: TOKEN });
  bench.room.tell(notice);
  assert.equal(mine.heard.at(-1), "hold.expired");
  assert.deepEqual(other.heard, []);
});

test("a message is whose the socket was when it came, however long it waits to be counted", async () => {
  bench = new RoomBench(true);
  const socket = bench.open(TOKEN);
  bench.say(socket, { op: "hold", id: 1, eventId: EVENT_ID });
  bench.say(socket, { op: "auth", token: OTHER_TOKEN });
  bench.say(socket, { op: "hold", id: 2, eventId: EVENT_ID });
  assert.deepEqual(
    bench.asking.map(({ userId }) => userId),
    [ALICE, BOB],
  );
  await bench.letIn();
  await bench.letIn();
  const asked = bench.deskCalls.map((call) => (call.asked as DeskRequest).identity.userId);
  assert.deepEqual(asked, [ALICE, BOB]);
});

test("who unsubscribes while the subscription waits to be counted has none", async () => {
  bench = new RoomBench(true);
  const socket = bench.open();
  bench.say(socket, subscribe);
  bench.say(socket, unsubscribe);
  await bench.letIn();
  bench.answerView();
  assert.deepEqual(socket.heard, ["unsubscribed"]);
  assert.deepEqual([socket.topics.size, bench.hub.subscribersOf(EVENT_ID)], [0, 0]);
  for (const message of [subscribe, unsubscribe, subscribe]) bench.say(socket, message);
  await bench.letIn();
  await bench.letIn();
  bench.answerView();
  assert.deepEqual(socket.heard.slice(1), ["unsubscribed", "snapshot"]);
  assert.deepEqual([socket.topics.size, bench.hub.subscribersOf(EVENT_ID)], [1, 1]);
});

test("a subscription that is refused is none, but for who asked for it again", async () => {
  bench = new RoomBench(true);
  const socket = bench.open();
  bench.say(socket, subscribe);
  bench.say(socket, subscribe);
  await bench.letIn(false);
  await bench.letIn();
  bench.answerView();
  assert.deepEqual(socket.heard, ["error rate_limited", "snapshot"]);
  assert.equal(bench.hub.subscribersOf(EVENT_ID), 1);
});

test("a socket has a bounded number of subscriptions on their way", () => {
  bench = new RoomBench(true);
  const socket = bench.open();
  for (let n = 0; n < SOCKET_REQUESTS_IN_FLIGHT_MAX; n += 1) bench.say(socket, subscribe);
  assert.equal(bench.asking.length, SOCKET_REQUESTS_IN_FLIGHT_MAX);
  bench.say(socket, subscribe);
  assert.equal(bench.asking.length, SOCKET_REQUESTS_IN_FLIGHT_MAX);
  assert.deepEqual(socket.heard, ["error busy"]);
});

test("every request of the desk has an op, which names what it is about", () => {
  const socket = bench.open(TOKEN);
  const named = { eventId: EVENT_ID, holdId: "h", bookingId: "b", ticketId: "t" };
  for (const [op, about] of [
    ["hold", EVENT_ID],
    ["change", "h"],
    ["extend", "h"],
    ["release", "h"],
    ["book", EVENT_ID],
    ["cancel", "b"],
    ["transfer", "b"],
    ["move", { bookingId: "b", ticketId: "t" }],
    ["waitlist.join", EVENT_ID],
    ["waitlist.leave", EVENT_ID],
  ] as const) {
    bench.say(socket, { op, id: op, ...named });
    const call = bench.deskCalls.at(-1);
    assert.deepEqual([call?.op, call?.named], [op, about]);
    call?.settle({ kind: "ok", status: 200, body: {}, replayed: false });
    assert.deepEqual(socket.sent.at(-1), { op: "reply", id: op, status: 200, body: {} });
  }
});

test("owners are told of offers and of what becomes of their bookings", () => {
  const socket = bench.open(TOKEN);
  const engine = new EventBench();
  const holdId = engine.held([0]);
  const [, held] = engine.facts;
  engine.booked(holdId);
  const [, , booked] = engine.facts;
  assert.ok(held?.kind === "held" && booked?.kind === "booked");
  const notice = { eventId: EVENT_ID, userId: ALICE, lsn: 1 };
  bench.room.tell({ ...notice, kind: "waitlistOffer", offer: held });
  bench.room.tell({ ...notice, kind: "bookingUpdated", fact: booked });
  const event = eventEntry();
  const known = { record: booked.booking, seq: 3 };
  const booking = bookingView(event, known, { userId: ALICE, asOrganizer: false });
  assert.deepEqual(
    socket.sent,
    JSON.parse(
      JSON.stringify([
        { op: "waitlist.offer", eventId: EVENT_ID, hold: holdView(event, held) },
        { op: "booking.updated", eventId: EVENT_ID, booking },
      ]),
    ),
  );
});

test("what is told of a booking has its tickets' codes for whose it is, and for nobody else", () => {
  const engine = new EventBench();
  const bookingId = engine.booked(engine.held([0]));
  const of = { bookingId, userId: ALICE, asOrganizer: false, key: null };
  engine.run(engine.drafts.transfer({ ...of, toUserId: BOB, email: "bob@example.org" }));
  const fact = engine.facts.at(-1);
  assert.ok(fact?.kind === "bookingChanged");
  const code = fact.booking.ticketCodes[0] ?? "";
  const isToldCode = (token: string, userId: UserId): boolean => {
    const socket = bench.open(token);
    bench.room.tell({ kind: "bookingUpdated", eventId: EVENT_ID, userId, lsn: 1, fact });
    assert.equal(socket.sent.length, 1);
    return JSON.stringify(socket.sent).includes(code);
  };
  assert.deepEqual([isToldCode(OTHER_TOKEN, BOB), isToldCode(TOKEN, ALICE)], [true, false]);
});

test("a socket has a bounded number of requests at the desk; one more is busy", () => {
  const socket = bench.open(TOKEN);
  const other = bench.open(TOKEN);
  const book = { op: "book", eventId: EVENT_ID, holdId: "h" };
  for (let id = 1; id <= SOCKET_REQUESTS_IN_FLIGHT_MAX; id += 1) bench.say(socket, { ...book, id });
  assert.equal(socket.sent.length, 0);
  bench.say(socket, { ...book, id: "more" });
  const [refused] = socket.sent;
  assert.deepEqual([refused?.op, refused?.id, refused?.status], ["reply", "more", 503]);
  bench.say(other, { ...book, id: 1 });
  assert.equal(other.sent.length, 0, "its neighbour is not its fault");
  assert.equal(bench.deskCalls.length, SOCKET_REQUESTS_IN_FLIGHT_MAX + 1);
  bench.deskCalls[0]?.settle({ kind: "problem", code: "hold_expired", members: {} });
  bench.say(socket, { ...book, id: "again" });
  assert.equal(bench.deskCalls.length, SOCKET_REQUESTS_IN_FLIGHT_MAX + 2);
  assert.equal(socket.sent.length, 2);
});

test("who stops asks the desk nothing more, and waits for all that it was asked", async () => {
  const [socket, other] = [bench.open(TOKEN), bench.open(TOKEN)];
  const book = { op: "book", eventId: EVENT_ID, holdId: "h" };
  bench.say(socket, { ...book, id: 1 });
  bench.say(other, { ...book, id: 2 });
  let isFinished = false;
  const finished = bench.room.finish().then(() => {
    isFinished = true;
  });
  bench.say(socket, { ...book, id: 3 });
  assert.deepEqual([socket.sent[0]?.id, socket.sent[0]?.status], [3, 503]);
  assert.equal(bench.deskCalls.length, 2);
  bench.deskCalls[0]?.settle({ kind: "ok", status: 201, body: {}, replayed: false });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isFinished, false);
  bench.deskCalls[1]?.settle({ kind: "problem", code: "hold_expired", members: {} });
  assert.equal(other.sent[0]?.id, 2, "answered before anybody is told that all is");
  await finished;
});

test("a hold that would be refused is busy before anybody looks at it; a booking goes on", () => {
  const socket = bench.open();
  bench.isFull = true;
  bench.say(socket, { op: "hold", id: 1, eventId: EVENT_ID });
  assert.equal(socket.sent[0]?.status, 503);
  bench.say(socket, { op: "auth", token: TOKEN });
  bench.say(socket, { op: "book", id: 2, eventId: EVENT_ID, holdId: "h" });
  assert.deepEqual(
    bench.deskCalls.map(({ op }) => op),
    ["book"],
  );
});

test("while no hold is let in, holds are refused unread", () => {
  const hold = Buffer.from(`{"op":"hold","id":7,"eventId":"${EVENT_ID}","items":[]}`);
  assert.equal(bench.room.refusalOf(hold), null);
  bench.isAllFull = true;
  const refusal = Buffer.from(bench.room.refusalOf(hold) ?? "null").toString();
  const socket = bench.open(TOKEN);
  bench.isFull = true;
  bench.say(socket, { op: "hold", id: 7, eventId: EVENT_ID });
  assert.deepEqual(JSON.parse(refusal), socket.sent[0], "as if it had been read");
  assert.equal(bench.room.refusalOf(Buffer.from('{"op":"book","id":1,"holdId":"h"}')), null);
});
