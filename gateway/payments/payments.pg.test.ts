import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { PAYMENT_BEGINS_IN_FLIGHT_MAX } from "../../engine/limits.ts";
import { PaymentsFixture } from "../../tests/support/payments-fixture.ts";
import type { PaymentProvider } from "./payment-provider.ts";

let fixture: PaymentsFixture;
before(async () => {
  fixture = await PaymentsFixture.start();
});
after(() => fixture.close());
beforeEach(() => {
  fixture.stripe.isDown = false;
  fixture.stripe.answersToLose = 0;
});

const countOf = (intentId: string): number =>
  [...fixture.stripe.intents.values()].filter(({ metadata }) => metadata.intentId === intentId)
    .length;

test("Stripe is asked for the amount, and told whose it is", async () => {
  const { payment, view } = await fixture.begin("stripe");
  const { intentId, eventId, bookingId } = payment;
  const { amount, currency, metadata, id } = fixture.stripe.intentOf(intentId);
  assert.deepEqual(
    { amount, currency, metadata },
    { amount: 4_500, currency: "eur", metadata: { intentId, eventId, bookingId } },
  );
  const clientSecret = `${id}_secret_x`;
  assert.deepEqual(view, { intentId, provider: "stripe", status: "open", clientSecret });
  assert.equal((await fixture.intents.find(intentId))?.providerRef, id);
});

test("a payment begun again is the same, whatever its event is called by then", async () => {
  const { payment, view } = await fixture.begin("stripe");
  fixture.stripe.forgetKeys();
  const again = await fixture.startNode().payments.begin({ ...payment, description: "Renamed" });
  assert.deepEqual(again, view);
  assert.equal(countOf(payment.intentId), 1);
});

test("payments begun at once on several nodes are one", async () => {
  const payment = fixture.order("stripe");
  const nodes = [fixture.startNode(), fixture.startNode(), fixture.node];
  const views = await Promise.all(nodes.map(({ payments }) => payments.begin(payment)));
  assert.equal(new Set(views.map(({ clientSecret }) => clientSecret)).size, 1);
  assert.equal(countOf(payment.intentId), 1);
});

test("a provider that is down, or loses its answer, is an answer; trying again gives the same intent", async () => {
  const payment = fixture.order("stripe");
  const unavailable = { code: "payment_provider_unavailable" };
  fixture.stripe.isDown = true;
  await assert.rejects(fixture.node.payments.begin(payment), unavailable);
  fixture.stripe.isDown = false;
  fixture.stripe.answersToLose = 2;
  await assert.rejects(fixture.node.payments.begin(payment), unavailable);
  const view = await fixture.node.payments.begin({ ...payment, description: "Renamed meanwhile" });
  assert.equal(view.status, "open");
  assert.equal(countOf(payment.intentId), 1);
});

test("a provider that refuses is an answer too, and an error in the log", async () => {
  const payment = fixture.order("stripe");
  const error = { type: "invalid_request_error", code: "amount_too_small", message: "small" };
  fixture.stripe.nextRefusal = { status: 400, body: { error } };
  await assert.rejects(fixture.node.payments.begin(payment), {
    code: "payment_provider_unavailable",
    message: "The payment provider refused this payment",
  });
  assert.ok(fixture.errors().includes("a provider refused to begin a payment"));
});

test("what has ended needs no way to pay", async () => {
  const { payment } = await fixture.begin("sandbox");
  await fixture.post(`/sandbox/${payment.intentId}/succeed`);
  const { intentId } = payment;
  const view = await fixture.node.payments.begin(payment);
  assert.deepEqual(view, { intentId, provider: "sandbox", status: "succeeded" });
});

test("a provider that is not configured is unknown, and leaves nothing behind", async () => {
  const payment = fixture.order("paypal");
  await assert.rejects(fixture.node.payments.begin(payment), { code: "payment_provider_unknown" });
  assert.equal(await fixture.intents.find(payment.intentId), null);
  assert.deepEqual(fixture.node.payments.providers, ["sandbox", "stripe"]);
});

test("one more than may wait for a provider is busy at once", async () => {
  let answer = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { sandbox } = fixture;
  const slow: PaymentProvider = {
    name: "sandbox",
    webhookHeaders: [],
    begin: (order) => gate.then(() => sandbox.begin(order)),
    resume: (intent) => sandbox.resume(intent),
    cancel: (intent) => sandbox.cancel(intent),
    lookUp: (intent) => sandbox.lookUp(intent),
    refund: (order) => sandbox.refund(order),
    readWebhook: (headers, body) => sandbox.readWebhook(headers, body),
  };
  const { payments } = fixture.startNode({ providers: [slow] });
  const begun = Array.from({ length: PAYMENT_BEGINS_IN_FLIGHT_MAX }, () =>
    payments.begin(fixture.order("sandbox")),
  );
  await assert.rejects(payments.begin(fixture.order("sandbox")), { code: "busy" });
  answer();
  await Promise.all(begun);
  assert.equal((await payments.begin(fixture.order("sandbox"))).status, "open");
});
