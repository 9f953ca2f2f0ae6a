/** Bugs of the domain, to be planted as those of planted-bugs.ts are. */
import type { PlantedBug } from "./planted-bugs.ts";

export const DOMAIN_BUGS: readonly PlantedBug[] = [
  {
    name: "a promo code's use is not given back",
    file: "engine/apply.ts",
    find: "    else state.promoUses.giveBack(terms.promoCode, userId);\n",
    replace: "",
  },
  {
    name: "an offer goes to the second in line",
    file: "engine/by-itself.ts",
    find: "of state.waitlist.inOrder()) {\n    const isOwed",
    replace:
      "of state.waitlist.line().slice(state.waitlist.count > 1 ? 1 : 0)) {\n    const isOwed",
  },
  {
    name: "it is told that places came free before the line has them",
    file: "workers/shard/shard-host.ts",
    find: "    if (offering === null) this.#rounds.answer",
    replace: "    if (offering !== undefined) this.#rounds.answer",
  },
  {
    name: "a portion of offers is the last one",
    file: "workers/shard/shard-host.ts",
    find: "      isMore = this.#offerSome(shard, actor, state, nowMs);",
    replace: "      isMore = false;",
  },
  {
    name: "what a cancelled booking gives back is not offered to who waits",
    file: "engine/by-itself.ts",
    find: 'return fact.moves.length > 0 || fact.change === "transferred";',
    replace: 'return fact.change === "transferred";',
  },
  {
    name: "an allotment's seats are sold without its channel",
    file: "engine/places.ts",
    find: "status === BLOCKED && channel !== null && blocks.channelOf(seat) === channel",
    replace: "status === BLOCKED && blocks.channelOf(seat) !== undefined",
  },
  {
    name: "what an allotment gets back stays used",
    file: "engine/apply.ts",
    find: "    if (!isSeat(place) && terms.kept.includes(place)) state.blocks.use",
    replace: "    if (sign === 1 && !isSeat(place) && terms.kept.includes(place)) state.blocks.use",
  },
  {
    name: "a ticket is checked in twice",
    file: "engine/commands/check-in.ts",
    find: "if (!undo && checkedInAtMs !== null)",
    replace: "if (undo && checkedInAtMs === 0)",
  },
  {
    name: "a late payment is both booked and refunded",
    file: "engine/commands/settle-payment.ts",
    find: "withMoney({ ...record, terms }, base)",
    replace: "withMoneyInVain(withMoney({ ...record, terms }, base), base)",
  },
  {
    name: "money for places that are gone is kept",
    file: "engine/commands/settle-payment.ts",
    find: "const booking = withMoneyInVain(ended, base);",
    replace: "const booking = ended;",
  },
  {
    name: "a refund is decided again when its provider repeats itself",
    file: "engine/commands/settle-payment.ts",
    find: "if (isKnown || record.later === null)",
    replace: "if (record.later === null)",
  },
  {
    name: "refunds of bookings that were cancelled in part are not stored",
    file: "workers/projector/booking-fold.ts",
    find: 'if (change === "cancelled" || change',
    replace: 'if ((change === "cancelled" && booking.later?.cancelled != null) || change',
  },
  {
    name: "a capacity goes below what is in use",
    file: "engine/commands/change-places.ts",
    find: "if (capacity < inUse) return",
    replace: "if (capacity < inUse - blocked) return",
  },
  {
    name: "what follows from a cancellation stops after a restart",
    file: "workers/shard/shard-host.ts",
    find: "    this.#beginAftermath(shard, actor, actor.state);\n    this.#doDue",
    replace: "    this.#doDue",
  },
  {
    name: "who was offered places waits again after a restart",
    file: "workers/projector/waitlist-fold.ts",
    find: "    else this.ended.set(entryId",
    replace: '    else if (ended.status !== "offered") this.ended.set(entryId',
  },
  {
    name: "a moved ticket leaves its old seat sold",
    file: "engine/commands/move-ticket.ts",
    find: "      ...movesFreeing([before], record.terms, SOLD),\n",
    replace: "",
  },
  {
    name: "the row of a moved ticket keeps its old seat",
    file: "workers/projector/booking-fold.ts",
    find: "this.#change(booking, tickets, moved);",
    replace: "this.#change(booking, moved.length > 0 ? [] : tickets, []);",
  },
  {
    name: "the rows of a booking that was handed over keep its old codes",
    file: "workers/projector/booking-fold.ts",
    find: "this.#change(booking, tickets, moved);",
    replace: 'this.#change(booking, change === "transferred" ? [] : tickets, moved);',
  },
  {
    name: "the codes of a booking that was handed over are still known",
    file: "engine/ticket-index.ts",
    find: "    for (const code of before.ticketCodes) this.#byCode.delete(code);\n",
    replace: "",
  },
  {
    name: "who is given a booking gets the codes that its last owner knows",
    file: "engine/commands/transfer.ts",
    find: "booking: { ...record, userId: toUserId, email, ticketCodes, later },",
    replace: "booking: { ...record, userId: toUserId, email, later },",
  },
  {
    name: "the row of a booking keeps the address of a buyer who is gone",
    file: "workers/projector/booking-fold.ts",
    find: 'const moved = change === "ticket_moved" ? tickets : [];',
    replace: 'if (change === "buyer_forgotten") return; const moved: number[] = [];',
  },
  {
    name: "a cancelled ticket may be cancelled again",
    file: "engine/commands/cancel.ts",
    find: "const standing = asked.filter((index) => fateOf(record, index).cancelledAtMs === null);",
    replace: "const standing = asked;",
  },
  {
    name: "a buyer uses a promo code once more than they may",
    file: "engine/promo-codes.ts",
    find: "this.usesBy(code, userId) >= usesPerUserMax",
    replace: "this.usesBy(code, userId) > usesPerUserMax",
  },
  {
    name: "a hold that waits for money has its first end again after a restart",
    file: "workers/projector/net-effects.ts",
    find: "this.holds.change(booking.holdId, seq, { expiresAtMs, paying });",
    replace: "this.holds.change(booking.holdId, seq, { paying });",
  },
];
