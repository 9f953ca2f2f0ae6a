import { randomBytes } from "node:crypto";
import type { QueryResult } from "pg";
import type { ChargeRules } from "../../engine/charges.ts";
import type { ChurnRule } from "../../engine/churn.ts";
import {
  type EventId,
  type EventTag,
  eventTagOf,
  type OrganizationId,
  uuidV7,
} from "../../engine/ids.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Scoped, ScopedRows } from "../tenancy/database.ts";
import { asker, NOBODY, type Scope } from "../tenancy/scope.ts";
import type { Area, ChangeableEvent, EventDraft, PriceCategory, Seat } from "./event-definition.ts";
import type { Venue } from "./event-fields.ts";
import type { EventPromo } from "./event-promos.ts";

export type EventStatus = "draft" | "published" | "cancelled";

/** An event as the database has it, without its seats. */
export interface StoredEvent extends Omit<EventDraft, "seats" | "seatMap"> {
  readonly eventId: EventId;
  readonly tag: EventTag;
  readonly organizationId: OrganizationId;
  readonly allowInvoices: boolean;
  readonly status: EventStatus;
  /** A cancellation has begun: the engine is told "cancelled" from now on. */
  readonly cancelling: boolean;
  /** It was cancelled as a draft. */
  readonly neverPublished: boolean;
  /** Of a draft those of its organisation, then those with which it was published. */
  readonly charges: ChargeRules;
  /** Grows with every change of what the engine is told. */
  readonly version: number;
  readonly seatCount: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** Whether it is nobody's but its organisation's: it was never on sale. */
export const isPrivate = ({
  status,
  neverPublished,
}: Pick<StoredEvent, "status" | "neverPublished">): boolean => status === "draft" || neverPublished;

/** Where a page of events begins: behind this one. */
export interface EventPosition {
  readonly startsMs: number;
  readonly eventId: EventId;
}

interface EventRow {
  readonly id: EventId;
  readonly tag: EventTag;
  readonly organization_id: OrganizationId;
  readonly allow_invoices: boolean;
  readonly status: EventStatus;
  readonly cancelling: boolean;
  readonly never_published: boolean;
  readonly charges: ChargeRules;
  readonly version: number;
  readonly title: string;
  readonly description: string;
  readonly category: string | null;
  readonly tags: string[];
  readonly venue: Venue | null;
  readonly starts_at: Date;
  readonly ends_at: Date | null;
  readonly timezone: string;
  readonly currency: string;
  readonly sales_open_at: Date | null;
  readonly sales_close_at: Date | null;
  readonly hold_ttl_ms: number;
  readonly per_order_max: number;
  readonly per_user_max: number;
  readonly price_categories: PriceCategory[];
  readonly areas: Area[];
  /** By area index, of a published event; null: it has no areas, or is a draft. */
  readonly capacities: number[] | null;
  readonly promo_codes: EventPromo[];
  readonly hold_churn: ChurnRule | null;
  readonly cancel_until: Date | null;
  readonly payment_window_ms: number;
  readonly seat_count: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

// A published event's seats are counted by the length of a byte array; the JSON of a large plan
// would have to be read for it. The capacity of its areas is the actor's, too.
const selectWith = (promoCodes: string): string => `
  SELECT e.id, e.tag, e.organization_id, o.allow_invoices, e.status, e.title, e.description,
         e.category, e.tags, e.venue, e.starts_at, e.ends_at, e.timezone, e.currency,
         e.sales_open_at, e.sales_close_at, e.hold_ttl_ms, e.per_order_max, e.per_user_max,
         e.price_categories, e.areas, e.created_at, e.updated_at, e.hold_churn, e.cancel_until,
         e.payment_window_ms, e.version, e.cancelling, e.never_published,
         ${promoCodes} AS promo_codes,
         (SELECT array_agg(a.capacity ORDER BY a.area) FROM inventory_areas a
          WHERE a.event_id = e.id) AS capacities,
         COALESCE(e.charges, json_build_object('fees', o.fees, 'tax', o.tax)) AS charges,
         COALESCE(octet_length(i.seat_categories), json_array_length(e.seats)) AS seat_count
  FROM events e
  JOIN organizations o ON o.id = e.organization_id
  LEFT JOIN inventories i ON i.event_id = e.id`;
const SELECT = selectWith("promo_codes_of(e.id)");
/** Lists show no promo codes, and need not read them. */
const SELECT_LISTED = selectWith("'[]'::json");

const TAKE_CHARGES = `
  UPDATE events e SET charges = json_build_object('fees', o.fees, 'tax', o.tax),
    version = e.version + 1
  FROM organizations o WHERE o.id = e.organization_id AND e.id = $1`;

const CHANGE = `
  UPDATE events SET title = $2, description = $3, tags = $4, starts_at = $5, ends_at = $6,
    sales_open_at = $7, sales_close_at = $8, cancel_until = $9, hold_ttl_ms = $10,
    payment_window_ms = $11, per_order_max = $12, per_user_max = $13, hold_churn = $14,
    price_categories = $15, promo_codes = $16, category = $17, venue = $18, city = $19,
    version = version + 1, updated_at = now()
  WHERE id = $1`;

const TAG_TRIES_MAX = 5;

/** The events in PostgreSQL. */
export class EventStore {
  readonly #database: ScopedRows;
  /** Statements of one scope. */
  readonly #pool: Scoped;

