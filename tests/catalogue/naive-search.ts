/** What a search must find, by looking at every event: slow and plain. */
import type { Pool } from "pg";
import type { SearchFilter, SearchSort } from "../../gateway/catalogue/search/search-request.ts";

export interface PlainEvent {
  readonly id: string;
  readonly organizationId: string;
  readonly startsMs: number;
  readonly category: string;
  readonly tags: readonly string[];
  readonly city: string;
  readonly lat: number;
  readonly lng: number;
  readonly prices: readonly number[];
  readonly currency: string;
  readonly isAvailable: boolean;
  readonly title: readonly string[];
  readonly head: readonly string[];
  readonly all: readonly string[];
}

/** As search_fold and search_words_of in sql/, for the letters that the events have. */
export function foldOf(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ł", "l")
    .replaceAll("ß", "ss");
}
export const wordsOf = (...texts: readonly string[]): string[] =>
  [...new Set(foldOf(texts.join(" ")).split(/[^\p{L}\p{N}]+/u))].filter((word) => word !== "");

interface Row {
  readonly id: string;
  readonly organization_id: string;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly sales_close_at: Date | null;
  readonly title: string;
  readonly description: string;
  readonly category: string;
  readonly tags: string[];
  readonly venue: { name: string; city: string; location: { lat: number; lng: number } };
  readonly price_categories: { price: number }[];
  readonly currency: string;
  readonly free: number;
}

/** Every published event of the database; free places are counted from the inventories. */
export async function readPlainEvents(pool: Pool): Promise<PlainEvent[]> {
  const { rows } = await pool.query<Row>(`
    SELECT e.*, (octet_length(i.seat_categories) + COALESCE((
      SELECT sum(a.capacity - a.held - a.sold - a.blocked) FROM inventory_areas a
      WHERE a.event_id = e.id), 0))::integer AS free
    FROM events e JOIN inventories i ON i.event_id = e.id WHERE e.status = 'published'`);
  return rows.map((row) => {
    const head = wordsOf(row.title, row.category, ...row.tags, row.venue.name, row.venue.city);
    return {
      id: row.id,
      organizationId: row.organization_id,
      startsMs: row.starts_at.getTime(),
      category: foldOf(row.category),
      tags: row.tags.map(foldOf),
      city: foldOf(row.venue.city),
      ...row.venue.location,
      prices: row.price_categories.map(({ price }) => price),
      currency: row.currency,
      isAvailable:
        row.free > 0 &&
        row.ends_at.getTime() > Date.now() &&
        (row.sales_close_at === null || row.sales_close_at.getTime() > Date.now()),
      title: wordsOf(row.title),
      head,
      all: [...new Set([...head, ...wordsOf(row.description)])],
    };
  });
}

/** Straight through a sphere of radius 1. */
function chord(event: PlainEvent, { lat, lng }: { lat: number; lng: number }): number {
  const point = (one: { lat: number; lng: number }): number[] => {
    const [phi, lambda] = [(one.lat * Math.PI) / 180, (one.lng * Math.PI) / 180];
    return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
  };
  const [a, b] = [point(event), point({ lat, lng })];
  return Math.hypot(...a.map((value, index) => value - (b[index] ?? 0)));
}

/** Words as typed; the last one may be a beginning, unless a letter is all. None is misspelt. */
function tierOf(event: PlainEvent, typed: readonly string[]): number | null {
  const last = typed.at(-1) ?? "";
  const has = (words: readonly string[]): boolean =>
    typed.every((word) =>
      word === last && (word.length > 1 || typed.length > 1 || word >= "\u2e80")
        ? words.some((known) => known.startsWith(word))
        : words.includes(word),
    );
  if (typed.length === 0) return null;
  if (typed.every((word) => event.title.includes(word))) return 0;
  if (has(event.title)) return 1;
  if (has(event.head)) return 2;
  return has(event.all) ? 3 : null;
}

/** The ids of all that fit, in their order. */
export function naiveSearch(
  events: readonly PlainEvent[],
  filter: SearchFilter,
  sort: SearchSort,
): string[] {
  const typed = filter.q === null ? [] : wordsOf(filter.q);
  const found = events.flatMap((event) => {
    const tier = filter.q === null ? 0 : tierOf(event, typed);
    const distance = filter.near === null ? 0 : chord(event, filter.near);
    const radius = 2 * Math.sin((filter.radiusKm ?? 0) / 6_371.0088 / 2);
    const fits =
      tier !== null &&
      (filter.category === null || foldOf(filter.category) === event.category) &&
      (filter.tag === null || event.tags.includes(foldOf(filter.tag))) &&
      (filter.city === null || foldOf(filter.city) === event.city) &&
      (filter.organizationId === null || filter.organizationId === event.organizationId) &&
      (filter.currency === null || filter.currency === event.currency) &&
      (filter.near === null || distance <= radius) &&
      (filter.fromMs === null || event.startsMs >= filter.fromMs) &&
      (filter.toMs === null || event.startsMs < filter.toMs) &&
      event.prices.some(
        (price) =>
          price >= (filter.minPrice ?? 0) && price <= (filter.maxPrice ?? Number.MAX_SAFE_INTEGER),
      ) &&
      (!filter.available || event.isAvailable);
    return fits ? [{ event, key: sort === "relevance" ? tier : distance }] : [];
  });
  return found
    .sort(
      (a, b) =>
        (sort === "startsAt" ? 0 : a.key - b.key) ||
        a.event.startsMs - b.event.startsMs ||
        (a.event.id < b.event.id ? -1 : 1),
    )
    .map(({ event }) => event.id);
}
