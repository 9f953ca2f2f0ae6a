/** Everything that may be asked of an event, refused or not, by whoever chooses. */

import type { ChurnRule } from "../../engine/churn.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { CommandKey } from "../../engine/facts.ts";
import type { BookingId, HoldId, IntentId, ItemId, UserId } from "../../engine/ids.ts";
import { HOLD_TTL_MS_MIN, KEY_TTL_MS } from "../../engine/limits.ts";
import { type Place, placeOfArea } from "../../engine/place.ts";
import type { PromoDefinition } from "../../engine/promo-codes.ts";
import type { CommandDrafts } from "../../engine/testing/command-drafts.ts";
import { ALICE, BOB, CAROL, definition } from "../../engine/testing/fixtures.ts";
import type { Answer, Operation } from "../../workers/shard-messages.ts";
import type { EventModel } from "./event-model.ts";
import type { JudgedBench } from "./judged-bench.ts";
import { ordinalIn, positionsIn } from "./model-state.ts";
import { itemIdIn } from "./routed-ids.ts";

/** Decides what is random here: a generator, or a tape that can be made shorter. */
export interface Chooser {
  /** An integer in [0, bound). */
  readonly below: (bound: number) => number;
  readonly pick: <Item>(items: readonly Item[]) => Item;
}

/** An event that is asked, as far as it is known, and what is fresh there. */
export interface Scene {
  readonly model: EventModel;
  /** Unix ms. */
  readonly nowMs: number;
  readonly drafts: CommandDrafts;
  /** Who buys. */
  readonly users: readonly UserId[];
  /** As it was configured first: its places stay. */
  readonly rules: InventoryDefinition;
}

/** What a run remembers in order to ask for it again. */
export class Known {
  readonly holds: HoldId[] = [NOBODYS];
  readonly holders = new Map<HoldId, UserId>();
  readonly bookings: BookingId[] = [];
  /** Requests with keys, to be repeated. */
  readonly keyed: Operation[] = [];
  keys = 0;

  remember(operation: Operation, answer: Answer): void {
    if (answer.kind !== "done") return;
    const { fact } = answer;
    if (fact.kind === "held") {
      this.holds.push(fact.holdId);
      this.holders.set(fact.holdId, fact.userId);
    }
    if (fact.kind === "booked" || fact.kind === "paymentStarted") {
      if (!this.bookings.includes(fact.booking.bookingId)) {
        this.bookings.push(fact.booking.bookingId);
      }
    }
    if (fact.key !== null) this.keyed.push(operation);
  }
}

const NOBODYS = "018f3c9a-7b10-7000-8000-0007a4b1c2d3" as HoldId;
const STAFF = "018f3c9a-7b10-7000-8000-0000ca401000" as UserId;
const CODES = ["EARLY", "ONCE", "GONE", "NEVER"];
const CHANNELS = ["press", "club"];
/** Its ten seats, and an area for each of its categories. */
const AREAS = [
  { key: "floor", category: 1, capacity: 5 },
  { key: "terrace", category: 0, capacity: 3 },
];
export const RULES: Partial<InventoryDefinition> = {
  perUserMax: 9,
  holdTtlMs: 10_000,
  areas: AREAS,
  paymentWindowMs: 60_000,
  churn: churnRule(3, 20_000),
  promoCodes: promoCodes(),
};

/** The scene of a bench whose event has these rules. */
export function sceneOf({ bench, model }: JudgedBench): Scene {
  const { nowMs, drafts } = bench;
  return { model, nowMs, drafts, users: [ALICE, BOB, CAROL], rules: definition(RULES) };
}

/** A rule of which a short run feels something. */
function churnRule(freeDrops: number, windowMs: number): ChurnRule {
  return { freeDrops, windowMs, firstWaitMs: 1_500, waitMsMax: 7_000 };
}

function promoCodes(
  fromMs: number | null = null,
  untilMs: number | null = null,
): PromoDefinition[] {
  const always = { categories: null, fromMs: null, untilMs: null } as const;
  return [
    {
      ...always,
      code: "EARLY",
      kind: "percent",
      value: 1_505,
      fromMs,
      untilMs,
      usesMax: 3,
      usesPerUserMax: 2,
    },
    {
      ...always,
      code: "ONCE",
      kind: "amount",
      value: 5_000,
      categories: [1],
      usesMax: null,
      usesPerUserMax: 1,
    },
  ];
}

