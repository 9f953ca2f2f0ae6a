import { RandomSource } from "../../catalogue/random-source.ts";
import { Acknowledgements } from "../acknowledgements.ts";
import { FaultList } from "../fault-list.ts";
import type { Flow, FlowFindings, Visitor } from "../flow.ts";
import { Popularity } from "../popularity.ts";
import { RequestWriter } from "../request-writer.ts";
import type { KnownEvent, SaleFlowOptions, SaleGround, SoldEvent } from "./sale-ground.ts";
import { SaleVisit } from "./sale-visit.ts";
import { SeatChoice } from "./seat-choice.ts";
import { SeatClaims } from "./seat-claims.ts";

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
        "places asked for": 0,
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
    claims: seatIds === null ? null : new SeatClaims(seatIds.length),
    seatIndexes: new Map(seatIds?.map((id, seat) => [id, seat])),
    asked: 0,
    sold: 0,
  };
}
