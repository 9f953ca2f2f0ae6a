/** What one buyer may have, from when they asked for it. */
export interface SeatClaim {
  readonly seats: readonly number[];
  /** Until when they may have them; Infinity: sold, or nobody knows. */
  untilMs: number;
}

/**
 * Which seats of an event may be somebody's, as far as one load knows that is alone with it: where
 * it does not know, a seat may. So who is refused a seat that may be nobody's is refused wrongly.
 *
 * Invariant: whatever the server has given to a buyer of this load, one of the seat's claims says.
 */
export class SeatClaims {
  readonly #claims: SeatClaim[][];

  constructor(seats: number) {
    this.#claims = Array.from({ length: seats }, () => []);
  }

  /** They are asked for: from now on they may be this buyer's. */
  asked(seats: readonly number[]): SeatClaim {
    const claim = { seats, untilMs: Number.POSITIVE_INFINITY };
    for (const seat of seats) this.#claims[seat]?.push(claim);
    return claim;
  }

  /** Whoever asked never had them. */
  refused(claim: SeatClaim): void {
    for (const seat of claim.seats) {
      this.#claims[seat] = this.#claims[seat]?.filter((other) => other !== claim) ?? [];
    }
  }

  /** Whether a claim to it stands that did not end before `sinceMs`. */
  mayBeTaken(seat: number, sinceMs: number): boolean {
    return this.#claims[seat]?.some(({ untilMs }) => untilMs >= sinceMs) ?? false;
  }
}
