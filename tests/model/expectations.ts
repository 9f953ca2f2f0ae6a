import type { Configure, Extend, Hold, Release } from "../../engine/commands.ts";
import type { Fact } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import { KEY_TTL_MS, PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import type { Refusal } from "../../engine/replies.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { extendedEndMs, placesDiffer } from "./fact-rules.ts";
import { areaOf, type ModelEnd, type ModelState, seatOf } from "./model-state.ts";

/** What is known of the instant at which an operation was decided. */
export interface Circumstances {
  /** The shard's logical time at the decision lay in [fromMs, toMs], both inclusive, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * seq of the event's last fact before the operation. With it, `check` also knows what the
   * operation changed. Default: unknown.
   */
  readonly beforeSeq?: number;
  /** True when the actor may have been built again just before, see `reloaded`. Default: false. */
  readonly forgetful?: boolean;
}

/** One answer that would be true. */
export type Expected =
  /** The operation has to be accepted: the fact that it causes is missing. */
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "unchanged" }
  /** The outcome of the first request with this key. */
  | { readonly kind: "replay"; readonly fact: Fact }
  /** The booking is cancelled already; this is the fact that did it. */
  | { readonly kind: "repeat"; readonly fact: Fact }
  | { readonly kind: "hold"; readonly hold: ActiveHold }
  /** The inventory as it is; its text is compared field by field. */
  | { readonly kind: "view" }
  | { readonly kind: "actor" }
  | { readonly kind: "audit" };

/**
 * The answers (besides `busy`) that are true of an operation in this state, at any instant that the
 * circumstances leave possible. Several, when an instant or what was forgotten decides.
 */
export function expectedOf(
  state: ModelState,
  operation: Operation,
  when: Circumstances,
): Expected[] {
  const different = new Map<string, Expected>();
  for (const nowMs of instantsOf(state, operation, when)) {
    for (const expected of expectedAt(state, operation, nowMs, when.forgetful ?? false)) {
      different.set(JSON.stringify(expected), expected);
    }
  }
  return [...different.values()];
}

/**
 * When the decision can have been, both inclusive: not before the last fact, and not when a hold
 * was due that has not ended. `toMs` below `fromMs`: never.
 */
export function possibleTimes(
  { lastMs, due }: ModelState,
  { fromMs, toMs }: Circumstances,
): { readonly fromMs: number; readonly toMs: number } {
  const dueMs = due.firstMs ?? Number.POSITIVE_INFINITY;
  return { fromMs: Math.max(fromMs, lastMs), toMs: Math.min(toMs, dueMs - 1) };
}

/** The first possible instant, and each later one at which another answer may become true. */
function instantsOf(state: ModelState, operation: Operation, when: Circumstances): number[] {
  const { fromMs, toMs } = possibleTimes(state, when);
  const { salesOpenMs = null, salesCloseMs = null } = state.definition ?? {};
  const first = outcomeOfKey(state, operation);
  const keyEndsMs = first === undefined ? null : first.atMs + KEY_TTL_MS + 1;
  return [fromMs, salesOpenMs, salesCloseMs, keyEndsMs].filter(
    (instantMs): instantMs is number =>
      instantMs !== null && instantMs >= fromMs && instantMs <= toMs,
  );
}

function outcomeOfKey(state: ModelState, operation: Operation): Fact | undefined {
  const key = "key" in operation ? operation.key : null;
  return key === null ? undefined : state.outcomes.get(key.digest);
}

function expectedAt(
  state: ModelState,
  operation: Operation,
  nowMs: number,
  forgetful: boolean,
): Expected[] {
  const first = outcomeOfKey(state, operation);
  if (first !== undefined && first.atMs >= nowMs - KEY_TTL_MS) {
    const isSame = "key" in operation && operation.key?.fingerprint === first.key?.fingerprint;
    return [isSame ? { kind: "replay", fact: first } : refused({ code: "idempotency_key_reused" })];
  }
  switch (operation.kind) {
    case "configure":
      return [ofConfigure(state, operation)];
    case "hold":
      return [ofHold(state, operation, nowMs)];
    case "extend":
      return ofOwnHold(state, operation, forgetful, (hold) => {
        const gains = extendedEndMs(state, hold) > hold.expiresAtMs;
        if (!hold.extended && gains) return { kind: "accepted" };
        return refused({ code: "hold_not_extendable" });
      });
    case "release":
      return ofOwnHold(state, operation, forgetful, () => ({ kind: "accepted" })).map((expected) =>
        isRefusedWith(expected, "hold_released") ? { kind: "unchanged" } : expected,
      );
    case "book":
      return ofOwnHold(state, operation, forgetful, ({ items }) => {
        if (state.definition?.status === "cancelled") return refused({ code: "event_cancelled" });
        const costs = items.some(({ priceMinor }) => priceMinor > 0);
        if (costs && !operation.invoiceAllowed) return refused({ code: "payment_required" });
        return { kind: "accepted" };
      });
    case "cancel": {
      const known = state.bookings.get(operation.bookingId);
      const may = operation.asOrganizer || known?.record.userId === operation.userId;
      if (known === undefined || !may) return [refused({ code: "booking_not_found" })];
      const { cancelled } = known;
      return [cancelled === null ? { kind: "accepted" } : { kind: "repeat", fact: cancelled }];
    }
    case "getHold":
      return ofOwnHold(state, operation, forgetful, (hold) => ({ kind: "hold", hold }));
    case "watch":
      if (state.definition === null) return [refused({ code: "event_not_found" })];
      return [{ kind: "view" }];
    case "unwatch":
      return [{ kind: "unchanged" }];
    case "inspect":
      return [{ kind: "actor" }];
    case "audit":
      return [{ kind: "audit" }];
    default:
      return unreachable(operation);
  }
}

