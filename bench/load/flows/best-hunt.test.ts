import assert from "node:assert/strict";
import { test } from "node:test";
import { RandomSource } from "../../catalogue/random-source.ts";
import { arenaOf } from "../../hall/arena.ts";
import { LOST } from "../autocannon-connection.ts";
import { plainSale } from "./plain-sale.ts";
import { SaleFlow } from "./sale-flow.ts";
import type { SaleFlowOptions } from "./sale-ground.ts";
import { FlowAnswers, requestOf, seatsOf, sentBy } from "./testing/flow-answers.ts";
import { drawWish } from "./wish-mix.ts";

/** 30 seats in two rows for each of three tiers: L1-1-1 … U1-2-15. */
const { hall } = arenaOf({ seats: 90, hasWheelchairs: false });
const answers = new FlowAnswers();

function saleOf(options: Partial<SaleFlowOptions> = {}): SaleFlow {
  const event = { eventId: "e", seatIds: hall.ids, area: null, capacity: hall.ids.length, hall };
  const asked = { tokens: ["t"], lagMs: 0, holdTtlSeconds: 3_600, seed: 3 };
  return new SaleFlow({ ...plainSale(event, asked), ...options }, "http://127.0.0.1");
}

interface Sent {
  readonly quantity: number;
  readonly adjacent: boolean;
  readonly category?: string;
  readonly zone?: string;
  readonly accessible: boolean;
}

function wishIn(text: string): Sent {
  const { items } = JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4)) as {
    readonly items: readonly { readonly bestAvailable: Sent }[];
  };
  const [item] = items;
  assert.ok(item !== undefined);
  return item.bestAvailable;
}

/** What the first wish of this kind is, and who has it. */
function askedFor(flow: SaleFlow, isWanted: (wish: Sent) => boolean) {
  for (let n = 0; n < 1_000; n += 1) {
    const visitor = flow.visitor();
    const { text, stream } = requestOf(visitor);
    const wish = wishIn(text);
    if (isWanted(wish)) return { visitor, wish, stream: flow.streams[stream] };
  }
  throw new Error("nobody wishes that");
}

const isPlain = ({ category, zone, adjacent, accessible, quantity }: Sent): boolean =>
  category === undefined && zone === undefined && adjacent && !accessible && quantity > 1;
const upTo = (count: number, step = 1): string[] =>
  Array.from({ length: count }, (_, n) => `L1-1-${1 + n * step}`);
const faultsOf = (flow: SaleFlow): string[] =>
  (flow.findings().checks ?? []).flatMap(({ ok, detail }) => (ok ? [] : [detail]));

test("parties ask for seats by what they wish, most of them two or four side by side", () => {
  const random = new RandomSource(1);
  const wishes = Array.from({ length: 2_000 }, () => drawWish(hall, 4, random));
  const share = (of: (wish: (typeof wishes)[number]) => boolean): number =>
    wishes.filter(of).length / wishes.length;
  assert.ok(share(({ adjacent }) => adjacent) > 0.7);
  assert.ok(share(({ category }) => category !== null) > 0.1);
  assert.ok(share(({ zone }) => zone !== null) > 0.05);
  assert.ok(share(({ accessible }) => accessible) > 0);
  assert.ok(wishes.every(({ category, zone }) => category === null || zone === null));
  const flow = saleOf();
  const { wish } = askedFor(flow, ({ category }) => category !== undefined);
  assert.ok(["lower", "club", "upper"].includes(wish.category ?? ""), wish.category);
});

test("seats that were chosen are booked; such as are not side by side are a fault", () => {
  const flow = saleOf();
  const { visitor, wish, stream } = askedFor(flow, isPlain);
  assert.equal(stream, "together, to 50 %");
  visitor.answered(answers.chosen(upTo(wish.quantity), "Lower 1"));
  const booking = requestOf(visitor);
  assert.equal(flow.streams[booking.stream], "bookings");
  visitor.answered(answers.made(upTo(wish.quantity)));
  const { acknowledged, faults } = flow.findings();
  assert.deepEqual([...acknowledged.bookings.places], [...Array(wish.quantity).keys()]);
  assert.deepEqual([faults, faultsOf(flow)], [[], []]);
  const other = askedFor(flow, isPlain);
  other.visitor.answered(answers.chosen(upTo(other.wish.quantity, 2), "Lower 1"));
  assert.match(faultsOf(flow).join(), /seats that are not side by side: L1-1-1, L1-1-3/);
});

