import { type BookingRecord, fateOf, statusOf, ticketIdOf } from "../booking.ts";
import type { Command } from "../commands.ts";
import type { ActiveHold } from "../hold-book.ts";
import { type ItemId, itemIdOf, type UserId } from "../ids.ts";
import { type Place, placeOfArea } from "../place.ts";
import { ALICE, BOB, type EventBench } from "./fixtures.ts";
import type { Random } from "./random.ts";
import { randomStep } from "./random-step.ts";

const FLOOR = placeOfArea(0);
const CAROL = "018f3c9a-7b10-7000-8000-00000000ca01" as UserId;
const USERS = [ALICE, BOB, CAROL] as const;
const CHANNELS = ["press", 'fan"club\\,{NULL}'] as const;
const TEXTS = [null, "", "NULL", '\\"}, {"', "\u0000\ud800 \u{1f3ad}"] as const;

interface Step {
  readonly random: Random;
  readonly bench: EventBench;
  readonly userId: UserId;
  readonly key: { readonly digest: string; readonly fingerprint: string } | null;
}

/**
 * Something that anybody may ask of the fixtures' event, refused or not, as `randomStep` does for
 * buyers of plain places; cancellations of the event are followed up, and mostly taken back.
 */
export function randomDomainStep(random: Random, bench: EventBench, step: number): void {
  bench.nowMs += random.below(4_000);
  bench.expire();
  const { definition } = bench;
  if (definition.status === "cancelled") {
    bench.windUp(random.below(4));
    if (random.below(3) === 0) {
      bench.run({ kind: "configure", definition: { ...definition, status: "published" } });
    }
  }
  const key = random.below(2) === 0 ? null : { digest: `k${step}`, fingerprint: `f${step}` };
  const found: Step = { random, bench, userId: random.pick(USERS), key };
  const command = random.pick(COMMANDS)(found);
  if (command === null) randomStep(random, bench, step);
  else bench.run(command);
}

type Make = (step: Step) => Command | null;

const COMMANDS: readonly Make[] = [
  () => null,
  () => null,
  holdSome,
  holdSome,
  changeHold,
  changeHold,
  pay,
  pay,
  pay,
  settlePayment,
  settlePayment,
  settlePayment,
  settleRefund,
  cancelSome,
  moveTicket,
  moveTicket,
  moveTicket,
  transfer,
  forgetBuyer,
  checkIn,
  checkIn,
  joinWaitlist,
  joinWaitlist,
  leaveWaitlist,
  changePlaces,
  changePlaces,
  configure,
];

function holdSome({ random, bench, userId, key }: Step): Command {
  const promoCode = random.pick([null, null, "HALF", "ONCE", "NONE"]);
  const channel = random.pick([null, null, ...CHANNELS]);
  const hold = bench.holdCommand(places(random), userId, key);
  const wish = { zone: null, adjacent: false, accessible: false };
  const quantity = 1 + random.below(3);
  const best =
    random.below(3) === 0 ? [{ quantity, category: random.pick([null, 0, 1]), ...wish }] : [];
  return { ...hold, best, promoCode, channel };
}

function places(random: Random): Place[] {
  return Array.from({ length: 1 + random.below(3) }, () =>
    random.below(3) === 0 ? FLOOR : random.below(10),
  );
}

function changeHold(step: Step): Command | null {
  const { random, key } = step;
  const hold = someHold(step);
  if (hold === null) return null;
  const { holdId, userId } = hold;
  const drop = some(random, hold.items.keys(), 3).map((index) =>
    itemIdOf(holdId, hold.ordinals?.[index] ?? index),
  );
  const add = random.below(2) === 0 ? places(random) : [];
  return { kind: "changeHold", holdId, userId, add, drop, key };
}

function pay(step: Step): Command | null {
  const hold = someHold(step);
  if (hold === null) return null;
  const email = step.random.pick(["a@example.org", "\u0000@example.org"]);
  return { ...step.bench.payCommand(hold.holdId, hold.userId, step.key), email };
}

function settlePayment(step: Step): Command | null {
  const { random } = step;
  const booking = someBooking(step, ({ later }) => later?.payment != null);
  const intentId = booking?.later?.payment?.intentId;
  if (intentId === undefined) return null;
  const outcome = random.below(4) === 0 ? "failed" : "succeeded";
  // Money may come long after nobody waits for it any more.
  if (random.below(6) === 0) step.bench.nowMs += 900_000;
  return { kind: "settlePayment", intentId, outcome };
}

function settleRefund(step: Step): Command | null {
  const booking = someBooking(step, ({ later }) => (later?.payment?.refunds.length ?? 0) > 0);
  const payment = booking?.later?.payment;
  if (payment == null) return null;
  const { refundId } = step.random.pick(payment.refunds);
  const outcome = step.random.below(4) === 0 ? "failed" : "succeeded";
  return { kind: "settleRefund", intentId: payment.intentId, refundId, outcome };
}

function cancelSome(step: Step): Command | null {
  const { random, key } = step;
  const booking = someBooking(step);
  if (booking === null) return null;
  const tickets = random.below(3) === 0 ? null : ticketsOf(booking, random);
  return { kind: "cancel", ...asOwner(booking), tickets, reason: random.pick(TEXTS), key };
}

