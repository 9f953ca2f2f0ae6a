/**
 * Watches one event's live stream, loses its connection now and then, and goes on where it was.
 *
 * Invariants, whose breach is a fault: a delta begins where the last one ended; each message's
 * totals are those of its seats and areas; all of them together are the capacity.
 */
import { LiveClient } from "../support/client.ts";
import type { AvailabilityShape } from "../support/shapes.ts";
import type { Stage, StageWatch } from "./scenery.ts";
import type { Faults } from "./teller.ts";

export class Watcher implements StageWatch {
  messages = 0;
  resumed = 0;
  readonly #url: string;
  readonly #stage: Stage;
  readonly #faults: Faults;
  #live: LiveClient;

  private constructor(url: string, stage: Stage, faults: Faults, live: LiveClient) {
    this.#url = url;
    this.#stage = stage;
    this.#faults = faults;
    this.#live = live;
    this.#listen(live);
  }

  static async open(url: string, stage: Stage, faults: Faults): Promise<Watcher> {
    const live = await LiveClient.open(url);
    const watcher = new Watcher(url, stage, faults, live);
    live.send({ op: "subscribe", eventId: stage.eventId });
    await live.next("snapshot");
    return watcher;
  }

  /** The seat at this index, as it was last seen. */
  isFree(index: number): boolean {
    return this.#live.reader.isFree(index);
  }

  get free(): number {
    return this.#live.reader.totals.free;
  }

  /** Hangs up, and asks for what it missed. */
  async reconnect(): Promise<void> {
    const before = this.#live;
    before.onMessage = () => undefined;
    before.close();
    await before.closed;
    this.#collect(before);
    const { epoch, seq } = before.reader;
    const live = await LiveClient.open(this.#url);
    live.reader = before.reader;
    this.#live = live;
    this.#listen(live);
    this.resumed += 1;
    live.send({ op: "subscribe", eventId: this.#stage.eventId, since: { epoch, seq } });
  }

  /** Whether it has seen what is so now. */
  hasSeen({ seq }: AvailabilityShape): boolean {
    return this.#live.reader.seq >= seq;
  }

  /** What it has seen must be what is so, once nothing changes any more. */
  compare({ seq, free, held, sold, blocked, statuses }: AvailabilityShape): void {
    const { reader } = this.#live;
    const seen = [reader.seq, ...Object.values(reader.totals), reader.statuses];
    const now = [seq, free, held, sold, blocked, statuses ?? ""];
    this.#faults.check(
      seen.join() === now.join(),
      () => `${this.#stage.name}: the stream says ${seen.join()}, the availability ${now.join()}`,
    );
  }

  close(): void {
    this.#live.onMessage = () => undefined;
    this.#collect(this.#live);
    this.#live.close();
  }

  #listen(live: LiveClient): void {
    live.onMessage = () => {
      this.messages += 1;
      this.#collect(live);
      this.#check(live);
      live.take("delta");
    };
  }

  #collect(live: LiveClient): void {
    for (const fault of live.faults.splice(0)) {
      this.#faults.add(`${this.#stage.name}: the live stream: ${fault}`);
    }
  }

  #check({ reader }: LiveClient): void {
    if (reader.snapshots === 0) return;
    const seen = { f: 0, h: 0, s: 0, b: 0 };
    for (const status of reader.statuses) {
      if (status === "f" || status === "h" || status === "s" || status === "b") seen[status] += 1;
    }
    for (const { free, held, sold } of reader.areas.values()) {
      seen.f += free;
      seen.h += held;
      seen.s += sold;
    }
    const { free, held, sold } = reader.totals;
    const standing = reader.capacity - this.#stage.seats.length;
    const isRight = seen.f === free && seen.h === held && seen.s === sold;
    this.#faults.check(isRight && this.#stage.capacities.has(standing), () => {
      const told = JSON.stringify(reader.totals);
      const capacities = [...this.#stage.capacities].join(" or ");
      return `${this.#stage.name}: at seq ${reader.seq} ${told}, but ${JSON.stringify(seen)} are
        there, and standing places ${standing} instead of ${capacities}`;
    });
  }
}
