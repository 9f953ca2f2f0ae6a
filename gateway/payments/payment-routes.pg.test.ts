import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { WEBHOOK_AGE_MS_MAX } from "../../engine/limits.ts";
import { freshId, PaymentsFixture, SANDBOX_SECRET } from "../../tests/support/payments-fixture.ts";
import { signMessage } from "./signed-message.ts";

let fixture: PaymentsFixture;
before(async () => {
  fixture = await PaymentsFixture.start();
});
after(() => fixture.close());
beforeEach(() => {
  fixture.actors.settlements.length = 0;
});

const statusOf = (intentId: string) => fixture.actors.booking(intentId).status;

/** Sends a message of the sandbox as it signs them, unless `change` says otherwise. */
function send(message: object | string, change: { id?: string; atMs?: number; secret?: string }) {
  const body = typeof message === "string" ? message : JSON.stringify(message);
  const {
    id = `msg_${freshId()}`,
    atMs = fixture.clock.wallMs(),
    secret = SANDBOX_SECRET,
  } = change;
  const headers = { ...signMessage(secret, { id, atMs, body }) };
  return fixture.post("/webhooks/sandbox", body, headers);
}

async function settled(intentId: string): Promise<void> {
  while (statusOf(intentId) === "pending") await new Promise((resolve) => setImmediate(resolve));
}

test("the buyer is told where to pay; paying confirms, paying again is a duplicate or known", async () => {
  const { payment, view } = await fixture.begin("sandbox");
  const { intentId } = payment;
  const path = `/sandbox/${intentId}/succeed`;
  assert.deepEqual(view, {
    intentId,
    provider: "sandbox",
    status: "open",
    succeedUrl: `/api/v1/payments${path}`,
    failUrl: `/api/v1/payments/sandbox/${intentId}/fail`,
  });
  const first = await fixture.post(path, { eventId: `one of ${intentId}` });
  assert.deepEqual(first, {
    status: 200,
    body: {
      intentId,
      eventId: `one of ${intentId}`,
      outcome: "succeeded",
      delivered: true,
      duplicate: false,
      processed: true,
    },
  });
  assert.equal(statusOf(intentId), "confirmed");
  const again = await fixture.post(path, { eventId: `one of ${intentId}` });
  assert.equal(again.body.duplicate, true);
  assert.equal((await fixture.post(path)).body.duplicate, false);
  assert.equal((await fixture.post(`/sandbox/${intentId}/fail`)).status, 200);
  assert.equal(statusOf(intentId), "confirmed");
  assert.equal(fixture.actors.settlements.length, 1);
});

test("told twice that it was paid, the sandbox says both times what it took", async () => {
  const { intentId } = (await fixture.begin("sandbox")).payment;
  await fixture.post(`/sandbox/${intentId}/succeed`, { amount: 1 });
  await fixture.post(`/sandbox/${intentId}/succeed`);
  const said = await fixture.rows(
    "SELECT DISTINCT amount_minor FROM payment_inbox WHERE intent_id = $1",
    [intentId],
  );
  assert.deepEqual(said, [{ amount_minor: "1" }]);
});

test("the sandbox fails payments, and pays another amount, when it is told to", async () => {
  const failed = (await fixture.begin("sandbox")).payment.intentId;
  assert.equal((await fixture.post(`/sandbox/${failed}/fail`)).body.outcome, "failed");
  assert.equal(statusOf(failed), "failed");
  const wrong = (await fixture.begin("sandbox")).payment.intentId;
  await fixture.post(`/sandbox/${wrong}/succeed`, { amount: 1 });
  assert.equal(statusOf(wrong), "failed");
  assert.equal((await fixture.refundRows(wrong))[0]?.amount_minor, "1");
});

test("the sandbox knows its own intents only, and refuses what makes no sense", async () => {
  const { intentId } = (await fixture.begin("stripe")).payment;
  for (const id of [intentId, freshId(), "nonsense"]) {
    const answer = await fixture.post(`/sandbox/${id}/succeed`);
    assert.deepEqual([answer.status, answer.body.code], [404, "intent_not_found"]);
  }
  assert.equal(statusOf(intentId), "pending");
  const own = (await fixture.begin("sandbox")).payment.intentId;
  for (const body of [{ amount: 0 }, { amount: "1" }, { eventId: "" }, { eventId: "a\0b" }]) {
    const answer = await fixture.post(`/sandbox/${own}/succeed`, body);
    assert.deepEqual([answer.status, answer.body.code], [400, "validation_failed"]);
  }
});

test("a signed message of the sandbox is kept and acted upon, its repetition only kept once", async () => {
  const { intentId } = (await fixture.begin("sandbox")).payment;
  const message = { type: "payment.succeeded", intentId, occurredAt: "2030-01-01T00:00:00Z" };
  const answer = await send(message, { id: "msg_1" });
  assert.deepEqual(answer, { status: 200, body: { received: 1 } });
  await settled(intentId);
  assert.equal(fixture.actors.settlements[0]?.atMs, Date.UTC(2030, 0));
  assert.deepEqual(await send(message, { id: "msg_1" }), answer);
  assert.equal(fixture.actors.settlements.length, 1);
});