test("seats that one party has are a fault when another one is given them", () => {
  const flow = saleOf();
  const first = askedFor(flow, isPlain);
  first.visitor.answered(answers.chosen(upTo(first.wish.quantity), "Lower 1"));
  const second = askedFor(flow, isPlain);
  second.visitor.answered(answers.chosen(upTo(second.wish.quantity), "Lower 1"));
  assert.match(faultsOf(flow).join(), /seat L1-1-1 was somebody else's/);
});

test("a choice has to be told as it is held, with the zone that it is in", () => {
  for (const zone of ["Club 1", ""]) {
    const flow = saleOf();
    const { visitor, wish } = askedFor(flow, isPlain);
    visitor.answered(answers.chosen(upTo(wish.quantity), zone));
    assert.match(flow.findings().faults.join(), /seat L1-1-1 is said to be in/);
  }
  const flow = saleOf();
  const { visitor, wish } = askedFor(flow, isPlain);
  visitor.answered(answers.made(upTo(wish.quantity)));
  assert.match(flow.findings().faults.join(), /held are L1-1-1.*, and chosen were $/);
});

test("what is refused as if the hall were full is a fault while it is empty", () => {
  const flow = saleOf();
  const { visitor } = askedFor(flow, isPlain);
  visitor.answered(answers.problem(409, "insufficient_capacity", { available: 0 }));
  assert.match(faultsOf(flow).join(), /L1-1-1, .* were free all the while/);
  const other = askedFor(flow, isPlain);
  other.visitor.answered(answers.problem(409, "limit_exceeded", {}));
  assert.match(flow.findings().faults.join(), /a wish was refused so: .*limit_exceeded/);
  const lost = saleOf();
  const unlucky = askedFor(lost, isPlain);
  for (const n of [1, 2, 3]) {
    unlucky.visitor.answered(LOST);
    if (n < 3) assert.equal(lost.streams[requestOf(unlucky.visitor).stream], "repeats");
  }
  const late = askedFor(lost, isPlain);
  late.visitor.answered(answers.problem(409, "insufficient_capacity", { available: 0 }));
  assert.deepEqual(faultsOf(lost), [], "nobody knows what the lost request has");
});

test("some take what they are offered instead, by name, and it is what they get", () => {
  const flow = saleOf();
  for (let n = 0; n < 100; n += 1) {
    const { visitor, wish } = askedFor(flow, isPlain);
    const items = upTo(wish.quantity, 2).map((seat, group) => ({ seat, group }));
    visitor.answered(answers.problem(409, "no_adjacent_seats", { alternatives: [items] }));
    const { text, stream } = requestOf(visitor);
    if (flow.streams[stream] !== "alternatives") continue;
    const wanted = seatsOf(text);
    assert.deepEqual(wanted, upTo(wish.quantity, 2));
    visitor.answered(answers.made(upTo(wish.quantity)));
    assert.match(flow.findings().faults.join(), /other seats than those that were asked for/);
    return;
  }
  assert.fail("nobody took anything else");
});

test("what was offered may be refused only once somebody may have it", () => {
  const flow = saleOf();
  for (let n = 0; n < 100; n += 1) {
    const { visitor, wish } = askedFor(flow, isPlain);
    const items = upTo(wish.quantity, 2).map((seat, group) => ({ seat, group }));
    visitor.answered(answers.problem(409, "no_adjacent_seats", { alternatives: [items] }));
    const { text, stream } = requestOf(visitor);
    if (flow.streams[stream] !== "alternatives") continue;
    visitor.answered(answers.refused(409, "seat_unavailable", seatsOf(text).slice(0, 1)));
    assert.match(faultsOf(flow).join(), /seats that nobody had were refused: L1-1-1/);
    return;
  }
  assert.fail("nobody took anything else");
});

test("a hall that is full is asked for nothing until somebody gives back", () => {
  const flow = saleOf({ dropOutShare: 1, giveBackShare: 1 });
  const parties = [];
  for (let next = 0; next < hall.ids.length; ) {
    const visitor = flow.visitor();
    const { quantity } = wishIn(sentBy(visitor));
    const seats = hall.ids.slice(next, next + quantity);
    visitor.answered(answers.chosen(seats, "anywhere"));
    parties.push(visitor);
    next += quantity;
  }
  const late = flow.visitor();
  assert.equal(late.next().kind, "pause");
  assert.match(sentBy(parties[0] ?? late), /^DELETE/);
  parties[0]?.answered({ status: 204, head: "", body: "" });
  assert.match(sentBy(late), /bestAvailable/);
});
