import { RandomSource } from "../../catalogue/random-source.ts";
import { Acknowledgements } from "../acknowledgements.ts";
import { FaultList } from "../fault-list.ts";
import type { Flow, FlowFindings, Visitor } from "../flow.ts";
import { Popularity } from "../popularity.ts";
import { RequestWriter } from "../request-writer.ts";
import { AreaHunt } from "./area-hunt.ts";
import type { PlaceHunt } from "./attempt.ts";
import { BestHunt } from "./best-hunt.ts";
import { BEST_STREAMS } from "./best-streams.ts";
import { CrowdVisit } from "./crowd-visit.ts";
import type { KnownEvent, SaleFlowOptions, SaleGround, SoldEvent } from "./sale-ground.ts";
import { SaleVisit } from "./sale-visit.ts";
import { SeatHunt } from "./seat-hunt.ts";
import { SoldMarks } from "./sold-marks.ts";

/** Events that are drawn before one that is not sold out is looked for in order. */
const DRAWS_MAX = 20;

export class SaleFlow implements Flow {
  readonly streams: readonly string[];
  readonly #ground: SaleGround;
  readonly #events: readonly KnownEvent[];

  constructor(options: SaleFlowOptions, url: string) {
    const random = new RandomSource(options.seed);
    const faults = new FaultList();
    const events = options.events.map((event, index): KnownEvent => {
      const { eventId, capacity } = event;
      const hunt = huntOf(event, { options, random, faults });
      return { index, path: `/api/v1/events/${eventId}`, capacity, hunt, sold: 0 };
    });
    const isChosen = options.events.some(({ hall }) => hall !== undefined);
    const holds = isChosen ? BEST_STREAMS : ["holds"];
    const others = holds.length;
    this.streams = [...holds, "bookings", "releases", "looks", "repeats"];
    const popularity = new Popularity(events.length, options.popularity);
    let buyers = 0;
    const isOpen = (event: KnownEvent): boolean => event.sold < event.capacity;
    this.#events = events;
    this.#ground = {
      options,
      streams: {
        bookings: others,
        releases: others + 1,
        looks: others + 2,
        repeats: others + 3,
      },
      random,
      faults,
      writer: new RequestWriter(url, options.tokens),
      acknowledged: new Acknowledgements(),
      marks: new SoldMarks(events.reduce((sum, { capacity }) => sum + capacity, 0)),
      counts: {
        buyers: 0,
        "buyers who booked": 0,
        "places asked for": 0,
        "holds confirmed": 0,
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
    this.#ground.marks.open(performance.now());
    const { thinking } = this.#ground.options;
    const visit = (isOfOne: boolean): SaleVisit => new SaleVisit(this.#ground, { isOfOne });
    return thinking?.hasRate === true ? new CrowdVisit(() => visit(true)) : visit(false);
  }

  findings(): FlowFindings {
    const { acknowledged, faults, counts, marks } = this.#ground;
    return {
      acknowledged: acknowledged.pack(),
      faults: faults.shown,
      counts: { ...counts },
      figures: marks.figures,
      checks: this.#events.flatMap(({ hunt }) => hunt.checks()),
    };
  }
}

interface Around {
  readonly options: SaleFlowOptions;
  readonly random: RandomSource;
  readonly faults: FaultList;
}

function huntOf(
  { seatIds, area, capacity, hall }: SoldEvent,
  { options, random, faults }: Around,
): PlaceHunt {
  const { lagMs, holdTtlSeconds, thinking } = options;
  // Where nobody takes any time, nobody goes away without having looked everywhere.
  const isThorough = thinking === null;
  if (hall !== undefined) return new BestHunt({ hall, holdTtlSeconds, random, faults });
  if (seatIds === null) return new AreaHunt({ area, capacity, faults });
  return new SeatHunt({ seatIds, lagMs, isThorough, holdTtlSeconds, random, faults });
}
