import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { PAYMENT_LEASE_MS, PAYMENT_RETRY_MS_MAX } from "../../engine/limits.ts";
import { freshId, PaymentsFixture } from "../../tests/support/payments-fixture.ts";
import type { NewIntent } from "./payment-intents.ts";
import type { ProviderEvent } from "./payment-provider.ts";
import type { SettlePort } from "./settle-port.ts";

let fixture: PaymentsFixture;
before(async () => {
  fixture = await PaymentsFixture.start();
});
after(() => fixture.close());
beforeEach(() => {
  fixture.actors.isBusy = false;
  fixture.actors.settlements.length = 0;
  fixture.logged.length = 0;
});

const messages = (intentId: string) =>
  fixture.rows(
    `SELECT provider_event_id AS id, outcome, result, tries, processed_at IS NOT NULL AS processed
     FROM payment_inbox WHERE intent_id = $1 ORDER BY received_at, provider_event_id`,
    [intentId],
  );
const statusOf = (intentId: string) => fixture.actors.booking(intentId).status;

function eventOf(payment: NewIntent, change: Partial<ProviderEvent> = {}): ProviderEvent {
  return {
    providerEventId: `evt_${freshId()}`,
    intentId: payment.intentId,
    providerRef: `sandbox_${payment.intentId}`,
    outcome: "succeeded",
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    occurredMs: 1_700_000_000_000,
    ...change,
  };
}

async function take(event: ProviderEvent): Promise<{ isNew: boolean; isProcessed: boolean }> {
  const { isNew, isProcessed } = await fixture.node.inboxRunner.take("sandbox", event);
  return { isNew, isProcessed: await isProcessed };
}

test("a payment confirms its booking, and the actor hears what the intent was about", async () => {
  const { payment } = await fixture.begin("sandbox");
  const event = eventOf(payment);
  assert.deepEqual(await take(event), { isNew: true, isProcessed: true });
  assert.equal(statusOf(payment.intentId), "confirmed");
  assert.deepEqual(fixture.actors.settlements, [
    {
      intentId: payment.intentId,
      outcome: "succeeded",
      amountMinor: 4_500,
      currency: "EUR",
      provider: "sandbox",
      providerRef: `sandbox_${payment.intentId}`,
      providerEventId: event.providerEventId,
      atMs: 1_700_000_000_000,
    },
  ]);
  const intent = await fixture.intents.find(payment.intentId);
  assert.deepEqual([intent?.status, intent?.isSettled], ["succeeded", true]);
});

test("the same message twice, one after the other or at once, is one message", async () => {
  const { payment } = await fixture.begin("sandbox");
  const event = eventOf(payment);
  const taken = await Promise.all([take(event), take(event), take(event)]);
  assert.equal(taken.filter(({ isNew }) => isNew).length, 1);
  assert.deepEqual(await take(event), { isNew: false, isProcessed: false });
  assert.equal(fixture.actors.settlements.length, 1);
  assert.equal((await messages(payment.intentId)).length, 1);
});

test("a second message with the same news does not go to the actor again", async () => {
  const { payment } = await fixture.begin("sandbox");
  await take(eventOf(payment));
  assert.equal((await take(eventOf(payment))).isProcessed, true);
  assert.equal(fixture.actors.settlements.length, 1);
  const results = (await messages(payment.intentId)).map(({ result }) => result);
  assert.deepEqual(results.sort(), ["done", "known"]);
});

test("a failure that is heard of after the success changes nothing", async () => {
  const { payment } = await fixture.begin("sandbox");
  await take(eventOf(payment));
  await take(eventOf(payment, { outcome: "failed" }));
  await take(eventOf(payment, { outcome: "canceled" }));
  assert.equal(statusOf(payment.intentId), "confirmed");
  assert.equal(fixture.actors.settlements.length, 1);
  assert.equal((await fixture.intents.find(payment.intentId))?.status, "succeeded");
});

test("a success that is heard of after the failure is late money: the actor decides", async () => {
  const { payment } = await fixture.begin("sandbox");
  await take(eventOf(payment, { outcome: "failed" }));
  assert.equal(statusOf(payment.intentId), "failed");
  await take(eventOf(payment));
  assert.equal(statusOf(payment.intentId), "confirmed");

  const { payment: unlucky } = await fixture.begin("sandbox");
  fixture.actors.booking(unlucky.intentId).arePlacesGone = true;
  await take(eventOf(unlucky, { outcome: "canceled" }));
  await take(eventOf(unlucky));
  await take(eventOf(unlucky));
  assert.equal((await fixture.refundRows(unlucky.intentId)).length, 1);
});

test("late money is told until the actor has heard of it, though it knew of the failure", async () => {
  const { payment } = await fixture.begin("sandbox");
  await take(eventOf(payment, { outcome: "failed" }));
  fixture.actors.isBusy = true;
  assert.equal((await take(eventOf(payment))).isProcessed, false);
  fixture.actors.isBusy = false;
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  await fixture.node.inboxRunner.runBatch();
  assert.equal(statusOf(payment.intentId), "confirmed");
});

