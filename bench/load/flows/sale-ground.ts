import type { RandomSource } from "../../catalogue/random-source.ts";
import type { Acknowledgements } from "../acknowledgements.ts";
import type { FaultList } from "../fault-list.ts";
import type { RequestWriter } from "../request-writer.ts";
import type { SeatChoice } from "./seat-choice.ts";
import type { SeatClaims } from "./seat-claims.ts";

export interface SoldEvent {
  readonly eventId: string;
  /** Public ids of its seats in the order of its seat list; null: places of the area are sold. */
  readonly seatIds: readonly string[] | null;
  readonly area: string | null;
  /** Places that nobody but this load asks for. */
  readonly capacity: number;
}

/**
 * Buyers who want places, hold them and book them: who find their seats taken and choose others,
 * press a button twice, change their minds, or close the page.
 */
export interface SaleFlowOptions {
  readonly kind: "sale";
  /** The most wanted first. */
  readonly events: readonly SoldEvent[];
  /** Exponent of a Zipf distribution over the events; 0: all are wanted alike. */
  readonly popularity: number;
  readonly tokens: readonly string[];
  /** Reads of the availability before a hold, on average. */
  readonly looksPerVisit: number;
  /** Of those who hold, who do not book: half give it back, half just go. */
  readonly dropOutShare: number;
  /** Of confirmed requests that are sent once more under the same key. */
  readonly repeatShare: number;
  /** How late buyers see what others have taken. */
  readonly lagMs: number;
  /** Of the events: when seats of those who just went are seen as free again. */
  readonly holdTtlSeconds: number;
  readonly seed: number;
}

/** An event as the buyers know it. */
export interface KnownEvent extends SoldEvent {
  readonly index: number;
  readonly path: string;
  readonly choice: SeatChoice | null;
  readonly claims: SeatClaims | null;
  /** Place of a seat's id in the list. */
  readonly seatIndexes: ReadonlyMap<string, number>;
  /** Places that this load has ever asked for: no more are held or sold. */
  asked: number;
  sold: number;
}

/** What all visits share. */
export interface SaleGround {
  readonly options: SaleFlowOptions;
  readonly writer: RequestWriter;
  readonly random: RandomSource;
  readonly acknowledged: Acknowledgements;
  readonly faults: FaultList;
  readonly counts: SaleCounts;
  /** An event that somebody wants now; null: all are sold out. */
  wanted(): KnownEvent | null;
  /** The next buyer, as index of a token. */
  nextBuyer(): number;
}

export interface SaleCounts {
  "places asked for": number;
  collisions: number;
  "places sold": number;
  "given back": number;
  "left without a word": number;
  "sent twice": number;
  "went away without": number;
  "too late to book": number;
}