/** Mostly a moment later, but often the very instant at which something changes, or just before. */
export function laterThan(choose: Chooser, { model, nowMs }: Scene): number {
  if (choose.below(70) === 69) return nowMs + KEY_TTL_MS;
  const { salesOpenMs = null, salesCloseMs = null } = model.definition ?? {};
  const { cancelUntilMs = null, promoCodes: [promo] = [] } = model.definition ?? {};
  const turns = [model.nextDueMs, salesOpenMs, salesCloseMs, cancelUntilMs];
  turns.push(promo?.fromMs ?? null, promo?.untilMs ?? null);
  const turnMs = choose.pick(turns);
  if (turnMs === null || turnMs > nowMs + 70_000 || choose.below(5) < 4) {
    return nowMs + choose.below(1_000);
  }
  return Math.max(nowMs, turnMs - choose.below(2));
}

type Asking = (choose: Chooser, scene: Scene, known: Known) => Operation;

/** Each kind of operation, with how often it is asked for. */
export const ASKED: Readonly<Record<Operation["kind"] | "again", readonly [number, Asking]>> = {
  hold: [12, anyHold],
  changeHold: [7, anyChangeOfHold],
  extend: [
    3,
    (choose, scene, known) => ({
      kind: "extend",
      ...anyHolder(choose, scene, known),
      key: anyKey(choose, known),
    }),
  ],
  release: [2, (choose, scene, known) => ({ kind: "release", ...anyHolder(choose, scene, known) })],
  book: [5, anyBooking],
  pay: [6, anyPayment],
  settlePayment: [5, anyOutcome],
  settleRefund: [2, anyRefund],
  cancel: [4, anyCancellation],
  moveTicket: [5, anyMove],
  transfer: [2, anyTransfer],
  forgetBuyer: [2, anyForgetting],
  checkIn: [3, anyCheckIn],
  changePlaces: [4, anyChangeOfPlaces],
  joinWaitlist: [5, anyJoining],
  leaveWaitlist: [
    1,
    (choose, { users }) => ({ kind: "leaveWaitlist", userId: choose.pick(users) }),
  ],
  configure: [
    2,
    (choose, scene) => {
      const definition = anyDefinition(choose, scene);
      return { kind: "configure", definition, by: choose.pick(scene.users) };
    },
  ],
  again: [3, again],
  getHold: [2, (choose, scene, known) => ({ kind: "getHold", ...anyHolder(choose, scene, known) })],
  getWaiting: [1, (choose, { users }) => ({ kind: "getWaiting", userId: choose.pick(users) })],
  getWaitlist: [
    1,
    (choose) => ({
      kind: "getWaitlist",
      from: choose.pick([0, 1, 3]),
      limit: choose.pick([1, 100]),
    }),
  ],
  watch: [1, () => ({ kind: "watch" })],
  unwatch: [1, () => ({ kind: "unwatch" })],
  inspect: [1, () => ({ kind: "inspect" })],
  audit: [1, () => ({ kind: "audit" })],
};

export type Asked = keyof typeof ASKED;

const EVERY_KIND = (Object.keys(ASKED) as Asked[]).flatMap((kind) =>
  new Array<Asked>(ASKED[kind][0]).fill(kind),
);

/** One of these kinds, each as likely as it is often among them. */
export function anyOperation(
  choose: Chooser,
  scene: Scene,
  known: Known,
  kinds: readonly Asked[] = EVERY_KIND,
): Operation {
  const [, ask] = ASKED[choose.pick(kinds)];
  return ask(choose, scene, known);
}

function anyKey(choose: Chooser, known: Known): CommandKey | null {
  if (choose.below(2) === 0) return null;
  // Now and then a key that had another request.
  if (choose.below(5) > 0) known.keys += 1;
  return { digest: `key ${known.keys}`, fingerprint: `asked ${choose.below(1000)}` };
}

/** Now and then a place that there is not, or one that is named twice. */
function anyPlaces(choose: Chooser, { rules }: Scene, countMax: number): Place[] {
  const [seats, areas] = [rules.seatCategories.length, rules.areas.length];
  const count = 1 + choose.below(countMax);
  return Array.from({ length: count }, () => {
    if (areas > 0 && choose.below(3) === 0) {
      return placeOfArea(choose.below(12) === 11 ? areas : choose.below(areas));
    }
    return choose.below(choose.below(15) === 14 ? seats + 2 : seats);
  });
}

/** Seldom everything, mostly one. */
const few = (choose: Chooser): number => (choose.below(6) === 5 ? 6 : 2);