  /** What a store of this scope sees and may change. Default: what is public, and nothing. */
  constructor(database: ScopedRows, scope: Scope = NOBODY) {
    this.#database = database;
    this.#pool = database.in(scope);
  }

  /** The store as somebody sees it. */
  as(identity: Identity): EventStore {
    return this.in(asker(identity));
  }

  in(scope: Scope): EventStore {
    return new EventStore(this.#database, scope);
  }

  /** Inserts a draft under a fresh id whose tag no other event has. */
  async insert(draft: EventDraft, organizationId: OrganizationId): Promise<EventId> {
    for (let tries = 0; tries < TAG_TRIES_MAX; tries += 1) {
      const eventId = uuidV7(Date.now(), randomBytes(10)) as EventId;
      if (await this.#tryInsert(eventId, draft, organizationId)) return eventId;
    }
    throw new Error(`${TAG_TRIES_MAX} fresh event ids had tags that are taken`);
  }

  async #tryInsert(
    eventId: EventId,
    draft: EventDraft,
    organizationId: OrganizationId,
  ): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO events (id, tag, organization_id, status, title, description, category, tags,
         venue, city, starts_at, ends_at, timezone, currency, sales_open_at, sales_close_at,
         hold_ttl_ms, per_order_max, per_user_max, price_categories, areas, seats, promo_codes,
         hold_churn, cancel_until, payment_window_ms, seat_map)
       VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
         $18, $19, $20, $21, $22, $23, $24, $25, $26)
       ON CONFLICT DO NOTHING`,
      [
        eventId,
        eventTagOf(eventId),
        organizationId,
        draft.title,
        draft.description,
        draft.category,
        draft.tags,
        draft.venue,
        draft.venue?.city ?? null,
        new Date(draft.startsMs),
        dateOf(draft.endsMs),
        draft.timezone,
        draft.currency,
        dateOf(draft.salesOpenMs),
        dateOf(draft.salesCloseMs),
        draft.holdTtlMs,
        draft.perOrderMax,
        draft.perUserMax,
        JSON.stringify(draft.priceCategories),
        JSON.stringify(draft.areas),
        JSON.stringify(draft.seats),
        JSON.stringify(draft.promoCodes),
        JSON.stringify(draft.churn),
        dateOf(draft.cancelUntilMs),
        draft.paymentWindowMs,
        Buffer.from(draft.seatMap),
      ],
    );
    return rowCount === 1;
  }

  async find(eventId: EventId): Promise<StoredEvent | null> {
    const text = `${SELECT} WHERE e.id = $1`;
    return first(await this.#pool.query<EventRow>({ name: "event", text, values: [eventId] }));
  }

  async findByTag(tag: EventTag): Promise<StoredEvent | null> {
    const text = `${SELECT} WHERE e.tag = $1`;
    return first(await this.#pool.query<EventRow>({ name: "event-by-tag", text, values: [tag] }));
  }

  async seatsOf(eventId: EventId): Promise<readonly Seat[]> {
    const text = "SELECT seats FROM events WHERE id = $1";
    const { rows } = await this.#pool.query<{ seats: Seat[] }>(text, [eventId]);
    return rows[0]?.seats ?? [];
  }

  /** The seats as the actor needs them. */
  async geometryOf(eventId: EventId): Promise<Pick<EventDraft, "seats" | "seatMap">> {
    const text = "SELECT seats, seat_map FROM events WHERE id = $1";
    const { rows } = await this.#pool.query<{ seats: Seat[]; seat_map: Buffer }>(text, [eventId]);
    const [row] = rows;
    if (row === undefined) return { seats: [], seatMap: new Uint8Array() };
    return { seats: row.seats, seatMap: Uint8Array.from(row.seat_map) };
  }

  /** The seat list as JSON text, which it is stored as. */
  async seatsTextOf(eventId: EventId): Promise<string> {
    const text = "SELECT seats::text AS seats FROM events WHERE id = $1";
    const { rows } = await this.#pool.query<{ seats: string }>(text, [eventId]);
    return rows[0]?.seats ?? "[]";
  }

  /** False: the event has left the status `from` meanwhile. */
  async move(eventId: EventId, from: EventStatus, to: EventStatus): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE events SET status = $3, never_published = $2 = 'draft' AND $3 = 'cancelled',
         updated_at = now()
       WHERE id = $1 AND status = $2`,
      [eventId, from, to],
    );
    return rowCount === 1;
  }

