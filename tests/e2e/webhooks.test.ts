/** An organisation's webhooks, as its people have them, and a sale that they are told of. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import {
  WEBHOOK_URL_CHARS_MAX,
  WEBHOOKS_PER_ORGANIZATION_MAX,
} from "../../engine/notifier-limits.ts";
import { BoxOffice, refused, seats } from "../support/box-office.ts";
import { OPS_TOKEN, until } from "../support/server.ts";
import type { Page } from "../support/shapes.ts";
import { ok, openOrganization, openStudio } from "../support/venue.ts";
import { rudely, saying, WebhookReceiver, well } from "../support/webhook-receiver.ts";

const ENVIRONMENT = { WEBHOOK_ALLOW_HTTP: "on", WEBHOOK_ALLOW_ADDRESSES: "127.0.0.1" };
const office = BoxOffice.forThisFile(ENVIRONMENT);
const { api } = office;
const receiver = new WebhookReceiver();
let url = "";
const operator = { token: OPS_TOKEN };
const lane = "/ops/lanes/webhooks";
before(async () => {
  url = await receiver.listen();
});
after(() => receiver.close());

interface HookShape {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly types: string[] | null;
  readonly enabled: boolean;
  readonly disabledAt: string | null;
  readonly disabledReason: string | null;
  readonly oldSecretUntil: string | null;
  readonly secret?: string;
}

interface LanesShape {
  readonly lanes: readonly {
    readonly name: string;
    readonly isPaused: boolean;
    readonly running: number;
  }[];
}

interface TestShape {
  readonly messageId: string;
  readonly delivered: boolean;
  readonly status: number | null;
  readonly error: string | null;
  readonly answer: string | null;
}

async function organization() {
  const { token } = await office.register();
  const organizationId = await openOrganization(api, token);
  return { token, organizationId, path: `/api/v1/organizations/${organizationId}/webhooks` };
}

async function query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: office.node.databaseUrl });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

test("operators hold webhooks back, until the last of these tests", async () => {
  await until("the notifier has heard it", async () => {
    if ((await api.post(`${lane}/pause`, operator)).status !== 204) return false;
    const { status, body } = await api.get<LanesShape>("/ops/lanes", operator);
    if (status !== 200) return false;
    return body.lanes.some((each) => {
      return each.name === "webhooks" && each.isPaused && each.running === 0;
    });
  });
});

test("a webhook is made, changed, listed and removed; its secret is told once", async () => {
  const { token, path } = await organization();
  const made = await api.post<HookShape>(path, { token, body: { url } });
  const { secret = "", ...hook } = ok(made, 201);
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.equal(made.headers.location, `${path}/${hook.id}`);
  assert.equal(made.headers["cache-control"], "no-store");
  assert.deepEqual([hook.url, hook.types, hook.enabled], [url, null, true]);
  const one = `${path}/${hook.id}`;
  assert.deepEqual(ok(await api.get(one, { token })), hook);
  const body = { description: "Accounts", types: ["booking.confirmed"], enabled: false };
  const changed = ok(await api.patch<HookShape>(one, { token, body }));
  assert.deepEqual(changed, { ...hook, ...body });
  const all = { token, body: { types: null, url: `${url}/v2` } };
  const now = ok(await api.patch<HookShape>(one, all));
  assert.deepEqual([now.types, now.url, now.description], [null, `${url}/v2`, "Accounts"]);
  ok(await api.post(path, { token, body: { url } }), 201);
  const first = ok(await api.get<Page<HookShape>>(`${path}?limit=1`, { token }));
  assert.deepEqual(first.data, [now]);
  const rest = await api.get<Page<HookShape>>(`${path}?cursor=${first.nextCursor}`, { token });
  assert.deepEqual([ok(rest).data.length, ok(rest).nextCursor], [1, null]);
  assert.ok(!rest.text.includes("whsec_"));
  for (let times = 0; times < 2; times += 1) ok(await api.delete(one, { token }), 204);
  refused(await api.get(one, { token }), 404, "webhook_not_found");
});

test("what is wrong with a webhook is said", async () => {
  const { token, path } = await organization();
  const bad: readonly (readonly [body: object, where: string])[] = [
    [{}, "url"],
    [{ url: "example.org" }, "url"],
    [{ url: "ftp://example.org/" }, "url"],
    [{ url: "https://user:pass@example.org/" }, "url"],
    [{ url: "http://169.254.169.254/latest/meta-data/" }, "url"],
    [{ url: "http://[::ffff:127.0.0.1]/" }, "url"],
    [{ url: "http://localhost:25/" }, "url"],
    [{ url: `${url}?${"x".repeat(WEBHOOK_URL_CHARS_MAX)}` }, "url"],
    [{ url, types: [] }, "types"],
    [{ url, types: ["hold.created"] }, "types[0]"],
    [{ url, description: "x".repeat(300) }, "description"],
    [{ url, enabled: "yes" }, "enabled"],
  ];
  for (const [body, where] of bad) {
    const problem = refused(await api.post(path, { token, body }), 400, "validation_failed");
    assert.ok(JSON.stringify(problem).includes(`"path":"${where}"`), JSON.stringify(problem));
  }
  const { id } = ok(await api.post<HookShape>(path, { token, body: { url } }), 201);
  const inside = { token, body: { url: "http://10.0.0.1/" } };
  refused(await api.patch(`${path}/${id}`, inside), 400, "validation_failed");
  for (const list of [path, `${path}/${id}/deliveries`]) {
    refused(await api.get(`${list}?cursor=abc`, { token }), 400, "validation_failed");
  }
});

test("an organisation has so many webhooks", async () => {
  const { token, path } = await organization();
  const add = () => api.post(path, { token, body: { url } });
  const asked = Array.from({ length: WEBHOOKS_PER_ORGANIZATION_MAX + 5 }, add);
  const made = (await Promise.all(asked)).filter(({ status }) => status === 201);
  assert.equal(made.length, WEBHOOKS_PER_ORGANIZATION_MAX);
  refused(await add(), 409, "too_many");
});

test("another organisation's webhook is not there, even under one's own path", async () => {
  const [ours, theirs] = [await organization(), await organization()];
  const { token } = ours;
  const body = { url };
  const { id } = ok(await api.post<HookShape>(theirs.path, { token: theirs.token, body }), 201);
  const event = await openStudio(api, { organizationId: theirs.organizationId });
  const asked = { token, body: { eventId: event.id, fromSeq: 1 } };
  for (const path of [ours.path, theirs.path]) {
    const code = path === ours.path ? "webhook_not_found" : "organization_not_found";
    const one = `${path}/${id}`;
    for (const rest of ["", "/deliveries"])
      refused(await api.get(one + rest, { token }), 404, code);
    for (const call of ["enable", "test", "rotate-secret"]) {
      refused(await api.post(`${one}/${call}`, { token }), 404, code);
    }
    refused(await api.post(`${one}/replay`, asked), 404, code);
    refused(await api.patch(one, { token, body: { enabled: false } }), 404, code);
  }
  ok(await api.delete(`${ours.path}/${id}`, { token }), 204);
  ok(await api.get(`${theirs.path}/${id}`, { token: theirs.token }));
  // One's own webhook is not told of another's event.
  const own = ok(await api.post<HookShape>(ours.path, { token, body }), 201);
  refused(await api.post(`${ours.path}/${own.id}/replay`, asked), 404, "event_not_found");
});

test("a test message is signed, and its outcome told", async () => {
  const { token, path } = await organization();
  const hook = ok(await api.post<HookShape>(path, { token, body: { url } }), 201);
  const one = `${path}/${hook.id}`;
  const send = async () => ok(await api.post<TestShape>(`${one}/test`, { token }));
  receiver.expect(hook.secret ?? "");
  receiver.plan = () => ({ takes: false, conduct: well });
  const sent = await send();
  assert.deepEqual([sent.delivered, sent.status, sent.error], [true, 204, null]);
  assert.deepEqual(
    [receiver.seen.at(-1)?.id, receiver.seen.at(-1)?.type],
    [sent.messageId, "webhook.test"],
  );
  receiver.plan = () => ({ takes: false, conduct: saying(418) });
  const refusedThere = await send();
  assert.deepEqual([refusedThere.delivered, refusedThere.status], [false, 418]);
  assert.equal(refusedThere.answer, "nothing");
  receiver.plan = () => ({ takes: false, conduct: rudely });
  assert.equal((await send()).error, "connection_closed");
  receiver.plan = () => ({ takes: false, conduct: well });
  // The secret before the last signs along.
  const next = ok(await api.post<HookShape>(`${one}/rotate-secret`, { token }));
  assert.ok(next.secret !== hook.secret && next.oldSecretUntil !== null);
  for (const secret of [hook.secret, next.secret]) {
    receiver.expect(secret ?? "");
    assert.equal((await send()).status, 204);
  }
  assert.deepEqual(receiver.faults, []);
  const elsewhere = { token, body: { url: "http://receiver.invalid/" } };
  ok(await api.patch(one, elsewhere));
  assert.match((await send()).error ?? "", /^(?:name_unknown|connect_timeout)$/);
});

test("a webhook that was disabled is enabled again, and what it missed is due", async () => {
  const { token, path, organizationId } = await organization();
  const event = await openStudio(api, { organizationId });
  const { id } = ok(await api.post<HookShape>(path, { token, body: { url } }), 201);
  const one = `${path}/${id}`;
  const body = { eventId: event.id, fromSeq: 3 };
  assert.deepEqual(ok(await api.post(`${one}/replay`, { token, body }), 202), body);
  ok(await api.post(`${one}/replay`, { token, body: { ...body, fromSeq: 2 } }), 202);
  ok(await api.post(`${one}/replay`, { token, body }), 202);
  // A feed of an event that is gone when the webhook is enabled.
  const draft = await openStudio(api, { organizationId, publish: false });
  ok(await api.post(`${one}/replay`, { token, body: { eventId: draft.id, fromSeq: 1 } }), 202);
  ok(await api.delete(`/api/v1/events/${draft.id}`, { token }), 204);
  const waits = "UPDATE webhook_feeds SET due_ms = 9e15, failures = 7, pending_since_ms = 1";
  await query(`${waits} WHERE webhook_id = $1`, [id]);
  await query(
    "UPDATE webhooks SET enabled = false, disabled_ms = 1, disabled_reason = 'gone' WHERE id = $1",
    [id],
  );
  const off = ok(await api.get<HookShape>(one, { token }));
  assert.deepEqual(
    [off.enabled, off.disabledReason, off.disabledAt],
    [false, "gone", "1970-01-01T00:00:00.001Z"],
  );
  const on = ok(await api.post<HookShape>(`${one}/enable`, { token }));
  assert.deepEqual([on.enabled, on.disabledReason, on.disabledAt], [true, null, null]);
  const feed = `SELECT due_ms, failures, replay_from FROM webhook_feeds
    WHERE webhook_id = $1 AND event_id = $2`;
  const due = [{ due_ms: "0", failures: 0, replay_from: "2" }];
  assert.deepEqual(await query(feed, [id, event.id]), due);
});

test("the log comes in pages, newest first", async () => {
  const { token, path } = await organization();
  const { id } = ok(await api.post<HookShape>(path, { token, body: { url } }), 201);
  const outcome = { durationMs: 2, status: null, error: "timeout", answer: null };
  const attempt = { atMs: 1, ...outcome };
  await query(
    `INSERT INTO webhook_deliveries (webhook_id, event_id, seq, message_id, type, status, attempts,
       tries, next_try_ms, last_ms)
     SELECT $1, $1, n, 'msg_' || n, 'booking.confirmed', 'failing', $2, 1, 5000, n
     FROM generate_series(1, 3) n ORDER BY n`,
    [id, JSON.stringify([attempt])],
  );
  const log = `${path}/${id}/deliveries`;
  const first = ok(await api.get<Page<{ seq: number }>>(`${log}?limit=2`, { token }));
  assert.deepEqual(
    first.data.map(({ seq }) => seq),
    [3, 2],
  );
  const next = ok(await api.get<Page<object>>(`${log}?cursor=${first.nextCursor}`, { token }));
  assert.deepEqual(next, {
    data: [
      {
        messageId: "msg_1",
        type: "booking.confirmed",
        eventId: id,
        seq: 1,
        status: "failing",
        tries: 1,
        attempts: [{ ...outcome, at: "1970-01-01T00:00:00.001Z" }],
        nextTryAt: "1970-01-01T00:00:05.000Z",
      },
    ],
    nextCursor: null,
  });
});

test("a sale is told as it was: booked, handed on, let in, cancelled", async (t) => {
  ok(await api.post(`${lane}/resume`, operator), 204);
  const receiver = new WebhookReceiver();
  const url = await receiver.listen();
  t.after(() => receiver.close());
  const { token, path, organizationId } = await organization();
  const event = await openStudio(api, { organizationId });
  const [buyer, friend] = [await office.register(), await office.confirmed()];
  const booking = await office.book(event, buyer.token, seats("A-1", "A-2"));
  const at = `/api/v1/bookings/${booking.id}`;
  const given = { token: buyer.token, body: { email: friend.email } };
  ok(await api.post(`${at}/transfer`, given));
  const [ticket] = (await office.booking(booking.id, friend.token)).tickets;
  const code = { token, body: { ticketCode: ticket?.code } };
  ok(await api.post(`/api/v1/events/${event.id}/check-ins`, code));
  const block = { token, body: { block: ["A-9"] } };
  ok(await api.patch(`/api/v1/events/${event.id}/inventory`, block));
  ok(await api.patch(`/api/v1/events/${event.id}`, { token, body: { title: "Another" } }));
  ok(await api.post(`/api/v1/events/${event.id}/cancel`, { token }));
  const hook = ok(await api.post<HookShape>(path, { token, body: { url } }), 201);
  receiver.expect(hook.secret ?? "");
  receiver.plan = () => ({ takes: true, conduct: well });
  const body = { eventId: event.id, fromSeq: 1 };
  ok(await api.post(`${path}/${hook.id}/replay`, { token, body }), 202);
  const { data: log } = ok(
    await api.get<Page<{ seq: number; change: string }>>(`/api/v1/events/${event.id}/log`, {
      token,
    }),
  );
  await until("everything was told", () =>
    receiver.of(event.id).some((line) => line.endsWith("booking.cancelled")),
  );
  assert.deepEqual(receiver.faults, []);
  const told = receiver.taken.filter(({ data }) => data.eventId === event.id);
  const types = told.map(({ type }) => type);
  assert.deepEqual(types.slice(0, 6), [
    "event.published",
    "booking.confirmed",
    "booking.transferred",
    "ticket.checked_in",
    "inventory.changed",
    "event.updated",
  ]);
  assert.ok(types.includes("event.cancelled"));
  // Each is in the event's own log.
  const seqs = new Set(log.map(({ seq }) => seq));
  for (const { data } of told.slice(0, 6)) assert.ok(seqs.has(data.seq));
  const booked = told[1]?.data;
  assert.deepEqual(
    [booked?.tickets, told[2]?.data.email, told[4]?.data.blocks],
    [
      booking.tickets.map(({ id, seat }) => ({ id, seat })),
      friend.email,
      [{ allotment: null, quantity: 1, places: ["A-9"] }],
    ],
  );
  const deliveries = `${path}/${hook.id}/deliveries?limit=100`;
  const { data } = ok(await api.get<Page<{ status: string }>>(deliveries, { token }));
  assert.deepEqual(new Set(data.map(({ status }) => status)), new Set(["delivered"]));
});
