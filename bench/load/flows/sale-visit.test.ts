import assert from "node:assert/strict";
import { test } from "node:test";
import { LOST } from "../autocannon-connection.ts";
import type { Visitor } from "../flow.ts";
import { plainSale } from "./plain-sale.ts";
import { SaleFlow } from "./sale-flow.ts";
import type { SaleFlowOptions, SoldEvent } from "./sale-ground.ts";
import { FlowAnswers, requestOf, seatsOf, sentBy } from "./testing/flow-answers.ts";

type Ground = Pick<SoldEvent, "seatIds" | "area" | "capacity">;

const seats = (count: number): Ground => {
  const seatIds = Array.from({ length: count }, (_, n) => `0-${n}`);
  return { seatIds, area: null, capacity: count };
};
const floor = (capacity: number): Ground => ({ seatIds: null, area: "floor", capacity });
const answers = new FlowAnswers();

/** Holds last an hour, and what others have is seen never. */
function saleOf(ground: Ground, options: Partial<SaleFlowOptions> = {}): SaleFlow {
  const asked = { tokens: ["t"], lagMs: 1e9, holdTtlSeconds: 3_600, seed: 2 };
  const sale = plainSale({ eventId: "e", ...ground }, asked);
  return new SaleFlow({ ...sale, ...options }, "http://127.0.0.1");
}

const faultsOf = (flow: SaleFlow): string => flow.findings().faults.join("\n");

/** Is given the seats that it asks for. */
function hold(visitor: Visitor): string[] {
  const wanted = seatsOf(sentBy(visitor));
  visitor.answered(answers.made(wanted));
  return wanted;
}

test("a hold and its booking cost what their places do, or that is a fault", () => {
  const flow = saleOf(seats(40), { lagMs: 0 });
  const visitor = flow.visitor();
  const held = hold(visitor);
  sentBy(visitor);
  visitor.answered(answers.made(held));
  assert.equal(faultsOf(flow), "");
  const [total] = flow.findings().acknowledged.bookings.totals;
  assert.equal(total, held.length * 1_000);
  const more = seatsOf(sentBy(visitor));
  visitor.answered(answers.made(more, more.length * 2_000));
  assert.match(faultsOf(flow), /^hold \S+ has a total of/);
  sentBy(visitor);
  visitor.answered(answers.made(more, more.length * 1_000 + 7));
  assert.match(faultsOf(flow), /^booking \S+ has a total of/m);
});

test("a hold may not have ended before its time", () => {
  const expired = answers.refused(410, "hold_expired");
  const early = saleOf(seats(40));
  const visitor = early.visitor();
  hold(visitor);
  sentBy(visitor);
  visitor.answered(expired);
  assert.match(faultsOf(early), /^a booking was answered 410/);
  const late = saleOf(seats(40), { holdTtlSeconds: 0 });
  const other = late.visitor();
  hold(other);
  sentBy(other);
  other.answered(expired);
  assert.equal(faultsOf(late), "");
  assert.equal(late.findings().counts["too late to book"], 1);
});

test("a hold may be given back in vain once its time is over, and not before", () => {
  for (const [holdTtlSeconds, wanted] of [
    [0, /^$/],
    [3_600, /^a release was answered 410/],
  ] as const) {
    // A buyer in two gives it back, the other one just goes.
    const flow = saleOf(seats(40), { dropOutShare: 1, giveBackShare: 0.5, holdTtlSeconds });
    const visitor = flow.visitor();
    for (let text = ""; !text.startsWith("DELETE"); ) {
      text = sentBy(visitor);
      const isHold = text.startsWith("POST");
      const expired = answers.refused(410, "hold_expired");
      visitor.answered(isHold ? answers.made(seatsOf(text)) : expired);
    }
    assert.match(faultsOf(flow), wanted);
  }
});

const TAKEN = answers.refused(409, "seat_unavailable", ["0-0"]);
const REFUSED_WRONGLY = /^what could be had was refused/;

test("a seat that nobody else asked for may not be refused", () => {
  const flow = saleOf(seats(1));
  const visitor = flow.visitor();
  sentBy(visitor);
  visitor.answered(TAKEN);
  assert.match(faultsOf(flow), REFUSED_WRONGLY);
});

test("a seat may be refused while another asks for it, has held it, or has booked it", () => {
  const flow = saleOf(seats(1));
  const [buyer, rival, third] = [flow.visitor(), flow.visitor(), flow.visitor()];
  const isRefused = (visitor: Visitor): void => {
    assert.deepEqual(seatsOf(sentBy(visitor)), ["0-0"]);
    visitor.answered(TAKEN);
  };
  sentBy(buyer);
  isRefused(rival);
  buyer.answered(answers.made(["0-0"]));
  isRefused(rival);
  sentBy(third);
  sentBy(buyer);
  isRefused(rival);
  buyer.answered(answers.made(["0-0"]));
  third.answered(TAKEN);
  assert.equal(faultsOf(flow), "");
});

test("a seat that was given back may be refused to who asked for it before", () => {
  const flow = saleOf(seats(1), { dropOutShare: 1, giveBackShare: 0.5 });
  const [buyer, rival] = [flow.visitor(), flow.visitor()];
  let text = "";
  // One in two just goes, and their hold stays.
  for (text = sentBy(buyer); !text.startsWith("DELETE"); text = sentBy(buyer)) {
    buyer.answered(answers.made(["0-0"]));
  }
  sentBy(rival);
  buyer.answered({ status: 204, head: "", body: "" });
  rival.answered(TAKEN);
  assert.equal(faultsOf(flow), "");
});

