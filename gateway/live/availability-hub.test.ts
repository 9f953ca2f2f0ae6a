import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { FREE, HELD } from "../../engine/inventory.ts";
import { DELTA_CONFLATION_MS, WATCH_IDLE_MS, WATCH_WAITERS_MAX } from "../../engine/limits.ts";
import { definition, EVENT_ID } from "../../engine/testing/fixtures.ts";
import { systemClock } from "../../workers/clock.ts";
import type { InventoryChange, Operation } from "../../workers/shard-messages.ts";
import type { Answered, Done } from "../shard-router.ts";
import { AvailabilityHub, type ViewResult } from "./availability-hub.ts";
import type { SubscriberGroup } from "./fan-out.ts";
import { LiveView } from "./live-view.ts";
import { AvailabilityReader } from "./testing/availability-reader.ts";

/** A hub, the questions that it asked and nobody has answered, and what it published. */
class HubBench {
  readonly asked: { operation: Operation; done: Done }[] = [];
  readonly published: string[] = [];
  exists: true | Promise<boolean> = true;
  readonly hub = new AvailabilityHub({
    now: () => Date.now(),
    router: { execute: (_eventId, operation, done) => this.asked.push({ operation, done }) },
    exists: () => this.exists,
    publish: (_topic, text) => this.published.push(text),
    soon: (run) => run(),
  });

  /** Answers the oldest question. */
  answer(answer: Answered): void {
    const question = this.asked.shift();
    assert.ok(question !== undefined, "something was asked");
    question.done(answer, 0);
  }

  read(): ViewResult[] {
    const results: ViewResult[] = [];
    this.hub.read(EVENT_ID, (result) => results.push(result));
    return results;
  }

  /** The view that is there. */
  view(): LiveView {
    const [view] = this.read();
    assert.ok(view instanceof LiveView);
    return view;
  }

  /** One more subscriber of it. */
  welcome(): SubscriberGroup {
    return this.hub.welcome(this.view(), null);
  }
}

function viewAnswer(seq: number, heldSeats: readonly number[] = []): Answered {
  const statuses = new Uint8Array(10).fill(FREE);
  for (const seat of heldSeats) statuses[seat] = HELD;
  const areas = [{ capacity: 5, free: 5, held: 0, sold: 0, blocked: 0 }];
  return { kind: "view", view: { definition: definition(), epoch: 1, seq, statuses, areas } };
}

function held(seq: number, seat: number): InventoryChange {
  return { eventId: EVENT_ID, seq, moves: [{ places: [seat], from: FREE, to: HELD }] };
}

let bench: HubBench;
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  bench = new HubBench();
});
afterEach(() => {
  bench.hub.stop();
  mock.timers.reset();
});

test("the first reader causes one question; everyone waits for its answer", () => {
  const first = bench.read();
  const second = bench.read();
  assert.deepEqual(
    bench.asked.map(({ operation }) => operation.kind),
    ["watch"],
  );
  bench.answer(viewAnswer(1));
  assert.ok(first[0] instanceof LiveView);
  assert.equal(second[0], first[0]);
  assert.equal(bench.read()[0], first[0], "later readers are answered at once");
});

test("changes that arrive before the view are applied to it, unless it has them", () => {
  bench.read();
  bench.hub.changed(held(4, 0));
  bench.hub.changed(held(5, 1));
  bench.answer(viewAnswer(4, [0]));
  const view = bench.view();
  assert.equal(view.seq, 5);
  assert.equal(view.inventory.held, 2);
  assert.deepEqual(bench.published, [], "nobody subscribes yet");
});

test("changes are conflated into one delta", () => {
  bench.read();
  bench.answer(viewAnswer(1));
  bench.welcome();
  bench.hub.changed(held(2, 0));
  mock.timers.tick(1);
  assert.equal(bench.published.length, 1, "after a quiet while it leaves at once");
  bench.hub.changed(held(3, 1));
  bench.hub.changed(held(4, 2));
  mock.timers.tick(DELTA_CONFLATION_MS - 1);
  assert.equal(bench.published.length, 1);
  mock.timers.tick(1);
  assert.equal(bench.published.length, 2);
  const delta = JSON.parse(bench.published[1] ?? "");
  assert.deepEqual([delta.from, delta.to], [2, 4]);
});

test("a snapshot joins the next delta exactly, whenever it is taken", () => {
  const early = new AvailabilityReader();
  const late = new AvailabilityReader();
  bench.read();
  bench.answer(viewAnswer(1));
  bench.welcome();
  early.read(bench.view().snapshot());
  bench.hub.changed(held(2, 0));
  bench.welcome();
  const joined = bench.published.length;
  late.read(bench.view().snapshot());
  bench.hub.changed(held(3, 1));
  mock.timers.tick(DELTA_CONFLATION_MS);
  for (const text of bench.published) early.read(text);
  for (const text of bench.published.slice(joined)) late.read(text);
  assert.equal(early.statuses, "hhffffffff");
  assert.equal(late.statuses, early.statuses);
});

test("new rules: every subscriber gets a new view, which has what happened before", () => {
  bench.read();
  bench.answer(viewAnswer(1));
  bench.welcome();
  bench.hub.changed(held(2, 0));
  bench.hub.changed({ eventId: EVENT_ID, seq: 3, reset: true });
  assert.deepEqual(bench.published, []);
  const waiting = bench.read();
  assert.equal(waiting.length, 0, "nobody is shown the old rules");
  bench.answer(viewAnswer(3, [0]));
  const [{ op, seq }, ...others] = bench.published.map((text) => JSON.parse(text));
  assert.deepEqual([op, seq, others.length], ["snapshot", 3, 0]);
  assert.ok(waiting[0] instanceof LiveView);
});

