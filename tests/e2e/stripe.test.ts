/** Payments through Stripe, of which a stand-in on this machine takes the place. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { floor, refused, seats } from "../support/box-office.ts";
import { ApiClient, type Reply } from "../support/client.ts";
import { TestNode, until } from "../support/server.ts";
import type { BookingShape, EventShape, HoldShape, SignedIn } from "../support/shapes.ts";
import { type SignedWebhook, StripeStandIn } from "../support/stripe-stand-in.ts";
import { auditOf, ok, openStudio } from "../support/venue.ts";

let stripe: StripeStandIn;
let node: TestNode;
let api: ApiClient;
before(async () => {
  stripe = await StripeStandIn.start();
  node = await TestNode.start({
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
    STRIPE_API_URL: stripe.url,
  });
  api = new ApiClient(() => node.url);
});
after(async () => {
  api.close();
  await node.remove();
  await stripe.stop();
});

const deliver = ({ headers, body }: SignedWebhook): Promise<Reply<unknown>> =>
  api.post("/api/v1/payments/webhooks/stripe", { raw: body, headers });

async function buyer(): Promise<string> {
  const body = { email: `${crypto.randomUUID()}@example.org`, password: "long enough 1" };
  return ok(await api.post<SignedIn>("/api/v1/auth/register", { body }), 201).accessToken;
}

async function pending(event: EventShape, token: string, items: readonly object[]) {
  const path = `/api/v1/events/${event.id}`;
  const hold = ok(await api.post<HoldShape>(`${path}/holds`, { token, body: { items } }), 201);
  const body = { holdId: hold.id, payment: { provider: "stripe" } };
  const booked = ok(await api.post<BookingShape>(`${path}/bookings`, { token, body }), 202);
  assert.ok(booked.payment !== undefined);
  return { ...booked, ref: stripe.intentOf(booked.payment.intentId).id };
}

test("a signed message confirms, a forged or an old one does not; a cancellation pays back once", async () => {
  const event = await openStudio(api);
  const token = await buyer();
  const { id, ref, payment } = await pending(event, token, [...seats("A-1"), floor(1)]);
  assert.ok("clientSecret" in (payment ?? {}), "what the browser needs to pay");
  const intent = stripe.intent(ref);
  assert.deepEqual([intent.amount, intent.currency], [7500, "eur"]);
  const shown = async () => {
    return ok(await api.get<BookingShape>(`/api/v1/bookings/${id}`, { token }));
  };
  stripe.pay(ref);
  const paid = stripe.webhook("payment_intent.succeeded", ref);
  const forged = { ...paid, body: paid.body.replace("7500", "7501") };
  refused(await deliver(forged), 400, "webhook_signature_invalid");
  const old = stripe.webhook("payment_intent.succeeded", ref, { signedMs: Date.now() - 600_000 });
  refused(await deliver(old), 400, "webhook_signature_invalid");
  refused(await deliver({ ...paid, headers: {} }), 400, "webhook_signature_invalid");
  assert.equal((await shown()).status, "pending_payment");
  for (const reply of await Promise.all([paid, paid, paid].map(deliver))) ok(reply);
  await until("the money is there", async () => (await shown()).status === "confirmed");
  assert.ok(!("clientSecret" in ((await shown()).payment ?? {})), "told once, and not kept");
  ok(await deliver(stripe.webhook("payment_intent.canceled", ref)));
  assert.equal((await shown()).status, "confirmed");

  ok(await api.post(`/api/v1/bookings/${id}/cancel`, { token }));
  await until("the money is back", async () => (await shown()).status === "refunded");
  assert.deepEqual(
    stripe.refundsOf(ref).map(({ amount }) => amount),
    [7500],
  );
  await auditOf(api, event.id);
});

test("what was paid while we were away is found out after a kill, without a message", async () => {
  const event = await openStudio(api, { holdTtlSeconds: 3, paymentWindowSeconds: 4 });
  const token = await buyer();
  const { id, ref } = await pending(event, token, seats("A-1"));
  await node.kill9();
  stripe.pay(ref);
  await node.start();
  await until("the money is found", async () => {
    const booking = ok(await api.get<BookingShape>(`/api/v1/bookings/${id}`, { token }));
    return booking.status === "confirmed";
  });
  await auditOf(api, event.id);
});

test("a provider that is down is a 502; the same request goes on where it stopped", async () => {
  const event = await openStudio(api);
  const token = await buyer();
  const path = `/api/v1/events/${event.id}`;
  const items = { items: seats("A-1") };
  const hold = ok(await api.post<HoldShape>(`${path}/holds`, { token, body: items }), 201);
  const body = { holdId: hold.id, payment: { provider: "stripe" } };
  const ask = () => api.post<BookingShape>(`${path}/bookings`, { token, body, key: "k" });
  stripe.isDown = true;
  refused(await ask(), 502, "payment_provider_unavailable");
  stripe.isDown = false;
  const booked = ok(await ask(), 202);
  assert.equal(stripe.intentOf(booked.payment?.intentId ?? "").amount, 4500);
});

/** Nothing, where it is gone meanwhile: a node that has started removes what the last one left. */
function textIn(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (existsSync(path)) throw error;
    return "";
  }
}

test("nothing of a card or of what its owner entered is kept or logged", async () => {
  const secrets = ["last4", "billing_details", "_secret_x", "buyer@example.org", stripe.secretKey];
  const client = new Client({ connectionString: node.databaseUrl });
  await client.connect();
  const texts: string[] = node.logged("");
  const { rows: tables } = await client.query<{ name: string }>(
    "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
  );
  assert.ok(tables.length > 10);
  for (const { name } of tables) {
    const { rows } = await client.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
    texts.push(...rows.map(({ text }) => text));
  }
  await client.end();
  const files = readdirSync(node.dataDir, { recursive: true, withFileTypes: true });
  for (const file of files) {
    if (file.isFile()) texts.push(textIn(join(file.parentPath, file.name)));
  }
  assert.ok(texts.some((text) => text.includes("payment_intent") || text.includes("pi_")));
  for (const secret of secrets) assert.ok(!texts.some((text) => text.includes(secret)), secret);
});
