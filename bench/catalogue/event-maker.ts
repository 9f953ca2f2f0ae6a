import { type EventId, type OrganizationId, uuidV7 } from "../../engine/ids.ts";
import type { EventBody } from "../../gateway/catalogue/event-definition.ts";
import { ADJECTIVES, GENRES, type Genre, SENTENCES } from "./genres.ts";
import { CITIES, type City, VENUE_NAMES } from "./places.ts";
import { RandomSource } from "./random-source.ts";

export interface MadeEvent {
  readonly eventId: EventId;
  readonly organizationId: OrganizationId;
  readonly body: EventBody;
  /** Every place is kept from the sale: there is nothing to buy. */
  readonly isSoldOut: boolean;
}

const DAY_MS = 86_400_000;
const PAST_DAYS = 30;
const FUTURE_DAYS = 540;
const VENUES_PER_CITY = 40;
const ARTISTS = 30_000;
const SOLD_OUT = 0.05;
const SEATED = 0.02;
const TAG_COUNT = 2 ** 40;
/** Odd: multiples of it pass every number below 2^40 before one comes again. */
const TAG_STEP = 0x9e3779b97n;

const SYLLABLES =
  "ka ra mi lo ven tor sha bel nor dis qua fen ili ost mar gri zo pel und ash wyn".split(" ");
const SUFFIXES = ["Quartet", "Ensemble", "Trio", "Collective", "& Band", "Orchestra", ""];

/**
 * Plausible events, the same for the same seed: in large cities there are more of them, in the
 * evening most of them, and a few artists play everywhere.
 */
export class EventMaker {
  readonly #random: RandomSource;
  readonly #todayMs: number;
  readonly #organizations: readonly OrganizationId[];
  readonly #artists: readonly string[];
  readonly #venues: ReadonlyMap<City, readonly NonNullable<EventBody["venue"]>[]>;
  #made = 0n;
  readonly #firstTag: bigint;

  constructor(given: {
    readonly seed: number;
    /** Unix ms: events lie around this day. */
    readonly nowMs: number;
    readonly organizations: readonly OrganizationId[];
  }) {
    this.#random = new RandomSource(given.seed);
    this.#todayMs = Math.floor(given.nowMs / DAY_MS) * DAY_MS;
    this.#organizations = given.organizations;
    this.#artists = Array.from({ length: ARTISTS }, () => this.#artist());
    this.#venues = new Map(CITIES.map((city) => [city, this.#venuesOf(city)]));
    this.#firstTag = BigInt(this.#random.integer(0, 2 ** 31));
  }

