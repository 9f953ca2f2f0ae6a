/**
 * The real engine against the model: random runs of which the model has nothing to say, and each
 * of whose facts and answers it notices when one thing in it is changed. On failure the test's name
 * shows the seed: set SEED to it to run that one again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isCancelled } from "../../engine/by-itself.ts";
import type { Fact } from "../../engine/facts.ts";
import { snapshotOf } from "../../engine/snapshot.ts";
import { EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { anyOperation, Known, laterThan, RULES, sceneOf } from "./any-operation.ts";
import { type Judged, JudgedBench } from "./judged-bench.ts";
import { withLeafChanged } from "./leaf-change.ts";

const STEPS = 400;

function run(seed: number, judge: (random: Random, judged: JudgedBench, known: Known) => void) {
  const random = new Random(seed);
  const bench = random.below(6) === 0 ? new EventBench(null) : new EventBench(RULES);
  const judged = new JudgedBench(bench);
  const known = new Known();
  for (let step = 0; step < STEPS; step += 1) {
    bench.nowMs = laterThan(random, sceneOf(judged));
    if (random.below(60) === 0) judged.reload();
    if (isCancelled(bench.state) && random.below(3) === 0) bench.windUp(1 + random.below(6));
    judge(random, judged, known);
  }
  for (const fact of bench.facts) noteFact(fact);
}

/** What kinds of answers the runs have had, so that nothing is left out unseen. */
const seen = new Set<string>();

function note({ answer }: Judged, { kind }: Operation): void {
  const replayed = answer.kind === "done" && answer.replayed ? " again" : "";
  seen.add(`${kind}: ${answer.kind === "refused" ? answer.refusal.code : answer.kind}${replayed}`);
}

function noteFact(fact: Fact): void {
  if (fact.kind === "held" && fact.terms?.source === "waitlist") seen.add("offered");
  if (fact.kind === "unqueued" || fact.kind === "holdEnded")
    seen.add(`${fact.kind} ${fact.reason}`);
  if (fact.kind !== "bookingChanged") return;
  seen.add(fact.change);
  seen.add(fact.booking.later?.status ?? "confirmed");
  if (fact.change === "cancelled" && fact.by === null) seen.add("cancelled by nobody");
}

function agree(random: Random, judged: JudgedBench, known: Known): void {
  const { bench } = judged;
  const operation = anyOperation(random, sceneOf(judged), known);
  const outcome = judged.run(operation);
  assert.deepEqual(outcome.complaints, [], JSON.stringify([operation, outcome.answer]));
  known.remember(operation, outcome.answer);
  note(outcome, operation);
  assert.deepEqual(judged.untold(), []);
  const { model } = judged;
  assert.deepEqual(model.compare(snapshotOf(bench.state), { forgetful: false }), []);
  assert.deepEqual(model.clone().compare(snapshotOf(bench.state), { forgetful: true }), []);
}

/** A number where a list belongs is no fact at all, and the model may trip over it. */
function saidTo(judge: () => string[]): string[] {
  try {
    return judge();
  } catch (error) {
    return [String(error)];
  }
}