function anyHold(choose: Chooser, scene: Scene, known: Known): Operation {
  const isChosen = choose.below(4) === 3;
  const places = isChosen && choose.below(2) === 0 ? [] : anyPlaces(choose, scene, few(choose));
  const command = scene.drafts.hold(places, choose.pick(scene.users), anyKey(choose, known));
  const best = isChosen ? Array.from({ length: 1 + choose.below(2) }, () => anyWish(choose)) : [];
  const promoCode = choose.below(4) === 3 ? choose.pick(CODES) : null;
  const channel = choose.below(3) === 2 ? choose.pick(CHANNELS) : null;
  return { ...command, best, promoCode, channel };
}

function anyWish(choose: Chooser) {
  const quantity = 1 + choose.below(3);
  const category = choose.pick([null, 0, 1]);
  return { quantity, category, zone: null, adjacent: choose.below(2) === 0, accessible: false };
}

/** A hold, mostly one that lives, and is asked for by who has or had it. */
function anyHolder(choose: Chooser, { model, users }: Scene, known: Known) {
  const [first] = model.holds();
  const holdId =
    first !== undefined && choose.below(3) > 0
      ? choose.pick(model.holds()).holdId
      : choose.pick(known.holds.slice(-8));
  const userId = model.hold(holdId)?.userId ?? known.holders.get(holdId);
  const isTheirs = userId !== undefined && choose.below(8) > 0;
  return { holdId, userId: isTheirs ? userId : choose.pick(users) };
}

function anyChangeOfHold(choose: Chooser, scene: Scene, known: Known): Operation {
  const holder = anyHolder(choose, scene, known);
  const hold = scene.model.hold(holder.holdId);
  const ids =
    hold === undefined
      ? []
      : positionsIn(hold).map((n) => itemIdIn(hold.holdId, ordinalIn(hold, n)));
  const drop = ids.filter(() => choose.below(3) === 0);
  if (choose.below(10) === 9) drop.push(itemIdIn(holder.holdId, 7));
  const add = choose.below(3) === 0 ? [] : anyPlaces(choose, scene, few(choose));
  return { kind: "changeHold", ...holder, add, drop, key: anyKey(choose, known) };
}

function anyBooking(choose: Chooser, scene: Scene, known: Known): Operation {
  const { holdId, userId } = anyHolder(choose, scene, known);
  const command = scene.drafts.book(holdId, userId, anyKey(choose, known));
  const email = choose.pick([null, "ann@example.org"]);
  return { ...command, email, invoiceAllowed: choose.below(4) > 0 };
}

function anyPayment(choose: Chooser, scene: Scene, known: Known): Operation {
  const { holdId, userId } = anyHolder(choose, scene, known);
  const command = scene.drafts.pay(holdId, userId, anyKey(choose, known));
  return { ...command, email: choose.pick([null, "ann@example.org"]) };
}

const last = <Item>(items: readonly Item[], none: Item): readonly Item[] =>
  items.length === 0 ? [none] : items.slice(-6);

function anyKnownBooking(choose: Chooser, { model }: Scene, known: Known) {
  const isUnknown = choose.below(12) === 11;
  const bookingId = choose.pick(
    isUnknown
      ? [NOBODYS as string as BookingId]
      : last(known.bookings, NOBODYS as string as BookingId),
  );
  return { bookingId, record: model.booking(bookingId)?.record };
}

/** Mostly its owner's, now and then the organiser's, or somebody else's. */
function anyRequester(choose: Chooser, scene: Scene, known: Known) {
  const { bookingId, record } = anyKnownBooking(choose, scene, known);
  const asOrganizer = choose.below(3) === 0;
  const isOwner = record !== undefined && choose.below(8) > 0;
  const userId = isOwner ? record.userId : choose.pick(scene.users);
  const tickets =
    record === undefined
      ? [itemIdIn(NOBODYS, 0)]
      : positionsIn(record).map((n) => itemIdIn(record.holdId, ordinalIn(record, n)));
  return { bookingId, userId, asOrganizer, record, tickets };
}

function anyIntent(choose: Chooser, scene: Scene, known: Known) {
  const paid = known.bookings.flatMap((id) => scene.model.booking(id)?.record.later?.payment ?? []);
  const payment =
    paid.length === 0 || choose.below(15) === 14 ? undefined : choose.pick(paid.slice(-5));
  return { payment, intentId: payment?.intentId ?? (NOBODYS as string as IntentId) };
}

