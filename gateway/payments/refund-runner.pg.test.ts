import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { PAYMENT_LEASE_MS, PAYMENT_RETRY_MS_MAX } from "../../engine/limits.ts";
import { freshId, PaymentsFixture } from "../../tests/support/payments-fixture.ts";
import type { NewIntent } from "./payment-intents.ts";
import type { PaymentProvider, RefundReport } from "./payment-provider.ts";
import type { SettlePort } from "./settle-port.ts";

let fixture: PaymentsFixture;
before(async () => {
  fixture = await PaymentsFixture.start();
});
after(() => fixture.close());
beforeEach(async () => {
  fixture.actors.isBusy = false;
  fixture.actors.notices.length = 0;
  fixture.logged.length = 0;
  fixture.stripe.isDown = false;
  fixture.stripe.refundStatus = "succeeded";
  await fixture.pool.query("DELETE FROM refunds");
});

/** A paid intent, and a refund of it that its actor decided. */
async function decided(provider: "sandbox" | "stripe", amountMinor?: number) {
  const { payment } = await fixture.begin(provider);
  if (provider === "stripe") fixture.stripe.pay(fixture.stripe.intentOf(payment.intentId).id);
  else await fixture.post(`/sandbox/${payment.intentId}/succeed`);
  const refundId = freshId();
  await fixture.actors.project(payment, refundId, amountMinor);
  return { payment, refundId };
}

const givenBack = (payment: NewIntent): number[] =>
  fixture.stripe
    .refundsOf(fixture.stripe.intentOf(payment.intentId).id)
    .map(({ amount }) => amount);

async function rowOf(refundId: string): Promise<Record<string, unknown>> {
  const [row] = await fixture.rows("SELECT * FROM refunds WHERE refund_id = $1", [refundId]);
  return row ?? {};
}

/** Stripe, but its caller never gets the answer: they died. */
function deaf(): { provider: PaymentProvider; asked: Promise<RefundReport> } {
  const stripe = fixture.stripeProvider();
  let hear = (_: RefundReport): void => undefined;
  const asked = new Promise<RefundReport>((resolve) => {
    hear = resolve;
  });
  const provider: PaymentProvider = {
    name: "stripe",
    webhookHeaders: [],
    begin: (order) => stripe.begin(order),
    resume: (intent) => stripe.resume(intent),
    cancel: (intent) => stripe.cancel(intent),
    lookUp: (intent) => stripe.lookUp(intent),
    readWebhook: (headers, body) => stripe.readWebhook(headers, body),
    async refund(order) {
      hear(await stripe.refund(order));
      return new Promise(() => undefined);
    },
  };
  return { provider, asked };
}

test("a refund is paid out, written down and told, and then left alone", async () => {
  for (const name of ["sandbox", "stripe"] as const) {
    const { payment, refundId } = await decided(name);
    assert.equal(await fixture.node.refundRunner.runBatch(), 1);
    const { status, tries, provider_refund_ref: ref } = await rowOf(refundId);
    assert.deepEqual([status, tries], ["done", 1]);
    assert.match(String(ref), /^(sandbox|re)_/);
    const { eventId, bookingId, intentId } = payment;
    const [notice, ...more] = fixture.actors.notices.splice(0);
    const { atMs = 0, ...told } = notice ?? {};
    const outcome = "succeeded";
    assert.deepEqual(told, { eventId, bookingId, intentId, refundId, outcome });
    assert.ok(atMs > 0);
    assert.deepEqual(more, []);
    fixture.pass(PAYMENT_RETRY_MS_MAX);
    assert.equal(await fixture.node.refundRunner.runBatch(), 0);
  }
});

test("parts of a payment go back one by one, and never more than was paid", async () => {
  const { payment } = await decided("stripe", 1_500);
  await fixture.actors.project(payment, freshId(), 3_000);
  await fixture.node.refundRunner.runBatch();
  assert.deepEqual(givenBack(payment).sort(), [1_500, 3_000]);
  const { payment: played } = await decided("sandbox", 4_000);
  const tooMuch = freshId();
  await fixture.node.refundRunner.runBatch();
  await fixture.actors.project(played, tooMuch, 501);
  await fixture.node.refundRunner.runBatch();
  assert.equal((await rowOf(tooMuch)).status, "failed");
  const [ledger] = await fixture.rows(
    "SELECT refunded_minor FROM sandbox_intents WHERE intent_id = $1",
    [played.intentId],
  );
  assert.equal(ledger?.refunded_minor, "4000");
});

