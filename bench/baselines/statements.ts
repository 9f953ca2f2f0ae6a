/**
 * The writes that the designs have in common. Each is one statement, prepared by its name: a hold
 * or a booking, everything that belongs to it, and its key.
 */
import type { QueryConfig } from "pg";
import type { PlaceItem } from "../../engine/place.ts";
import type { BookOrder, HoldOrder, Sold } from "./sale-design.ts";
import { NEVER_MS } from "./schema.ts";

/** Collects values and names them $1, $2 … */
export class Values {
  readonly all: unknown[] = [];

  /** `cast`: its type, where the statement does not tell it. */
  add(value: unknown, cast = ""): string {
    this.all.push(value);
    return `$${this.all.length}${cast === "" ? "" : `::${cast}`}`;
  }
}

/** A part of a statement that takes places, and has a row for each that it took. */
export interface Taking {
  readonly name: string;
  readonly text: string;
}

/** As which values the statement has them. */
export interface TakingIds {
  readonly eventId: string;
  readonly holdId: string;
}

/**
 * Takes all of `takings`, and makes the hold; no row: it took nothing of them. Some but not all is
 * an error (see isPartial), so that nothing of it stays.
 */
export function holdStatement(
  name: string,
  order: HoldOrder,
  takingsOf: (values: Values, ids: TakingIds) => readonly Taking[],
): QueryConfig {
  const { items } = order;
  const values = new Values();
  const eventId = values.add(order.eventId, "uuid");
  const holdId = values.add(order.holdId, "uuid");
  const takings = takingsOf(values, { eventId, holdId });
  const wanted = order.seats.length + order.areas.length;
  const counts = takings.map((taking) => `(SELECT count(*) FROM ${taking.name})`);
  const columns = [
    values.add(order.userId, "uuid"),
    values.add(
      items.map(({ place }) => place),
      "integer[]",
    ),
    values.add(
      items.map(({ category }) => category),
      "integer[]",
    ),
    values.add(
      items.map(({ priceMinor }) => priceMinor),
      "bigint[]",
    ),
    values.add(order.totalMinor, "bigint"),
    values.add(order.nowMs, "bigint"),
  ];
  // Where that is null the row is refused, and with it the statement.
  const expires = `CASE WHEN n = ${values.add(wanted, "integer")} THEN ${values.add(
    order.expiresAtMs,
    "bigint",
  )} END`;
  const made = `made AS (
    INSERT INTO baseline.holds (event_id, id, user_id, places, categories, prices, total_minor,
      created_ms, expires_ms)
    SELECT ${eventId}, ${holdId}, ${columns.join(", ")}, ${expires}
    FROM (SELECT ${counts.join(" + ")} AS n) t WHERE n > 0
    RETURNING seq)`;
  const ctes = [...takings.map((taking) => `${taking.name} AS (${taking.text})`), made];
  if (order.key !== null) ctes.push(keyCte(values, order, holdId));
  const text = `WITH ${ctes.join(", ")} SELECT seq FROM made`;
  return { name: `${name} ${shapeOf(order)}`, text, values: values.all };
}

/** Statements of one shape have one text. */
function shapeOf({ seats, areas, key }: HoldOrder): string {
  return `${seats.length > 0 ? "s" : ""}${areas.length}${key === null ? "" : "k"}`;
}

function keyCte(values: Values, { eventId, key }: HoldOrder | BookOrder, outcomeId: string) {
  const columns = [
    values.add(eventId, "uuid"),
    values.add(key?.digest ?? ""),
    values.add(key?.fingerprint ?? ""),
    outcomeId,
  ];
  return `kept AS (
    INSERT INTO baseline.keys (event_id, digest, fingerprint, outcome_id)
    SELECT ${columns.join(", ")} FROM made)`;
}

/**
 * Makes the booking, its tickets and its key, and marks the seats and the hold; no row: the hold is
 * not as `condition` wants it.
 */