test("no other seat may be refused than was asked for, and not without its name", () => {
  for (const named of [["0-1"], ["nowhere"], []]) {
    const flow = saleOf(seats(1));
    const [buyer, rival] = [flow.visitor(), flow.visitor()];
    hold(buyer);
    sentBy(rival);
    rival.answered(answers.refused(409, "seat_unavailable", named));
    assert.match(faultsOf(flow), REFUSED_WRONGLY);
  }
});

test("an area is not sold out while nobody asked for so much", () => {
  const soldOut = answers.refused(409, "insufficient_capacity");
  const answeredSo = (ground: Ground): string => {
    const flow = saleOf(ground);
    const visitor = flow.visitor();
    assert.match(sentBy(visitor), /"quantity":2/);
    visitor.answered(soldOut);
    return faultsOf(flow);
  };
  assert.match(answeredSo(floor(2)), REFUSED_WRONGLY);
  assert.equal(answeredSo(floor(1)), "");
});

test("what was given up for lost may have been taken", () => {
  const flow = saleOf(seats(1));
  const [buyer, rival] = [flow.visitor(), flow.visitor()];
  for (let tries = 0; tries < 3; tries += 1) {
    sentBy(buyer);
    buyer.answered(LOST);
  }
  assert.deepEqual(flow.findings().acknowledged.unknownHeld, [[0, 1]]);
  sentBy(rival);
  rival.answered(TAKEN);
  assert.equal(faultsOf(flow), "");
});

test("a look that was lost leaves nothing unknown behind", () => {
  const flow = saleOf(seats(40), { looksPerVisit: 1 });
  const visitor = flow.visitor();
  let text = sentBy(visitor);
  assert.match(text, /^GET /);
  for (; text.startsWith("GET "); text = sentBy(visitor)) visitor.answered(LOST);
  visitor.answered(answers.refused(503, "busy"));
  visitor.left();
  assert.deepEqual(flow.findings().acknowledged.unknownHeld, []);
});

/** What its next request is counted as. */
const streamOf = (flow: SaleFlow, visitor: Visitor): string | undefined =>
  flow.streams[requestOf(visitor).stream];

test("what is sent a second time is a stream of its own: a replay is quick", () => {
  const flow = saleOf(seats(40), { repeatShare: 1 });
  const visitor = flow.visitor();
  const step = requestOf(visitor);
  assert.equal(flow.streams[step.stream], "holds");
  visitor.answered(answers.made(seatsOf(step.text)));
  const again = requestOf(visitor);
  assert.deepEqual([flow.streams[again.stream], again.text], ["repeats", step.text]);
  visitor.answered(answers.refused(503, "busy"));
  assert.equal(visitor.next().kind, "pause");
  assert.equal(streamOf(flow, visitor), "repeats");
});

test("what is asked again since its answer was lost is a repeat, after busy it is not", () => {
  const flow = saleOf(seats(40));
  const visitor = flow.visitor();
  const { text } = requestOf(visitor);
  visitor.answered(answers.refused(503, "busy"));
  assert.equal(visitor.next().kind, "pause");
  assert.equal(streamOf(flow, visitor), "holds");
  visitor.answered(LOST);
  assert.equal(streamOf(flow, visitor), "repeats");
  visitor.answered(answers.made(seatsOf(text)));
  assert.equal(streamOf(flow, visitor), "bookings");
});

const thinking = { meanMs: 1_000, hasRate: false };

test("buyers look, think before they hold, and again before they book", () => {
  const flow = saleOf(seats(40), { thinking, looksPerVisit: 1 });
  const visitor = flow.visitor();
  const thinks = (): void => {
    const step = visitor.next();
    assert.ok(step.kind === "pause" && step.ms >= 500, JSON.stringify(step));
  };
  assert.equal(streamOf(flow, visitor), "looks");
  visitor.answered({ status: 200, head: "", body: "{}" });
  thinks();
  const { text } = requestOf(visitor);
  visitor.answered(answers.refused(409, "seat_unavailable", seatsOf(text)));
  thinks();
  const held = hold(visitor);
  thinks();
  assert.equal(streamOf(flow, visitor), "bookings");
  visitor.answered(answers.made(held));
  assert.equal(streamOf(flow, visitor), "looks", "of the next one");
});

test("with a rate, others ask while one thinks", () => {
  const flow = saleOf(seats(40), { thinking: { ...thinking, hasRate: true } });
  const visitor = flow.visitor();
  for (let n = 0; n < 5; n += 1) {
    const step = requestOf(visitor);
    assert.equal(flow.streams[step.stream], "holds");
    visitor.answered(answers.made(seatsOf(step.text)));
  }
  assert.equal(flow.findings().counts.buyers, 5);
});

test("buyers are counted when they ask, and by what came of them", () => {
  const flow = saleOf(seats(1));
  const [buyer, rival] = [flow.visitor(), flow.visitor()];
  const counts = () => {
    const all = flow.findings().counts;
    return [all.buyers, all["buyers who booked"], all["went away without"], all.collisions];
  };
  hold(buyer);
  for (let n = 0; n < 5; n += 1) {
    sentBy(rival);
    rival.answered(TAKEN);
  }
  assert.deepEqual(counts(), [2, 0, 1, 5]);
  sentBy(buyer);
  buyer.answered(answers.made(["0-0"]));
  assert.deepEqual(counts(), [2, 1, 1, 5]);
  const marks = flow.findings().figures?.map(({ name }) => name);
  assert.deepEqual(marks, ["50 % sold after", "90 % sold after", "99 % sold after"]);
});
