/** What an operation asked for, and whether its outcome is that. */
import type { BookingRecord } from "../../engine/booking.ts";
import type { BookingChange, BookingChanged, Fact } from "../../engine/facts.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { differences } from "./differences.ts";
import { fateIn, type ModelState, ordinalIn, positionsIn } from "./model-state.ts";
import { dueOf, sumOf } from "./prices.ts";
import { itemIdIn } from "./routed-ids.ts";

/** What in a fact is not what the operation asked for. */
export function unaskedIn(state: ModelState, operation: Operation, fact: Fact): string[] {
  const isKeyed = "key" in operation;
  const unasked = differences("the outcome's key", fact.key, isKeyed ? operation.key : null);
  return [...unasked, ...unaskedContents(state, operation, fact)];
}

function unaskedContents(state: ModelState, operation: Operation, fact: Fact): string[] {
  switch (operation.kind) {
    case "configure":
      return ofConfigure(operation, fact);
    case "hold":
      return ofHold(operation, fact);
    case "changeHold":
      return ofChangeHold(state, operation, fact);
    case "extend": {
      if (fact.kind !== "extended") return other(fact, "extended");
      const { holdId, userId } = operation;
      return same({ holdId: fact.holdId, userId: fact.userId }, { holdId, userId });
    }
    case "release":
      return ofRelease(operation, fact);
    case "book":
    case "pay":
      return ofBook(operation, fact);
    case "settlePayment":
      return ofSettlePayment(operation, fact);
    case "settleRefund":
      return ofSettleRefund(operation, fact);
    case "cancel":
      return ofCancel(state, operation, fact);
    case "moveTicket":
      return ofMove(state, operation, fact);
    case "transfer": {
      const changed = changedBy(operation, fact, ["transferred"]);
      if (typeof changed === "string") return [changed];
      const { userId, email, ticketCodes } = changed.booking;
      const asked = { userId: operation.toUserId, email: operation.email };
      const before = beforeOf(state, changed);
      const codes =
        before.userId === userId
          ? before.ticketCodes
          : operation.ticketCodes.slice(0, ticketCodes.length);
      return [
        ...same({ userId, email }, asked),
        ...differences("the tickets' codes", ticketCodes, codes),
        ...ofRequester(state, operation, changed),
      ];
    }
    case "forgetBuyer": {
      const changed = changedBy(operation, fact, ["buyer_forgotten"]);
      if (typeof changed === "string") return [changed];
      return ofRequester(state, { ...operation, asOrganizer: false }, changed);
    }
    case "checkIn":
      return ofCheckIn(operation, fact);
    case "changePlaces":
      return ofChangePlaces(state, operation, fact);
    case "joinWaitlist": {
      if (fact.kind !== "queued") return other(fact, "queued");
      const { kind: _, key: __, ...asked } = operation;
      const { seq: ___, atMs: ____, ...entry } = fact.entry;
      return same(entry, asked);
    }
    case "leaveWaitlist": {
      if (fact.kind === "holdEnded") {
        const { userId, reason, terms } = fact;
        const given = { userId, reason, source: terms?.source };
        return same(given, { userId: operation.userId, reason: "released", source: "waitlist" });
      }
      if (fact.kind !== "unqueued") return other(fact, "unqueued");
      const { userId, reason } = fact;
      return same({ userId, reason }, { userId: operation.userId, reason: "left" });
    }
    case "getHold":
    case "getWaiting":
    case "getWaitlist":
    case "watch":
    case "unwatch":
    case "inspect":
    case "audit":
      return ["it is no request to change anything"];
    default:
      return unreachable(operation);
  }
}

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

const same = (told: unknown, asked: unknown): string[] =>
  differences("what it brought about", told, asked);

const other = ({ kind }: Fact, asked: Fact["kind"]): string[] => [
  `its outcome is ${kind}, not ${asked}`,
];

function ofConfigure({ definition, by }: Of<"configure">, fact: Fact): string[] {
  if (fact.kind !== "configured") return other(fact, "configured");
  const unasked = same(fact.by, by ?? null);
  if (fact.seq === 1) return [...unasked, ...same(fact.definition, definition)];
  // Capacities, and where the seats are, stay what they were: see fact-rules.ts.
  const withoutPlaces = ({ areas, seatMap: _, ...rest }: typeof definition): unknown => ({
    ...rest,
    areas: areas.map(({ key, category }) => ({ key, category })),
  });
  return [...unasked, ...same(withoutPlaces(fact.definition), withoutPlaces(definition))];
}

