/** What people are shown in their browsers, from subscribing to the end of a subscription. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client } from "pg";
import { PUSH_SUBSCRIPTIONS_PER_USER_MAX } from "../../engine/push-limits.ts";
import { BoxOffice, refused, seats } from "../support/box-office.ts";
import { MailFolder } from "../support/mail-folder.ts";
import { PushService, type ReceivedPush } from "../support/push-service.ts";
import { until } from "../support/server.ts";
import type { Page } from "../support/shapes.ts";
import { TestBrowser } from "../support/test-browser.ts";
import { guestToken, ok, openStudio } from "../support/venue.ts";

const SHOP = "https://shop.example.org";
const service = new PushService();
const office = BoxOffice.forThisFile(async () => {
  await service.listen();
  return {
    WEBHOOK_ALLOW_HTTP: "on",
    WEBHOOK_ALLOW_ADDRESSES: "127.0.0.1",
    PUBLIC_URL: SHOP,
  };
});
const { api } = office;
after(() => service.close());

const PATH = "/api/v1/users/me/push-subscriptions";
interface Shape {
  readonly id: string;
  readonly endpoint: string;
  readonly expiresAt: string | null;
}

const add = (token: string, body: object) => api.post<Shape>(PATH, { token, body });
const listed = async (token: string): Promise<string[]> =>
  ok(await api.get<Page<Shape>>(PATH, { token })).data.map(({ endpoint }) => endpoint);

/** Somebody with an account and a browser that has subscribed. */
async function subscriber() {
  const person = await office.register();
  const key = await api.get<{ publicKey: string }>("/api/v1/push/vapid-key");
  service.publicKey = ok(key).publicKey;
  const browser = service.browser();
  const { id } = ok(await add(person.token, browser.subscription), 201);
  return { ...person, browser, id };
}

async function arrived(browser: TestBrowser, kind: string): Promise<ReceivedPush> {
  const find = () => service.of(browser).find(({ payload }) => payload.kind === kind);
  await until(`${kind} has arrived`, () => find() !== undefined);
  assert.deepEqual(service.faults, []);
  const push = find();
  assert.ok(push !== undefined);
  return push;
}

test("a browser subscribes once, whoever comes last has it, and it is theirs to take back", async () => {
  const [anna, bert] = [await subscriber(), await office.register()];
  const { subscription } = anna.browser;
  const again = ok(await add(anna.token, { ...subscription, expirationTime: 4e12 }));
  assert.deepEqual([again.id, again.expiresAt], [anna.id, "2096-10-02T07:06:40.000Z"]);
  assert.deepEqual(await listed(anna.token), [anna.browser.endpoint]);
  const one = `${PATH}/${anna.id}`;
  const code = "push_subscription_not_found";
  refused(await api.delete(one, { token: bert.token }), 404, code);
  refused(await api.delete(`${PATH}/none`, { token: anna.token }), 404, code);
  // Bert signs in on the same machine.
  const his = ok(await add(bert.token, subscription), 201);
  assert.deepEqual([await listed(anna.token), await listed(bert.token)], [[], [his.endpoint]]);
  ok(await api.delete(`${PATH}/${his.id}`, { token: bert.token }), 204);
  refused(await api.delete(`${PATH}/${his.id}`, { token: bert.token }), 404, code);
});

test("of two who bring a browser at once, one has it", async () => {
  const people = await Promise.all([office.register(), office.register()]);
  for (let round = 0; round < 10; round += 1) {
    const { subscription } = service.browser();
    await Promise.all(people.map(({ token }) => add(token, subscription)));
    const lists = await Promise.all(people.map(({ token }) => listed(token)));
    assert.equal(lists.flat().filter((endpoint) => endpoint === subscription.endpoint).length, 1);
  }
});

test("the oldest browser gives way, and all go with the account", async () => {
  const { token, browser } = await subscriber();
  const more = Array.from({ length: PUSH_SUBSCRIPTIONS_PER_USER_MAX }, () => service.browser());
  for (const one of more) ok(await add(token, one.subscription), 201);
  const endpoints = await listed(token);
  assert.equal(endpoints.length, PUSH_SUBSCRIPTIONS_PER_USER_MAX);
  assert.ok(!endpoints.includes(browser.endpoint));
  ok(await api.delete("/api/v1/users/me", { token }), 204);
});

test("what is wrong with a subscription is said", async () => {
  const { token } = await office.register();
  const { endpoint, keys } = new TestBrowser("https://push.example.org/1").subscription;
  const offCurve = Buffer.alloc(65, 7);
  offCurve[0] = 4;
  const base64url = (bytes: Buffer): string => bytes.toString("base64url");
  const bad: readonly (readonly [body: object, where: string])[] = [
    [{}, "endpoint"],
    [{ endpoint, keys: {} }, "keys.p256dh"],
    [{ endpoint: "push", keys }, "endpoint"],
    [{ endpoint: "ftp://push.example.org/1", keys }, "endpoint"],
    [{ endpoint: "https://10.0.0.1/1", keys }, "endpoint"],
    [{ endpoint: "https://android.googleapis.com/gcm/send/1", keys }, "endpoint"],
    [{ endpoint: `https://push.example.org/${"ü".repeat(1_000)}`, keys }, "endpoint"],
    [{ endpoint, keys: { ...keys, p256dh: base64url(offCurve) } }, "keys.p256dh"],
    [{ endpoint, keys: { ...keys, p256dh: `${keys.p256dh.slice(0, -2)}+/` } }, "keys.p256dh"],
    [{ endpoint, keys: { ...keys, auth: base64url(Buffer.alloc(15)) } }, "keys.auth"],
    [{ endpoint, keys, expirationTime: 1 }, "expirationTime"],
    [{ endpoint, keys, expirationTime: 1e300 }, "expirationTime"],
    [{ endpoint, keys, expirationTime: "soon" }, "expirationTime"],
  ];
  for (const [body, where] of bad) {
    const problem = refused(await add(token, body), 400, "validation_failed");
    assert.ok(JSON.stringify(problem).includes(`"path":"${where}"`), JSON.stringify(problem));
  }
  refused(await add(await guestToken(api), { endpoint, keys }), 403, "forbidden");
});

