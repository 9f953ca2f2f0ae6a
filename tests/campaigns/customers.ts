/** Rows of people who have booked, as the projector would have left them. */
import { randomBytes } from "node:crypto";
import { uuidV7 } from "../../engine/ids.ts";
import type { Queries } from "../../gateway/tenancy/database.ts";

export const freshId = (): string => uuidV7(Date.now(), randomBytes(10));

export interface EventRow {
  readonly id: string;
  readonly category: string | null;
  readonly tags: readonly string[];
  readonly city: string | null;
  readonly location: { readonly lat: number; readonly lng: number } | null;
  readonly startsAt: string;
  readonly currency: string;
}

export interface BookingRow {
  readonly eventId: string;
  readonly email: string | null;
  readonly userId: string;
  readonly bookedMs: number;
  readonly status: "confirmed" | "cancelled" | "pending_payment";
  readonly handedOver: boolean;
  /** Prices of its tickets; null: a ticket that is cancelled. */
  readonly tickets: readonly (number | null)[];
  readonly checkedIn: boolean;
}

export async function addOrganization(rows: Queries, name = "City Theatre"): Promise<string> {
  const id = freshId();
  await rows.query(
    `INSERT INTO organizations (id, name, allow_invoices, currency, country)
     VALUES ($1, $2, true, 'EUR', 'DE')`,
    [id, name],
  );
  return id;
}

/** `role`: null: they belong to no organisation. */
export async function addUser(
  rows: Queries,
  email: string,
  names: { readonly firstName?: string; readonly owns?: string } = {},
): Promise<string> {
  const id = freshId();
  const { firstName = null, owns = null } = names;
  await rows.query(
    `INSERT INTO users (id, email, password_hash, first_name, role)
     VALUES ($1, $2, 'none', $3, 'customer')`,
    [id, email, firstName],
  );
  if (owns !== null) {
    await rows.query("INSERT INTO organization_members VALUES ($1, $2, 'owner')", [owns, id]);
  }
  return id;
}

export const anEvent = (changes: Partial<EventRow> = {}): EventRow => ({
  id: freshId(),
  category: null,
  tags: [],
  city: null,
  location: null,
  startsAt: "2030-05-04T17:30:00Z",
  currency: "EUR",
  ...changes,
});

export async function addEvent(
  rows: Queries,
  organizationId: string,
  changes: Partial<EventRow> = {},
): Promise<EventRow> {
  const event = anEvent(changes);
  const { id, category, tags, city, location, startsAt, currency } = event;
  await rows.query(
    `INSERT INTO events (id, tag, organization_id, status, title, description, category, tags,
       venue, city, starts_at, timezone, currency, hold_ttl_ms, per_order_max, per_user_max,
       price_categories, areas, seats)
     VALUES ($1, $2, $3, 'published', 'An evening', '', $4, $5, $6, $7, $8, 'Europe/Berlin', $9,
       600000, 10, 20, '[{"key": "all", "name": "All", "price": 1000}]', '[]', '[]')`,
    [
      ...[id, id.slice(26), organizationId, category, tags],
      ...[JSON.stringify({ name: "Hall", city, location }), city, startsAt, currency],
    ],
  );
  return event;
}

export const aBooking = (
  changes: Partial<BookingRow> & Pick<BookingRow, "eventId">,
): BookingRow => ({
  email: null,
  userId: freshId(),
  bookedMs: Date.now() - 86_400_000,
  status: "confirmed",
  handedOver: false,
  tickets: [1_000],
  checkedIn: false,
  ...changes,
});

export async function addBooking(
  rows: Queries,
  changes: Partial<BookingRow> & Pick<BookingRow, "eventId">,
): Promise<BookingRow> {
  const booking = aBooking(changes);
  const { eventId, email, userId, bookedMs, status, handedOver, tickets, checkedIn } = booking;
  const id = freshId();
  const total = tickets.reduce<number>((sum, price) => sum + (price ?? 700), 0);
  const isPlain = tickets.every((price) => price !== null) && !checkedIn;
  await rows.query(
    `INSERT INTO bookings (event_id, id, hold_id, user_id, email, code, status, total_minor,
       booked_ms, seq, buyer_id, later)
     VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)`,
    [
      ...[eventId, id, userId, email, id.slice(0, 8), status, total, bookedMs],
      ...[handedOver ? freshId() : null, isPlain ? null : "{}"],
    ],
  );
  for (const [position, price] of tickets.entries()) {
    await rows.query(
      `INSERT INTO tickets (event_id, id, booking_id, position, place, category, price_minor, code,
         status, checked_in_ms)
       VALUES ($1, $2, $3, $4, -1, 0, $5, $6, $7, $8)`,
      [
        ...[eventId, freshId(), id, position, price ?? 700, freshId()],
        ...[price === null ? "cancelled" : "valid", checkedIn && price !== null ? bookedMs : null],
      ],
    );
  }
  return booking;
}

/** So many customers of one organisation at once, each with one to three bookings. */
export async function addCrowd(
  rows: Queries,
  organizationId: string,
  { people, events }: { readonly people: number; readonly events: number },
): Promise<EventRow[]> {
  const made: EventRow[] = [];
  for (let index = 0; index < events; index++) {
    const category = ["jazz", "opera", "theatre"][index % 3] ?? "";
    const location = { lat: 50 + (index % 5), lng: 8 + (index % 7) };
    made.push(await addEvent(rows, organizationId, { category, location, city: "Jena" }));
  }
  await rows.query(
    `INSERT INTO bookings (event_id, id, hold_id, user_id, email, code, status, total_minor,
       booked_ms, seq)
     SELECT ($1::uuid[])[1 + (n * 7 + k * 13) % $2], gen_random_uuid(), gen_random_uuid(),
       gen_random_uuid(), 'person' || n || '@domain' || n % 50 || '.example.org', 'CODE' || n,
       'confirmed', 1000 + n % 9000, $3, n * 3 + k
     FROM generate_series(1, $4::int) AS n, generate_series(0, n % 3) AS k`,
    [made.map(({ id }) => id), events, Date.now() - 86_400_000, people],
  );
  await rows.query(
    `INSERT INTO tickets (event_id, id, booking_id, position, place, category, price_minor, code,
       status, checked_in_ms)
     SELECT event_id, gen_random_uuid(), id, 0, -1, 0, total_minor, gen_random_uuid()::text,
       'valid', CASE WHEN total_minor % 2 = 0 THEN booked_ms END
     FROM bookings WHERE event_id = ANY ($1::uuid[])`,
    [made.map(({ id }) => id)],
  );
  return made;
}