function ofHold(operation: Of<"hold">, fact: Fact): string[] {
  if (fact.kind !== "held") return other(fact, "held");
  const { holdId, userId, places, promoCode, channel, best } = operation;
  const { items, terms } = fact;
  const told = {
    holdId: fact.holdId,
    userId: fact.userId,
    places: items.slice(0, places.length).map(({ place }) => place),
    promoCode: terms?.promoCode ?? null,
    channel: terms?.channel ?? null,
    source: terms?.source ?? "buyer",
  };
  const unasked = same(told, { holdId, userId, places, promoCode, channel, source: "buyer" });
  let from = places.length;
  for (const { quantity, category } of best) {
    const chosen = items.slice(from, from + quantity);
    if (chosen.length < quantity) unasked.push(`${quantity} places were to be chosen`);
    const isOfIt = chosen.every((item) => category === null || item.category === category);
    if (!isOfIt) unasked.push(`places were chosen that are not of category ${category}`);
    from += quantity;
  }
  if (items.length > from) unasked.push("more was chosen than was to be");
  const seats = items.flatMap(({ place }, n) => (n >= places.length && place >= 0 ? [n] : []));
  const told_ = (terms?.chosen ?? []).flatMap((group) =>
    Array.from({ length: Math.min(group.count, items.length) }, (_, n) => group.from + n),
  );
  return [...unasked, ...differences("the chosen seats", told_, seats)];
}

function ofChangeHold(state: ModelState, operation: Of<"changeHold">, fact: Fact): string[] {
  if (fact.kind !== "holdChanged") return other(fact, "holdChanged");
  const { holdId, userId, add, drop } = operation;
  const before = state.facts
    .slice(0, fact.seq - 1)
    .findLast((earlier) => "holdId" in earlier && earlier.holdId === holdId && "items" in earlier);
  const earlier = before !== undefined && "ordinals" in before ? before : null;
  const idsOf = (contents: Pick<typeof fact, "items" | "ordinals">) =>
    positionsIn(contents).map((n) => itemIdIn(holdId, ordinalIn(contents, n)));
  const idsBefore = earlier === null ? [] : idsOf(earlier);
  const idsAfter = idsOf(fact);
  const told = {
    holdId: fact.holdId,
    userId: fact.userId,
    dropped: idsBefore.filter((id) => !idsAfter.includes(id)).sort(),
    added: fact.items
      .filter((_, n) => !idsBefore.some((id) => id === idsAfter[n]))
      .map((i) => i.place),
  };
  return same(told, { holdId, userId, dropped: [...new Set(drop)].sort(), added: add });
}

/** A hold that waits for money ends with its booking. */
function ofRelease({ holdId, userId }: Of<"release">, fact: Fact): string[] {
  const asked = { holdId, userId, reason: "released" };
  if (fact.kind === "holdEnded") {
    return same({ holdId: fact.holdId, userId: fact.userId, reason: fact.reason }, asked);
  }
  if (fact.kind !== "bookingChanged") return other(fact, "holdEnded");
  const { booking, change, holdEnd } = fact;
  const told = { holdId: booking.holdId, userId: booking.userId, reason: holdEnd };
  return [...same(told, asked), ...same(change, "payment_expired")];
}

function ofBook(operation: Of<"book" | "pay">, fact: Fact): string[] {
  if (fact.kind !== "booked" && fact.kind !== "paymentStarted") return other(fact, "booked");
  const { holdId, userId, bookingId, email, code } = operation;
  const { booking } = fact;
  const { items, ticketCodes, later } = booking;
  const told = {
    holdId: booking.holdId,
    userId: booking.userId,
    bookingId: booking.bookingId,
    email: booking.email,
    code: booking.code,
  };
  const unasked = same(told, { holdId, userId, bookingId, email, code });
  const codes = operation.ticketCodes.slice(0, items.length);
  unasked.push(...differences("the tickets' codes", ticketCodes, codes));
  const owed = sumOf(items);
  if (operation.kind === "book") {
    if (later !== null) unasked.push("nothing was to be paid");
    if (owed > 0 && !operation.invoiceAllowed) unasked.push(`${owed} is owed, but may not be`);
    return unasked;
  }
  if ((fact.kind === "booked") !== (owed === 0)) unasked.push(`${owed} is owed`);
  if (fact.kind === "booked") return later === null ? unasked : [...unasked, "it was not paid yet"];
  const { provider, intentId } = operation;
  const payment = { provider: later?.payment?.provider, intentId: later?.payment?.intentId };
  return [...unasked, ...same(payment, { provider, intentId })];
}