function refused(refusal: Refusal): Expected {
  return { kind: "refused", refusal };
}

function isRefusedWith(expected: Expected, code: Refusal["code"]): boolean {
  return expected.kind === "refused" && expected.refusal.code === code;
}

function ofConfigure({ definition }: ModelState, command: Configure): Expected {
  if (definition === null || placesDiffer(definition, command.definition).length === 0) {
    return { kind: "accepted" };
  }
  return refused({ code: "inventory_fixed" });
}

/** The sale is asked first, then the buyer's limits, then the places. */
function ofHold(state: ModelState, { places, userId }: Hold, nowMs: number): Expected {
  const { definition } = state;
  if (definition === null) return refused({ code: "event_not_found" });
  const { status, salesOpenMs, salesCloseMs, perOrderMax, perUserMax } = definition;
  if (status === "cancelled") return refused({ code: "event_cancelled" });
  if (salesOpenMs !== null && nowMs < salesOpenMs) {
    return refused({ code: "sales_not_open", opensAtMs: salesOpenMs });
  }
  if (salesCloseMs !== null && nowMs >= salesCloseMs) return refused({ code: "sales_closed" });
  const code = "limit_exceeded";
  const orderMax = Math.min(perOrderMax, PLACES_PER_HOLD_MAX);
  if (places.length > orderMax) {
    return refused({ code, scope: "perOrder", limit: orderMax, current: places.length });
  }
  const current = state.placesByUser.get(userId) ?? 0;
  if (current + places.length > perUserMax) {
    return refused({ code, scope: "perUser", limit: perUserMax, current });
  }
  return ofPlaces(state, places);
}

/** Places that do not exist are told first, then seats that are taken, then full areas. */
function ofPlaces(state: ModelState, places: Hold["places"]): Expected {
  const unknown = places.filter((place) => state.categoryOf(place) === undefined);
  if (unknown.length > 0) return refused({ code: "unknown_place", places: unknown });
  const asked = new Set<number>();
  const taken: number[] = [];
  for (const place of places) {
    const seat = seatOf(place);
    if (seat === null) continue;
    if (state.seats[seat] !== "f" || asked.has(seat)) taken.push(seat);
    asked.add(seat);
  }
  if (taken.length > 0) return refused({ code: "seat_unavailable", seats: taken });
  for (const place of places) {
    if (seatOf(place) !== null) continue;
    const wanted = places.filter((other) => other === place).length;
    const available = state.freeInArea(areaOf(place));
    if (wanted > available) {
      return refused({ code: "insufficient_capacity", area: areaOf(place), available });
    }
  }
  return { kind: "accepted" };
}

/** A hold that is not the requester's does not exist for them, whether it lives or not. */
function ofOwnHold(
  state: ModelState,
  { holdId, userId }: Pick<Extend | Release, "holdId" | "userId">,
  forgetful: boolean,
  then: (hold: ActiveHold) => Expected,
): Expected[] {
  const notFound = refused({ code: "hold_not_found" });
  const hold = state.holds.get(holdId);
  if (hold !== undefined) return [hold.userId === userId ? then(hold) : notFound];
  const end = state.ends.get(holdId);
  if (end === undefined || end.userId !== userId) return [notFound];
  const known: Expected[] = mayBeKnown(state, end, forgetful) ? [refused(refusalOf(end))] : [];
  return mayBeForgotten(state, end) ? [...known, notFound] : known;
}

function refusalOf({ end, bookingId }: ModelEnd): Refusal {
  if (end === "expired") return { code: "hold_expired" };
  if (bookingId === null) return { code: "hold_released" };
  return { code: "hold_booked", bookingId };
}

/** An actor knows the last ends; one built from rows may know older ones, as it missed others. */
export function mayBeKnown(state: ModelState, end: ModelEnd, forgetful: boolean): boolean {
  return state.isAmongLastEnds(end) || forgetful || state.reloadedSeq > 0;
}

/**
 * The one thing that may lawfully be lost: how a hold ended a day ago of which there is no booking.
 * Its row is purged then.
 */
export function mayBeForgotten(state: ModelState, end: ModelEnd): boolean {
  if (!state.isAmongLastEnds(end)) return true;
  const isReloaded = end.seq <= state.reloadedSeq && end.atMs < state.purgedBeforeMs;
  return end.bookingId === null && isReloaded;
}