  /**
   * The event is sold with what its organisation charges now, until it is told so again. False: it
   * is not there, or whoever asks may not change it.
   */
  async takeCharges(eventId: EventId): Promise<boolean> {
    return (await this.#pool.query(TAKE_CHARGES, [eventId])).rowCount === 1;
  }

  /** From now on the engine is told that the event is cancelled. False: as with takeCharges. */
  async beginCancelling(eventId: EventId): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `UPDATE events SET cancelling = true, version = version + (NOT cancelling)::int
       WHERE id = $1`,
      [eventId],
    );
    return rowCount === 1;
  }

  /**
   * Changes an event while nobody else does: `change` sees the row that its result replaces, and
   * refuses by throwing. null: it is not there, or whoever asks may not change it.
   */
  async change(
    eventId: EventId,
    change: (event: StoredEvent) => ChangeableEvent,
    { takeCharges }: { readonly takeCharges: boolean },
  ): Promise<StoredEvent | null> {
    return this.#pool.transaction(async (client) => {
      // Read only once it is locked: what a query reads beside the row is as old as the query.
      const lock = "SELECT FROM events WHERE id = $1 FOR UPDATE";
      if ((await client.query(lock, [eventId])).rowCount === 0) return null;
      const event = first(await client.query<EventRow>(`${SELECT} WHERE e.id = $1`, [eventId]));
      if (event !== null) {
        const values = [eventId, ...changeValues(change(event))];
        if ((await client.query(CHANGE, values)).rowCount === 0) return null;
        if (takeCharges) await client.query(TAKE_CHARGES, [eventId]);
      }
      return first(await client.query<EventRow>(`${SELECT} WHERE e.id = $1`, [eventId]));
    });
  }

  /** False: it is none, or not any more. */
  async removeDraft(eventId: EventId): Promise<boolean> {
    const text = "DELETE FROM events WHERE id = $1 AND status = 'draft'";
    return (await this.#pool.query(text, [eventId])).rowCount === 1;
  }

  /** The organisation's events by their start, whatever their status, or those of one. */
  async ofOrganization(
    organizationId: OrganizationId,
    status: EventStatus | null,
    page: { readonly limit: number; readonly after: EventPosition | null },
  ): Promise<StoredEvent[]> {
    const { after, limit } = page;
    const { rows } = await this.#pool.query<EventRow>(
      `${SELECT_LISTED} WHERE e.organization_id = $1 AND ($2::text IS NULL OR e.status = $2)
         AND ($3::timestamptz IS NULL OR (e.starts_at, e.id) > ($3, $4::uuid))
       ORDER BY e.starts_at, e.id LIMIT $5`,
      [organizationId, status, dateOf(after?.startsMs ?? null), after?.eventId ?? null, limit],
    );
    return rows.map(eventOf);
  }

  /** These events, in this order; one that is gone meanwhile is left out. */
  async listed(eventIds: readonly EventId[]): Promise<StoredEvent[]> {
    if (eventIds.length === 0) return [];
    const text = `${SELECT_LISTED} WHERE e.id = ANY ($1::uuid[]) AND e.status = 'published'`;
    const { rows } = await this.#pool.query<EventRow>({
      name: "listed-events",
      text,
      values: [eventIds],
    });
    const found = new Map(rows.map((row) => [row.id, row]));
    return eventIds.flatMap((eventId) => {
      const row = found.get(eventId);
      return row === undefined ? [] : [eventOf(row)];
    });
  }

  /** The first published events by their start. */
  async first(limit: number): Promise<StoredEvent[]> {
    const text = `${SELECT_LISTED} WHERE e.status = 'published'
      ORDER BY e.starts_at, e.id LIMIT $1`;
    const { rows } = await this.#pool.query<EventRow>(text, [limit]);
    return rows.map(eventOf);
  }
}

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
const msOf = (date: Date | null): number | null => (date === null ? null : date.getTime());

