/**
 * Buyers who fight for the seats of one event, and what they were told.
 *
 * Invariants, each of which throws when it is broken:
 * - A repeated request with the same key has the same outcome, however often the server went away.
 * - A buyer's booking is in the buyer's list as soon as its 201 was received.
 */
import assert from "node:assert/strict";
import { Random } from "../../engine/testing/random.ts";
import type { AvailabilityReader } from "../../gateway/live/testing/availability-reader.ts";
import type { ApiClient, Ask, Reply } from "./client.ts";
import type { BookingShape, HoldShape, Page } from "./shapes.ts";
import { ok } from "./venue.ts";

export interface Sale {
  readonly booking: BookingShape;
  readonly buyer: Buyer;
  readonly key: string;
}

export interface Dropout {
  readonly hold: HoldShape;
  readonly buyer: Buyer;
}

export interface CrowdOptions {
  readonly api: ApiClient;
  /** What buyers look at before they choose. */
  readonly reader: () => AvailabilityReader;
  readonly eventId: string;
  readonly seatIds: readonly string[];
  readonly seed: number;
  /** Resolves once the server may be asked again, after a request that it did not answer. */
  readonly recovered: () => Promise<void>;
}

/** What all buyers together were told. */
export class Crowd {
  readonly options: CrowdOptions;
  readonly sales: Sale[] = [];
  readonly dropouts: Dropout[] = [];
  readonly seqs = new Set<number>();
  replays = 0;
  aborted = 0;
  refusals = 0;

  constructor(options: CrowdOptions) {
    this.options = options;
  }

  /** For the record of a run. */
  get summary(): string {
    const { sales, dropouts, replays, aborted, refusals, options } = this;
    const counts = {
      bookings: sales.length,
      dropouts: dropouts.length,
      replays,
      aborted,
      refusals,
    };
    return `seed ${options.seed}: ${JSON.stringify(counts)}`;
  }

  get seatsSold(): number {
    return this.sales.reduce((sum, { booking }) => sum + booking.tickets.length, 0);
  }

  /** Guests, each with a token of their own. */
  async buyers(count: number): Promise<Buyer[]> {
    const { api } = this.options;
    const first = this.#count;
    this.#count += count;
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const guest = ok(await api.post<{ accessToken: string }>("/api/v1/auth/guest"), 201);
        return new Buyer(this, first + index, guest.accessToken);
      }),
    );
  }
  #count = 0;

  /** A fact's seq proves an order only if no two facts share it. */
  noteSeq(seq: number): void {
    assert.ok(!this.seqs.has(seq), `seq ${seq} is told twice`);
    this.seqs.add(seq);
  }

  /** Checks that what was sold was sold once, and that the buyers can see it. */
  async verify(): Promise<void> {
    const seats = this.sales.flatMap(({ booking }) => booking.tickets.map(({ seat }) => seat));
    assert.equal(new Set(seats).size, seats.length, "no seat is sold twice");
    const buyers = new Set(this.sales.map(({ buyer }) => buyer));
    await Promise.all([...buyers].map((buyer) => buyer.verify()));
  }
}

const MAX_TRIES = 100;

export class Buyer {
  readonly n: number;
  readonly token: string;
  readonly #crowd: Crowd;
  readonly #random: Random;
  #requests = 0;

  constructor(crowd: Crowd, n: number, token: string) {
    this.n = n;
    this.token = token;
    this.#crowd = crowd;
    this.#random = new Random(crowd.options.seed + n);
  }