function ofSettlePayment({ intentId, outcome }: Of<"settlePayment">, fact: Fact): string[] {
  if (fact.kind !== "booked" && fact.kind !== "bookingChanged") return other(fact, "booked");
  const unasked = same(fact.booking.later?.payment?.intentId, intentId);
  const change = fact.kind === "booked" ? "booked" : fact.change;
  const changes =
    outcome === "failed" ? ["payment_failed"] : ["booked", "paid_late", "paid_in_vain"];
  if (!changes.includes(change)) unasked.push(`money that ${outcome} led to ${change}`);
  return unasked;
}

function ofSettleRefund(operation: Of<"settleRefund">, fact: Fact): string[] {
  const changed = changeIn(fact, ["refund_settled"]);
  if (typeof changed === "string") return [changed];
  const payment = changed.booking.later?.payment;
  const refund = payment?.refunds.find(({ refundId }) => refundId === operation.refundId);
  const told = { intentId: payment?.intentId, status: refund?.status, reason: changed.reason };
  const status = operation.outcome === "succeeded" ? "done" : "failed";
  return same(told, { intentId: operation.intentId, status, reason: status });
}

function changeIn(fact: Fact, changes: readonly BookingChange[]): BookingChanged | string {
  if (fact.kind !== "bookingChanged") return `its outcome is ${fact.kind}, not bookingChanged`;
  if (changes.includes(fact.change)) return fact;
  return `its outcome is ${fact.change}, not ${changes.join(" or ")}`;
}

function changedBy(
  { bookingId, userId }: Of<"cancel" | "moveTicket" | "transfer" | "forgetBuyer">,
  fact: Fact,
  changes: readonly BookingChange[],
): BookingChanged | string {
  const changed = changeIn(fact, changes);
  if (typeof changed === "string") return changed;
  const told = { bookingId: changed.booking.bookingId, by: changed.by };
  return same(told, { bookingId, by: userId })[0] ?? changed;
}

/** What the booking was before, for those who were asked on its owner's behalf. */
function beforeOf(state: ModelState, { booking }: BookingChanged): BookingRecord {
  return state.bookings.get(booking.bookingId)?.before ?? booking;
}

function ofRequester(
  state: ModelState,
  asked: Pick<Of<"cancel" | "moveTicket" | "transfer">, "userId" | "asOrganizer"> & {
    readonly kind: Operation["kind"];
  },
  fact: BookingChanged,
): string[] {
  const { userId, asOrganizer, kind } = asked;
  const owner = beforeOf(state, fact).userId;
  if (asOrganizer || owner === userId) return [];
  const what = kind === "cancel" ? "cancelled" : "changed";
  return [`the booking of ${owner} was ${what} by ${userId}`];
}

function ofCancel(state: ModelState, operation: Of<"cancel">, fact: Fact): string[] {
  const changed = changedBy(operation, fact, ["cancelled"]);
  if (typeof changed === "string") return [changed];
  const before = beforeOf(state, changed);
  const asked = positionsIn(before).filter((n) => {
    const isAsked = operation.tickets?.includes(itemIdIn(before.holdId, ordinalIn(before, n)));
    return (isAsked ?? true) && fateIn(before, n).cancelledAtMs === null;
  });
  const { reason } = operation;
  const unasked = same(
    { tickets: changed.tickets, reason: changed.reason },
    { tickets: asked, reason },
  );
  unasked.push(...ofRequester(state, operation, changed));
  if (operation.asOrganizer) return unasked;
  const untilMs = state.definition?.cancelUntilMs ?? null;
  const isPending = before.later?.status === "pending_payment";
  if (!isPending && untilMs !== null && fact.atMs >= untilMs) {
    unasked.push(`buyers could cancel until ${untilMs}`);
  }
  const isIn = changed.tickets.some((n) => fateIn(before, n).checkedInAtMs !== null);
  if (isIn) unasked.push("somebody had entered with a ticket of it");
  return unasked;
}

