import type { Fact } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { HoldId, UserId } from "../../engine/ids.ts";
import { ITEM_IDS_PER_HOLD, KEY_TTL_MS, PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import type { Refusal } from "../../engine/replies.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import {
  churnUntilMs,
  isBehindOwed,
  isKeptFor,
  promoOf,
  refusalByLimits,
  refusalByPlaces,
  refusalBySale,
  refusalOfPromo,
  servable,
} from "./availability.ts";
import { ofBookingCommand } from "./booking-expectations.ts";
import type { Circumstances, Expected } from "./expected.ts";
import { extendedEndMs, placesDiffer } from "./fact-rules.ts";
import { areaOf, type ModelEnd, type ModelState, ordinalIn, positionsIn } from "./model-state.ts";
import { ofChangePlaces } from "./place-expectations.ts";
import { isFor, sumOf } from "./prices.ts";
import { itemIdIn } from "./routed-ids.ts";

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
  const { definition } = state;
  const { salesOpenMs = null, salesCloseMs = null, cancelUntilMs = null } = definition ?? {};
  const first = outcomeOfKey(state, operation);
  const keyEndsMs = first === undefined ? null : first.atMs + KEY_TTL_MS + 1;
  const turns = [fromMs, salesOpenMs, salesCloseMs, cancelUntilMs, keyEndsMs];
  if (operation.kind === "hold" && definition !== null) {
    const promo = promoOf(definition, operation.promoCode);
    turns.push(promo?.fromMs ?? null, promo?.untilMs ?? null);
  }
  const mayWait = operation.kind === "hold" || operation.kind === "joinWaitlist";
  if (mayWait && definition !== null) {
    turns.push(churnUntilMs(state, definition.churn, operation.userId));
  }
  return turns.filter(
    (instantMs): instantMs is number =>
      instantMs !== null && instantMs >= fromMs && instantMs <= toMs,
  );
}

function outcomeOfKey(state: ModelState, operation: Operation): Fact | undefined {
  const key = "key" in operation ? operation.key : null;
  return key === null ? undefined : state.outcomes.get(key.digest);
}

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

const accepted: Expected = { kind: "accepted" };
const unchanged: Expected = { kind: "unchanged" };

function refused(refusal: Refusal): Expected {
  return { kind: "refused", refusal };
}

/** What was found to stand against it, or else it has to be accepted. */
const unless = (refusal: Refusal | null): Expected =>
  refusal === null ? accepted : refused(refusal);

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
    case "changeHold":
      if (state.definition === null) return [refused({ code: "hold_not_found" })];
      return ofOwnHold(state, operation, forgetful, (hold) =>
        unless(refusalOfChange(state, operation, hold, nowMs)),
      );
    case "extend":
      return ofOwnHold(state, operation, forgetful, (hold) => {
        if (state.definition?.status === "cancelled") return refused({ code: "event_cancelled" });
        const gains = extendedEndMs(state, hold) > hold.expiresAtMs;
        if (!hold.extended && hold.paying === null && gains) return accepted;
        return refused({ code: "hold_not_extendable" });
      });
    case "release":
      return ofOwnHold(state, operation, forgetful, () => accepted).map((expected) =>
        isRefusedWith(expected, "hold_released") ? unchanged : expected,
      );
    case "book":
    case "pay":
      return ofOwnHold(state, operation, forgetful, ({ items, paying }) => {
        if (state.definition?.status === "cancelled") return refused({ code: "event_cancelled" });
        if (paying !== null) return refused({ code: "hold_paying", bookingId: paying });
        const isOwed = operation.kind === "book" && !operation.invoiceAllowed && sumOf(items) > 0;
        return isOwed ? refused({ code: "payment_required" }) : accepted;
      });
    case "settlePayment":
    case "settleRefund":
    case "cancel":
    case "moveTicket":
    case "transfer":
    case "checkIn":
    case "forgetBuyer":
      return [ofBookingCommand(state, operation, nowMs)];
    case "changePlaces":
      return [ofChangePlaces(state, operation)];
    case "joinWaitlist":
      return ofJoining(state, operation, nowMs);
    case "leaveWaitlist":
      return [ofLeaving(state, operation.userId)];
    case "getWaiting": {
      if (state.definition === null) return [refused({ code: "event_not_found" })];
      const waiting = waitingOf(state, operation.userId);
      if (waiting !== null) return [waiting];
      const offers = offersTo(state, operation.userId);
      if (offers.length === 0) return [refused({ code: "not_waiting" })];
      return offers.map((hold) => ({ kind: "hold", hold }));
    }
    case "getWaitlist":
      if (state.definition !== null) return [ofLine(state, operation, nowMs)];
      return [ofLine(state, operation, nowMs), refused({ code: "event_not_found" })];
    case "getHold":
      return ofOwnHold(state, operation, forgetful, (hold) => ({ kind: "hold", hold }));
    case "watch":
      if (state.definition === null) return [refused({ code: "event_not_found" })];
      return [{ kind: "view" }];
    case "unwatch":
      return [unchanged];
    case "inspect":
      return [{ kind: "actor" }];
    case "audit":
      return [{ kind: "audit" }];
    default:
      return unreachable(operation);
  }
}