  /** Tries up to `attempts` times to hold seats, and does with them what this buyer is like. */
  async buy(attempts: number): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const seats = this.#chooseSeats();
      if (seats.length === 0) return;
      const hold = await this.#hold(seats);
      if (hold === null) continue;
      const mood = this.#random.next();
      if (mood < 0.1) {
        this.#crowd.dropouts.push({ hold, buyer: this });
        return;
      }
      if (mood < 0.15) return this.#release(hold);
      if ((await this.book(hold)) !== null) return;
    }
  }

  /** Books what it holds; null: the hold ended before. */
  async book(hold: HoldShape): Promise<BookingShape | null> {
    const crowd = this.#crowd;
    const key = this.#freshKey();
    const email = `buyer-${this.n}@example.org`;
    const body = { holdId: hold.id, payment: { provider: "none" }, email };
    const ask = { token: this.token, key, body };
    const path = `/api/v1/events/${crowd.options.eventId}/bookings`;
    const reply = await this.#surely<BookingShape>("POST", path, ask);
    if (reply.status === 410) return null;
    const booking = ok(reply, 201);
    assert.deepEqual(
      booking.tickets.map(({ seat }) => seat),
      hold.items.map(({ seat }) => seat),
    );
    crowd.noteSeq(booking.seq);
    crowd.sales.push({ booking, buyer: this, key });
    if (this.#random.next() < 0.2) await this.#repeat(path, ask, booking);
    if (this.#random.next() < 0.3) {
      const list = await this.#surely<Page<BookingShape>>("GET", "/api/v1/bookings", {
        token: this.token,
      });
      assert.ok(
        ok(list).data.some(({ id }) => id === booking.id),
        "a booking is listed as soon as its 201 was received",
      );
    }
    return booking;
  }

  /** Holds these seats; null: someone else has one of them. */
  async #hold(seats: readonly string[]): Promise<HoldShape | null> {
    const crowd = this.#crowd;
    const path = `/api/v1/events/${crowd.options.eventId}/holds`;
    const body = { items: seats.map((seat) => ({ seat })) };
    const ask = { token: this.token, key: this.#freshKey(), body };
    if (this.#random.next() < 0.1) {
      crowd.aborted += 1;
      await crowd.options.api.abandon("POST", path, ask);
    }
    const reply = await this.#surely<HoldShape>("POST", path, ask);
    if (reply.status === 409) {
      crowd.refusals += 1;
      return null;
    }
    const hold = ok(reply, 201);
    crowd.noteSeq(hold.seq);
    if (this.#random.next() < 0.2) await this.#repeat(path, ask, hold);
    return hold;
  }

  async #release(hold: HoldShape): Promise<void> {
    const path = `/api/v1/holds/${hold.id}`;
    const reply = await this.#surely("DELETE", path, { token: this.token });
    assert.ok(reply.status === 204 || reply.status === 410, reply.text);
  }

  async #repeat(path: string, ask: Ask, first: HoldShape | BookingShape): Promise<void> {
    const again = await this.#surely<HoldShape | BookingShape>("POST", path, ask);
    assert.deepEqual(ok(again, 201), first, "same key, same outcome");
    assert.equal(again.headers["idempotent-replayed"], "true");
    this.#crowd.replays += 1;
  }

  /** Repeats the request until the server answers it: that is what keys are for. */
  async #surely<Body>(method: string, path: string, ask: Ask): Promise<Reply<Body>> {
    const { api, recovered } = this.#crowd.options;
    for (let tries = 1; ; tries += 1) {
      const reply = await api.request<Body>(method, path, ask).catch((error: unknown) => {
        if (tries === MAX_TRIES) throw error;
        return null;
      });
      const isBusy = reply !== null && (reply.status === 503 || reply.status === 504);
      if (reply !== null && !(isBusy && tries < MAX_TRIES)) return reply;
      await recovered();
    }
  }

  /** One or two seats that seem to be free; often those that everyone wants. */
  #chooseSeats(): string[] {
    const { reader, seatIds } = this.#crowd.options;
    const seen = reader();
    const free = seatIds.filter((_, index) => seen.isFree(index));
    if (free.length === 0) return [];
    const wanted = this.#random.next() < 0.3 ? free.slice(0, 40) : free;
    const seats = new Set([this.#random.pick(wanted)]);
    if (this.#random.next() < 0.3) seats.add(this.#random.pick(wanted));
    return [...seats];
  }

  /** The buyer's list has every booking that was acknowledged, as it was told. */
  async verify(): Promise<void> {
    const mine = this.#crowd.sales.filter(({ buyer }) => buyer === this);
    const ask = { token: this.token };
    const path = "/api/v1/bookings?limit=100";
    const page = ok(await this.#surely<Page<BookingShape>>("GET", path, ask));
    const listed = new Map(page.data.map((booking) => [booking.id, booking]));
    for (const { booking } of mine) assert.deepEqual(listed.get(booking.id), booking);
  }

  #freshKey(): string {
    this.#requests += 1;
    return `buyer-${this.n}-request-${this.#requests}`;
  }
}
