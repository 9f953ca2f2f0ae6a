import type { UserId } from "../../engine/ids.ts";
import { areaIndexOf, isSeat, type Place } from "../../engine/place.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import type { StoredBooking } from "./bookings-reader.ts";
import type { HistoryRow } from "./history-reader.ts";
import { iso } from "./instant.ts";
import { money, type Reader } from "./views.ts";

interface BookingRows {
  readonly rows: readonly HistoryRow[];
  /** Who of those in them was given the booking, whenever that was. */
  readonly given: readonly UserId[];
}

/**
 * A page of what happened to a booking, for who may read it. The first entry of all is the booking
 * itself. To whom it was handed over, only those two and organisers read by their address.
 */
export function bookingHistoryView(
  event: EventEntry,
  booking: StoredBooking,
  { rows, given }: BookingRows,
  reader: Reader,
): object[] {
  const owners = new Set([booking.buyerId, booking.record.userId, ...given]);
  return rows.map((row) => ({
    seq: row.seq,
    at: iso(row.atMs),
    change: nameOfChange(row),
    by: { who: roleOf(row.by, reader.userId, owners), userId: row.by },
    reason: row.reason,
    ...detailView(event, row, reader.asOrganizer || isPartyTo(row, reader.userId)),
  }));
}

/** What a fact is called in public, where its own name would not do. */
const NAMES: Readonly<Record<string, string>> = {
  paymentStarted: "payment_started",
  placesChanged: "inventory_changed",
  queued: "waitlist_joined",
  unqueued: "waitlist_left",
};

function nameOfChange({ change, kind, detail }: HistoryRow): string {
  if (kind === "configured" && detail?.status === "cancelled") return "event_cancelled";
  return change ?? NAMES[kind] ?? kind;
}

/** `owner`: somebody who has the booking, or had it. */
function roleOf(by: UserId | null, reader: UserId, owners: ReadonlySet<UserId>): string {
  if (by === null) return "system";
  if (by === reader) return "you";
  return owners.has(by) ? "owner" : "organiser";
}

/** Whether they handed the booking over there, or were given it. */
const isPartyTo = ({ by, detail }: HistoryRow, reader: UserId): boolean =>
  by === reader || detail?.userId === reader;

/** One entry of an event's log, for its organiser. */
export function logEntryView(event: EventEntry, row: HistoryRow): object {
  return {
    seq: row.seq,
    at: iso(row.atMs),
    change: nameOfChange(row),
    bookingId: row.bookingId,
    userId: row.by,
    reason: row.reason,
    ...detailView(event, row, true),
  };
}

/** The names behind the numbers of a fact. */
export type FactNames = Pick<EventEntry, "seatIds" | "areaKeys" | "currency">;

/** The detail in public names; what this does not know it leaves out. */
export function detailView(
  event: FactNames,
  { detail }: Pick<HistoryRow, "detail">,
  withEmail: boolean,
): object {
  if (detail === null) return {};
  const { tickets, from, to, email, amountMinor, provider, blocks, capacities, quantity } = detail;
  const { prices, salesOpenMs, salesCloseMs } = detail;
  return {
    ...(Array.isArray(prices) ? { prices: prices.map((price) => priceView(event, price)) } : {}),
    ...(salesOpenMs === undefined ? {} : { salesOpenAt: isoOrNull(salesOpenMs) }),
    ...(salesCloseMs === undefined ? {} : { salesCloseAt: isoOrNull(salesCloseMs) }),
    ...(Array.isArray(tickets) ? { tickets } : {}),
    ...(typeof from === "number" ? { from: nameOf(event, from) } : {}),
    ...(typeof to === "number" ? { to: nameOf(event, to) } : {}),
    ...(withEmail && typeof email === "string" ? { email } : {}),
    ...(typeof provider === "string" ? { provider } : {}),
    ...(typeof amountMinor === "number" ? { amount: money(event, amountMinor) } : {}),
    ...(typeof quantity === "number" ? { quantity } : {}),
    ...(Array.isArray(blocks) ? { blocks: blocks.map((block) => blockView(event, block)) } : {}),
    ...(Array.isArray(capacities)
      ? { areas: capacities.map((area) => capacityView(event, area)) }
      : {}),
  };
}

function nameOf(event: FactNames, place: Place): string | undefined {
  return isSeat(place) ? event.seatIds[place] : event.areaKeys[areaIndexOf(place)];
}

function blockView(event: FactNames, block: unknown): object {
  if (!isBlock(block)) return {};
  const { channel, quantity, places } = block;
  return {
    allotment: channel === "" ? null : channel,
    quantity,
    places: places.map((place) => nameOf(event, place)),
  };
}

function capacityView(event: FactNames, change: unknown): object {
  if (!isCapacity(change)) return {};
  return { key: event.areaKeys[change.area], capacity: change.capacity };
}

const isoOrNull = (ms: unknown): string | null => (typeof ms === "number" ? iso(ms) : null);

function priceView(event: FactNames, price: unknown): object {
  if (typeof price !== "object" || price === null) return {};
  const { key, priceMinor }: { key?: unknown; priceMinor?: unknown } = price;
  return { category: key, price: money(event, Number(priceMinor)) };
}

interface BlockDetail {
  readonly channel: string;
  readonly quantity: number;
  readonly places: readonly Place[];
}

function isBlock(value: unknown): value is BlockDetail {
  return typeof value === "object" && value !== null && "places" in value && "channel" in value;
}

function isCapacity(value: unknown): value is { area: number; capacity: number } {
  return typeof value === "object" && value !== null && "area" in value && "capacity" in value;
}