test("rules that change while the view is on its way cause another question", () => {
  const waiting = bench.read();
  bench.hub.changed({ eventId: EVENT_ID, seq: 2, reset: true });
  bench.answer(viewAnswer(1));
  assert.equal(waiting.length, 0);
  bench.answer(viewAnswer(2));
  assert.ok(waiting[0] instanceof LiveView && waiting[0].seq === 2);
});

test("a refused question is told to its readers, and the next reader asks again", () => {
  const waiting = bench.read();
  const refused: Answered = { kind: "refused", refusal: { code: "event_not_found" } };
  bench.answer(refused);
  assert.deepEqual(waiting, [refused]);
  bench.read();
  assert.equal(bench.asked.length, 1);
});

const kindsOf = (asked: HubBench["asked"]) => asked.map(({ operation }) => operation.kind);

test("a question that timed out may have been carried out: it is taken back", () => {
  const waiting = bench.read();
  bench.answer({ kind: "timeout" });
  assert.deepEqual(waiting, [{ kind: "timeout" }]);
  assert.deepEqual(kindsOf(bench.asked), ["unwatch"]);
  bench.answer({ kind: "timeout" });
  mock.timers.tick(1_000);
  bench.answer({ kind: "unchanged" });
  mock.timers.tick(1_000);
  assert.deepEqual(bench.asked, [], "it knows");
  // A reader who comes meanwhile is behind what is taken back.
  bench.read();
  bench.answer({ kind: "timeout" });
  bench.read();
  assert.deepEqual(kindsOf(bench.asked), ["unwatch", "watch"]);
});

test("an actor that was watched is told when its view could not be renewed", () => {
  bench.read();
  bench.answer(viewAnswer(1));
  bench.hub.changed({ eventId: EVENT_ID, seq: 2, reset: true });
  bench.answer({ kind: "refused", refusal: { code: "busy" } });
  assert.deepEqual(kindsOf(bench.asked), ["unwatch"]);
});

test("an event that does not exist is no question to an actor", async () => {
  bench.exists = Promise.resolve(false);
  const waiting = bench.read();
  await bench.exists;
  assert.deepEqual(waiting, [{ kind: "refused", refusal: { code: "event_not_found" } }]);
  bench.exists = Promise.reject(new Error("connection lost"));
  const others = bench.read();
  await bench.exists.catch(() => false);
  assert.deepEqual(others, [{ kind: "refused", refusal: { code: "busy" } }]);
  assert.deepEqual(bench.asked, []);
  bench.exists = Promise.resolve(true);
  bench.read();
  await bench.exists;
  assert.equal(bench.asked.length, 1);
});

test("subscribers outlast a refresh that failed: it is tried again", () => {
  bench.read();
  bench.answer(viewAnswer(1));
  bench.welcome();
  bench.hub.changed({ eventId: EVENT_ID, seq: 2, reset: true });
  bench.answer({ kind: "refused", refusal: { code: "busy" } });
  assert.equal(bench.asked.length, 0);
  bench.hub.changed(held(3, 0));
  mock.timers.tick(1_000);
  bench.answer(viewAnswer(3, [0]));
  assert.equal(JSON.parse(bench.published.at(-1) ?? "").seq, 3);
});

test("more readers than may wait hear busy", () => {
  for (let n = 0; n < WATCH_WAITERS_MAX; n += 1) bench.read();
  const [result] = bench.read();
  assert.deepEqual(result, { kind: "refused", refusal: { code: "busy" } });
});

test("a view that nobody reads or subscribes to is let go, and its actor told", () => {
  bench.read();
  bench.answer(viewAnswer(1));
  const group = bench.welcome();
  mock.timers.tick(2 * WATCH_IDLE_MS);
  assert.equal(bench.asked.length, 0, "a subscriber keeps it");
  bench.hub.unsubscribed(EVENT_ID, group);
  mock.timers.tick(WATCH_IDLE_MS / 2);
  bench.read();
  mock.timers.tick(WATCH_IDLE_MS - 1);
  assert.equal(bench.asked.length, 0, "a reader kept it");
  mock.timers.tick(WATCH_IDLE_MS / 2);
  assert.equal(bench.asked[0]?.operation.kind, "unwatch");
  bench.hub.changed(held(2, 0));
  bench.read();
  assert.equal(bench.asked[1]?.operation.kind, "watch");
});

test("how long nobody looks is told by no clock that is set", (t) => {
  t.mock.method(systemClock, "monotonicMs", () => 5);
  const asked: { operation: Operation; done: Done }[] = [];
  const hub = new AvailabilityHub({
    router: { execute: (_eventId, operation, done) => asked.push({ operation, done }) },
    exists: () => true,
    publish: () => undefined,
  });
  t.after(() => hub.stop());
  hub.read(EVENT_ID, () => undefined);
  asked[0]?.done(viewAnswer(1), 0);
  mock.timers.tick(2 * WATCH_IDLE_MS);
  assert.deepEqual(kindsOf(asked), ["watch"]);
});

test("changes of events that nobody watches are passed over", () => {
  bench.hub.changed(held(2, 0));
  mock.timers.tick(DELTA_CONFLATION_MS);
  assert.deepEqual(bench.published, []);
});