test("messages that are forged, changed, too old or of the future are refused", async () => {
  const { intentId } = (await fixture.begin("sandbox")).payment;
  const message = { type: "payment.succeeded", intentId };
  const nowMs = fixture.clock.wallMs();
  const refused = [
    await send(message, { secret: "another secret" }),
    await send(message, { atMs: nowMs - WEBHOOK_AGE_MS_MAX - 2_000 }),
    await send(message, { atMs: nowMs + WEBHOOK_AGE_MS_MAX + 2_000 }),
    await fixture.post("/webhooks/sandbox", message),
    await fixture.post("/webhooks/sandbox", `${JSON.stringify(message)} `, {
      ...signMessage(SANDBOX_SECRET, { id: "x", atMs: nowMs, body: JSON.stringify(message) }),
    }),
    await fixture.post("/webhooks/stripe", message, { "stripe-signature": "t=1,v1=00" }),
  ];
  for (const { status, body } of refused) {
    assert.deepEqual([status, body.code], [400, "webhook_signature_invalid"]);
  }
  assert.equal(statusOf(intentId), "pending");
  assert.deepEqual(
    await fixture.rows("SELECT 1 FROM payment_inbox WHERE intent_id = $1", [intentId]),
    [],
  );
});

test("a signed message that makes no sense is refused, one about nothing of ours is taken", async () => {
  const malformed = await send("{", {});
  assert.deepEqual([malformed.status, malformed.body.code], [400, "malformed_json"]);
  const strange = await send({ type: "payment.exploded", intentId: freshId() }, {});
  assert.deepEqual([strange.status, strange.body.code], [400, "validation_failed"]);
  const long = await send({ type: "payment.failed", intentId: freshId() }, { id: "x".repeat(256) });
  assert.deepEqual([long.status, long.body.code], [400, "validation_failed"]);
  const nobodys = await send({ type: "payment.failed", intentId: freshId() }, {});
  assert.deepEqual(nobodys, { status: 200, body: { received: 0 } });
  const unknown = await fixture.post("/webhooks/paypal", {});
  assert.deepEqual([unknown.status, unknown.body.code], [404, "payment_provider_unknown"]);
});

test("Stripe's messages are believed by their signature, and only their ends are acted upon", async () => {
  const { payment, view } = await fixture.begin("stripe");
  const { id } = fixture.stripe.intentOf(payment.intentId);
  assert.equal(view.clientSecret, `${id}_secret_x`);
  const declined = fixture.stripe.webhook("payment_intent.payment_failed", id);
  const answer = await fixture.post("/webhooks/stripe", declined.body, declined.headers);
  assert.deepEqual(answer, { status: 200, body: { received: 0 } });
  fixture.stripe.pay(id);
  const paid = fixture.stripe.webhook("payment_intent.succeeded", id);
  const old = fixture.stripe.webhook("payment_intent.succeeded", id, {
    signedMs: 1_700_000_000_000,
  });
  assert.equal((await fixture.post("/webhooks/stripe", old.body, old.headers)).status, 400);
  const changed = paid.body.replace("4500", "4501");
  assert.equal((await fixture.post("/webhooks/stripe", changed, paid.headers)).status, 400);
  assert.equal(statusOf(payment.intentId), "pending");
  assert.equal((await fixture.post("/webhooks/stripe", paid.body, paid.headers)).status, 200);
  assert.equal((await fixture.post("/webhooks/stripe", paid.body, paid.headers)).status, 200);
  await settled(payment.intentId);
  assert.equal(statusOf(payment.intentId), "confirmed");
  assert.equal(fixture.actors.settlements.length, 1);
});

test("nothing of a buyer's card, secrets or person is kept or logged", async () => {
  const tables = ["payment_inbox", "payment_intents", "refunds", "sandbox_intents"];
  const kept = await Promise.all(tables.map((table) => fixture.rows(`SELECT * FROM ${table}`)));
  const text = JSON.stringify([kept, fixture.logged]);
  for (const secret of ["no. 4242", "buyer@", "_secret_", "billing", "sk_test", "whsec_"]) {
    assert.ok(!text.includes(secret), secret);
  }
});

test("a message that can't be kept is not acknowledged", async () => {
  const { intentId } = (await fixture.begin("sandbox")).payment;
  await fixture.pool.query("ALTER TABLE payment_inbox RENAME TO gone");
  try {
    assert.equal((await send({ type: "payment.succeeded", intentId }, { id: "m" })).status, 500);
  } finally {
    await fixture.pool.query("ALTER TABLE gone RENAME TO payment_inbox");
  }
  assert.equal((await send({ type: "payment.succeeded", intentId }, { id: "m" })).status, 200);
  await settled(intentId);
  assert.equal(statusOf(intentId), "confirmed");
});