function anyOutcome(choose: Chooser, scene: Scene, known: Known): Operation {
  const { intentId } = anyIntent(choose, scene, known);
  const outcome = choose.below(3) === 0 ? "failed" : "succeeded";
  return { kind: "settlePayment", intentId, outcome };
}

function anyRefund(choose: Chooser, scene: Scene, known: Known): Operation {
  const { intentId, payment } = anyIntent(choose, scene, known);
  const ids = [NOBODYS as string, ...(payment?.refunds ?? []).map(({ refundId }) => refundId)];
  const outcome = choose.below(4) === 3 ? "failed" : "succeeded";
  return { kind: "settleRefund", intentId, refundId: choose.pick(ids.slice(-2)), outcome };
}

function anyCancellation(choose: Chooser, scene: Scene, known: Known): Operation {
  const { bookingId, userId, asOrganizer, tickets } = anyRequester(choose, scene, known);
  const some: ItemId[] = tickets.filter(() => choose.below(2) === 0);
  if (choose.below(12) === 11) some.push(itemIdIn(NOBODYS, 3));
  const reason = choose.pick([null, "ill"]);
  const of = { bookingId, userId, asOrganizer, reason, key: anyKey(choose, known) };
  return { kind: "cancel", ...of, tickets: choose.below(2) === 0 ? null : some };
}

function anyMove(choose: Chooser, scene: Scene, known: Known): Operation {
  const { bookingId, userId, asOrganizer, tickets } = anyRequester(choose, scene, known);
  const ticketId = choose.below(10) === 9 ? itemIdIn(NOBODYS, 3) : choose.pick(tickets);
  const seats = scene.rules.seatCategories.length;
  const seat = choose.below(20) === 19 ? choose.pick([seats + 1, -1]) : choose.below(seats);
  const of = { bookingId, userId, asOrganizer, key: anyKey(choose, known) };
  return { kind: "moveTicket", ...of, ticketId, seat };
}

function anyTransfer(choose: Chooser, scene: Scene, known: Known): Operation {
  const { bookingId, userId, asOrganizer, record } = anyRequester(choose, scene, known);
  const isSame = record !== undefined && record.email !== null && choose.below(4) === 3;
  const to = isSame
    ? { toUserId: record.userId, email: record.email }
    : {
        toUserId: choose.pick(scene.users),
        email: choose.pick(["ann@example.org", "cat@example.org"]),
      };
  const of = { bookingId, userId, asOrganizer, key: anyKey(choose, known) };
  return scene.drafts.transfer({ ...of, ...to });
}

function anyForgetting(choose: Chooser, scene: Scene, known: Known): Operation {
  const { bookingId, userId } = anyRequester(choose, scene, known);
  return { kind: "forgetBuyer", bookingId, userId };
}

function anyCheckIn(choose: Chooser, scene: Scene, known: Known): Operation {
  const { bookingId, record } = anyKnownBooking(choose, scene, known);
  const isOld = choose.below(4) === 3;
  const codes = isOld ? scene.model.codesOf(bookingId) : record?.ticketCodes;
  const ticketCode = codes === undefined || codes.length === 0 ? "none" : choose.pick(codes);
  const undo = choose.below(3) === 0;
  return { kind: "checkIn", ticketCode, by: STAFF, undo, key: anyKey(choose, known) };
}

function anyChangeOfPlaces(choose: Chooser, { rules }: Scene, known: Known): Operation {
  const seatCount = rules.seatCategories.length;
  // And one that there is not.
  const areas = [...rules.areas.keys(), rules.areas.length];
  const isUnknown = (area: number): boolean => area === rules.areas.length;
  const seats = (countMax: number): number[] =>
    choose.below(2) === 0
      ? []
      : Array.from({ length: 1 + choose.below(countMax) }, () =>
          choose.below(choose.below(20) === 19 ? seatCount + 1 : seatCount),
        );
  const isAllotted = choose.below(2) === 0;
  const channels = isAllotted ? CHANNELS.filter(() => choose.below(2) === 0) : [];
  const allotments = channels.map((channel) => ({
    channel,
    seats: seats(2),
    areas: areas
      .filter((area) => choose.below(isUnknown(area) ? 20 : 2) === 1)
      .map((area) => ({ area, quantity: choose.below(4) })),
  }));
  const capacities = isAllotted
    ? []
    : areas
        .filter((area) => choose.below(isUnknown(area) ? 20 : 3) === 1)
        .map((area) => ({ area, capacity: choose.below(7) }));
  const block = isAllotted && choose.below(3) > 0 ? [] : seats(2);
  const unblock = isAllotted && choose.below(3) > 0 ? [] : seats(3);
  return {
    kind: "changePlaces",
    by: STAFF,
    block,
    unblock,
    allotments,
    capacities,
    key: anyKey(choose, known),
  };
}