function changeValues(event: ChangeableEvent): unknown[] {
  return [
    event.title,
    event.description,
    event.tags,
    new Date(event.startsMs),
    dateOf(event.endsMs),
    dateOf(event.salesOpenMs),
    dateOf(event.salesCloseMs),
    dateOf(event.cancelUntilMs),
    event.holdTtlMs,
    event.paymentWindowMs,
    event.perOrderMax,
    event.perUserMax,
    JSON.stringify(event.churn),
    JSON.stringify(event.priceCategories),
    JSON.stringify(event.promoCodes),
    event.category,
    event.venue,
    event.venue?.city ?? null,
  ];
}

function first({ rows }: QueryResult<EventRow>): StoredEvent | null {
  const [row] = rows;
  return row === undefined ? null : eventOf(row);
}

function eventOf(row: EventRow): StoredEvent {
  return {
    eventId: row.id,
    tag: row.tag,
    organizationId: row.organization_id,
    allowInvoices: row.allow_invoices,
    status: row.status,
    cancelling: row.cancelling,
    neverPublished: row.never_published,
    charges: row.charges,
    version: row.version,
    title: row.title,
    description: row.description,
    category: row.category,
    tags: row.tags,
    venue: row.venue,
    startsMs: row.starts_at.getTime(),
    endsMs: msOf(row.ends_at),
    timezone: row.timezone,
    currency: row.currency,
    salesOpenMs: msOf(row.sales_open_at),
    salesCloseMs: msOf(row.sales_close_at),
    holdTtlMs: row.hold_ttl_ms,
    perOrderMax: row.per_order_max,
    perUserMax: row.per_user_max,
    priceCategories: row.price_categories,
    areas: row.areas.map((area, index) => ({
      ...area,
      capacity: row.capacities?.[index] ?? area.capacity,
    })),
    promoCodes: row.promo_codes,
    churn: row.hold_churn,
    cancelUntilMs: msOf(row.cancel_until),
    paymentWindowMs: row.payment_window_ms,
    seatCount: row.seat_count,
    createdMs: row.created_at.getTime(),
    updatedMs: row.updated_at.getTime(),
  };
}
