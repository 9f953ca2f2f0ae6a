import { setTimeout as delay } from "node:timers/promises";
import type { Availability, BenchApi } from "../bench-api.ts";
import type { FlowFindings } from "../load/flow.ts";
import type { Progress } from "../scenario.ts";

/** Longest wait for PostgreSQL to have everything. */
const PROJECTED_SECONDS_MAX = 60;
/** A hold ends within a second of its time; what comes of it is seen a little later. */
const HOLD_END_SECONDS_MORE = 2;
const EVENTS_AT_ONCE = 4;
const PROGRESS_BOOKINGS = 10_000;

/** An event that was sold from. */
export interface SoldFrom {
  readonly eventId: string;
  readonly capacity: number;
  /** Public ids by index; null: it has an area alone. */
  readonly seatIds: readonly string[] | null;
}

/** What was looked at, or why it could not be. */
export type Seen<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** A booking in the database, with its valid tickets. */
export interface StoredBooking {
  readonly id: string;
  readonly seats: readonly string[];
  readonly areaPlaces: number;
  /** Minor units: what is due for all of its tickets, cancelled ones too, and what each costs. */
  readonly totalMinor: number;
  readonly pricesMinor: readonly number[];
}

export interface EventEvidence {
  readonly event: SoldFrom;
  readonly availability: Seen<Availability>;
  readonly audit: Seen<{ readonly ok: boolean; readonly drift: readonly string[] }>;
  readonly bookings: Seen<readonly StoredBooking[]>;
}

/** All that the verdict is made of. */
export interface Evidence {
  readonly isProjected: Seen<boolean>;
  /** In the order of the events of the loads. */
  readonly events: readonly EventEvidence[];
  readonly loads: readonly FlowFindings[];
  /** Holds that were not booked have ended by themselves before anybody looked. */
  readonly holdsHaveEnded: boolean;
}

export interface Case {
  readonly api: BenchApi;
  readonly events: readonly SoldFrom[];
  /** Every load on these events, warm-ups included. */
  readonly loads: readonly FlowFindings[];
  /** How long holds last, where they are to have ended before anybody looks; null: they stay. */
  readonly holdTtlSeconds: number | null;
}

/** Looks at everything, after the load has ended. */
export async function gatherEvidence(
  { api, events, loads, holdTtlSeconds }: Case,
  progress: Progress,
): Promise<Evidence> {
  if (holdTtlSeconds !== null) {
    progress(`oracle: waiting ${holdTtlSeconds} s for holds to end`);
    await delay((holdTtlSeconds + HOLD_END_SECONDS_MORE) * 1_000);
  }
  progress("oracle: waiting for PostgreSQL to have everything");
  const isProjected = await seen(() => api.isProjectedWithin(PROJECTED_SECONDS_MAX));
  const found: EventEvidence[] = [];
  let next = 0;
  const looker = async (): Promise<void> => {
    for (let index = next++; index < events.length; index = next++) {
      const event = events[index];
      if (event !== undefined) found[index] = await evidenceOf(api, event, progress);
    }
  };
  await Promise.all(Array.from({ length: EVENTS_AT_ONCE }, looker));
  return { isProjected, events: found, loads, holdsHaveEnded: holdTtlSeconds !== null };
}

async function evidenceOf(
  api: BenchApi,
  event: SoldFrom,
  progress: Progress,
): Promise<EventEvidence> {
  const { eventId } = event;
  return {
    event,
    availability: await seen(() => api.availability(eventId)),
    audit: await seen(() => api.audit(eventId)),
    bookings: await seen(() => storedBookings(api, eventId, progress)),
  };
}

async function storedBookings(
  api: BenchApi,
  eventId: string,
  progress: Progress,
): Promise<StoredBooking[]> {
  const stored: StoredBooking[] = [];
  for await (const { id, tickets, total } of api.bookingsOf(eventId)) {
    const valid = tickets.filter(({ status }) => status !== "cancelled");
    const seats = valid.flatMap(({ seat }) => seat ?? []);
    const money = { totalMinor: total.amount, pricesMinor: tickets.map(({ price }) => price) };
    stored.push({ id, seats, areaPlaces: valid.length - seats.length, ...money });
    if (stored.length % PROGRESS_BOOKINGS === 0) progress(`oracle: ${stored.length} bookings read`);
  }
  return stored;
}

/** Never rejects. */
export async function seen<T>(look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { ok: true, value: await look() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
