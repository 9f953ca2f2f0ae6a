/** Whether what a client was told is true in a given state: outcomes, refusals and reads. */
import { isDeepStrictEqual } from "node:util";
import type { AvailabilityShape, BookingShape, Problem } from "../support/shapes.ts";
import { EventSpec, type SpecHold } from "./event-spec.ts";
import type { AskedItem, Keyed, Operation } from "./history.ts";
import { placesAsked, type Told } from "./told.ts";

export interface Statement {
  readonly user: string;
  readonly operation: Operation;
  readonly told: Told;
}

/** What was asked, without the key that it came with. */
export function askedBy({ key: _, ...asked }: Keyed): string {
  return JSON.stringify(asked);
}

/** The lowest seq at which it may be true; null: any. */
export function earliestSeqOf({ told }: Statement): number | null {
  if ("seq" in told) return told.seq;
  if (told.kind === "availability") return told.availability.seq;
  return told.kind === "hold" ? told.hold.seq : null;
}

export function isTrue(spec: EventSpec, statement: Statement): boolean {
  const { user, operation, told } = statement;
  switch (told.kind) {
    case "held":
    case "extended":
    case "booked":
      if (!("key" in operation)) return false;
      return isDeepStrictEqual(spec.outcomes.get(EventSpec.outcomeKey(user, operation.key)), {
        asked: askedBy(operation),
        seq: told.seq,
      });
    case "cancelled":
      return isDeepStrictEqual(spec.bookings.get(told.booking.id)?.shown, told.booking);
    case "released":
      if (operation.kind !== "release") return false;
      return holdOf(spec, operation.holdId, user)?.end === "released";
    case "hold": {
      const hold = holdOf(spec, told.hold.id, user);
      return hold?.end === null && isDeepStrictEqual(hold.shown, told.hold);
    }
    case "booking": {
      const booking = spec.bookings.get(told.booking.id);
      return booking?.user === user && isDeepStrictEqual(booking.shown, told.booking);
    }
    case "bookings":
      return isDeepStrictEqual(told.bookings, bookingsOf(spec, user));
    case "availability":
      return isShown(spec, told.availability);
    case "refused":
      return isRefusalTrue(spec, user, operation, told.problem);
  }
}

function holdOf(spec: EventSpec, holdId: string, user: string): SpecHold | undefined {
  const hold = spec.holds.get(holdId);
  return hold?.user === user ? hold : undefined;
}

/** Newest first: ids grow with time. */
function bookingsOf(spec: EventSpec, user: string): BookingShape[] {
  const ids = [...(spec.bookingsOf.get(user) ?? [])].sort().reverse();
  return ids.flatMap((id) => spec.bookings.get(id)?.shown ?? []);
}

function isShown(spec: EventSpec, shown: AvailabilityShape): boolean {
  if (shown.seq !== spec.seq || shown.status !== "published") return false;
  const statuses = [...spec.seats.values()].join("");
  if (shown.statuses !== statuses) return false;
  const counts = { f: 0, h: 0, s: 0 };
  for (const letter of spec.seats.values()) counts[letter] += 1;
  const areas = [...spec.areas].map(([key, { capacity, held, sold }]) => {
    counts.h += held;
    counts.s += sold;
    counts.f += capacity - held - sold;
    return { key, capacity, held, sold, free: capacity - held - sold };
  });
  const freeByCategory = shown.categories.reduce((sum, { free }) => sum + free, 0);
  return (
    isDeepStrictEqual([...shown.areas], areas) &&
    shown.free === counts.f &&
    shown.held === counts.h &&
    shown.sold === counts.s &&
    shown.blocked === 0 &&
    freeByCategory === counts.f
  );
}

function isRefusalTrue(
  spec: EventSpec,
  user: string,
  operation: Operation,
  problem: Problem,
): boolean {
  const { code } = problem;
  if ("key" in operation) {
    const outcome = spec.outcomes.get(EventSpec.outcomeKey(user, operation.key));
    const isReused = outcome !== undefined && outcome.asked !== askedBy(operation);
    if (code === "idempotency_key_reused") return isReused;
    // Whoever repeats a request that had its outcome hears that outcome, and nothing else.
    if (outcome !== undefined) return false;
  }
  switch (operation.kind) {
    case "hold":
      return isHoldRefused(spec, user, operation.items, problem);
    case "extend": {
      const hold = holdOf(spec, operation.holdId, user);
      if (code === "hold_not_extendable") return hold?.end === null && hold.extended;
      return isEndTold(hold, problem);
    }
    case "book":
    case "release":
    case "getHold":
      return isEndTold(holdOf(spec, operation.holdId, user), problem);
    case "cancel":
    case "getBooking":
      return code === "booking_not_found" && spec.bookings.get(operation.bookingId)?.user !== user;
    case "listBookings":
    case "availability":
      return false;
  }
}

function isHoldRefused(
  spec: EventSpec,
  user: string,
  items: readonly AskedItem[],
  { code, seats, area, available, scope, limit, current }: Problem,
): boolean {
  const { perOrderMax, perUserMax } = spec.event;
  const count = placesAsked(items).length;
  const isLimit = (scoped: string, max: number, has: number): boolean =>
    code === "limit_exceeded" && scope === scoped && limit === max && current === has;
  if (count > perOrderMax && isLimit("perOrder", perOrderMax, count)) return true;
  const has = spec.placesOfUser.get(user) ?? 0;
  if (has + count > perUserMax && isLimit("perUser", perUserMax, has)) return true;
  if (code === "seat_unavailable") {
    const taken = spec.takenOf(items.flatMap((item) => ("seat" in item ? [item.seat] : [])));
    return taken.size > 0 && isDeepStrictEqual(new Set(seats), taken);
  }
  if (code !== "insufficient_capacity" || area === undefined) return false;
  const wanted = items.reduce(
    (sum, item) => sum + ("area" in item && item.area === area ? item.quantity : 0),
    0,
  );
  return wanted > spec.freeIn(area) && available === spec.freeIn(area);
}

/** Whether the refusal tells how the hold ended; undefined: the asker has no such hold. */
function isEndTold(hold: SpecHold | undefined, { code, bookingId }: Problem): boolean {
  if (hold === undefined) return code === "hold_not_found";
  if (hold.end === "expired") return code === "hold_expired";
  if (hold.end === "released") return code === "hold_released";
  return hold.end === "booked" && code === "hold_booked" && bookingId === hold.bookingId;
}