function ofMove(state: ModelState, operation: Of<"moveTicket">, fact: Fact): string[] {
  const changed = changedBy(operation, fact, ["ticket_moved"]);
  if (typeof changed === "string") return [changed];
  const { booking, tickets } = changed;
  const [at = -1] = tickets;
  const before = beforeOf(state, changed);
  const told = {
    ticketId: itemIdIn(booking.holdId, ordinalIn(booking, at)),
    seat: booking.items[at]?.place,
  };
  const { ticketId, seat, asOrganizer } = operation;
  const unasked = same(told, { ticketId, seat });
  unasked.push(...ofRequester(state, operation, changed));
  const [now, then] = [booking.items[at], before.items[at]];
  if (asOrganizer || now === undefined || then === undefined) return unasked;
  const isSettled = before.later?.payment != null || sumOf(before.items) === 0;
  const price = state.definition?.categories[now.category]?.priceMinor ?? 0;
  // A seat that costs its buyer what the last one did, though its price is another, was waived.
  const isWaived = now.priceMinor !== price || dueOf(now) > dueOf(then);
  if (isSettled && isWaived) unasked.push("only who acts for the organiser waives a difference");
  return unasked;
}

function ofCheckIn({ ticketCode, by, undo }: Of<"checkIn">, fact: Fact): string[] {
  const changed = changeIn(fact, [undo ? "check_in_undone" : "checked_in"]);
  if (typeof changed === "string") return [changed];
  const told = { by: changed.by, code: changed.booking.ticketCodes[changed.tickets[0] ?? -1] };
  return same(told, { by, code: ticketCode });
}

/** The blocks and capacities that are told, in whatever order. */
function ofChangePlaces(state: ModelState, operation: Of<"changePlaces">, fact: Fact): string[] {
  if (fact.kind !== "placesChanged") return other(fact, "placesChanged");
  const { by, block, unblock, allotments, capacities } = operation;
  const told = new Set(
    fact.blocks.map((each) => `${each.place} "${each.channel}" ${each.quantity}`),
  );
  const wanted = new Set<string>();
  const may = new Set<string>();
  for (const seat of block) may.add(`${seat} "" 1`);
  for (const seat of unblock) may.add(`${seat} "" 0`);
  for (const { channel, seats, areas } of allotments) {
    for (const seat of seats) may.add(`${seat} "${channel}" 1`);
    for (const { area, quantity } of areas) may.add(`${-1 - area} "${channel}" ${quantity}`);
    for (const each of fact.blocks) {
      const isGone = each.place >= 0 && each.channel === channel && each.quantity === 0;
      if (isGone && !seats.includes(each.place)) wanted.add(`${each.place} "${channel}" 0`);
    }
  }
  const unasked = [...told].filter((line) => !may.has(line) && !wanted.has(line));
  // Afterwards all is as it was asked for.
  const missing: string[] = [];
  const after = (place: number, channel: string): number =>
    place >= 0
      ? state.keptSeats.get(place) === channel
        ? 1
        : 0
      : state.keptIn(-1 - place, channel);
  const blocked = new Set(block);
  for (const seat of block) {
    // Who asks for both gets the other of what it was.
    const isBoth = unblock.includes(seat);
    if (!isBoth && after(seat, "") !== 1) missing.push(`seat ${seat} is not blocked`);
  }
  for (const seat of unblock) {
    const isKept = allotments.some(({ seats }) => seats.includes(seat)) || blocked.has(seat);
    if (!isKept && state.keptSeats.has(seat)) missing.push(`seat ${seat} is not back`);
  }
  for (const { channel, seats, areas } of allotments) {
    const has = [...state.keptSeats].flatMap(([seat, of]) => (of === channel ? [seat] : []));
    missing.push(
      ...differences("its seats", has.sort(byNumber), [...new Set(seats)].sort(byNumber)),
    );
    for (const { area, quantity } of areas) {
      missing.push(...differences("its places", after(-1 - area, channel), quantity));
    }
  }
  for (const { area, capacity } of capacities) {
    const has = state.definition?.areas[area]?.capacity;
    missing.push(...differences(`the capacity of area ${area}`, has, capacity));
  }
  const others = fact.capacities.filter(
    ({ area }) => !capacities.some((asked) => asked.area === area),
  );
  return [
    ...same(fact.by, by),
    ...unasked.map((line) => `nobody asked for ${line}`),
    ...missing,
    ...others.map(({ area }) => `nobody asked for another capacity of area ${area}`),
  ];
}

const byNumber = (a: number, b: number): number => a - b;