test("money goes back once when the node dies between the provider's answer and its own row", async () => {
  for (const forgetsKeys of [false, true]) {
    const { payment, refundId } = await decided("stripe", 1_500);
    const { provider, asked } = deaf();
    void fixture.startNode({ providers: [provider] }).refundRunner.runBatch();
    await asked;
    assert.deepEqual(givenBack(payment), [1_500]);
    assert.equal((await rowOf(refundId)).status, "sent");
    assert.equal(await fixture.node.refundRunner.runBatch(), 0, "still the other's");
    // The provider would give this part once more. However late somebody takes it over: the key
    // may be forgotten, the refund is found.
    if (forgetsKeys) fixture.stripe.forgetKeys();
    fixture.pass(PAYMENT_LEASE_MS + 1);
    assert.equal(await fixture.startNode().refundRunner.runBatch(), 1);
    assert.deepEqual(givenBack(payment), [1_500]);
    assert.equal((await rowOf(refundId)).status, "done");
    assert.equal(fixture.actors.notices.splice(0).length, 1);
  }
});

test("money goes back when the node dies after its claim and before it asked", async () => {
  const { payment, refundId } = await decided("stripe");
  await fixture.pool.query(
    "UPDATE refunds SET status = 'sent', tries = 1, next_try_ms = $2 WHERE refund_id = $1",
    [refundId, fixture.clock.wallMs() + PAYMENT_LEASE_MS],
  );
  fixture.pass(PAYMENT_LEASE_MS + 1);
  await fixture.node.refundRunner.runBatch();
  assert.deepEqual(givenBack(payment), [4_500]);
  assert.equal((await rowOf(refundId)).status, "done");
});

test("the actor is told when the node dies between its row and the telling", async () => {
  const { payment, refundId } = await decided("stripe");
  let hear = (): void => undefined;
  const told = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const actors: SettlePort = {
    settle: () => new Promise(() => undefined),
    refunded() {
      hear();
      return new Promise(() => undefined);
    },
  };
  void fixture.startNode({ actors }).refundRunner.runBatch();
  await told;
  fixture.pass(PAYMENT_LEASE_MS + 1);
  await fixture.node.refundRunner.runBatch();
  assert.deepEqual(
    fixture.actors.notices.map((notice) => notice.refundId),
    [refundId],
  );
  assert.deepEqual(givenBack(payment), [4_500]);
});

test("several nodes pay a refund once", async () => {
  const refunds = [];
  for (let count = 0; count < 8; count += 1) refunds.push(await decided("stripe"));
  fixture.stripe.requests.length = 0;
  const nodes = [fixture.startNode(), fixture.startNode(), fixture.startNode()];
  await Promise.all(nodes.map(({ refundRunner }) => refundRunner.runBatch()));
  while ((await fixture.node.refundRunner.runBatch()) > 0);
  for (const { payment } of refunds) assert.deepEqual(givenBack(payment), [4_500]);
  assert.equal(fixture.actors.notices.length, 8);
  const asked = fixture.stripe.requests.filter((request) => request === "POST /v1/refunds");
  assert.equal(asked.length, 8);
});

test("a provider that is down is asked again; a lost answer is not a second refund", async () => {
  const { payment, refundId } = await decided("stripe");
  fixture.stripe.isDown = true;
  await fixture.node.refundRunner.runBatch();
  const waiting = await rowOf(refundId);
  assert.deepEqual([waiting.status, waiting.reported_ms], ["sent", null]);
  assert.match(String(waiting.last_error), /StripeConnectionError/);
  fixture.stripe.isDown = false;
  // Both of the library's tries are heard, neither is answered.
  fixture.stripe.answersToLose = 1 + 2;
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  await fixture.node.refundRunner.runBatch();
  fixture.stripe.answersToLose = 0;
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  await fixture.node.refundRunner.runBatch();
  assert.deepEqual(givenBack(payment), [4_500]);
  assert.equal((await rowOf(refundId)).status, "done");
  assert.deepEqual(fixture.errors(), []);
});

test("a busy actor is told later, and the provider is not asked again for that", async () => {
  const { payment, refundId } = await decided("stripe");
  fixture.actors.isBusy = true;
  await fixture.node.refundRunner.runBatch();
  const { status, reported_ms: reportedMs } = await rowOf(refundId);
  assert.deepEqual([status, reportedMs], ["done", null]);
  fixture.actors.isBusy = false;
  const requests = fixture.stripe.requests.length;
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  await fixture.node.refundRunner.runBatch();
  assert.equal(fixture.stripe.requests.length, requests);
  assert.equal(fixture.actors.notices.length, 1);
  assert.deepEqual(givenBack(payment), [4_500]);
});

