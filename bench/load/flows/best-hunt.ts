import type { RandomSource } from "../../catalogue/random-source.ts";
import type { Hall, Wish } from "../../hall/hall.ts";
import type { Check } from "../../report/report.ts";
import type { FaultList } from "../fault-list.ts";
import { type Attempt, CLOCK_SLACK_MS, HOLD_END_MORE_MS, type PlaceHunt } from "./attempt.ts";
import { ALTERNATIVE_STREAM, bestStream, WHEELCHAIR_STREAM } from "./best-streams.ts";
import { type Choice, type ChoiceRefusal, judge, type NamedRefusal } from "./choice-judge.ts";
import { readChoice, readRefusal, readSeats, readTaken } from "./choice-reading.ts";
import { type Moment, SeatTenures, type Tenure } from "./seat-tenures.ts";
import { bestPartySize, drawWish, wishItems } from "./wish-mix.ts";

/** After its time: so soon a hold ends at the latest. */
const HOLD_END_MS = 1_000;
/** Of those who are offered something else instead, who take it. */
const ALTERNATIVE_SHARE = 0.5;

export interface BestHuntOptions {
  readonly hall: Hall;
  readonly holdTtlSeconds: number;
  readonly random: RandomSource;
  readonly faults: FaultList;
}

/**
 * Parties who leave the choice of their seats to the server. What they were told is kept, and
 * judged when all of it is known.
 */
export class BestHunt implements PlaceHunt {
  readonly options: BestHuntOptions;
  readonly indexes: ReadonlyMap<string, number>;
  readonly tenures: SeatTenures;
  readonly choices: Choice[] = [];
  readonly refusals: ChoiceRefusal[] = [];
  readonly named: NamedRefusal[] = [];
  /** When a request was sent of which nobody knows what it holds, the first of them. */
  unknownSinceMs = Number.POSITIVE_INFINITY;
  /** Seats that are held or sold. */
  taken = 0;
  /** All that ever held, by when that ends if nothing is done; `#ended` of them are past it. */
  readonly #holding: BestAttempt[] = [];
  #ended = 0;

  constructor(options: BestHuntOptions) {
    const { ids } = options.hall;
    this.options = options;
    this.indexes = new Map(ids.map((id, seat) => [id, seat]));
    this.tenures = new SeatTenures(ids.length);
  }

  sizeOf(chance: number): number {
    return bestPartySize(chance);
  }

  attempt(size: number): Attempt | null {
    this.#letEnd(performance.now());
    const { hall, random } = this.options;
    if (this.taken >= hall.ids.length) return null;
    const wish = drawWish(hall, size, random);
    const share = this.taken / hall.ids.length;
    const stream = wish.accessible
      ? WHEELCHAIR_STREAM
      : bestStream(wish.adjacent ? "together" : "or split", share);
    return new BestAttempt(this, { wish, stream, items: wishItems(hall, wish), offered: null });
  }

  holds(attempt: BestAttempt): void {
    this.#holding.push(attempt);
  }

  checks(): readonly Check[] {
    const { hall } = this.options;
    const { tenures, choices, refusals, named, unknownSinceMs } = this;
    return judge({ hall, tenures, choices, refusals, named, unknownSinceMs });
  }

  #letEnd(nowMs: number): void {
    for (;;) {
      const first = this.#holding[this.#ended];
      if (first === undefined || first.endMs > nowMs) break;
      this.#ended += 1;
      first.letGo();
    }
  }
}

interface Asked {
  readonly wish: Wish;
  readonly stream: number;
  readonly items: string;
  /** Seats that were offered before, and are asked for by name; null: they are to be chosen. */
  readonly offered: readonly number[] | null;
}

class BestAttempt implements Attempt {
  readonly stream: number;
  readonly items: string;
  readonly count: number;
  readonly askedMs = performance.now();
  /** When what it holds has ended by itself, if it is not booked. */
  endMs = Number.POSITIVE_INFINITY;
  readonly #hunt: BestHunt;
  readonly #asked: Asked;
  #tenure: Tenure | null = null;
  /** Whether its seats are among those that are taken. */
  #isHolding = false;
  #isSold = false;
  #next: readonly number[] | null = null;