function anyJoining(choose: Chooser, scene: Scene, known: Known): Operation {
  const { drafts, model, users } = scene;
  const [waiting] = model.line();
  const isAgain = waiting !== undefined && choose.below(6) === 5;
  const userId = isAgain ? waiting.entry.userId : choose.pick(users);
  const quantity = isAgain
    ? waiting.entry.quantity
    : 1 + choose.below(choose.below(8) === 7 ? 9 : 4);
  const categories = isAgain ? waiting.entry.categories : choose.pick([null, [0], [1], [0, 1]]);
  const priority = isAgain ? waiting.entry.priority : choose.below(3);
  const command = drafts.join(quantity, userId, anyKey(choose, known));
  return { ...command, categories, priority };
}

/** Something that was asked for with a key, once more. */
function again(choose: Chooser, { drafts }: Scene, known: Known): Operation {
  return anew(choose.pick(known.keyed.slice(-6).concat({ kind: "unwatch" })), drafts);
}

/** The same request once more: its fresh ids and codes are others. */
export function anew(operation: Operation, drafts: CommandDrafts): Operation {
  switch (operation.kind) {
    case "hold": {
      const { holdId } = drafts.hold(operation.places, operation.userId, null);
      return { ...operation, holdId };
    }
    case "book": {
      const { bookingId, code, ticketCodes } = drafts.book(
        operation.holdId,
        operation.userId,
        null,
      );
      return { ...operation, bookingId, code, ticketCodes };
    }
    case "pay": {
      const { holdId, userId, email } = operation;
      return { ...drafts.pay(holdId, userId, operation.key), email };
    }
    case "transfer":
      return drafts.transfer(operation);
    case "joinWaitlist": {
      const { entryId } = drafts.join(operation.quantity, operation.userId, null);
      return { ...operation, entryId };
    }
    default:
      return operation;
  }
}

/** Other rules for the same places; now and then for others, which is refused. */
export function anyDefinition(choose: Chooser, { rules, nowMs }: Scene): InventoryDefinition {
  const { holdTtlMs } = rules;
  const maybe = (atMs: number): number | null => (choose.below(4) === 3 ? atMs : null);
  const isOther = choose.below(12) === 11;
  const isCharged = choose.below(2) === 0;
  const codes = promoCodes(maybe(nowMs + choose.below(3_000)), maybe(nowMs + choose.below(9_000)));
  return {
    ...rules,
    status: choose.below(6) === 5 ? "cancelled" : "published",
    salesOpenMs: choose.below(3) === 2 ? nowMs + choose.below(9_000) : null,
    salesCloseMs: maybe(nowMs + choose.below(choose.pick([2_000, 30_000]))),
    cancelUntilMs: maybe(nowMs + choose.below(30_000)),
    holdTtlMs: Math.max(
      HOLD_TTL_MS_MIN,
      choose.pick([holdTtlMs / 2, holdTtlMs, 0.4 * holdTtlMs + choose.below(holdTtlMs)]),
    ),
    perOrderMax: choose.pick([2, 4, 4]),
    perUserMax: 4 + choose.below(8),
    paymentWindowMs: 60_000 + choose.below(10_000),
    categories: rules.categories.map(({ key, priceMinor }) => ({
      key,
      priceMinor: choose.below(4) === 3 ? 0 : priceMinor + choose.below(10),
    })),
    ...(isOther ? otherPlaces(rules) : {}),
    charges: isCharged
      ? {
          fees: [
            { name: "fee", kind: "fixed", minor: choose.below(100) },
            { name: "card", kind: "percent", basisPoints: choose.below(1_000) },
          ],
          tax: { name: "VAT", basisPoints: choose.below(2_500), included: choose.below(2) === 0 },
        }
      : { fees: [], tax: null },
    churn: choose.below(4) === 3 ? null : churnRule(choose.below(4), 1_000 + choose.below(60_000)),
    promoCodes: codes.filter(() => choose.below(4) < 3),
  };
}

function otherPlaces({ areas, seatCategories }: InventoryDefinition): Partial<InventoryDefinition> {
  if (areas.length > 0) return { areas: areas.slice(1) };
  return { seatCategories: seatCategories.slice(1), seatMap: new Uint8Array() };
}
