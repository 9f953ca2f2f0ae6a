/**
 * A gateway before an engine whose journal stands still, so that nothing is answered until the test
 * says so: what is refused at once, and what is kept, can be counted.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { pino } from "pino";
import { HOLDS_IN_FLIGHT_MAX } from "../engine/limits.ts";
import { ALICE, EVENT_ID } from "../engine/testing/fixtures.ts";
import { ApiClient, type Reply } from "../tests/support/client.ts";
import { until } from "../tests/support/server.ts";
import type { BookingShape, HoldShape } from "../tests/support/shapes.ts";
import { ok } from "../tests/support/venue.ts";
import { postWritten } from "../workers/batch-port.ts";
import { writeBatch } from "../workers/batch-wire.ts";
import { systemClock } from "../workers/clock.ts";
import { MessageReader, MessageWriter } from "../workers/packed-message.ts";
import { readRequests } from "../workers/request-wire.ts";
import { HostBench, SHARD } from "../workers/shard/testing/host-bench.ts";
import { BookingDesk } from "./booking/booking-desk.ts";
import { deskRoutes } from "./booking/desk-routes.ts";
import { deskPorts } from "./booking/testing/desk-bench.ts";
import { HttpServer } from "./http/server.ts";
import { Tokens } from "./identity/tokens.ts";
import { ShardRouter } from "./shard-router.ts";

const PLACES = 5_000;
/** Who all connect in one instant are more than a kernel keeps waiting: it may reset some. */
const CONNECTING_MAX = 256;
const HOLDS = `/api/v1/events/${EVENT_ID}/holds`;
const BOOKINGS = `/api/v1/events/${EVENT_ID}/bookings`;
const ONE_PLACE = { items: [{ area: "floor", quantity: 1 }] };

/** A gateway with one event, whose floor is sold. */
class StandingNode {
  readonly tokens = new Tokens("a secret of 32 letters and more...");
  readonly router: ShardRouter;
  readonly server: HttpServer;
  readonly #host: HostBench;
  readonly #channel = new MessageChannel();
  readonly #writer = new MessageWriter();

  constructor(host: HostBench) {
    this.#host = host;
    const { port1, port2 } = this.#channel;
    port2.on("message", (buffer: ArrayBuffer) => {
      const requests = readRequests(new MessageReader(buffer));
      const deadlineMs = host.nowMs;
      host.host.receive(requests.map((request) => ({ ...request, shard: SHARD, deadlineMs })));
    });
    // Time stands still, too: a slow machine must not make the gateway let in less.
    const clock = { ...systemClock, monotonicMs: () => 0 };
    this.router = new ShardRouter({ ports: [port1], shardCount: 1, watermarks: [], clock });
    const desk = new BookingDesk(deskPorts({ router: this.router }));
    const nobody = { open: () => undefined, message: () => undefined, close: () => undefined };
    this.server = new HttpServer({
      routes: deskRoutes({ desk, tokens: this.tokens }),
      live: nobody,
      livePath: "/ws",
      log: pino({ level: "silent" }),
    });
  }

  /** The journal makes durable what was decided, and goes on doing so. */
  moveOn(): void {
    this.#host.makeDurable();
    for (const output of this.#host.released.splice(0)) {
      writeBatch(this.#writer, { ...output, sentMs: systemClock.monotonicMs() });
      postWritten(this.#channel.port2, this.#writer);
    }
  }

  get isQuiet(): boolean {
    const { server, router } = this;
    return server.openRequests + server.bodyBytes + router.inFlight === 0;
  }

  async stop(): Promise<void> {
    await this.server.close();
    this.router.stop();
    this.#channel.port2.close();
  }
}

test("past what is in flight holds are busy at once, bookings go on, and then all is as before", async (t) => {
  const areas = [{ key: "floor", category: 1, capacity: PLACES }];
  const host = await HostBench.selling({ areas, perUserMax: PLACES });
  const node = new StandingNode(host);
  const port = await node.server.listen("127.0.0.1", 0);
  const api = new ApiClient(() => `http://127.0.0.1:${port}`, 2 * HOLDS_IN_FLIGHT_MAX);
  t.after(async () => {
    api.close();
    await node.stop();
  });
  const token = node.tokens.issue({ userId: ALICE, role: "customer" }, "one").accessToken;
  const hold = (): Promise<Reply<HoldShape>> => api.post(HOLDS, { token, body: ONE_PLACE });
  /** Resolves with what was asked for, while the journal moves on. */
  const moving = async <Asked>(asked: Promise<Asked>): Promise<Asked> => {
    let isAnswered = false;
    const answered = asked.finally(() => {
      isAnswered = true;
    });
    await until("it is answered", () => {
      node.moveOn();
      return isAnswered;
    });
    return answered;
  };

  const mine = ok(await moving(hold()), 201);
  let answers = 0;
  const counted = async (): Promise<Reply<HoldShape>> => {
    const reply = await hold();
    answers += 1;
    return reply;
  };
  const accepted: Promise<Reply<HoldShape>>[] = [];
  while (accepted.length < HOLDS_IN_FLIGHT_MAX) {
    for (let n = 0; n < CONNECTING_MAX; n += 1) accepted.push(counted());
    await until("all are in flight", () => node.router.inFlight === accepted.length);
  }
  assert.equal(accepted.length, HOLDS_IN_FLIGHT_MAX);

  const refused = await Promise.all(Array.from({ length: 100 }, hold));
  for (const reply of refused) {
    assert.equal(reply.status, 503, reply.text);
    assert.match(reply.text, /"code":"busy"/);
    assert.equal(reply.headers["retry-after"], "1");
  }
  assert.deepEqual([answers, node.router.inFlight], [0, HOLDS_IN_FLIGHT_MAX]);
  assert.equal(node.server.openRequests, HOLDS_IN_FLIGHT_MAX, "of the refused nothing is kept");

  const body = { holdId: mine.id, payment: { provider: "none" } };
  const booking = api.post<BookingShape>(BOOKINGS, { token, body });
  await until("the booking is let in", () => node.router.inFlight === HOLDS_IN_FLIGHT_MAX + 1);

  ok(await moving(booking), 201);
  const holds = await moving(Promise.all(accepted));
  assert.equal(new Set(holds.map((reply) => ok(reply, 201).seq)).size, HOLDS_IN_FLIGHT_MAX);
  assert.equal(node.router.refusesHolds(EVENT_ID), false);
  ok(await moving(hold()), 201);
  assert.ok(node.isQuiet, "nothing is left of it");
});
