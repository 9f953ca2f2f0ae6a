import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { PAYMENT_CANCEL_GRACE_MS, PAYMENT_NEWS_MS } from "../../engine/limits.ts";
import { PaymentsFixture } from "../../tests/support/payments-fixture.ts";
import type { NewIntent } from "./payment-intents.ts";
import { ProviderRefused } from "./payment-provider.ts";

let fixture: PaymentsFixture;
before(async () => {
  fixture = await PaymentsFixture.start();
});
after(() => fixture.close());
beforeEach(async () => {
  fixture.stripe.isDown = false;
  fixture.stripe.answersToLose = 0;
  fixture.actors.settlements.length = 0;
  await fixture.pool.query("DELETE FROM payment_intents");
});

const statusOf = ({ intentId }: NewIntent) => fixture.actors.booking(intentId).status;
const refOf = ({ intentId }: NewIntent) => fixture.stripe.intentOf(intentId).id;
const look = () => fixture.node.reconciler.runBatch();

function passWindow({ payUntilMs }: NewIntent): void {
  fixture.pass(payUntilMs + PAYMENT_CANCEL_GRACE_MS - fixture.clock.wallMs() + 1);
}

test("a payment whose message was lost is found by asking, and the late message is harmless", async () => {
  const { payment } = await fixture.begin("stripe");
  const ref = refOf(payment);
  fixture.stripe.pay(ref);
  assert.equal(await look(), 0, "it is given time to come by itself");
  fixture.pass(PAYMENT_NEWS_MS + 1);
  assert.equal(await look(), 1);
  assert.equal(statusOf(payment), "confirmed");
  const [{ id } = {}] = await fixture.rows(
    "SELECT provider_event_id AS id FROM payment_inbox WHERE intent_id = $1",
    [payment.intentId],
  );
  assert.equal(id, `lookup:${payment.intentId}:succeeded`);
  const late = fixture.stripe.webhook("payment_intent.succeeded", ref);
  assert.equal((await fixture.post("/webhooks/stripe", late.body, late.headers)).status, 200);
  await fixture.node.inboxRunner.drained();
  assert.equal(fixture.actors.settlements.length, 1);
  fixture.pass(PAYMENT_NEWS_MS * 10);
  assert.equal(await look(), 0, "there is nothing more to learn");
});

test("the sandbox's lost messages are found too", async () => {
  const { payment } = await fixture.begin("sandbox");
  await fixture.post(`/sandbox/${payment.intentId}/succeed`, { deliver: false });
  assert.equal(statusOf(payment), "pending");
  fixture.pass(PAYMENT_NEWS_MS + 1);
  await look();
  assert.equal(statusOf(payment), "confirmed");
});

test("an unpaid payment is left alone in its window and cancelled after it", async () => {
  for (const provider of ["stripe", "sandbox"]) {
    const { payment } = await fixture.begin(provider);
    fixture.pass(PAYMENT_NEWS_MS + 1);
    assert.equal(await look(), 1);
    assert.equal(statusOf(payment), "pending");
    passWindow(payment);
    assert.equal(await look(), 1, "the end of the window is not slept through");
    assert.equal(statusOf(payment), "failed");
    assert.equal((await fixture.intents.find(payment.intentId))?.status, "canceled");
    if (provider === "stripe") {
      assert.equal(fixture.stripe.intent(refOf(payment)).status, "canceled");
    }
    assert.equal(await look(), 0);
  }
});

test("the sandbox still pays what was cancelled, as money does that was under way", async () => {
  const { payment } = await fixture.begin("sandbox");
  passWindow(payment);
  await look();
  await fixture.post(`/sandbox/${payment.intentId}/succeed`);
  assert.equal(statusOf(payment), "confirmed");
});

test("a payment that comes between the look and the cancellation is a payment", async () => {
  const { payment } = await fixture.begin("stripe");
  const stripe = fixture.stripeProvider();
  const [known] = [{ intentId: payment.intentId, providerRef: refOf(payment) }];
  fixture.stripe.pay(known.providerRef);
  const report = { status: "succeeded", amountMinor: 4_500, currency: "EUR" };
  assert.deepEqual(await stripe.cancel(known), report);
});

test("money under way is neither cancelled nor confirmed", async () => {
  const { payment } = await fixture.begin("stripe");
  fixture.stripe.intent(refOf(payment)).status = "processing";
  passWindow(payment);
  await look();
  assert.equal(statusOf(payment), "pending");
  fixture.stripe.pay(refOf(payment));
  fixture.pass(PAYMENT_NEWS_MS * 2);
  await look();
  assert.equal(statusOf(payment), "confirmed");
});

test("a provider that is down is asked again, ever more rarely", async () => {
  const { payment } = await fixture.begin("stripe");
  passWindow(payment);
  fixture.stripe.isDown = true;
  await look();
  assert.equal(await look(), 0);
  fixture.stripe.isDown = false;
  fixture.pass(PAYMENT_NEWS_MS + 1);
  await look();
  assert.equal(statusOf(payment), "failed");
});

test("an intent whose creation was never answered is found and cancelled, not left open", async () => {
  const payment = fixture.order("stripe");
  fixture.stripe.answersToLose = 2;
  await assert.rejects(fixture.node.payments.begin(payment), {
    code: "payment_provider_unavailable",
  });
  assert.equal((await fixture.intents.find(payment.intentId))?.providerRef, null);
  passWindow(payment);
  await look();
  assert.equal(fixture.stripe.intent(refOf(payment)).status, "canceled");
  assert.equal(statusOf(payment), "failed");
});

test("a payment that its provider refuses to begin ends with its window, and is not asked for ever", async () => {
  const refusing = {
    name: "sandbox",
    webhookHeaders: [],
    begin: () => Promise.reject(new ProviderRefused("too small an amount")),
    resume: () => Promise.reject(new Error("there is nothing to resume")),
    cancel: () => Promise.reject(new Error("there is nothing to cancel")),
    lookUp: () => Promise.reject(new Error("there is nothing to look up")),
    refund: () => Promise.reject(new Error("there is nothing to give back")),
    readWebhook: () => Promise.resolve(null),
  } as const;
  const node = fixture.startNode({ providers: [refusing] });
  const payment = fixture.order("sandbox");
  await assert.rejects(node.payments.begin(payment), { code: "payment_provider_unavailable" });
  fixture.pass(PAYMENT_NEWS_MS + 1);
  assert.equal(await node.reconciler.runBatch(), 1);
  assert.equal(statusOf(payment), "pending", "its window is not over");
  passWindow(payment);
  assert.equal(await node.reconciler.runBatch(), 1);
  assert.equal(statusOf(payment), "failed");
  assert.equal((await fixture.intents.find(payment.intentId))?.status, "canceled");
  fixture.pass(PAYMENT_NEWS_MS * 100);
  assert.equal(await node.reconciler.runBatch(), 0);
});

test("a wrong amount that is found by asking confirms nothing and goes back", async () => {
  const { payment } = await fixture.begin("stripe");
  fixture.stripe.pay(refOf(payment), 45);
  fixture.pass(PAYMENT_NEWS_MS + 1);
  await look();
  assert.equal(statusOf(payment), "failed");
  assert.equal((await fixture.refundRows(payment.intentId))[0]?.amount_minor, "45");
  await fixture.node.refundRunner.runBatch();
  assert.deepEqual(
    fixture.stripe.refundsOf(refOf(payment)).map(({ amount }) => amount),
    [45],
  );
});
