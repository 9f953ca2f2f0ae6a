/** The faults of one run: each comes at random moments and goes again, until the weather clears. */
import type { Random } from "../../engine/testing/random.ts";
import type { Fault, Plan } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import type { VirtualNode } from "./virtual-node.ts";
import type { VirtualServer } from "./virtual-server.ts";

const CLOCK_SKEW_MS_MAX = 200_000;

export interface WeatherWorld {
  readonly plan: Plan;
  /** A stream of its own for each fault: without one, the others strike as before. */
  readonly randomOf: (fault: Fault) => Random;
  readonly scheduler: Scheduler;
  readonly disk: VirtualDisk;
  readonly server: VirtualServer;
  /** The node that was started last. */
  readonly node: () => VirtualNode | null;
  readonly stopNode: () => void;
  readonly takeOver: () => void;
  /** Holds need not end in time for the next `ms` of the wall clock, and `ms` of virtual time. */
  readonly disturbed: (ms: number) => void;
  /** The wall clock shows so much too much from now on, ms. */
  readonly setClock: (skewMs: number) => void;
  /** More than a day is over, for everybody. */
  readonly passDay: () => void;
}

export class Weather {
  readonly #world: WeatherWorld;
  #isClear = false;
  /** How slow threads are at the moment: a factor. */
  slowness = 1;

  constructor(world: WeatherWorld) {
    this.#world = world;
    for (const fault of world.plan.faults) this.#plan(fault, world.randomOf(fault));
  }

  /** Whether a fault of this kind may happen at all, and may still. */
  knows(fault: Fault): boolean {
    return !this.#isClear && this.#world.plan.faults.has(fault);
  }

  clear(): void {
    const { disk, server } = this.#world;
    this.#isClear = true;
    this.slowness = 1;
    disk.heal();
    server.heal();
  }

  #plan(fault: Fault, random: Random): void {
    const { plan, scheduler } = this.#world;
    const ms = -plan.faultIntervalMs * Math.log(1 - random.next());
    scheduler.after(ms, () => {
      if (this.#isClear) return;
      this.#strike(fault, random);
      this.#plan(fault, random);
    });
  }

  #strike(fault: Fault, random: Random): void {
    const { disk, server, disturbed } = this.#world;
    const node = this.#world.node();
    switch (fault) {
      case "kill":
        return node?.parts.process.end();
      case "power":
        node?.parts.process.end();
        return disk.powerFailed();
      case "torn":
        return disk.crashAfter(1 + random.below(random.pick([5, 40])));
      case "stop":
        return this.#world.stopNode();
      case "write":
        return this.#while(
          random,
          () => disk.failWrites(0.02),
          () => disk.failWrites(0),
        );
      case "sync":
        return this.#while(
          random,
          () => disk.failSyncs(0.05),
          () => disk.failSyncs(0),
        );
      case "room": {
        const bytes = disk.usedBytes + random.below(random.pick([20_000, 300_000]));
        const full = () => disk.setCapacity(bytes);
        return this.#while(random, full, () => disk.setCapacity(Number.POSITIVE_INFINITY));
      }
      case "down":
        return this.#while(
          random,
          () => server.goDown(),
          () => server.comeUp(),
        );
      case "frozen":
        return this.#while(
          random,
          () => server.freeze(),
          () => server.thaw(),
        );
      case "connections":
        return server.killConnections();
      case "replies":
        return this.#while(
          random,
          () => server.loseReplies(0.3),
          () => server.loseReplies(0),
        );
      case "clock": {
        // Between bounds: a hold need not end before the clock is back where it was.
        const skewMs = (random.next() - 0.5) * random.pick([100, 10_000, CLOCK_SKEW_MS_MAX]);
        disturbed(CLOCK_SKEW_MS_MAX);
        return this.#world.setClock(skewMs);
      }
      case "day":
        return random.below(4) === 0 ? this.#world.passDay() : undefined;
      case "stall": {
        const ms = random.below(random.pick([100, 3_000, 12_000]));
        disturbed(ms);
        node?.parts.process.stall(ms);
        return;
      }
      case "slow":
        return this.#while(
          random,
          () => {
            this.slowness = random.pick([10, 100, 500]);
          },
          () => {
            this.slowness = 1;
          },
        );
      case "takeover":
        return this.#world.takeOver();
      case "network":
      case "reshard":
      case "switch":
        // Always there: see who asks `knows`.
        return;
    }
  }

  #while(random: Random, begin: () => void, end: () => void): void {
    const { scheduler, disturbed } = this.#world;
    const ms = random.below(random.pick([300, 3_000, 15_000]));
    disturbed(ms);
    begin();
    scheduler.after(ms, () => {
      if (!this.#isClear) end();
    });
  }
}
