/** What people look for in a large catalogue: a mix of searches around events that are there. */
import type { Client } from "pg";
import { CITIES } from "./places.ts";
import { RandomSource } from "./random-source.ts";

export interface Search {
  readonly kind: string;
  readonly query: URLSearchParams;
}

interface Sample {
  readonly title: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly city: string;
  readonly lat: number;
  readonly lng: number;
}

const SAMPLES = 5_000;
const DAY_MS = 86_400_000;

type Make = (random: RandomSource, event: Sample) => Record<string, string>;

const wordIn = (random: RandomSource, { title }: Sample): string =>
  random.pick(title.split(/[^\p{L}]+/u).filter((word) => word.length > 3));

/** One letter of a word swapped with the next, or left out. */
function misspelt(random: RandomSource, word: string): string {
  const at = random.integer(1, word.length - 2);
  const letters = word.split("");
  const [a = "", b = ""] = letters.slice(at, at + 2);
  return letters.toSpliced(at, 2, ...(random.chance(0.5) ? [b, a] : [a])).join("");
}

const day = (random: RandomSource, from: number, to: number): string =>
  new Date(Date.now() + random.integer(from, to) * DAY_MS).toISOString().slice(0, 10);

/** How often of 100, what it is called, and what it asks for. */
const KINDS: readonly (readonly [share: number, kind: string, make: Make])[] = [
  [8, "upcoming", (random) => ({ from: day(random, 0, 60), available: "true" })],
  [
    8,
    "category and days",
    (random, { category }) => {
      const from = random.integer(0, 300);
      return { category, from: day(random, from, from), to: day(random, from + 3, from + 9) };
    },
  ],
  [8, "city", (random, { city }) => ({ city, from: day(random, 0, 30) })],
  [6, "city and tag", (random, { city, tags }) => ({ city, tag: random.pick(tags) })],
  [8, "a common word", (random, { title }) => ({ q: random.pick(title.split(" ")) })],
  [10, "a word", (random, event) => ({ q: wordIn(random, event) })],
  [8, "two words", (random, event) => ({ q: `${wordIn(random, event)} ${event.city}` })],
  [
    8,
    "as one types",
    (random, event) => {
      const word = wordIn(random, event);
      return { q: word.slice(0, random.integer(2, Math.max(2, word.length - 1))) };
    },
  ],
  [4, "and a letter", (random, event) => ({ q: `${wordIn(random, event)} ${event.city[0]}` })],
  [6, "misspelt", (random, event) => ({ q: misspelt(random, wordIn(random, event)) })],
  [4, "words by date", (random, event) => ({ q: wordIn(random, event), sort: "startsAt" })],
  [
    8,
    "near, by distance",
    (random, { lat, lng }) => ({
      near: `${lat + random.next() / 10},${lng}`,
      radiusKm: String(random.pick([5, 25, 100])),
      sort: "distance",
    }),
  ],
  [
    6,
    "near, by date",
    (_random, { lat, lng, category }) => ({ near: `${lat},${lng}`, radiusKm: "30", category }),
  ],
  [
    6,
    "price and what is free",
    (random) => ({
      minPrice: String(random.integer(0, 20) * 500),
      maxPrice: String(random.integer(20, 60) * 500),
      available: "true",
      currency: random.pick(["EUR", "GBP", "PLN"]),
    }),
  ],
  [
    6,
    "everything at once",
    (random, event) => ({
      q: wordIn(random, event),
      category: event.category,
      near: `${event.lat},${event.lng}`,
      radiusKm: "100",
      from: day(random, 0, 30),
      maxPrice: "8000",
      available: "true",
      sort: "distance",
    }),
  ],
];

export class SearchMix {
  readonly #random: RandomSource;
  readonly #samples: readonly Sample[];

  private constructor(seed: number, samples: readonly Sample[]) {
    this.#random = new RandomSource(seed);
    this.#samples = samples;
  }

  static async around(client: Client, seed: number): Promise<SearchMix> {
    const { rows } = await client.query<Omit<Sample, "lat" | "lng">>(
      `SELECT title, category, tags, city FROM events
       WHERE id IN (SELECT event_id FROM event_search ORDER BY hashint8(starts_ms) LIMIT $1)`,
      [SAMPLES],
    );
    const places = new Map(CITIES.map(({ name, lat, lng }) => [name, { lat, lng }]));
    const samples = rows.map((row) => ({
      ...row,
      ...(places.get(row.city) ?? { lat: 0, lng: 0 }),
    }));
    return new SearchMix(seed, samples);
  }

  next(): Search {
    const random = this.#random;
    let left = random.next() * KINDS.reduce((sum, [share]) => sum + share, 0);
    const chosen = KINDS.find(([share]) => {
      left -= share;
      return left < 0;
    });
    const [, kind, make] = chosen ?? random.pick(KINDS);
    const parameters = make(random, random.pick(this.#samples));
    return { kind, query: new URLSearchParams(parameters) };
  }
}
