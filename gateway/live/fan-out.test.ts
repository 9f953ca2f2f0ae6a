import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import type { EventId } from "../../engine/ids.ts";
import { FREE, HELD, isSeatStatus, SOLD } from "../../engine/inventory.ts";
import {
  DELTA_CONFLATION_MS,
  SENDS_PER_TURN_MAX,
  SUBSCRIBERS_PER_GROUP_MAX,
} from "../../engine/limits.ts";
import { definition, EVENT_ID } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import type { Done } from "../shard-router.ts";
import { AvailabilityHub } from "./availability-hub.ts";
import { Audience, FanOut, type SubscriberGroup } from "./fan-out.ts";
import { LiveView } from "./live-view.ts";
import { AvailabilityReader } from "./testing/availability-reader.ts";

const SEATS = 10;

interface Subscriber {
  readonly reader: AvailabilityReader;
  group: SubscriberGroup;
}

/** A hub, its actor, and subscribers who hear what is published in the moment in which it is. */
class FanOutBench {
  readonly subscribers = new Set<Subscriber>();
  /** Seats and seq, as the actor has them. */
  readonly statuses = new Uint8Array(SEATS).fill(FREE);
  seq = 1;
  sends = 0;
  readonly #turns: (() => void)[] = [];
  readonly #asked: Done[] = [];
  readonly hub = new AvailabilityHub({
    now: () => Date.now(),
    router: { execute: (_eventId, _operation, done) => this.#asked.push(done) },
    exists: () => true,
    publish: (topic, text) => {
      for (const { reader, group } of this.subscribers) {
        if (group.topic !== topic) continue;
        this.sends += 1;
        reader.read(text);
      }
    },
    soon: (run) => this.#turns.push(run),
  });

  constructor() {
    this.hub.read(EVENT_ID, () => undefined);
    this.answer();
  }

  /** The actor answers what it was asked. */
  answer(): void {
    const areas = [{ capacity: 5, free: 5, held: 0, sold: 0, blocked: 0 }];
    const parts = { definition: definition(), epoch: 1, seq: this.seq, areas };
    for (const done of this.#asked.splice(0)) {
      done({ kind: "view", view: { ...parts, statuses: this.statuses.slice() } }, 0);
    }
  }

  /** One turn of the loop. False: nothing was to be done in it. */
  turn(): boolean {
    const run = this.#turns.shift();
    run?.();
    return run !== undefined;
  }

  /** A subscriber comes, or asks again; null: the event has no view just now. */
  welcome(known: Subscriber | null = null): Subscriber | null {
    const view = this.hub.peek(EVENT_ID);
    if (view === null) return null;
    const subscriber = known ?? { reader: new AvailabilityReader(), group: this.#join(view) };
    if (known !== null) this.hub.welcome(view, known.group);
    subscriber.reader.read(view.snapshot());
    this.subscribers.add(subscriber);
    return subscriber;
  }

  #join(view: LiveView): SubscriberGroup {
    return this.hub.welcome(view, null);
  }

  leave(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber);
    this.hub.unsubscribed(EVENT_ID, subscriber.group);
  }

  /** A seat is another thing now. */
  change(seat: number, to: number): void {
    const from = this.statuses[seat] ?? FREE;
    assert.ok(isSeatStatus(from) && isSeatStatus(to));
    this.seq += 1;
    this.statuses[seat] = to;
    this.hub.changed({
      eventId: EVENT_ID,
      seq: this.seq,
      moves: from === to ? [] : [{ places: [seat], from, to }],
    });
  }

  reset(): void {
    this.seq += 1;
    this.hub.changed({ eventId: EVENT_ID, seq: this.seq, reset: true });
  }

  /** Nothing happens any more, and everything has been said. */
  quiet(): void {
    this.answer();
    mock.timers.tick(DELTA_CONFLATION_MS);
    while (this.turn());
  }

  /** Of each subscriber, what it believes. */
  believed(): Set<string> {
    return new Set(
      Array.from(this.subscribers, ({ reader }) => `${reader.seq} ${reader.statuses}`),
    );
  }

  get truth(): string {
    return `${this.seq} ${Buffer.from(this.statuses).toString("latin1")}`;
  }
}

let bench: FanOutBench;
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
  bench = new FanOutBench();
});
afterEach(() => {
  bench.hub.stop();
  mock.timers.reset();
});