test("a payment with the wrong amount or currency confirms nothing and goes back as it came", async () => {
  for (const change of [{ amountMinor: 45 }, { currency: "USD" }]) {
    const { payment } = await fixture.begin("sandbox");
    const wrong = eventOf(payment, change);
    await take(wrong);
    await take({ ...wrong, providerEventId: `again ${wrong.providerEventId}` });
    // The right amount after it would be a second payment of one intent: a person has to look.
    await take(eventOf(payment));
    assert.equal(statusOf(payment.intentId), "failed");
    const refunds = await fixture.refundRows(payment.intentId);
    assert.equal(refunds.length, 1);
    const [{ amount_minor, currency, reason, status } = {}] = refunds;
    assert.deepEqual(
      { amount_minor, currency, reason, status },
      {
        amount_minor: String(wrong.amountMinor),
        currency: wrong.currency,
        reason: "amount_mismatch",
        status: "due",
      },
    );
    assert.equal((await fixture.intents.find(payment.intentId))?.status, "mismatch");
  }
  assert.ok(fixture.errors().length >= 2);
});

test("a second amount for a payment that was right gives nothing back", async () => {
  const { payment } = await fixture.begin("sandbox");
  await take(eventOf(payment));
  await take(eventOf(payment, { amountMinor: 45 }));
  assert.equal(statusOf(payment.intentId), "confirmed");
  assert.deepEqual(await fixture.refundRows(payment.intentId), []);
  assert.deepEqual(fixture.errors(), ["a payment was reported with a second amount"]);
});

test("money for a booking that no actor knows goes back once, whatever is heard of it", async () => {
  const { payment } = await fixture.begin("sandbox");
  fixture.actors.bookings.delete(payment.intentId);
  await Promise.all([take(eventOf(payment)), take(eventOf(payment)), take(eventOf(payment))]);
  await take(eventOf(payment));
  const [refund, ...more] = await fixture.refundRows(payment.intentId);
  assert.deepEqual([refund?.reason, refund?.amount_minor], ["booking_unknown", "4500"]);
  assert.deepEqual(more, []);
});

test("a failure of a booking that no actor knows is put away", async () => {
  const { payment } = await fixture.begin("sandbox");
  fixture.actors.bookings.delete(payment.intentId);
  await take(eventOf(payment, { outcome: "failed" }));
  assert.deepEqual(await fixture.refundRows(payment.intentId), []);
  assert.equal((await messages(payment.intentId))[0]?.result, "unknown");
});

test("payments that were not asked for here are neither confirmed nor refunded", async () => {
  const { payment } = await fixture.begin("stripe");
  const stray = fixture.order("sandbox");
  await take(eventOf(stray));
  // The sandbox can't pay what Stripe was asked for.
  await take(eventOf(payment));
  for (const { intentId } of [stray, payment]) {
    assert.equal(statusOf(intentId), "pending");
    assert.deepEqual(await fixture.refundRows(intentId), []);
    assert.equal((await messages(intentId))[0]?.result, "foreign");
  }
  assert.equal(fixture.actors.settlements.length, 0);
});

test("a busy actor is asked again later, and its message is not lost meanwhile", async () => {
  const { payment } = await fixture.begin("sandbox");
  fixture.actors.isBusy = true;
  assert.deepEqual(await take(eventOf(payment)), { isNew: true, isProcessed: false });
  assert.equal(await fixture.node.inboxRunner.runBatch(), 0, "not before its pause is over");
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  await fixture.node.inboxRunner.runBatch();
  assert.equal(statusOf(payment.intentId), "pending");
  fixture.actors.isBusy = false;
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  await fixture.node.inboxRunner.runBatch();
  assert.equal(statusOf(payment.intentId), "confirmed");
  assert.equal((await messages(payment.intentId))[0]?.tries, 3);
});

test("what a node kept and did not work on before it died, another one does", async () => {
  const { payment } = await fixture.begin("sandbox");
  let hasReached = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    hasReached = resolve;
  });
  // A node that dies while it talks to the actor: the actor did it, and nobody heard the answer.
  const actors: SettlePort = {
    async settle(settlement) {
      await fixture.actors.settle(settlement);
      hasReached();
      return new Promise(() => undefined);
    },
    refunded: () => new Promise(() => undefined),
  };
  const dying = fixture.startNode({ actors });
  await dying.inboxRunner.take("sandbox", eventOf(payment));
  await reached;
  assert.equal(await fixture.node.inboxRunner.runBatch(), 0, "still the other's");
  fixture.pass(PAYMENT_LEASE_MS + 1);
  assert.equal(await fixture.startNode().inboxRunner.runBatch(), 1);
  assert.equal(statusOf(payment.intentId), "confirmed");
  assert.equal(fixture.actors.settlements.length, 2, "told twice, which is harmless");
  assert.equal((await fixture.intents.find(payment.intentId))?.isSettled, true);
});

test("several nodes share what is due: nothing is worked on twice", async () => {
  fixture.actors.isBusy = true;
  const payments = await Promise.all(Array.from({ length: 12 }, () => fixture.begin("sandbox")));
  for (const { payment } of payments) await take(eventOf(payment));
  fixture.actors.isBusy = false;
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  const nodes = [fixture.startNode(), fixture.startNode(), fixture.startNode()];
  await Promise.all(nodes.map(({ inboxRunner }) => inboxRunner.runBatch()));
  while ((await fixture.node.inboxRunner.runBatch()) > 0);
  const heard = fixture.actors.settlements.map(({ intentId }) => intentId).sort();
  assert.deepEqual(heard, payments.map(({ payment }) => payment.intentId).sort());
});