function isRefusedWith(expected: Expected, code: Refusal["code"]): boolean {
  return expected.kind === "refused" && expected.refusal.code === code;
}

function ofConfigure({ definition }: ModelState, command: Of<"configure">): Expected {
  if (definition === null || placesDiffer(definition, command.definition).length === 0) {
    return accepted;
  }
  return refused({ code: "inventory_fixed" });
}

/** The sale is asked first, then the buyer's wait and limits, the places, and the promo code. */
function ofHold(state: ModelState, operation: Of<"hold">, nowMs: number): Expected {
  const { definition } = state;
  if (definition === null) return refused({ code: "event_not_found" });
  const { places, best, userId, channel, promoCode } = operation;
  const count = best.reduce((sum, { quantity }) => sum + quantity, places.length);
  const untilMs = churnUntilMs(state, definition.churn, userId);
  const isWaiting = untilMs !== null && untilMs > nowMs;
  const refusal =
    refusalBySale(definition, nowMs) ??
    (isWaiting ? ({ code: "hold_churn", retryAtMs: untilMs } as const) : null) ??
    refusalByLimits(state, definition, { userId, inOrder: count, more: count }) ??
    refusalByPlaces(state, places, channel);
  if (refusal !== null) return refused(refusal);
  const isFound = best.length === 0;
  if (promoCode === null) return isFound ? accepted : { kind: "choice", refusals: [] };
  const invalid = refusalOfPromo(state, definition, { code: promoCode, userId, nowMs });
  if (invalid !== null) return isFound ? refused(invalid) : { kind: "choice", refusals: [invalid] };
  const promo = promoOf(definition, promoCode);
  const isForSome = places.some(
    (place) => promo !== undefined && isFor(promo, state.categoryOf(place) ?? -1),
  );
  const useless = { code: "promo_not_valid", reason: "no_place_it_applies_to" } as const;
  if (isFound) return isForSome ? accepted : refused(useless);
  return { kind: "choice", refusals: isForSome ? [] : [useless] };
}

function refusalOfChange(
  state: ModelState,
  { add, drop }: Of<"changeHold">,
  hold: ActiveHold,
  nowMs: number,
): Refusal | null {
  const { holdId, items, paying, terms, userId } = hold;
  const { definition } = state;
  if (definition === null) return { code: "hold_not_found" };
  if (paying !== null) return { code: "hold_paying", bookingId: paying };
  const ids = positionsIn(hold).map((n) => itemIdIn(holdId, ordinalIn(hold, n)));
  const unknown = drop.filter((id) => !ids.includes(id));
  if (unknown.length > 0) return { code: "item_not_found", items: unknown };
  const inOrder = ids.filter((id) => !drop.includes(id)).length + add.length;
  if (inOrder === 0) return { code: "hold_would_be_empty" };
  if (add.length === 0) return null;
  const last = Math.max(...positionsIn(hold).map((n) => ordinalIn(hold, n)));
  if (last + add.length >= ITEM_IDS_PER_HOLD) return { code: "hold_changed_too_often" };
  const channel = terms?.channel ?? null;
  const refusal =
    refusalBySale(definition, nowMs) ??
    refusalByLimits(state, definition, { userId, inOrder, more: inOrder - items.length }) ??
    refusalByPlaces(state, add, channel);
  if (refusal !== null) return refusal;
  // An area's places in one hold are all the channel's own, or none.
  const mixed = add.find(
    (place) =>
      place < 0 &&
      isKeptFor(state, place, channel) &&
      items.some((item) => item.place === place) &&
      !terms?.kept.includes(place),
  );
  if (mixed === undefined) return null;
  return { code: "insufficient_capacity", area: areaOf(mixed), available: 0 };
}

function waitingOf({ line }: ModelState, userId: UserId): Expected | null {
  const at = line.findIndex(({ entry }) => entry.userId === userId);
  const waiting = line[at];
  return waiting === undefined ? null : { kind: "waiting", entry: waiting.entry, position: at + 1 };
}

