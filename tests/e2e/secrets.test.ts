/** Nothing secret is in what a node says, however much it is asked to say. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { ApiClient, LiveClient } from "../support/client.ts";
import { MailFolder } from "../support/mail-folder.ts";
import { TestNode } from "../support/server.ts";
import type { HoldShape, SignedIn } from "../support/shapes.ts";
import { ok, openStudio } from "../support/venue.ts";

/** Long enough that no other text has it by chance. */
const fresh = (): string => randomBytes(24).toString("hex");

const given = {
  JWT_SECRET: fresh(),
  OPS_TOKEN: fresh(),
  SANDBOX_WEBHOOK_SECRET: fresh(),
  STRIPE_SECRET_KEY: `sk_test_${fresh()}`,
  STRIPE_WEBHOOK_SECRET: `whsec_${fresh()}`,
};
const redisPassword = fresh();
const databasePassword = fresh();

let node: TestNode;
let api: ApiClient;
before(async () => {
  node = await TestNode.start({
    ...given,
    LOG_LEVEL: "trace",
    RATE_LIMIT: "on",
    REDIS_URL: `redis://evently:${redisPassword}@127.0.0.1:1`,
    STRIPE_API_URL: "http://127.0.0.1:1",
  });
  api = new ApiClient(() => node.url);
});
after(async () => {
  api.close();
  await node.remove();
});

test("no secret that comes in or goes out is ever logged", async () => {
  const secrets = new Map<string, string>(Object.entries(given));
  secrets.set("the password of Redis", redisPassword);
  const password = fresh();
  const next = fresh();
  secrets.set("a password", password).set("the next password", next);
  const event = await openStudio(api);

  const email = `${fresh()}@example.org`;
  const auth = "/api/v1/auth";
  const signedIn = async (path: string, body: object, status: number): Promise<SignedIn> => {
    const answer = ok(await api.post<SignedIn>(`${auth}/${path}`, { body }), status);
    secrets.set(`access token of ${path}`, answer.accessToken);
    secrets.set(`refresh token of ${path}`, answer.refreshToken);
    return answer;
  };
  await signedIn("register", { email, password }, 201);
  await api.post(`${auth}/login`, { body: { email, password: `${password}x` } });
  await api.post(`${auth}/login`, { raw: `{"email":"${email}","password":"${password}"` });
  await api.post(`${auth}/register`, { body: { email, password } });
  const { refreshToken, accessToken: token } = await signedIn("login", { email, password }, 200);
  await signedIn("refresh", { refreshToken }, 200);
  await api.post(`${auth}/refresh`, { body: { refreshToken } });
  await api.post(`${auth}/forgot-password`, { body: { email } });
  const mails = new MailFolder(() => node.dataDir);
  const mailed = await mails.tokenFor(email, { kind: "reset" });
  secrets.set("a mailed token", mailed);
  secrets.set("another mailed token", await mails.tokenFor(email));
  ok(await api.post(`${auth}/reset-password`, { body: { token: mailed, password: next } }), 204);
  await api.post(`${auth}/reset-password`, { body: { token: mailed, password: next } });
  const again = await signedIn("login", { email, password: next }, 200);

  const changes = { password, currentPassword: next };
  await api.patch("/api/v1/users/me", { token: again.accessToken, body: changes });
  await api.get("/ops/shards", { token: given.OPS_TOKEN });
  await api.get("/ops/shards", { token: `${given.OPS_TOKEN}x` });
  await api.get(`/api/v1/bookings?access_token=${token}`, { token });
  const live = await LiveClient.open(node.url, again.accessToken);
  live.send({ op: "auth", token: again.accessToken, id: 1 });
  await live.next("reply", 1);
  live.close();

  const body = { items: [{ area: "floor", quantity: 1 }] };
  const ask = { token: again.accessToken, body };
  const held = ok(await api.post<HoldShape>(`/api/v1/events/${event.id}/holds`, ask), 201);
  const payment = { provider: "stripe" };
  const order = { holdId: held.id, payment, email };
  await api.post(`/api/v1/events/${event.id}/bookings`, { ...ask, body: order });
  for (const provider of ["sandbox", "stripe"]) {
    const headers = {
      "webhook-signature": `v1,${given.SANDBOX_WEBHOOK_SECRET}`,
      "stripe-signature": `t=1,v1=${given.STRIPE_WEBHOOK_SECRET}`,
    };
    await api.post(`/api/v1/payments/webhooks/${provider}`, { raw: "{}", headers });
  }
  await api.post(`${auth}/logout`, { token: again.accessToken, body: {} });

  await node.stop();
  assert.ok(node.logged("ready").length > 0, "the node has said something");
  for (const [what, secret] of secrets) assert.deepEqual(node.logged(secret), [], what);
});

test("a start that fails does not tell the password of what it could not reach", async () => {
  const DATABASE_URL = `postgres://evently:${databasePassword}@127.0.0.1:1/evently`;
  const failure = await TestNode.start({ DATABASE_URL, ...given }).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  assert.match(failure ?? "", /ended with/);
  assert.ok(!failure?.includes(databasePassword));
  const SMTP_URL = `smtp//user:${databasePassword}@mail`;
  await assert.rejects(TestNode.start({ SMTP_URL }), (error: Error) => {
    assert.match(error.message, /SMTP_URL accepts/);
    return !error.message.includes(databasePassword);
  });
});
