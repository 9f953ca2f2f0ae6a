/**
 * The real engine against the model: random runs of which the model has nothing to say, and each
 * of whose facts and answers it notices when one thing in it is changed. On failure the test's name
 * shows the seed: set SEED to it to run that one again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { CommandKey } from "../../engine/facts.ts";
import type { BookingId, HoldId } from "../../engine/ids.ts";
import { KEY_TTL_MS } from "../../engine/limits.ts";
import { placeOfArea } from "../../engine/place.ts";
import { snapshotOf } from "../../engine/snapshot.ts";
import { ALICE, BOB, definition, EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import type { Operation } from "../../workers/shard-messages.ts";
import { type Judged, JudgedBench } from "./judged-bench.ts";
import { withLeafChanged } from "./leaf-change.ts";

const STEPS = 400;
const RULES = { perUserMax: 9, holdTtlMs: 10_000 };
const NOBODYS_HOLD = "018f3c9a-7b10-7000-8000-0007a4b1c2d3" as HoldId;

/** What a run remembers in order to ask for it again. */
interface Known {
  readonly holds: HoldId[];
  readonly bookings: BookingId[];
  /** Requests with keys, to be repeated. */
  readonly keyed: Operation[];
  keys: number;
}

function run(seed: number, judge: (random: Random, judged: JudgedBench, known: Known) => void) {
  const random = new Random(seed);
  const bench = random.below(6) === 0 ? new EventBench(null) : new EventBench(RULES);
  const judged = new JudgedBench(bench);
  const known: Known = { holds: [NOBODYS_HOLD], bookings: [], keyed: [], keys: 0 };
  for (let step = 0; step < STEPS; step += 1) {
    bench.nowMs = laterThan(bench.nowMs, random, judged);
    if (random.below(60) === 0) judged.reload();
    judge(random, judged, known);
  }
}

/** Mostly a moment later, but often the very instant at which something changes, or just before. */
function laterThan(nowMs: number, random: Random, { model }: JudgedBench): number {
  if (random.below(50) === 0) return nowMs + KEY_TTL_MS;
  const { salesOpenMs = null, salesCloseMs = null } = model.definition ?? {};
  const turnMs = random.pick([model.nextDueMs, salesOpenMs, salesCloseMs]);
  if (turnMs === null || random.below(4) > 0) return nowMs + random.below(1_500);
  return Math.max(nowMs, turnMs - random.below(2));
}

function anyOperation(random: Random, { bench }: JudgedBench, known: Known): Operation {
  const userId = random.pick([ALICE, BOB]);
  const holdId = random.pick(known.holds.slice(-8));
  const key = anyKey(random, known);
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return bench.holdCommand(anyPlaces(random), userId, key);
    case 5:
    case 6:
      return { kind: "extend", holdId, userId, key };
    case 7:
      return { kind: "release", holdId, userId };
    case 8:
    case 9:
    case 10: {
      const command = bench.bookCommand(holdId, userId, key);
      return { ...command, invoiceAllowed: random.below(5) > 0 };
    }
    case 11: {
      const bookingId = random.pick([...known.bookings.slice(-4), NOBODYS_HOLD as string]);
      const asOrganizer = random.below(2) === 0;
      const reason = random.pick([null, "ill"]);
      return {
        kind: "cancel",
        bookingId: bookingId as BookingId,
        userId,
        asOrganizer,
        reason,
        key,
      };
    }
    case 12:
      return { kind: "configure", definition: anyDefinition(random, bench.nowMs) };
    case 13:
      return again(bench, random.pick(known.keyed.slice(-6).concat({ kind: "unwatch" })));
    case 14:
      return { kind: "getHold", holdId, userId };
    default:
      return random.pick([{ kind: "watch" }, { kind: "inspect" }, { kind: "audit" }]);
  }
}

/** The same request once more: its fresh ids and codes are others. */
function again(bench: EventBench, operation: Operation): Operation {
  const { kind } = operation;
  if (kind === "hold") return bench.holdCommand(operation.places, operation.userId, operation.key);
  if (kind !== "book") return operation;
  const { holdId, userId, key, invoiceAllowed } = operation;
  return { ...bench.bookCommand(holdId, userId, key), invoiceAllowed };
}

function anyKey(random: Random, known: Known): CommandKey | null {
  if (random.below(2) === 0) return null;
  // Now and then a key that had another request.
  if (random.below(5) > 0) known.keys += 1;
  return { digest: `key ${known.keys}`, fingerprint: `asked ${random.below(1000)}` };
}

function anyPlaces(random: Random): number[] {
  const count = 1 + random.below(random.below(6) === 0 ? 6 : 2);
  return Array.from({ length: count }, () => {
    if (random.below(4) === 0) return placeOfArea(random.below(10) === 0 ? 1 : 0);
    return random.below(random.below(10) === 0 ? 12 : 10);
  });
}

