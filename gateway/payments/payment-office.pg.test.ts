import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pino } from "pino";
import {
  type FakeActors,
  PaymentsFixture,
  SANDBOX_SECRET,
} from "../../tests/support/payments-fixture.ts";
import { systemClock } from "../../workers/clock.ts";
import { PaymentOffice, type PaymentOfficeOptions } from "./payment-office.ts";
import type { SettlePort } from "./settle-port.ts";

let fixture: PaymentsFixture;
before(async () => {
  fixture = await PaymentsFixture.start();
});
after(() => fixture.close());

function open(
  change: Partial<PaymentOfficeOptions["config"]>,
  actors: SettlePort = fixture.actors,
) {
  const config = {
    sandboxPayments: true,
    sandboxWebhookSecret: SANDBOX_SECRET,
    stripe: null,
    jwtSecret: "0123456789abcdef0123456789abcdef",
    dataDir: "unused",
    ...change,
  };
  const log = pino({ level: "silent" });
  const { database } = fixture;
  return new PaymentOffice({ config, database, actors, clock: systemClock, log });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a node has the providers that its configuration says", () => {
  const { secretKey, webhookSecret, url: apiUrl } = fixture.stripe;
  const stripe = { secretKey, webhookSecret, apiUrl };
  assert.deepEqual(open({}).payments.providers, ["sandbox"]);
  assert.deepEqual(open({ sandboxPayments: false }).payments.providers, []);
  assert.deepEqual(open({ stripe }).payments.providers, ["sandbox", "stripe"]);
  const paths = open({ sandboxPayments: false, stripe }).routes.map(({ path }) => path);
  assert.deepEqual(paths, [
    "/api/v1/payments/webhooks/:provider",
    "/api/v1/payments/sandbox/:intentId/succeed",
    "/api/v1/payments/sandbox/:intentId/fail",
  ]);
});

test("a started office does what was left to do, and a stopped one nothing more", async () => {
  const { actors }: { actors: FakeActors } = fixture;
  const { payment } = await fixture.begin("sandbox");
  actors.isBusy = true;
  await fixture.post(`/sandbox/${payment.intentId}/succeed`);
  actors.isBusy = false;
  await fixture.pool.query("UPDATE payment_inbox SET next_try_ms = 0");
  const office = open({});
  office.start();
  await until(async () => actors.booking(payment.intentId).status === "confirmed");
  await actors.project(payment, payment.bookingId);
  await until(async () => actors.notices.length === 1);
  await office.stop();
  await actors.project(payment, payment.eventId, 1);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const [left] = await fixture.rows("SELECT status FROM refunds WHERE refund_id = $1", [
    payment.eventId,
  ]);
  assert.equal(left?.status, "due");
});

test("a stop waits for what is on its way to an actor", async () => {
  const { payment } = await fixture.begin("sandbox");
  let answer = (): void => undefined;
  let hear = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const office = open(
    {},
    {
      settle: () =>
        new Promise((resolve) => {
          answer = () => resolve("done");
          hear();
        }),
      refunded: async () => "done",
    },
  );
  office.start();
  await fixture.sandbox.happen(payment.intentId, {
    outcome: "succeeded",
    amountMinor: null,
    currency: null,
    providerEventId: null,
    occurredMs: null,
  });
  await fixture.pool.query("UPDATE payment_intents SET next_look_ms = 0");
  await asked;
  let isStopped = false;
  const stopped = office.stop().then(() => {
    isStopped = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(isStopped, false);
  answer();
  await stopped;
  assert.equal((await fixture.intents.find(payment.intentId))?.isSettled, true);
});
