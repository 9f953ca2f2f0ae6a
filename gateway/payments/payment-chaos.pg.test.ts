/**
 * Whatever gets lost, doubled, delayed or swapped, and wherever a node fails: every payment either
 * confirms its booking or is back with the buyer, once.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PAYMENT_CANCEL_GRACE_MS, PAYMENT_NEWS_MS_MAX } from "../../engine/limits.ts";
import {
  faultyActors,
  faultyProvider,
  faultyRows,
  type Random,
  randomOf,
} from "../../tests/support/faulty-parts.ts";
import {
  type PaymentNode,
  PaymentsFixture,
  WINDOW_MS,
} from "../../tests/support/payments-fixture.ts";
import type { NewIntent } from "./payment-intents.ts";
import type { ProviderEvent } from "./payment-provider.ts";

const SEED = Number(process.env.PAYMENTS_SEED ?? Date.now() % 1_000_000);
const PAYMENTS = 40;
const STEPS = 150;
const KINDS = ["paid", "lost", "late", "failed first", "wrong amount", "unpaid"] as const;
type Kind = (typeof KINDS)[number];

interface Case {
  readonly kind: Kind;
  readonly payment: NewIntent;
}

let fixture: PaymentsFixture;
before(async () => {
  fixture = await PaymentsFixture.start();
});
after(() => fixture.close());

const one = <T>(random: Random, of: readonly T[]): T => {
  const chosen = of[Math.floor(random() * of.length)];
  if (chosen === undefined) throw new Error("nothing to choose from");
  return chosen;
};

/** What the provider takes note of, and the messages that it means to send of it. */
async function happen({ kind, payment }: Case): Promise<ProviderEvent[]> {
  const say = async (outcome: ProviderEvent["outcome"], amountMinor: number | null = null) => {
    const event = await fixture.sandbox.happen(payment.intentId, {
      outcome,
      amountMinor,
      currency: null,
      providerEventId: null,
      occurredMs: null,
    });
    if (event === null) throw new Error("the sandbox does not know its own intent");
    return event;
  };
  switch (kind) {
    case "paid":
    case "late":
      return [await say("succeeded")];
    case "failed first":
      return [await say("failed"), await say("succeeded")];
    case "wrong amount":
      return [await say("succeeded", 17)];
    case "lost":
      await say("succeeded");
      return [];
    case "unpaid":
      return [];
  }
}

/** Never throws: what fails is left, as a node leaves what it did when it dies. */
async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  return work().then(
    () => true,
    () => false,
  );
}

async function insist(work: () => Promise<unknown>): Promise<void> {
  while (!(await attempt(work)));
}

function step(random: Random, { inboxRunner, refundRunner, reconciler }: PaymentNode) {
  return attempt(() => one(random, [inboxRunner, refundRunner, reconciler]).runBatch());
}

async function settleEverything(): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    fixture.pass(PAYMENT_NEWS_MS_MAX + 1);
    const { inboxRunner, refundRunner, reconciler } = fixture.node;
    const found =
      (await reconciler.runBatch()) +
      (await inboxRunner.runBatch()) +
      (await refundRunner.runBatch());
    quiet = found === 0 ? quiet + 1 : 0;
  }
}

async function judge({ kind, payment }: Case): Promise<void> {
  const { status } = fixture.actors.booking(payment.intentId);
  const [ledger] = await fixture.rows(
    "SELECT paid_minor, refunded_minor FROM sandbox_intents WHERE intent_id = $1",
    [payment.intentId],
  );
  const [paid, back] = [Number(ledger?.paid_minor), Number(ledger?.refunded_minor)];
  const what = `${kind}: booking ${status}, paid ${paid}, back ${back}, seed ${SEED}`;
  assert.notEqual(status, "pending", what);
  assert.equal(back, status === "confirmed" ? 0 : paid, what);
  if (kind === "paid" || kind === "lost") assert.equal(status, "confirmed", what);
  if (kind === "unpaid") assert.deepEqual([status, paid], ["failed", 0], what);
  if (kind === "wrong amount") assert.deepEqual([status, paid], ["failed", 17], what);
}

test(`every payment confirms or goes back, once (PAYMENTS_SEED=${SEED} node --import tsx tests/run.ts payment-chaos)`, async () => {
  const random = randomOf(SEED);
  const nodes = [1, 2].map(() =>
    fixture.startNode({
      rows: faultyRows(fixture.rowsOfPayments, random),
      providers: [faultyProvider(fixture.sandbox, random)],
      actors: faultyActors(fixture.actors, random),
    }),
  );
  const cases: Case[] = [];
  for (let count = 0; count < PAYMENTS; count += 1) {
    const payment = fixture.order("sandbox");
    await insist(() => one(random, nodes).payments.begin(payment));
    cases.push({ kind: one(random, KINDS), payment });
    fixture.actors.booking(payment.intentId).arePlacesGone = random() < 0.5;
  }
  const due: ProviderEvent[] = [];
  const happenAll = async (isLate: boolean): Promise<void> => {
    for (const each of cases) {
      if ((each.kind === "late") === isLate) due.push(...(await happen(each)));
    }
  };
  const deliverAll = async (): Promise<void> => {
    for (const event of due) {
      await insist(() => one(random, nodes).inboxRunner.take("sandbox", event));
    }
  };
  await happenAll(false);
  for (let count = 0; count < STEPS; count += 1) {
    if (count === STEPS / 2) {
      await deliverAll();
      fixture.pass(WINDOW_MS + PAYMENT_CANCEL_GRACE_MS);
      await happenAll(true);
    }
    // Any message, again and again, in any order.
    const event = one(random, due);
    await attempt(() => one(random, nodes).inboxRunner.take("sandbox", event));
    await step(random, one(random, nodes));
    fixture.pass(Math.floor(random() * 3_000));
  }
  await deliverAll();
  for (const { inboxRunner } of nodes) await inboxRunner.drained();
  await settleEverything();
  for (const each of cases) await judge(each);
  const left = await fixture.rows(
    `SELECT 1 FROM payment_inbox WHERE processed_at IS NULL
     UNION ALL SELECT 1 FROM refunds WHERE reported_ms IS NULL OR status <> 'done'`,
  );
  assert.deepEqual(left, [], `seed ${SEED}`);
});