describe("FanOut", () => {
  it("tells a crowd of one change in turns, and lets others be served in between", () => {
    const groups = 4;
    for (let n = 0; n < groups * SUBSCRIBERS_PER_GROUP_MAX; n += 1) bench.welcome();
    bench.change(0, HELD);
    mock.timers.tick(1);
    for (let turn = 1; turn <= groups; turn += 1) {
      assert.ok(bench.turn());
      assert.equal(bench.sends, turn * SENDS_PER_TURN_MAX);
    }
    assert.equal(bench.turn(), false);
    assert.deepEqual(bench.believed(), new Set([bench.truth]));
  });

  it("tells those at the end of the line what has happened since the line began", () => {
    for (let n = 0; n < 2 * SUBSCRIBERS_PER_GROUP_MAX; n += 1) bench.welcome();
    bench.change(0, HELD);
    mock.timers.tick(1);
    assert.ok(bench.turn());
    bench.change(1, HELD);
    mock.timers.tick(DELTA_CONFLATION_MS);
    assert.ok(bench.turn());
    const [first, ...others] = [...bench.subscribers].reverse();
    assert.equal(first?.reader.seq, bench.seq, "the last group has both");
    assert.equal(others.at(-1)?.reader.seq, bench.seq - 1, "the first one has the first");
    assert.ok(bench.turn());
    assert.equal(bench.turn(), false);
    assert.deepEqual(bench.believed(), new Set([bench.truth]));
  });

  it("brings only a newcomer's group up to date, not everybody", () => {
    for (let n = 0; n < 2 * SUBSCRIBERS_PER_GROUP_MAX; n += 1) bench.welcome();
    const [leaves] = bench.subscribers;
    assert.ok(leaves !== undefined);
    bench.leave(leaves);
    bench.change(0, HELD);
    const newcomer = bench.welcome();
    assert.equal(newcomer?.group, leaves.group, "there was room");
    assert.equal(bench.sends, SUBSCRIBERS_PER_GROUP_MAX - 1);
    bench.quiet();
    assert.deepEqual(bench.believed(), new Set([bench.truth]));
  });

  it("tells small audiences in one turn, and takes none for nothing", () => {
    const [told, turns]: [string[], (() => void)[]] = [[], []];
    const fanOut = new FanOut({
      publish: (topic) => told.push(topic),
      soon: (run) => turns.push(run),
    });
    const topics = [1, 2, 3].map((n) => {
      const eventId = EVENT_ID.replace("c2d3", `c2d${n}`) as EventId;
      const areas = [{ capacity: 5, free: 5, held: 0, sold: 0, blocked: 0 }];
      const statuses = new Uint8Array(SEATS).fill(FREE);
      const parts = { definition: definition(), epoch: 1, seq: 1, areas, statuses };
      const view = new LiveView(eventId, parts);
      const audience = new Audience(eventId, () => view);
      const { topic } = audience.join();
      view.apply({ eventId, seq: 2, moves: [{ places: [0], from: FREE, to: HELD }] });
      view.takeDelta();
      fanOut.tell(audience);
      return topic;
    });
    assert.equal(turns.length, 1);
    turns.shift()?.();
    assert.deepEqual(told, topics);
    assert.equal(turns.length, 0);
  });

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`keeps every subscriber's deltas without a gap, whatever happens (seed ${seed})`, () => {
      const random = new Random(seed);
      for (let n = 0; n < SUBSCRIBERS_PER_GROUP_MAX + 30; n += 1) bench.welcome();
      for (let step = 0; step < 1_500; step += 1) {
        const subscribers = [...bench.subscribers];
        switch (random.below(8)) {
          case 0:
            bench.welcome();
            break;
          case 1:
            if (subscribers.length > 0) bench.leave(random.pick(subscribers));
            break;
          case 2:
            if (subscribers.length > 0) bench.welcome(random.pick(subscribers));
            break;
          case 3:
            mock.timers.tick(random.below(DELTA_CONFLATION_MS));
            break;
          case 4:
            bench.turn();
            break;
          case 5:
            bench.answer();
            break;
          case 6:
            if (random.below(10) === 0) bench.reset();
            break;
          default:
            bench.change(random.below(SEATS), random.pick([FREE, HELD, SOLD]));
        }
      }
      bench.quiet();
      assert.deepEqual(bench.believed(), new Set([bench.truth]));
      assert.equal(bench.hub.subscribersOf(EVENT_ID), bench.subscribers.size);
    });
  }
});