test("a refusal for good is failed, told and shouted about; nothing less is", async () => {
  const { refundId } = await decided("stripe");
  const error = { type: "invalid_request_error", code: "charge_disputed", message: "disputed" };
  fixture.stripe.nextRefusal = { status: 400, body: { error } };
  await fixture.node.refundRunner.runBatch();
  const { status, last_error: reason } = await rowOf(refundId);
  assert.equal(status, "failed");
  assert.match(String(reason), /charge_disputed/);
  assert.equal(fixture.actors.notices[0]?.outcome, "failed");
  assert.deepEqual(fixture.errors(), ["a refund was refused for good: pay it by hand"]);
  const refusals = [
    { status: 400, code: "balance_insufficient", type: "invalid_request_error" },
    { status: 401, type: "invalid_request_error" },
    { status: 403, type: "invalid_request_error" },
    { status: 429, type: "rate_limit_error" },
  ];
  for (const { status: answer, ...refusal } of refusals) {
    const { refundId: later } = await decided("stripe");
    fixture.stripe.nextRefusal = { status: answer, body: { error: refusal } };
    await fixture.node.refundRunner.runBatch();
    assert.equal((await rowOf(later)).status, "sent", String(answer));
    fixture.pass(PAYMENT_RETRY_MS_MAX);
    await fixture.node.refundRunner.runBatch();
    assert.equal((await rowOf(later)).status, "done", String(answer));
  }
});

test("money that is on its way is done when it has arrived", async () => {
  fixture.stripe.refundStatus = "pending";
  const { payment, refundId } = await decided("stripe");
  await fixture.node.refundRunner.runBatch();
  assert.equal((await rowOf(refundId)).status, "sent");
  assert.deepEqual(fixture.actors.notices, []);
  for (const refund of fixture.stripe.refunds.values()) refund.status = "succeeded";
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  await fixture.node.refundRunner.runBatch();
  assert.equal((await rowOf(refundId)).status, "done");
  assert.deepEqual(givenBack(payment), [4_500]);
});

test("a refund that failed at the provider is sent once more when a person says so, and only then", async () => {
  const { payment, refundId } = await decided("stripe", 1_500);
  const tries = (): number =>
    fixture.stripe.refundsOf(fixture.stripe.intentOf(payment.intentId).id).length;
  const setBack = () =>
    fixture.pool.query(
      `UPDATE refunds SET status = 'sent', reported_ms = NULL, next_try_ms = 0
       WHERE refund_id = $1`,
      [refundId],
    );
  fixture.stripe.refundStatus = "failed";
  for (const made of [1, 2]) {
    await fixture.node.refundRunner.runBatch();
    assert.deepEqual([(await rowOf(refundId)).status, tries()], ["failed", made]);
    fixture.pass(PAYMENT_RETRY_MS_MAX);
    assert.equal(await fixture.node.refundRunner.runBatch(), 0);
    await setBack();
  }
  fixture.stripe.refundStatus = "succeeded";
  // Of the third one nobody hears, and the provider forgets its key: it is found.
  const { provider, asked } = deaf();
  void fixture.startNode({ providers: [provider] }).refundRunner.runBatch();
  await asked;
  fixture.stripe.forgetKeys();
  fixture.pass(PAYMENT_LEASE_MS + 1);
  await fixture.node.refundRunner.runBatch();
  assert.deepEqual([(await rowOf(refundId)).status, tries()], ["done", 3]);
  assert.equal(fixture.actors.notices.at(-1)?.outcome, "succeeded");
});

test("money that somebody gave back by hand is back", async () => {
  const { payment, refundId } = await decided("stripe");
  const { id } = fixture.stripe.intentOf(payment.intentId);
  await fixture.stripeProvider().refund({
    refundId: freshId(),
    intentId: payment.intentId,
    providerRef: id,
    amountMinor: 4_500,
    currency: "EUR",
    isRepeated: false,
    failedRef: null,
  });
  await fixture.node.refundRunner.runBatch();
  assert.equal((await rowOf(refundId)).status, "done");
  assert.deepEqual(givenBack(payment), [4_500]);
});

test("a refund waits for a provider that this node does not have", async () => {
  const { payment, refundId } = await decided("stripe");
  await fixture.startNode({ providers: [fixture.sandbox] }).refundRunner.runBatch();
  assert.match(String((await rowOf(refundId)).last_error), /not configured/);
  fixture.pass(PAYMENT_RETRY_MS_MAX);
  await fixture.node.refundRunner.runBatch();
  assert.deepEqual(givenBack(payment), [4_500]);
});

test("money that no booking wanted goes back too, though there is nobody to tell", async () => {
  const { payment } = await fixture.begin("sandbox");
  fixture.actors.bookings.delete(payment.intentId);
  await fixture.post(`/sandbox/${payment.intentId}/succeed`);
  await fixture.node.refundRunner.runBatch();
  const [refund] = await fixture.refundRows(payment.intentId);
  assert.equal(refund?.status, "done");
  assert.notEqual(refund?.reported_ms, null);
});
