import type { Pool } from "pg";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { EventId } from "../../engine/ids.ts";
import { NEVER_MS } from "./schema.ts";

export interface AreaBooks {
  readonly capacity: number;
  readonly held: number;
  readonly sold: number;
}

/** What an event's rows come to, at one moment. */
export interface Books {
  readonly seq: number;
  readonly areas: readonly AreaBooks[];
  /** One character a seat: `f` free, `h` held, `s` sold. */
  readonly statuses: string;
}

const AREAS = `
  SELECT a.area, a.capacity, a.taken,
    (SELECT count(*)::integer FROM baseline.tickets t
      WHERE t.event_id = a.event_id AND t.place = -1 - a.area) AS sold
  FROM baseline.areas a WHERE a.event_id = $1 ORDER BY a.area`;
const SEATS = `
  SELECT coalesce(string_agg(
    CASE WHEN until_ms = ${NEVER_MS} THEN 's' WHEN until_ms > $2 THEN 'h' ELSE 'f' END,
    '' ORDER BY seat), '') AS statuses
  FROM baseline.seats WHERE event_id = $1`;

export async function readBooks(pool: Pool, eventId: EventId, nowMs: number): Promise<Books> {
  type Area = { capacity: number; taken: number; sold: number };
  const [areas, seats, last] = await Promise.all([
    pool.query<Area>(AREAS, [eventId]),
    pool.query<{ statuses: string }>(SEATS, [eventId, nowMs]),
    pool.query<{ seq: string }>("SELECT last_value AS seq FROM baseline.seqs"),
  ]);
  return {
    seq: Number(last.rows[0]?.seq ?? 0),
    areas: areas.rows.map(({ capacity, taken, sold }) => ({ capacity, held: taken - sold, sold })),
    statuses: seats.rows[0]?.statuses ?? "",
  };
}

/** Each finds what must not be: a sentence a row. `$1`: the event, `$2`: now. */
const AUDITS: readonly string[] = [
  `SELECT format('area %s counts %s places, its holds and tickets are %s', area, taken, found)
   FROM (
     SELECT a.area, a.taken,
       (SELECT count(*) FROM baseline.holds h, unnest(h.places) place
         WHERE h.event_id = $1 AND h.status = 'active' AND place = -1 - a.area)
       + (SELECT count(*) FROM baseline.tickets t
         WHERE t.event_id = $1 AND t.place = -1 - a.area) AS found
     FROM baseline.areas a WHERE a.event_id = $1
   ) counted WHERE taken <> found AND $2::bigint IS NOT NULL`,
  `SELECT format('area %s has %s places taken of %s', area, taken, capacity)
   FROM baseline.areas WHERE event_id = $1 AND taken > capacity AND $2::bigint IS NOT NULL`,
  `SELECT format('seat %s has %s tickets and is %ssold', s.seat, count(t.place),
     CASE WHEN s.until_ms = ${NEVER_MS} THEN '' ELSE 'not ' END)
   FROM baseline.seats s
   LEFT JOIN baseline.tickets t ON t.event_id = s.event_id AND t.place = s.seat
   WHERE s.event_id = $1 AND $2::bigint IS NOT NULL GROUP BY s.seat, s.until_ms
   HAVING count(t.place) <> (s.until_ms = ${NEVER_MS})::integer`,
  `SELECT format('seat %s is in %s active holds', place, count(*))
   FROM baseline.holds h, unnest(h.places) place
   WHERE h.event_id = $1 AND h.status = 'active' AND h.expires_ms > $2 AND place >= 0
   GROUP BY place HAVING count(*) > 1`,
  `SELECT format('hold %s is booked, and its booking has %s tickets for %s places', h.id,
     (SELECT count(*) FROM baseline.tickets t
       WHERE t.event_id = $1 AND t.booking_id = h.booking_id), cardinality(h.places))
   FROM baseline.holds h
   WHERE h.event_id = $1 AND h.status = 'booked' AND $2::bigint IS NOT NULL
     AND cardinality(h.places) <> (SELECT count(*) FROM baseline.tickets t
       WHERE t.event_id = $1 AND t.booking_id = h.booking_id)`,
  `SELECT format('booking %s belongs to no booked hold', b.id)
   FROM baseline.bookings b LEFT JOIN baseline.holds h
     ON h.event_id = b.event_id AND h.id = b.hold_id AND h.booking_id = b.id
   WHERE b.event_id = $1 AND h.id IS NULL AND $2::bigint IS NOT NULL`,
  `SELECT format('booking %s has a total of %s, its tickets come to %s', b.id, b.total_minor,
     sum(t.price_minor))
   FROM baseline.bookings b LEFT JOIN baseline.tickets t
     ON t.event_id = b.event_id AND t.booking_id = b.id
   WHERE b.event_id = $1 AND $2::bigint IS NOT NULL GROUP BY b.id, b.total_minor
   HAVING b.total_minor IS DISTINCT FROM sum(t.price_minor)`,
];

const DRIFT_MAX = 100;

/** A sentence for everything that does not add up; at most DRIFT_MAX of each kind. */
export async function auditBooks(pool: Pool, eventId: EventId, nowMs: number): Promise<string[]> {
  const found = await Promise.all(
    AUDITS.map((text) =>
      pool.query<{ format: string }>(`${text} LIMIT ${DRIFT_MAX}`, [eventId, nowMs]),
    ),
  );
  return found.flatMap(({ rows }) => rows.map(({ format }) => format));
}

export interface Totals {
  readonly capacity: number;
  readonly free: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
}

export function totalsOf({ areas, statuses }: Books): Totals {
  const seats = (status: string): number => statuses.split(status).length - 1;
  const sum = (of: (area: AreaBooks) => number): number =>
    areas.reduce((total, area) => total + of(area), 0);
  const held = seats("h") + sum((area) => area.held);
  const sold = seats("s") + sum((area) => area.sold);
  const capacity = statuses.length + sum((area) => area.capacity);
  return { capacity, free: capacity - held - sold, held, sold, blocked: 0 };
}

/** The availability as the contract shows it. */
export function availabilityView(
  definition: InventoryDefinition,
  books: Books,
  withSeats: boolean,
): object {
  const { eventId, status, areas, categories, seatCategories } = definition;
  const areaFree = (n: number): number => {
    const { capacity = 0, held = 0, sold = 0 } = books.areas[n] ?? {};
    return capacity - held - sold;
  };
  const freeOf = (category: number): number => {
    let free = 0;
    areas.forEach((area, n) => {
      if (area.category === category) free += areaFree(n);
    });
    for (const [seat, its] of seatCategories.entries()) {
      if (its === category && books.statuses[seat] === "f") free += 1;
    }
    return free;
  };
  return {
    eventId,
    epoch: 0,
    seq: books.seq,
    status,
    ...totalsOf(books),
    categories: categories.map(({ key, priceMinor }, index) => ({
      key,
      free: freeOf(index),
      price: priceMinor,
    })),
    areas: areas.map(({ key }, n) => ({ key, ...books.areas[n], free: areaFree(n) })),
    ...(withSeats ? { statuses: books.statuses } : {}),
  };
}