function moveTicket(step: Step): Command | null {
  const { random, key } = step;
  const booking = someBooking(step);
  const [ticketId] = booking === null ? [] : ticketsOf(booking, random);
  if (booking === null || ticketId === undefined) return null;
  return { kind: "moveTicket", ...asOwner(booking), ticketId, seat: random.below(10), key };
}

function transfer(step: Step): Command | null {
  const { random, key } = step;
  const booking = someBooking(step);
  if (booking === null) return null;
  const email = `${random.below(3)}\u0000@example.org`;
  const to = { email, toUserId: random.pick(USERS) };
  return step.bench.drafts.transfer({ ...asOwner(booking), ...to, key });
}

function forgetBuyer(step: Step): Command | null {
  const booking = someBooking(step);
  if (booking === null) return null;
  const { bookingId, userId } = booking;
  return { kind: "forgetBuyer", bookingId, userId };
}

function checkIn(step: Step): Command | null {
  const { random, key, userId: by } = step;
  const booking = someBooking(step);
  if (booking === null) return null;
  const index = random.below(booking.items.length);
  const undo = fateOf(booking, index).checkedInAtMs !== null;
  const ticketCode = booking.ticketCodes[index] ?? "";
  return { kind: "checkIn", ticketCode, by, undo, key };
}

function joinWaitlist({ random, bench, userId, key }: Step): Command {
  const join = bench.joinCommand(1 + random.below(4), userId, key);
  const categories = random.pick([null, [0], [1], [0, 1]]);
  return { ...join, categories, priority: random.below(3) };
}

function leaveWaitlist({ userId }: Step): Command {
  return { kind: "leaveWaitlist", userId };
}

function changePlaces({ random, bench, userId: by, key }: Step): Command {
  const seats = [...Array(10).keys()];
  const isFree = (seat: number): boolean => bench.state.inventory?.statusOf(seat) === 0x66;
  const blocked = seats.filter((seat) => bench.state.blocks.channelOf(seat) === "");
  const channel = random.pick(CHANNELS);
  const kept = seats.filter((seat) => bench.state.blocks.channelOf(seat) === channel);
  const free = some(random, seats.filter(isFree), 3);
  const empty = { block: [], unblock: [], allotments: [], capacities: [] };
  const common = { kind: "changePlaces", by, ...empty, key } as const;
  switch (random.below(4)) {
    case 0:
      return { ...common, block: free, unblock: some(random, blocked, 2) };
    case 1: {
      const quantity = random.below(3);
      const areas = random.below(2) === 0 ? [] : [{ area: 0, quantity }];
      return { ...common, allotments: [{ channel, seats: [...kept, ...free], areas }] };
    }
    case 2: {
      const areas = [{ area: 0, quantity: random.below(3) }];
      return { ...common, allotments: [{ channel, seats: some(random, kept, 2), areas }] };
    }
    default:
      return { ...common, capacities: [{ area: 0, capacity: random.below(8) }] };
  }
}

function configure({ random, bench }: Step): Command {
  const { definition } = bench;
  const half = { code: "HALF", kind: "percent", value: 5_000, categories: null } as const;
  const once = { code: "ONCE", kind: "amount", value: 3_000, categories: [1] } as const;
  const always = { fromMs: null, untilMs: null };
  const fees = [{ name: "service", kind: "percent", basisPoints: 555 }] as const;
  const tax = { name: "VAT", basisPoints: 1_900, included: random.below(2) === 0 };
  return {
    kind: "configure",
    by: random.pick(USERS),
    definition: {
      ...definition,
      status: random.below(4) === 0 ? "cancelled" : "published",
      charges: random.below(2) === 0 ? { fees: [], tax: null } : { fees, tax },
      promoCodes: [
        { ...half, ...always, usesMax: null, usesPerUserMax: null },
        { ...once, ...always, usesMax: 3, usesPerUserMax: 1 },
      ],
      salesOpenMs: random.below(4) === 0 ? bench.nowMs + random.below(20_000) : null,
      seatMap: Uint8Array.from({ length: random.below(4) }, () => random.below(256)),
    },
  };
}

function someHold({ random, bench }: Step): ActiveHold | null {
  const holds = [...bench.state.holds.active()];
  return holds.length === 0 ? null : random.pick(holds);
}

/** Mostly one that stands. */
function someBooking(
  { random, bench }: Step,
  isWanted: (record: BookingRecord) => boolean = () => true,
): BookingRecord | null {
  const all = bench.state.bookings
    .all()
    .map(({ record }) => record)
    .filter(isWanted);
  const standing = all.filter((record) => statusOf(record) === "confirmed");
  const among = standing.length > 0 && random.below(4) > 0 ? standing : all;
  return among.length === 0 ? null : random.pick(among);
}

function asOwner({ bookingId, userId }: BookingRecord) {
  return { bookingId, userId, asOrganizer: true };
}

function ticketsOf(booking: BookingRecord, random: Random): ItemId[] {
  const all = [...booking.items.keys()].map((index) => ticketIdOf(booking, index));
  return some(random, all, 2).concat(random.pick(all)).slice(0, 2);
}

/** As many as chance wants, at most `max`. */
function some<Item>(random: Random, items: Iterable<Item>, max: number): Item[] {
  return [...items].filter(() => random.below(2) === 0).slice(0, max);
}