function anyDefinition(random: Random, nowMs: number): InventoryDefinition {
  const maybe = (atMs: number): number | null => (random.below(3) === 0 ? atMs : null);
  const capacity = random.below(10) === 0 ? 6 : 5;
  return definition({
    ...RULES,
    status: random.below(8) === 0 ? "cancelled" : "published",
    salesOpenMs: maybe(nowMs + random.below(3_000)),
    salesCloseMs: maybe(nowMs + random.below(20_000)),
    holdTtlMs: random.pick([5_000, 10_000, 4_000 + random.below(10_000)]),
    perUserMax: 4 + random.below(8),
    categories: [4500, 3000].map((price, n) => ({
      key: `${n}`,
      priceMinor: random.below(3) === 0 ? 0 : price + random.below(10),
    })),
    areas: [{ key: "floor", category: 1, capacity }],
  });
}

function remember(known: Known, operation: Operation, { answer }: Judged): void {
  if (answer.kind !== "done") return;
  const { fact } = answer;
  if (fact.kind === "held") known.holds.push(fact.holdId);
  if (fact.kind === "booked") known.bookings.push(fact.booking.bookingId);
  if (fact.key !== null) known.keyed.push(operation);
}

/** What kinds of answers the runs have had, so that nothing is left out unseen. */
const seen = new Set<string>();

function note({ answer }: Judged, { kind }: Operation): void {
  const replayed = answer.kind === "done" && answer.replayed ? " again" : "";
  seen.add(`${kind}: ${answer.kind === "refused" ? answer.refusal.code : answer.kind}${replayed}`);
}

function agree(random: Random, judged: JudgedBench, known: Known): void {
  const { bench } = judged;
  const operation = anyOperation(random, judged, known);
  const outcome = judged.run(operation);
  assert.deepEqual(outcome.complaints, [], JSON.stringify([operation, outcome.answer]));
  remember(known, operation, outcome);
  note(outcome, operation);
  assert.equal(judged.model.statuses(), bench.statuses());
  const { model } = judged;
  assert.deepEqual(model.compare(snapshotOf(bench.state), { forgetful: false }), []);
  assert.deepEqual(model.clone().compare(snapshotOf(bench.state), { forgetful: true }), []);
}

/** What the model leaves to others, and what the words of a message are. */
const SPARED = /\bkind$|^view\.epoch$|^report\.(?:keys|eventId|shard|watched|hash)$|\.hash$/;

function notice(random: Random, judged: JudgedBench, known: Known): void {
  const { bench } = judged;
  bench.expire();
  assert.deepEqual(judged.judgeFacts(), []);
  const before = judged.model.clone();
  const operation = anyOperation(random, judged, known);
  const outcome = judged.run(operation);
  assert.deepEqual(outcome.complaints, []);
  remember(known, operation, outcome);
  const { answer, when } = outcome;
  const mayForgetKey = operation.kind === "cancel" && answer.kind === "done";
  const isSpared = (path: string): boolean =>
    SPARED.test(path) || (mayForgetKey && path.startsWith("fact.key"));
  const other = withLeafChanged(answer, random, isSpared);
  if (other !== null) {
    const said = judged.model.check(operation, other.value, when);
    assert.notDeepEqual(said, [], `changed ${other.path} of ${JSON.stringify(answer)}`);
  }
  const [fact] = bench.facts.slice(before.seq);
  if (fact === undefined) return;
  // The engine that errs believes itself: its answer is made from the fact that it journals.
  const wrong = withLeafChanged(fact, random, (path) => SPARED.test(path));
  assert.ok(wrong !== null);
  const said = before.take(wrong.value);
  const told = { kind: "done", fact: wrong.value, replayed: false } as const;
  said.push(...before.check(operation, told, when));
  assert.notDeepEqual(said, [], `changed ${wrong.path} of ${JSON.stringify(fact)}`);
}

const chosen = process.env.SEED;
const seeds = chosen === undefined ? Array.from({ length: 60 }, (_, n) => n + 1) : [Number(chosen)];
for (const seed of seeds) {
  test(`the model has nothing to say of a random run of the engine (SEED=${seed})`, () =>
    run(seed, agree));
  test(`the model notices any one thing that is changed in a random run (SEED=${seed})`, () =>
    run(seed, notice));
}

test("the random runs have had every answer that they are meant to have", () => {
  if (chosen !== undefined) return;
  for (const answer of EVERY_ANSWER) assert.ok(seen.has(answer), `never seen: ${answer}`);
});

const EVERY_ANSWER = [
  "configure: done",
  "configure: inventory_fixed",
  "hold: done",
  "hold: done again",
  "hold: idempotency_key_reused",
  "hold: event_not_found",
  "hold: event_cancelled",
  "hold: sales_not_open",
  "hold: sales_closed",
  "hold: limit_exceeded",
  "hold: unknown_place",
  "hold: seat_unavailable",
  "hold: insufficient_capacity",
  "extend: done",
  "extend: done again",
  "extend: hold_not_extendable",
  "extend: hold_not_found",
  "extend: hold_expired",
  "extend: hold_released",
  "extend: hold_booked",
  "release: done",
  "release: unchanged",
  "release: hold_not_found",
  "release: hold_expired",
  "release: hold_booked",
  "book: done",
  "book: done again",
  "book: payment_required",
  "book: event_cancelled",
  "book: hold_not_found",
  "book: hold_expired",
  "book: hold_released",
  "book: hold_booked",
  "cancel: done",
  "cancel: done again",
  "cancel: booking_not_found",
  "getHold: hold",
  "getHold: hold_not_found",
  "watch: view",
  "inspect: actor",
  "audit: audit",
  "unwatch: unchanged",
];