  next(): MadeEvent {
    const random = this.#random;
    const city = random.pickEarly(CITIES, 2);
    const genre = random.pickEarly(GENRES, 1.6);
    const startsMs = this.#startsMs();
    const isSeated = random.chance(SEATED);
    const prices = this.#prices(genre);
    const body: EventBody = {
      organizationId: random.pickEarly(this.#organizations, 1.5),
      title: this.#title(genre, city),
      description: this.#description(genre, city),
      category: genre.category,
      tags: [...new Set([random.pickEarly(genre.tags, 1.5), random.pick(genre.tags)])],
      venue: random.pickEarly(this.#venues.get(city) ?? [], 1.5),
      startsAt: new Date(startsMs).toISOString(),
      endsAt: new Date(startsMs + this.#lastsMs()).toISOString(),
      timezone: city.timezone,
      currency: city.currency,
      salesCloseAt: random.chance(0.5) ? new Date(startsMs).toISOString() : null,
      priceCategories: prices,
      ...(isSeated
        ? { seatingPlan: planOf(random.integer(3, 6), random.integer(8, 12)) }
        : { areas: this.#areas(prices.length) }),
      publish: true,
    };
    return {
      eventId: this.#eventId(),
      organizationId: body.organizationId as OrganizationId,
      body,
      isSoldOut: !isSeated && random.chance(SOLD_OUT),
    };
  }

  /** Tags of the ids of one run never repeat. */
  #eventId(): EventId {
    const tag = (this.#firstTag + this.#made * TAG_STEP) % BigInt(TAG_COUNT);
    this.#made += 1n;
    const bytes = this.#random.bytes(10);
    for (let at = 9, rest = tag; at >= 5; at -= 1, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
    return uuidV7(this.#todayMs - this.#random.integer(0, 300 * DAY_MS), bytes) as EventId;
  }

  #artist(): string {
    const random = this.#random;
    const name = (): string => {
      const parts = Array.from({ length: random.integer(2, 3) }, () => random.pick(SYLLABLES));
      const text = parts.join("");
      return text.slice(0, 1).toUpperCase() + text.slice(1);
    };
    return [name(), random.chance(0.7) ? name() : "", random.pick(SUFFIXES)]
      .filter((part) => part !== "")
      .join(" ");
  }

  #venuesOf(city: City): NonNullable<EventBody["venue"]>[] {
    const random = this.#random;
    const kinds = VENUE_NAMES[city.language];
    return Array.from({ length: VENUES_PER_CITY }, (_, index) => ({
      name: `${random.pick(kinds)} ${index === 0 ? city.name : this.#artist()}`,
      city: city.name,
      country: city.country,
      location: {
        lat: Number((city.lat + (random.next() - 0.5) * 0.15).toFixed(5)),
        lng: Number((city.lng + (random.next() - 0.5) * 0.25).toFixed(5)),
      },
    }));
  }

  #startsMs(): number {
    const random = this.#random;
    const days = Math.floor(random.next() ** 1.3 * (PAST_DAYS + FUTURE_DAYS)) - PAST_DAYS;
    const hour = random.chance(0.75) ? random.integer(17, 20) : random.integer(9, 16);
    return this.#todayMs + days * DAY_MS + (hour * 60 + random.pick([0, 15, 30])) * 60_000;
  }

  /** An evening, or, seldom, days or a season. */
  #lastsMs(): number {
    const random = this.#random;
    if (random.chance(0.98)) return random.integer(60, 240) * 60_000;
    return random.pick([3, 4, 10, 100]) * DAY_MS;
  }

  #title({ nouns }: Genre, { language, name }: City): string {
    const random = this.#random;
    const noun = random.pick(nouns[language]);
    const artist = random.pickEarly(this.#artists, 3);
    switch (random.integer(0, 3)) {
      case 0:
        return `${artist}: ${noun}`;
      case 1:
        return `${noun} ${name}`;
      case 2:
        return `${artist} – ${random.pick(ADJECTIVES[language])} ${noun}`;
      default:
        return `${noun} ${random.pick(["mit", "with", "&", "feat."])} ${artist}`;
    }
  }

  #description(genre: Genre, { language, name }: City): string {
    const random = this.#random;
    const sentences = SENTENCES[language];
    const support = `${random.pick(this.#artists)}, ${random.pick(genre.tags)}, ${name}.`;
    return [random.pick(sentences), support, random.pick(sentences)].join(" ");
  }

  #prices({ price: [min, max] }: Genre): EventBody["priceCategories"] {
    const random = this.#random;
    const base = min + Math.floor(random.next() ** 2 * (max - min));
    const whole = Math.round(base / 50) * 50;
    return Array.from({ length: random.integer(1, 3) }, (_, index) => ({
      key: `p${index + 1}`,
      name: ["Standard", "Premium", "VIP"][index] ?? null,
      price: Math.round((whole * (1 + index * 0.6)) / 50) * 50,
    }));
  }

  #areas(count: number): NonNullable<EventBody["areas"]> {
    return Array.from({ length: count }, (_, index) => ({
      key: `a${index + 1}`,
      name: ["Floor", "Balcony", "Lounge"][index] ?? null,
      capacity: this.#random.integer(4, 80) * 10,
      priceCategory: `p${index + 1}`,
    }));
  }
}

/** A small hall, in the pretix format. */
function planOf(rows: number, seats: number): unknown {
  return {
    name: "Hall",
    categories: [{ name: "p1" }],
    zones: [
      {
        name: "Hall",
        rows: Array.from({ length: rows }, (_, row) => ({
          row_number: String(row + 1),
          position: { x: 0, y: row * 10 },
          seats: Array.from({ length: seats }, (__, seat) => ({
            seat_guid: `${row + 1}-${seat + 1}`,
            seat_number: String(seat + 1),
            category: "p1",
            position: { x: seat * 10, y: 0 },
          })),
        })),
      },
    ],
  };
}
