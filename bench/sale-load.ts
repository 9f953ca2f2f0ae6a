import type { Door, DoorReply, Visit } from "./sale-door.ts";
import { SaleTally } from "./sale-tally.ts";

/** Who was told `busy` while booking what they hold presses the button again after this long. */
const BOOKING_RETRY_MS = 100;
/** How often those who have arrived meanwhile are sent in. */
const ARRIVAL_TICK_MS = 1;

interface Way {
  readonly door: Door;
  /** Buyers of the closed loop: how many there are to be, and how many there are. */
  buyersWanted: number;
  buyers: number;
  /** How long they stay away when they were told `busy`. */
  backOffMs: number;
  arrivalsPerSecond: number;
  /** Whole buyers are sent in; what is left of one waits here. */
  arrivalsDue: number;
}

/**
 * Buyers of places on a floor: each holds one and books it. Who has a hold tries until it is
 * booked.
 *
 * There are two ways of coming. Buyers of a closed loop buy again as soon as the last place is
 * bought, and try again when they are told `busy`. Those of an open loop come at their rate,
 * whatever becomes of those before them, and go away when they are told `busy`.
 *
 * Invariant: `held` and `sold` count what was acknowledged since the beginning, nothing else.
 */
export class SaleLoad {
  readonly #ways: readonly Way[];
  #tally = new SaleTally();
  #ticker: NodeJS.Timeout | null = null;
  #lastTickMs = 0;
  held = 0;
  sold = 0;

  constructor(doors: readonly Door[]) {
    this.#ways = doors.map((door) => ({
      door,
      buyersWanted: 0,
      buyers: 0,
      backOffMs: 0,
      arrivalsPerSecond: 0,
      arrivalsDue: 0,
    }));
  }

  /** Counts what comes in during the next seconds. */
  async measure(seconds: number): Promise<SaleTally> {
    const tally = new SaleTally();
    this.#tally = tally;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    return tally.end();
  }

  /**
   * So many buyers buy one place after another through this door from now on. Who is told `busy`
   * asks again after `backOffMs`.
   */
  setBuyers(door: Door, count: number, backOffMs = 0): void {
    const way = this.#wayOf(door);
    way.backOffMs = backOffMs;
    way.buyersWanted = count;
    while (way.buyers < count) {
      way.buyers += 1;
      this.#comeBack(way);
    }
  }

  /** So many buyers come through this door each second from now on. */
  setArrivals(door: Door, perSecond: number): void {
    const way = this.#wayOf(door);
    way.arrivalsPerSecond = perSecond;
    way.arrivalsDue = 0;
    if (this.#ticker !== null) return;
    this.#lastTickMs = performance.now();
    this.#ticker = setInterval(() => this.#arrive(), ARRIVAL_TICK_MS);
  }

  /** Lets nobody in any more; resolves when everybody has an answer. */
  async drained(): Promise<void> {
    if (this.#ticker !== null) clearInterval(this.#ticker);
    this.#ticker = null;
    for (const way of this.#ways) {
      way.buyersWanted = 0;
      way.arrivalsPerSecond = 0;
    }
    while (this.#ways.some(({ door }) => door.inside > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #wayOf(door: Door): Way {
    const way = this.#ways.find((known) => known.door === door);
    if (way === undefined) throw new Error("this door is not of this load");
    return way;
  }

  #arrive(): void {
    const nowMs = performance.now();
    const seconds = (nowMs - this.#lastTickMs) / 1_000;
    this.#lastTickMs = nowMs;
    for (const way of this.#ways) {
      way.arrivalsDue += seconds * way.arrivalsPerSecond;
      const due = Math.floor(way.arrivalsDue);
      way.arrivalsDue -= due;
      this.#tally.arrived += due;
      for (let n = 0; n < due; n += 1) {
        const visit = way.door.enter();
        if (visit === null) break;
        this.#buy(visit, () => visit.leave());
      }
    }
  }

  #comeBack(way: Way): void {
    const visit = way.buyers > way.buyersWanted ? null : way.door.enter();
    if (visit === null) {
      way.buyers -= 1;
      return;
    }
    this.#tally.arrived += 1;
    this.#buy(visit, (isBusy) => {
      const next = (): void => {
        visit.leave();
        this.#comeBack(way);
      };
      if (isBusy && way.backOffMs > 0) setTimeout(next, way.backOffMs);
      else next();
    });
  }

  #buy(visit: Visit, over: (isBusy: boolean) => void): void {
    this.#tally.sent += 1;
    const sentMs = performance.now();
    visit.hold((reply) => {
      const tally = this.#tally;
      const tookMs = performance.now() - sentMs;
      if (reply.status === 201) {
        tally.held += 1;
        this.held += 1;
        tally.holdMs.add(tookMs);
        // The first member of a hold is its id.
        this.#book(visit, reply.body.slice(7, 43), over);
        return;
      }
      if (reply.status === 503) {
        tally.busyHolds += 1;
        this.#noteBusy(reply, tookMs);
      } else tally.addUnexpected(reply.status);
      over(reply.status === 503);
    });
  }

  #book(visit: Visit, holdId: string, over: (isBusy: boolean) => void): void {
    const sentMs = performance.now();
    visit.book(holdId, (reply) => {
      const tally = this.#tally;
      const tookMs = performance.now() - sentMs;
      if (reply.status === 503) {
        tally.busyBookings += 1;
        this.#noteBusy(reply, tookMs);
        setTimeout(() => this.#book(visit, holdId, over), BOOKING_RETRY_MS);
        return;
      }
      if (reply.status === 201) {
        tally.sold += 1;
        this.sold += 1;
        tally.bookingMs.add(tookMs);
      } else tally.addUnexpected(reply.status);
      over(false);
    });
  }

  #noteBusy({ hasRetryAfter }: DoorReply, tookMs: number): void {
    this.#tally.busyMs.add(tookMs);
    if (!hasRetryAfter) this.#tally.withoutRetryAfter += 1;
  }
}