export function bookStatement(
  name: string,
  order: BookOrder,
  conditionOf: (values: Values) => string,
): QueryConfig {
  const values = new Values();
  const eventId = values.add(order.eventId, "uuid");
  const holdId = values.add(order.holdId, "uuid");
  const bookingId = values.add(order.bookingId, "uuid");
  const condition = conditionOf(values);
  const columns = [
    values.add(order.userId, "uuid"),
    values.add(order.email, "text"),
    values.add(order.code, "text"),
    "total_minor",
    values.add(order.nowMs, "bigint"),
  ];
  const codes = values.add(order.ticketCodes, "text[]");
  const ctes = [
    `held AS (
      UPDATE baseline.holds
      SET status = 'booked', booking_id = ${bookingId}, version = version + 1
      WHERE event_id = ${eventId} AND id = ${holdId} AND ${condition}
      RETURNING places, categories, prices, total_minor)`,
    `seated AS (
      UPDATE baseline.seats s SET until_ms = ${NEVER_MS}, version = version + 1
      FROM held WHERE s.event_id = ${eventId} AND s.seat = ANY (held.places)
        AND s.hold_id = ${holdId})`,
    `made AS (
      INSERT INTO baseline.bookings (event_id, id, hold_id, user_id, email, code, total_minor,
        booked_ms)
      SELECT ${eventId}, ${bookingId}, ${holdId}, ${columns.join(", ")} FROM held
      RETURNING seq)`,
    `ticketed AS (
      INSERT INTO baseline.tickets (event_id, booking_id, position, place, category, price_minor,
        code)
      SELECT ${eventId}, ${bookingId}, i.n - 1, i.place, i.category, i.price,
        (${codes})[i.n]
      FROM held, unnest(held.places, held.categories, held.prices)
        WITH ORDINALITY i(place, category, price, n))`,
  ];
  if (order.key !== null) ctes.push(keyCte(values, order, bookingId));
  const text = `WITH ${ctes.join(", ")}
    SELECT made.seq, held.places, held.categories, held.prices FROM made, held`;
  return { name: `${name}${order.key === null ? "" : " k"}`, text, values: values.all };
}

/**
 * Of a hold that is found by its id. Written so that the index of active holds can't answer it: the
 * planner takes that for as good as the key while the table is young, and then reads all active
 * holds of the event for each booking.
 */
export const isActive = (nowMs: string): string =>
  `status || '' = 'active' AND expires_ms > ${nowMs}`;

export interface SoldRow {
  readonly seq: string;
  readonly places: readonly number[];
  readonly categories: readonly number[];
  readonly prices: readonly string[];
}

export const soldOf = (row: SoldRow): Sold => ({ seq: Number(row.seq), items: itemsOf(row) });

export function itemsOf({ places, categories, prices }: Omit<SoldRow, "seq">): PlaceItem[] {
  return places.map((place, n) => ({
    place,
    category: categories[n] ?? 0,
    priceMinor: Number(prices[n]),
    charge: null,
  }));
}

const NOT_NULL_VIOLATION = "23502";
const UNIQUE_VIOLATION = "23505";
const DEADLOCK = "40P01";

/** The code that PostgreSQL gave an error; null: it did not make it. */
function sqlStateOf(error: unknown): string | null {
  const isCoded = error instanceof Error && "code" in error && typeof error.code === "string";
  return isCoded ? String(error.code) : null;
}

/** Some of the places could be taken, but not all. */
export const isPartial = (error: unknown): boolean => sqlStateOf(error) === NOT_NULL_VIOLATION;
/** The request's key has been used before. */
export const isKeyUsed = (error: unknown): boolean =>
  sqlStateOf(error) === UNIQUE_VIOLATION &&
  error instanceof Error &&
  "constraint" in error &&
  error.constraint === "keys_pkey";
export const isDeadlock = (error: unknown): boolean => sqlStateOf(error) === DEADLOCK;