/** What the model leaves to others, and what the words of a message are. */
const SPARED = new RegExp(
  [
    /\bkind$|^view\.epoch$|^report\.(?:keys|eventId|shard|watched|hash)$|\.hash$/,
    /\bchosen\.\d+\.(?:distance|orphans)$/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

function notice(random: Random, judged: JudgedBench, known: Known): void {
  const { bench } = judged;
  bench.expire();
  assert.deepEqual(judged.judgeFacts(), []);
  const before = judged.model.clone();
  const operation = anyOperation(random, sceneOf(judged), known);
  const outcome = judged.run(operation);
  assert.deepEqual(outcome.complaints, []);
  known.remember(operation, outcome.answer);
  const { answer, when } = outcome;
  // Which of the free seats are chosen is the engine's, and beside what a wish was not met; of
  // several wishes that can't be met, it may name any.
  const wishes = operation.kind === "hold" ? operation.best.length : 0;
  const isSpared = (path: string): boolean =>
    SPARED.test(path) ||
    (wishes > 0 && /^items\.\d+\.place$|^refusal\.(?:available$|alternatives\.)/.test(path)) ||
    (wishes > 1 && path === "refusal.category");
  const other = withLeafChanged(answer, random, isSpared);
  if (other !== null) {
    const said = saidTo(() => judged.model.check(operation, other.value, when));
    assert.notDeepEqual(said, [], `changed ${other.path} of ${JSON.stringify(answer)}`);
  }
  const [fact] = bench.facts.slice(before.seq);
  if (fact === undefined) return;
  // The engine that errs believes itself: its answer is made from the fact that it journals.
  const wrong = withLeafChanged(fact, random, isSpared);
  assert.ok(wrong !== null);
  const told = { kind: "done", fact: wrong.value, replayed: false } as const;
  const said = saidTo(() => [...before.take(wrong.value), ...before.check(operation, told, when)]);
  assert.notDeepEqual(said, [], `changed ${wrong.path} of ${JSON.stringify(fact)}`);
}

const chosen = process.env.SEED;
const seeds = chosen === undefined ? Array.from({ length: 80 }, (_, n) => n + 1) : [Number(chosen)];
for (const seed of seeds) {
  test(`the model has nothing to say of a random run of the engine (SEED=${seed})`, () =>
    run(seed, agree));
  test(`the model notices any one thing that is changed in a random run (SEED=${seed})`, () =>
    run(seed, notice));
}

test("the random runs have had every answer that they are meant to have", () => {
  if (chosen !== undefined) return;
  const answers = Object.entries(EVERY_ANSWER).flatMap(([kind, told]) =>
    told.map((answer) => `${kind}: ${answer}`),
  );
  for (const answer of [...answers, ...EVERY_CHANGE]) {
    assert.ok(seen.has(answer), `never seen: ${answer}`);
  }
});

/** Every operation, and the answers that it is meant to have had. */
const EVERY_ANSWER: Readonly<Record<string, readonly string[]>> = {
  audit: ["audit"],
  book: [
    "done",
    "done again",
    "event_cancelled",
    "hold_booked",
    "hold_expired",
    "hold_not_found",
    "hold_paying",
    "hold_released",
    "idempotency_key_reused",
    "payment_required",
  ],
  cancel: [
    "already_checked_in",
    "booking",
    "booking_not_found",
    "booking_pending",
    "cancellation_closed",
    "done",
    "done again",
    "idempotency_key_reused",
    "ticket_not_found",
  ],
  changeHold: [
    "done",
    "done again",
    "event_cancelled",
    "hold_booked",
    "hold_expired",
    "hold_not_found",
    "hold_paying",
    "hold_released",
    "hold_would_be_empty",
    "idempotency_key_reused",
    "insufficient_capacity",
    "item_not_found",
    "limit_exceeded",
    "sales_closed",
    "sales_not_open",
    "seat_unavailable",
    "unknown_place",
  ],
  changePlaces: [
    "capacity_in_use",
    "done",
    "done again",
    "event_not_found",
    "idempotency_key_reused",
    "insufficient_capacity",
    "seat_unavailable",
    "unchanged",
    "unknown_place",
  ],
  checkIn: [
    "already_checked_in",
    "booking_cancelled",
    "booking_pending",
    "done",
    "done again",
    "idempotency_key_reused",
    "not_checked_in",
    "ticket_cancelled",
    "ticket_not_found",
  ],
  configure: ["done", "inventory_fixed"],
  extend: [
    "done",
    "done again",
    "event_cancelled",
    "hold_booked",
    "hold_expired",
    "hold_not_extendable",
    "hold_not_found",
    "hold_released",
    "idempotency_key_reused",
  ],
  forgetBuyer: ["booking", "booking_not_found", "booking_pending", "done"],
  getHold: [
    "event_cancelled",
    "hold",
    "hold_booked",
    "hold_expired",
    "hold_not_found",
    "hold_released",
  ],
  getWaiting: ["not_waiting", "waiting"],
  getWaitlist: ["waitlist"],
  hold: [
    "done",
    "done again",
    "event_cancelled",
    "event_not_found",
    "hold_churn",
    "idempotency_key_reused",
    "insufficient_capacity",
    "limit_exceeded",
    "promo_not_valid",
    "sales_closed",
    "sales_not_open",
    "seat_unavailable",
    "too_few_places",
    "unknown_place",
  ],
  inspect: ["actor"],
  joinWaitlist: [
    "already_waiting",
    "done",
    "done again",
    "event_cancelled",
    "event_not_found",
    "hold",
    "hold_churn",
    "idempotency_key_reused",
    "limit_exceeded",
    "sales_closed",
    "waiting",
  ],
  leaveWaitlist: ["done", "unchanged"],
  moveTicket: [
    "already_checked_in",
    "booking_cancelled",
    "booking_not_found",
    "booking_pending",
    "done",
    "done again",
    "event_cancelled",
    "idempotency_key_reused",
    "price_differs",
    "seat_unavailable",
    "ticket_cancelled",
    "ticket_not_found",
    "ticket_not_movable",
    "unknown_place",
  ],
  pay: [
    "done",
    "done again",
    "event_cancelled",
    "hold_booked",
    "hold_expired",
    "hold_not_found",
    "hold_paying",
    "hold_released",
    "idempotency_key_reused",
  ],
  release: [
    "done",
    "event_cancelled",
    "hold_booked",
    "hold_expired",
    "hold_not_found",
    "unchanged",
  ],
  settlePayment: ["done", "intent_not_found", "unchanged"],
  settleRefund: ["done", "intent_not_found", "unchanged"],
  transfer: [
    "already_checked_in",
    "booking",
    "booking_cancelled",
    "booking_not_found",
    "booking_pending",
    "done",
    "done again",
    "idempotency_key_reused",
  ],
  unwatch: ["unchanged"],
  watch: ["event_not_found", "view"],
};

/** What may become of a booking, and how a hold may end by itself. */
const EVERY_CHANGE = [
  "cancelled",
  "cancelled by nobody",
  "payment_expired",
  "payment_failed",
  "paid_late",
  "paid_in_vain",
  "refund_settled",
  "ticket_moved",
  "transferred",
  "checked_in",
  "check_in_undone",
  "buyer_forgotten",
  "offered",
  "unqueued closed",
  "holdEnded expired",
  "holdEnded cancelled",
  "refunded",
];
