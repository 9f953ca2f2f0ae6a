import type { RandomSource } from "../../catalogue/random-source.ts";
import type { FaultList } from "../fault-list.ts";
import { codeOf, seatsIn } from "../refusals.ts";
import { type Attempt, HOLD_END_MORE_MS, type PlaceHunt, partySize } from "./attempt.ts";
import { SeatChoice } from "./seat-choice.ts";
import { type SeatClaim, SeatClaims } from "./seat-claims.ts";

/** A seat that was found taken is looked at again after this long. */
const FOUND_TAKEN_MS = 1_000;

export interface SeatHuntOptions {
  readonly seatIds: readonly string[];
  /** Of a `SeatChoice`. */
  readonly lagMs: number;
  readonly isThorough: boolean;
  readonly holdTtlSeconds: number;
  readonly random: RandomSource;
  readonly faults: FaultList;
}

/** Buyers who look at the plan and ask for seats by name, and find them taken. */
export class SeatHunt implements PlaceHunt {
  readonly options: SeatHuntOptions;
  readonly choice: SeatChoice;
  readonly claims: SeatClaims;
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(options: SeatHuntOptions) {
    const { seatIds, lagMs, isThorough, random } = options;
    this.options = options;
    this.choice = new SeatChoice({ seats: seatIds.length, lagMs, isThorough, random });
    this.claims = new SeatClaims(seatIds.length);
    this.#indexes = new Map(seatIds.map((id, seat) => [id, seat]));
  }

  sizeOf(chance: number): number {
    return partySize(chance);
  }

  attempt(size: number): Attempt | null {
    const places = this.choice.pick(size, performance.now());
    return places === null ? null : new SeatAttempt(this, size, places);
  }

  checks(): readonly [] {
    return [];
  }

  /** Those among them that the event has. */
  indexesOf(ids: readonly string[]): number[] {
    return ids.flatMap((id) => this.#indexes.get(id) ?? []);
  }
}

class SeatAttempt implements Attempt {
  readonly stream = 0;
  readonly items: string;
  readonly askedMs = performance.now();
  readonly #hunt: SeatHunt;
  readonly #size: number;
  readonly #places: readonly number[];
  readonly #claim: SeatClaim;

  constructor(hunt: SeatHunt, size: number, places: readonly number[]) {
    const { seatIds } = hunt.options;
    this.#hunt = hunt;
    this.#size = size;
    this.#places = places;
    this.#claim = hunt.claims.asked(places);
    this.items = JSON.stringify(places.map((seat) => ({ seat: seatIds[seat] })));
  }

  get count(): number {
    return this.#places.length;
  }

  held(id: string, body: string): readonly number[] {
    const { choice, options } = this.#hunt;
    const { faults, seatIds, holdTtlSeconds } = options;
    const isAsWanted = this.#places.every((seat) => body.includes(`"seat":"${seatIds[seat]}"`));
    if (!isAsWanted) faults.add(`hold ${id} has other seats than those that were asked for`);
    const nowMs = performance.now();
    const endMs = nowMs + holdTtlSeconds * 1_000;
    choice.taken(this.#places, nowMs, endMs);
    this.#claim.untilMs = endMs + HOLD_END_MORE_MS;
    return this.#places;
  }

  refused(body: string): boolean {
    const { claims, choice, options } = this.#hunt;
    claims.refused(this.#claim);
    const seats = this.#hunt.indexesOf(seatsIn(body));
    if (
      codeOf(body) !== "seat_unavailable" ||
      seats.length === 0 ||
      !seats.every(this.#mayBeTaken)
    ) {
      options.faults.add(`what could be had was refused: ${body.slice(0, 200)}`);
    }
    const nowMs = performance.now();
    choice.taken(seats, nowMs, nowMs + FOUND_TAKEN_MS);
    return true;
  }

  again(): Attempt | null {
    return this.#hunt.attempt(this.#size);
  }

  booking(): void {
    this.#claim.untilMs = Number.POSITIVE_INFINITY;
  }

  releasing(): void {
    // Until the answer it may be theirs as well as not.
  }

  booked(): void {
    this.#hunt.choice.sold(this.#places, performance.now());
  }

  released(): void {
    const nowMs = performance.now();
    this.#hunt.choice.taken(this.#places, nowMs, 0);
    this.#claim.untilMs = nowMs;
  }

  expired(): void {
    this.#claim.untilMs = performance.now();
  }

  lost(): void {
    // Its claim stays: nobody knows.
  }

  readonly #mayBeTaken = (seat: number): boolean =>
    this.#places.includes(seat) && this.#hunt.claims.mayBeTaken(seat, this.askedMs);
}
