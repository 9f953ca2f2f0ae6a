import { RandomSource } from "../../catalogue/random-source.ts";
import { Acknowledgements } from "../acknowledgements.ts";
import { FaultList } from "../fault-list.ts";
import type { Flow, FlowFindings, Visitor } from "../flow.ts";
import { Popularity } from "../popularity.ts";
import { RequestWriter } from "../request-writer.ts";
import { SaleVisit } from "./sale-visit.ts";
import { SeatChoice } from "./seat-choice.ts";

export interface SoldEvent {
  readonly eventId: string;
  /** Public ids of its seats in the order of its seat list; null: places of the area are sold. */
  readonly seatIds: readonly string[] | null;
  readonly area: string | null;
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
  /** Place of a seat's id in the list. */
  readonly seatIndexes: ReadonlyMap<string, number>;
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
  collisions: number;
  "places sold": number;
  "given back": number;
  "left without a word": number;
  "sent twice": number;
  "went away without": number;
  "too late to book": number;
}

/** Events that are drawn before one that is not sold out is looked for in order. */
const DRAWS_MAX = 20;

export class SaleFlow implements Flow {
  readonly streams = ["holds", "bookings", "releases", "looks"] as const;
  readonly #ground: SaleGround;

  constructor(options: SaleFlowOptions, url: string) {
    const random = new RandomSource(options.seed);
    const events = options.events.map((event, index) => knownEvent(event, index, options, random));
    const popularity = new Popularity(events.length, options.popularity);
    let buyers = 0;
    const isOpen = (event: KnownEvent): boolean => event.sold < event.capacity;
    this.#ground = {
      options,
      random,
      writer: new RequestWriter(url, options.tokens),
      acknowledged: new Acknowledgements(),
      faults: new FaultList(),
      counts: {
        collisions: 0,
        "places sold": 0,
        "given back": 0,
        "left without a word": 0,
        "sent twice": 0,
        "went away without": 0,
        "too late to book": 0,
      },
      wanted: () => {
        for (let draws = 0; draws < DRAWS_MAX; draws += 1) {
          const event = events[popularity.draw(random.next())];
          if (event !== undefined && isOpen(event)) return event;
        }
        return events.find(isOpen) ?? null;
      },
      nextBuyer: () => {
        buyers += 1;
        return buyers;
      },
    };
  }

  visitor(): Visitor {
    return new SaleVisit(this.#ground);
  }

  findings(): FlowFindings {
    const { acknowledged, faults, counts } = this.#ground;
    return { acknowledged: acknowledged.pack(), faults: faults.shown, counts: { ...counts } };
  }
}

function knownEvent(
  event: SoldEvent,
  index: number,
  { lagMs }: SaleFlowOptions,
  random: RandomSource,
): KnownEvent {
  const { eventId, seatIds } = event;
  return {
    ...event,
    index,
    path: `/api/v1/events/${eventId}`,
    choice: seatIds === null ? null : new SeatChoice({ seats: seatIds.length, lagMs, random }),
    seatIndexes: new Map(seatIds?.map((id, seat) => [id, seat])),
    sold: 0,
  };
}
