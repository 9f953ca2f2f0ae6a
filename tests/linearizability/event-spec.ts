/**
 * The sale of one event as its clients may imagine it: seats, areas, holds, bookings, keys. Written
 * from the contract alone, in names instead of indexes, so that it shares no mistake with the
 * engine.
 *
 * Invariants:
 * - Only `take` changes the state, by one step and one seq; what it did the trail can undo.
 * - A step that `take` refuses has changed nothing.
 */
import { isDeepStrictEqual } from "node:util";
import type { BookingShape, HoldShape, ItemShape } from "../support/shapes.ts";
import type { EventRecord } from "./history.ts";
import { placesOf } from "./told.ts";
import type { Trail } from "./trail.ts";

/** Who asked for it under which key; a key is kept with what was asked. */
export interface StepKey {
  readonly key: string;
  readonly asked: string;
}

export type Step =
  | {
      readonly kind: "held" | "extended";
      readonly user: string;
      readonly keys: readonly StepKey[];
      /** As the answer showed it. */
      readonly hold: HoldShape;
    }
  | {
      readonly kind: "booked" | "cancelled";
      readonly user: string;
      readonly keys: readonly StepKey[];
      readonly booking: BookingShape;
    }
  | { readonly kind: "released"; readonly user: string; readonly holdId: string }
  | { readonly kind: "expired"; readonly holdId: string; readonly expiresAtMs: number };

export interface SpecHold {
  readonly user: string;
  /** As a look at it would show it. */
  readonly shown: HoldShape;
  readonly expiresAtMs: number;
  readonly extended: boolean;
  readonly end: "released" | "expired" | "booked" | null;
  readonly bookingId: string | null;
  /** The server's time was at least this when it ended, Unix ms; 0: it has not. */
  readonly endedMs: number;
}

export interface SpecBooking {
  readonly user: string;
  readonly shown: BookingShape;
}

export interface SpecArea {
  readonly capacity: number;
  readonly held: number;
  readonly sold: number;
}

const NOT_ENDED = { end: null, bookingId: null, endedMs: 0 } as const;

type Letter = "f" | "h" | "s";

export class EventSpec {
  readonly event: EventRecord;
  readonly seats: Map<string, Letter>;
  readonly areas: Map<string, SpecArea>;
  readonly holds = new Map<string, SpecHold>();
  readonly bookings = new Map<string, SpecBooking>();
  readonly bookingsOf = new Map<string, readonly string[]>();
  /** What was asked under each user's key, and the seq of its outcome. */
  readonly outcomes = new Map<string, { readonly asked: string; readonly seq: number }>();
  readonly placesOfUser = new Map<string, number>();
  seq: number;
  /** The server's time is at least this, Unix ms. */
  serverMs = 0;
  readonly #trail: Trail;

  constructor(event: EventRecord, trail: Trail) {
    this.event = event;
    this.#trail = trail;
    this.seq = event.seq;
    this.seats = new Map(event.seats.map((seat) => [seat, "f"]));
    this.areas = new Map(
      event.areas.map(({ key, capacity }) => [key, { capacity, held: 0, sold: 0 }]),
    );
  }

  static outcomeKey(user: string, key: string): string {
    return `${user} ${key}`;
  }