test("a sale, a move and a cancellation are shown in each browser of who has booked, once", async () => {
  const anna = await subscriber();
  const laptop = service.browser();
  ok(await add(anna.token, laptop.subscription), 201);
  const stranger = await subscriber();
  const event = await openStudio(api, { title: "Müller & Söhne 🎻" });
  const [first] = [
    await office.book(event, anna.token, seats("A-1")),
    await office.book(event, anna.token, seats("A-2")),
  ];
  for (const browser of [anna.browser, laptop]) {
    await until("both bookings are told", () => service.of(browser).length === 2);
    const pushes = service.of(browser).map(({ payload }) => payload);
    const push = pushes.find(({ bookingId }) => bookingId === first.id);
    assert.deepEqual([push?.title, push?.kind, push?.eventId], [event.title, "booked", event.id]);
    assert.equal(push?.url, `${SHOP}/bookings/${first.id}`);
    assert.match(push?.body ?? "", /^Your booking is confirmed: .*\d{4}/);
    assert.equal(push?.tag, `booked:${first.id}`);
  }
  const at = `/api/v1/events/${event.id}`;
  const startsAt = "2041-01-02T18:00:00Z";
  ok(await api.patch(at, { token: office.admin, body: { startsAt } }));
  const moved = await arrived(laptop, "event_changed");
  assert.match(moved.payload.body, /^It was moved to .*2 January 2041/);
  assert.deepEqual([moved.payload.url, moved.urgency], [`${SHOP}/events/${event.id}`, "high"]);
  assert.equal(service.of(laptop).length, 3, "one for both bookings");
  ok(await api.post(`${at}/cancel`, { token: office.admin }));
  const { payload, ttlSeconds } = await arrived(laptop, "cancelled");
  assert.equal(payload.body, "Your booking was cancelled.");
  assert.ok(ttlSeconds > 0);
  assert.deepEqual(service.of(stranger.browser), []);
});

test("who booked before an event was moved is told, while PostgreSQL lags behind the sale", async (t) => {
  const anna = await subscriber();
  const event = await openStudio(api);
  const database = new Client({ connectionString: office.node.databaseUrl });
  await database.connect();
  t.after(() => database.end());
  // No batch of the projector can end now.
  await database.query("BEGIN");
  await database.query("SELECT FROM shards FOR UPDATE");
  await office.book(event, anna.token, seats("A-1"));
  const body = { startsAt: "2041-01-02T18:00:00Z" };
  const patched = api.patch(`/api/v1/events/${event.id}`, { token: office.admin, body });
  await until("the change is being told", async () => {
    const { rows } = await database.query(
      `SELECT FROM events e WHERE id = $1 AND starts_at = $2
         AND NOT EXISTS (SELECT FROM outbox WHERE event_id = e.id)
         AND NOT EXISTS (SELECT FROM jobs.job
           WHERE data -> 'data' ->> 'eventId' = e.id::text AND state < 'active')`,
      [event.id, body.startsAt],
    );
    return rows.length === 1;
  });
  await database.query("COMMIT");
  ok(await patched);
  await arrived(anna.browser, "event_changed");
  const mails = new MailFolder(() => office.node.dataDir);
  const isMailed = () => mails.to(anna.email).some((mail) => /^Subject: New time/m.test(mail));
  await until("it is mailed", isMailed);
});

test("an offer of the waitlist is urgent, and is dropped when it runs out", async () => {
  const [anna, bert] = [await subscriber(), await subscriber()];
  const event = await openStudio(api, {
    areas: [{ key: "floor", name: "Floor", capacity: 2, priceCategory: "standing" }],
  });
  const booked = await office.book(event, anna.token, [{ area: "floor", quantity: 2 }]);
  const wish = { token: bert.token, body: { quantity: 1, categories: ["standing"] } };
  ok(await api.post(`/api/v1/events/${event.id}/waitlist`, wish), 201);
  ok(await api.post(`/api/v1/bookings/${booked.id}/cancel`, { token: anna.token }));
  const { urgency, ttlSeconds, payload } = await arrived(bert.browser, "offered");
  assert.equal(urgency, "high");
  assert.ok(ttlSeconds > 0 && ttlSeconds < 86_400, String(ttlSeconds));
  assert.match(payload.body, /^Places are kept for you until \d\d:\d\d /);
});

test("a subscription that its push service has ended is removed", async () => {
  const { token, browser } = await subscriber();
  const other = service.browser();
  ok(await add(token, other.subscription), 201);
  service.answer = (push) => ({ status: push.browser === browser ? 410 : 201 });
  const event = await openStudio(api);
  await office.book(event, token, seats("A-1"));
  await arrived(other, "booked");
  await arrived(browser, "booked");
  const isGone = async (): Promise<boolean> => !(await listed(token)).includes(browser.endpoint);
  await until("it is removed", isGone);
  assert.deepEqual(await listed(token), [other.endpoint]);
  const { text } = await api.get<string>("/metrics");
  assert.match(text, /figure="push_sent"/);
});
