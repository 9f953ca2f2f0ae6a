import type { RandomSource } from "../../catalogue/random-source.ts";
import type { Hall } from "../../hall/hall.ts";
import type { Acknowledgements } from "../acknowledgements.ts";
import type { FaultList } from "../fault-list.ts";
import type { RequestWriter } from "../request-writer.ts";
import type { PlaceHunt } from "./attempt.ts";
import type { SoldMarks } from "./sold-marks.ts";

export interface SoldEvent {
  readonly eventId: string;
  /** Public ids of its seats in the order of its seat list; null: places of the area are sold. */
  readonly seatIds: readonly string[] | null;
  readonly area: string | null;
  /** Places that nobody but this load asks for. */
  readonly capacity: number;
  /** Of those whose buyers have their seats chosen by the server; absent: they name them. */
  readonly hall?: Hall;
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
  /** Of those who hold, who do not book. */
  readonly dropOutShare: number;
  /** Of those who do not book, who say so and give it back; the others just go. */
  readonly giveBackShare: number;
  /** Of confirmed requests that are sent once more under the same key. */
  readonly repeatShare: number;
  /** null: buyers do everything at once. */
  readonly thinking: Thinking | null;
  /** How late buyers see what others have taken. */
  readonly lagMs: number;
  /** Of the events: when seats of those who just went are seen as free again. */
  readonly holdTtlSeconds: number;
  readonly seed: number;
}

export interface Thinking {
  /** How long buyers take on average to choose seats, each time, and again to check out. */
  readonly meanMs: number;
  /**
   * The load has a rate: while some think others come, so that a request is sent when it is due.
   * Otherwise a connection stands for one buyer after another, who thinks while it is silent.
   */
  readonly hasRate: boolean;
}

/** An event as the buyers know it. */
export interface KnownEvent {
  readonly index: number;
  readonly path: string;
  readonly capacity: number;
  readonly hunt: PlaceHunt;
  sold: number;
}

/** Indexes of the streams besides those of holds, which come first. */
export interface SaleStreams {
  readonly bookings: number;
  readonly releases: number;
  readonly looks: number;
  /** Whatever is sent under a key that was sent before. */
  readonly repeats: number;
}

/** What all visits share. */
export interface SaleGround {
  readonly options: SaleFlowOptions;
  readonly streams: SaleStreams;
  readonly writer: RequestWriter;
  readonly random: RandomSource;
  readonly acknowledged: Acknowledgements;
  readonly faults: FaultList;
  readonly counts: SaleCounts;
  readonly marks: SoldMarks;
  /** An event that somebody wants now; null: all are sold out. */
  wanted(): KnownEvent | null;
  /** The next buyer, as index of a token. */
  nextBuyer(): number;
}

export interface SaleCounts {
  /** Those who asked for places, once at least. */
  buyers: number;
  "buyers who booked": number;
  "places asked for": number;
  "holds confirmed": number;
  collisions: number;
  "places sold": number;
  "given back": number;
  "left without a word": number;
  "sent twice": number;
  "went away without": number;
  "too late to book": number;
}