  /** Takes the next step; or says why it can't be the next, and changes nothing. */
  take(step: Step): string | null {
    const atMs = timeOf(step, this.event.holdTtlMs);
    if (atMs !== null && atMs < this.serverMs) return "the server's time would run backwards";
    const wrong = this.#whyNot(step);
    if (wrong !== null) return wrong;
    const { seq, serverMs } = this;
    this.#trail.note(() => {
      this.seq = seq;
      this.serverMs = serverMs;
    });
    this.seq += 1;
    const leastMs = step.kind === "expired" ? step.expiresAtMs : atMs;
    this.serverMs = Math.max(this.serverMs, leastMs ?? 0);
    if ("keys" in step) {
      for (const { key, asked } of step.keys) {
        const outcome = { asked, seq: this.seq };
        this.#trail.set(this.outcomes, EventSpec.outcomeKey(step.user, key), outcome);
      }
    }
    this.#make(step);
    return null;
  }

  #whyNot(step: Step): string | null {
    if ("keys" in step) {
      const used = step.keys.find(({ key }) =>
        this.outcomes.has(EventSpec.outcomeKey(step.user, key)),
      );
      if (used !== undefined) return `key ${used.key} has an outcome already`;
    }
    switch (step.kind) {
      case "held":
        return this.#whyNotHeld(step.user, step.hold);
      case "extended":
        return this.#whyNotExtended(step.user, step.hold);
      case "booked":
        return this.#whyNotBooked(step.user, step.booking);
      case "cancelled":
        return this.#whyNotCancelled(step.user, step.booking);
      case "released":
        return this.#whyNotActive(step.holdId, step.user);
      case "expired": {
        const hold = this.holds.get(step.holdId);
        if (hold?.end !== null) return "the hold is not active";
        return hold.expiresAtMs === step.expiresAtMs ? null : "the hold was not extended yet";
      }
    }
  }

  #whyNotHeld(user: string, hold: HoldShape): string | null {
    if (this.holds.has(hold.id)) return "there is such a hold already";
    if (hold.items.length > this.event.perOrderMax) return "it is more than one order may have";
    const places = (this.placesOfUser.get(user) ?? 0) + hold.items.length;
    if (places > this.event.perUserMax) return "it is more than one buyer may have";
    const wanted = new Map<string, number>();
    const seats = new Set<string>();
    for (const { seat, area } of hold.items) {
      if (seat !== undefined) {
        if (this.seats.get(seat) !== "f" || seats.has(seat)) return `seat ${seat} is not free`;
        seats.add(seat);
      } else if (area !== undefined) {
        wanted.set(area, (wanted.get(area) ?? 0) + 1);
      }
    }
    for (const [area, count] of wanted) {
      if (count > this.freeIn(area)) return `area ${area} has no ${count} free`;
    }
    return null;
  }

  #whyNotExtended(user: string, hold: HoldShape): string | null {
    const wrong = this.#whyNotActive(hold.id, user);
    const known = this.holds.get(hold.id);
    if (wrong !== null || known === undefined) return wrong;
    if (known.extended) return "the hold was extended already";
    const expiresAtMs = known.expiresAtMs + this.event.holdTtlMs;
    const expiresAt = new Date(expiresAtMs).toISOString();
    const expected = { ...known.shown, expiresAt, seq: hold.seq };
    return isDeepStrictEqual(hold, expected) ? null : "the hold was extended into another";
  }

  #whyNotBooked(user: string, booking: BookingShape): string | null {
    const wrong = this.#whyNotActive(booking.holdId, user);
    const hold = this.holds.get(booking.holdId);
    if (wrong !== null || hold === undefined) return wrong;
    if (this.bookings.has(booking.id)) return "there is such a booking already";
    if (Date.parse(booking.createdAt) >= hold.expiresAtMs) return "the hold's time was over";
    const tickets = booking.tickets.map(({ code, status, ...item }) => item);
    const areValid = booking.tickets.every(({ status }) => status === "valid");
    const isSame =
      areValid &&
      booking.status === "confirmed" &&
      isDeepStrictEqual(tickets, hold.shown.items) &&
      isDeepStrictEqual(booking.total, hold.shown.total);
    return isSame ? null : "the booking is not what was held";
  }

  #whyNotCancelled(user: string, booking: BookingShape): string | null {
    const known = this.bookings.get(booking.id);
    if (known?.user !== user) return "there is no such booking of this buyer";
    if (known.shown.status !== "confirmed") return "the booking is cancelled already";
    const expected = {
      ...known.shown,
      status: "cancelled",
      tickets: known.shown.tickets.map((ticket) => ({ ...ticket, status: "cancelled" })),
      cancelledAt: booking.cancelledAt,
      cancelReason: booking.cancelReason,
      seq: booking.seq,
    };
    return isDeepStrictEqual(booking, expected) ? null : "another booking was cancelled";
  }

  #whyNotActive(holdId: string, user: string): string | null {
    const hold = this.holds.get(holdId);
    if (hold?.user !== user) return "there is no such hold of this buyer";
    if (hold.end !== null) return `the hold was ${hold.end} already`;
    return this.serverMs >= hold.expiresAtMs ? "the hold's time was over" : null;
  }

  #make(step: Step): void {
    switch (step.kind) {
      case "held": {
        const { hold, user } = step;
        const expiresAtMs = Date.parse(hold.expiresAt);
        const fresh = { user, shown: hold, expiresAtMs, extended: false } as const;
        this.#trail.set(this.holds, hold.id, { ...fresh, ...NOT_ENDED });
        this.#count(user, hold.items.length);
        return this.#move(hold.items, "f", "h");
      }
      case "extended": {
        const expiresAtMs = Date.parse(step.hold.expiresAt);
        return this.#changeHold(step.hold.id, { shown: step.hold, expiresAtMs, extended: true });
      }
      case "released":
      case "expired":
        return this.#free(step.holdId, step.kind);
      case "booked": {
        const { booking, user } = step;
        this.#changeHold(booking.holdId, { end: "booked", bookingId: booking.id });
        this.#trail.set(this.bookings, booking.id, { user, shown: booking });
        const mine = this.bookingsOf.get(user) ?? [];
        this.#trail.set(this.bookingsOf, user, [...mine, booking.id]);
        return this.#move(booking.tickets, "h", "s");
      }
      case "cancelled": {
        const { booking, user } = step;
        this.#trail.set(this.bookings, booking.id, { user, shown: booking });
        this.#count(user, -booking.tickets.length);
        return this.#move(booking.tickets, "s", "f");
      }
    }
  }

  freeIn(area: string): number {
    const counts = this.areas.get(area);
    return counts === undefined ? 0 : counts.capacity - counts.held - counts.sold;
  }

  /** Those of the seats that can't be held: a seat is not free for a second time in one hold. */
  takenOf(seats: readonly string[]): Set<string> {
    return new Set(
      seats.filter((seat, at) => this.seats.get(seat) !== "f" || seats.indexOf(seat) < at),
    );
  }

  #free(holdId: string, end: "released" | "expired"): void {
    const hold = this.holds.get(holdId);
    if (hold === undefined) return;
    this.#changeHold(holdId, { end, endedMs: this.serverMs });
    this.#count(hold.user, -hold.shown.items.length);
    this.#move(hold.shown.items, "h", "f");
  }

  #changeHold(holdId: string, change: Partial<SpecHold>): void {
    const hold = this.holds.get(holdId);
    if (hold !== undefined) this.#trail.set(this.holds, holdId, { ...hold, ...change });
  }

  #count(user: string, by: number): void {
    this.#trail.set(this.placesOfUser, user, (this.placesOfUser.get(user) ?? 0) + by);
  }

  #move(items: readonly ItemShape[], from: Letter, to: Letter): void {
    for (const { seat, area } of items) {
      if (seat !== undefined) this.#trail.set(this.seats, seat, to);
      const counts = area === undefined ? undefined : this.areas.get(area);
      if (area === undefined || counts === undefined) continue;
      const held = counts.held + (to === "h" ? 1 : 0) - (from === "h" ? 1 : 0);
      const sold = counts.sold + (to === "s" ? 1 : 0) - (from === "s" ? 1 : 0);
      this.#trail.set(this.areas, area, { ...counts, held, sold });
    }
  }
}

/** The server's time at which a step was taken, as its answer tells it; null: it does not. */
export function timeOf(step: Step, holdTtlMs: number): number | null {
  switch (step.kind) {
    case "held":
      return Date.parse(step.hold.expiresAt) - holdTtlMs;
    case "booked":
      return Date.parse(step.booking.createdAt);
    case "cancelled":
      return Date.parse(step.booking.cancelledAt ?? "");
    case "extended":
    case "released":
    case "expired":
      return null;
  }
}

/** A step in words. */
export function describeStep(step: Step): string {
  if ("booking" in step) {
    return `${step.kind} ${step.booking.id} [${placesOf(step.booking.tickets).join(" ")}]`;
  }
  if ("hold" in step)
    return `${step.kind} ${step.hold.id} [${placesOf(step.hold.items).join(" ")}]`;
  return `${step.kind} ${step.holdId}`;
}