function ofJoining(state: ModelState, operation: Of<"joinWaitlist">, nowMs: number): Expected[] {
  const { definition } = state;
  if (definition === null) return [refused({ code: "event_not_found" })];
  const { userId, quantity, categories, priority } = operation;
  const waiting = waitingOf(state, userId);
  if (waiting?.kind === "waiting") {
    const { entry } = waiting;
    const isSame =
      JSON.stringify([entry.quantity, entry.priority, entry.categories]) ===
      JSON.stringify([quantity, priority, categories]);
    return [isSame ? waiting : refused({ code: "already_waiting" })];
  }
  const offers = offersTo(state, userId).filter(({ paying }) => paying === null);
  if (offers.length > 0) return offers.map((hold) => ({ kind: "hold", hold }));
  if (definition.status === "cancelled") return [refused({ code: "event_cancelled" })];
  const { salesCloseMs, perOrderMax, perUserMax } = definition;
  if (salesCloseMs !== null && nowMs >= salesCloseMs) return [refused({ code: "sales_closed" })];
  const untilMs = churnUntilMs(state, definition.churn, userId);
  if (untilMs !== null && untilMs > nowMs) {
    return [refused({ code: "hold_churn", retryAtMs: untilMs })];
  }
  const limit = Math.min(perOrderMax, perUserMax, PLACES_PER_HOLD_MAX);
  if (quantity <= limit) return [accepted];
  return [refused({ code: "limit_exceeded", scope: "perOrder", limit, current: quantity })];
}

/** Offers that the buyer has and may still book. */
const offersTo = ({ holds }: ModelState, userId: UserId): ActiveHold[] =>
  [...holds.values()].filter((hold) => hold.userId === userId && hold.terms?.source === "waitlist");

/** Who waits no longer, because they were offered places, gives those back. */
function ofLeaving(state: ModelState, userId: UserId): Expected {
  if (waitingOf(state, userId) !== null) return accepted;
  return offersTo(state, userId).some(({ paying }) => paying === null) ? accepted : unchanged;
}

function ofLine(state: ModelState, { from, limit }: Of<"getWaitlist">, nowMs: number): Expected {
  const line = state.line.slice(from, from + limit).map((waiting) => ({
    ...waiting,
    reasons: reasonsOf(state, waiting, nowMs),
  }));
  return { kind: "waitlist", count: state.line.length, line };
}

function reasonsOf(
  state: ModelState,
  waiting: ModelState["line"][number],
  nowMs: number,
): readonly string[] {
  const { definition } = state;
  if (definition === null) return ["event_cancelled"];
  const sale = refusalBySale(definition, nowMs);
  if (sale !== null) return [sale.code];
  const { userId, quantity } = waiting.entry;
  const order = { userId, inOrder: quantity, more: quantity };
  if (refusalByLimits(state, definition, order) !== null) return ["limit_exceeded"];
  const fit = servable(state, waiting, nowMs);
  if (fit === "no") return ["too_few_places"];
  const mayWait = fit === "perhaps" || isBehindOwed(state, waiting);
  return fit === "perhaps" ? ["too_few_places", "after_others"] : mayWait ? ["after_others"] : [];
}

/** A hold that is not the requester's does not exist for them, whether it lives or not. */
function ofOwnHold(
  state: ModelState,
  { holdId, userId }: { readonly holdId: HoldId; readonly userId: UserId },
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
  if (end === "cancelled") return { code: "event_cancelled" };
  if (bookingId === null) return { code: "hold_released" };
  return { code: "hold_booked", bookingId };
}

/** An actor knows the last ends; one built from rows may know older ones, as it missed others. */
export function mayBeKnown(state: ModelState, end: ModelEnd, forgetful: boolean): boolean {
  return state.isAmongLastEnds(end) || forgetful || state.reloadedSeq > 0;
}

/**
 * The one thing that may lawfully be lost: how a hold ended a day ago of which there is no booking,
 * or one that was to be paid. Its row is purged then.
 */
export function mayBeForgotten(state: ModelState, end: ModelEnd): boolean {
  if (!state.isAmongLastEnds(end)) return true;
  const isReloaded = end.seq <= state.reloadedSeq && end.atMs < state.purgedBeforeMs;
  return !isInBooking(state, end) && isReloaded;
}

/** Whether a booking tells how the hold ended: of one that waited for money the hold's row does. */
export function isInBooking({ bookings }: ModelState, { bookingId }: ModelEnd): boolean {
  return bookingId !== null && bookings.get(bookingId)?.record.later?.payment == null;
}