  constructor(hunt: BestHunt, asked: Asked) {
    this.#hunt = hunt;
    this.#asked = asked;
    this.stream = asked.stream;
    this.items = asked.items;
    this.count = asked.wish.quantity;
  }

  held(id: string, body: string): readonly number[] {
    const { choices, tenures } = this.#hunt;
    const moment = this.#moment();
    const groups = this.#groupsOf(id, body);
    const seats = groups.flat();
    const { wish, offered } = this.#asked;
    choices.push({ wish, moment, groups, isNamed: offered !== null });
    const ttlMs = this.#hunt.options.holdTtlSeconds * 1_000;
    this.endMs = moment.toMs + ttlMs + HOLD_END_MS;
    this.#tenure = {
      askedMs: moment.fromMs,
      heldMs: moment.toMs,
      sureUntilMs: moment.fromMs + ttlMs - CLOCK_SLACK_MS,
      untilMs: moment.toMs + ttlMs + HOLD_END_MORE_MS,
    };
    tenures.add(seats, this.#tenure);
    this.#take();
    this.#hunt.holds(this);
    return seats;
  }

  refused(body: string): boolean {
    const { indexes, refusals, named, options } = this.#hunt;
    const { wish, offered } = this.#asked;
    const moment = this.#moment();
    if (offered !== null) {
      const seats = readTaken(body, indexes) ?? [];
      const areOffered = seats.every((seat) => offered.includes(seat));
      named.push({ seats: areOffered ? seats : [], moment });
      return false;
    }
    const told = readRefusal(body, indexes);
    if (told === null) {
      options.faults.add(`a wish was refused so: ${body.slice(0, 200)}`);
      return false;
    }
    refusals.push({ wish, moment, told });
    const [first] = told.code === "no_adjacent_seats" ? told.alternatives : [];
    const { random } = options;
    this.#next = first !== undefined && random.chance(ALTERNATIVE_SHARE) ? first.flat() : null;
    return this.#next !== null;
  }

  again(): Attempt | null {
    const { hall } = this.#hunt.options;
    const offered = this.#next;
    if (offered === null) return null;
    const wish = { ...this.#asked.wish, adjacent: false };
    const items = JSON.stringify(offered.map((seat) => ({ seat: hall.ids[seat] })));
    return new BestAttempt(this.#hunt, { wish, stream: ALTERNATIVE_STREAM, items, offered });
  }

  booking(): void {
    if (this.#tenure !== null) this.#tenure.untilMs = Number.POSITIVE_INFINITY;
  }

  releasing(): void {
    const nowMs = performance.now();
    if (this.#tenure !== null) {
      this.#tenure.sureUntilMs = Math.min(this.#tenure.sureUntilMs, nowMs);
    }
  }

  booked(): void {
    if (this.#tenure !== null) this.#tenure.sureUntilMs = Number.POSITIVE_INFINITY;
    // It may have been thought to have ended meanwhile.
    this.#take();
    this.#isSold = true;
  }

  released(): void {
    this.expired();
  }

  expired(): void {
    if (this.#tenure !== null) this.#tenure.untilMs = performance.now();
    this.letGo();
  }

  lost(): void {
    if (this.#tenure !== null) return;
    this.#hunt.unknownSinceMs = Math.min(this.#hunt.unknownSinceMs, this.askedMs);
  }

  /** Its seats are to be had again. */
  letGo(): void {
    if (!this.#isHolding || this.#isSold) return;
    this.#hunt.taken -= this.count;
    this.#isHolding = false;
  }

  #take(): void {
    if (!this.#isHolding) this.#hunt.taken += this.count;
    this.#isHolding = true;
  }

  #moment(): Moment {
    return { fromMs: this.askedMs, toMs: performance.now() };
  }

  #groupsOf(id: string, body: string): readonly (readonly number[])[] {
    const { options, indexes } = this.#hunt;
    const { offered } = this.#asked;
    if (offered === null) {
      const groups = readChoice(body, options.hall, indexes);
      if (typeof groups !== "string") return groups;
      options.faults.add(`hold ${id}: ${groups}`);
      return readSeats(body, indexes).map((seat) => [seat]);
    }
    const seats = readSeats(body, indexes);
    if (seats.toSorted().join() !== offered.toSorted().join()) {
      options.faults.add(`hold ${id} has other seats than those that were asked for`);
    }
    return seats.map((seat) => [seat]);
  }
}
