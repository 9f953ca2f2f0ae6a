/** Campaigns over HTTP: who may write them, whom they would reach, and what their readers do. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { TrackingTokens } from "../../gateway/campaigns/tracking-token.ts";
import type { Queries } from "../../gateway/tenancy/database.ts";
import { BoxOffice, floor, refused } from "../support/box-office.ts";
import { type OwnerRows, openOwnerRows } from "../support/owner-rows.ts";
import { until } from "../support/server.ts";
import type { EventShape, Page, Problem } from "../support/shapes.ts";
import { guestToken, ok, openOrganization } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;

let pool: OwnerRows | null = null;
const owner: Queries = {
  query: (text, values) => {
    pool ??= openOwnerRows(office.node.databaseUrl, 1);
    return pool.query(text, values);
  },
};
after(() => pool?.end());

interface Kept {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly scheduledAt: string | null;
  readonly stopReason: string | null;
}
interface Preview {
  readonly size: number;
  readonly sample: readonly string[];
  readonly variants: readonly { subject: string; html: string; text: string }[];
}
interface Figures {
  readonly recipients: number;
  readonly opens: { unique: number; total: number };
  readonly clicks: { unique: number; total: number };
  readonly unsubscribes: number;
  readonly openRate: number | null;
  readonly progress: number;
}

const TEXT = {
  subject: 'Hello {{ firstName | default: "you" }}',
  blocks: { main: '<p>{{ event.title }}: <a href="https://example.org/">go</a></p>' },
};
const plainly = { ...TEXT, blocks: { main: "<p>Come again.</p>" } };
const EVERYBODY = { kind: "attended" };

async function openHouse() {
  const { token } = await office.register();
  const organizationId = await openOrganization(api, token);
  const body = {
    organizationId,
    title: "A < B",
    startsAt: "2040-05-04T19:30:00Z",
    timezone: "Europe/Berlin",
    category: "Jazz",
    priceCategories: [{ key: "all", name: "All", price: 1000 }],
    areas: [{ key: "floor", name: "Floor", capacity: 50, priceCategory: "all" }],
  };
  const open = async (changes: object): Promise<EventShape> =>
    ok(await api.post<EventShape>("/api/v1/events", { token, body: { ...body, ...changes } }), 201);
  const event = await open({ publish: true });
  const path = `/api/v1/organizations/${organizationId}/campaigns`;
  const add = async (changes: object = {}): Promise<Kept> => {
    const plain = { name: "Again", segment: EVERYBODY, variants: [plainly], ...changes };
    return ok(await api.post<Kept>(path, { token, body: plain }), 201);
  };
  return { token, organizationId, event, path, add, open };
}

async function bookAsGuest(event: EventShape, email: string): Promise<void> {
  const token = await guestToken(api);
  const { id } = await office.hold(event, token, [floor(1)]);
  const body = { holdId: id, payment: { provider: "none" }, email };
  ok(await api.post(`/api/v1/events/${event.id}/bookings`, { token, body }), 201);
}

test("a campaign is written, changed, listed and removed", async () => {
  const { token, path, event, add } = await openHouse();
  const first = await add({ name: " First ", eventId: event.id, variants: [TEXT] });
  const { id } = await add({ name: "Second" });
  assert.deepEqual([first.name, first.state], ["First", "draft"]);
  const page: Page<Kept> = ok(await api.get(`${path}?limit=1`, { token }));
  const rest: Page<Kept> = ok(await api.get(`${path}?cursor=${page.nextCursor}`, { token }));
  const names = [...page.data, ...rest.data].map(({ name }) => name);
  assert.deepEqual(names, ["Second", "First"]);
  const body = { name: "Third", segment: { kind: "not", of: EVERYBODY }, tracking: false };
  const changed = ok(await api.patch<Kept>(`${path}/${id}`, { token, body }));
  assert.deepEqual(ok(await api.get<Kept>(`${path}/${id}`, { token })), changed);
  for (const _ of [1, 2]) assert.equal((await api.delete(`${path}/${id}`, { token })).status, 204);
  refused(await api.get(`${path}/${id}`, { token }), 404, "campaign_not_found");
  refused(await api.get(`${path}/nothing`, { token }), 404, "campaign_not_found");
});

test("what two change of a campaign at once is changed, all of it", async () => {
  const { token, path, add } = await openHouse();
  const { id } = await add();
  const all = { name: "Once more", tracking: false, variants: [{ ...plainly, subject: "Soon" }] };
  const changes = Object.entries(all).map(([name, value]) => ({ [name]: value }));
  const answers = await Promise.all(
    changes.map((body) => api.patch(`${path}/${id}`, { token, body })),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  const { name, tracking, variants } = ok(await api.get<typeof all>(`${path}/${id}`, { token }));
  assert.deepEqual({ name, tracking, variants }, all);
});

test("of an event that has been removed no text can tell", async () => {
  const { token, path, add, open } = await openHouse();
  const draft = await open({ title: "Perhaps" });
  const { id } = await add({ eventId: draft.id, variants: [TEXT] });
  assert.equal((await api.delete(`/api/v1/events/${draft.id}`, { token })).status, 204);
  for (const what of ["preview", "schedule"]) {
    const { errors } = refused(
      await api.post(`${path}/${id}/${what}`, { token }),
      400,
      "validation_failed",
    );
    assert.deepEqual(
      errors?.map((error) => error.path),
      ["variants[0].blocks.main"],
    );
  }
  ok(await api.patch(`${path}/${id}`, { token, body: { variants: [plainly] } }));
  for (const what of ["preview", "schedule"]) {
    ok(await api.post(`${path}/${id}/${what}`, { token }));
  }
});

test("what is wrong with a campaign is said with its place", async () => {
  const { token, path, event, add } = await openHouse();
  const others = await openHouse();
  const faults = async (changes: object) => {
    const body = { name: "Again", segment: EVERYBODY, variants: [plainly], ...changes };
    const problem = refused(await api.post(path, { token, body }), 400, "validation_failed");
    return problem.errors?.map((error) => error.path);
  };
  const broken = { subject: "{{ firstName", blocks: { main: "<script>1</script>" } };
  assert.deepEqual(await faults({ variants: [broken] }), [
    "variants[0].subject",
    "variants[0].blocks.main",
  ]);
  // Without an event there is no event to speak of.
  assert.deepEqual(await faults({ variants: [TEXT] }), ["variants[0].blocks.main"]);
  assert.deepEqual(await faults({ variants: [plainly, plainly] }), ["abTest"]);
  const abTest = { samplePercent: 20, waitMinutes: 60, winnerBy: "opens" };
  assert.deepEqual(await faults({ abTest }), ["abTest"]);
  const untracked = { abTest, tracking: false, variants: [plainly, plainly] };
  assert.deepEqual(await faults(untracked), ["abTest"]);
  const theirs = await others.add();
  const segment = {
    kind: "any",
    of: [
      { kind: "bought", eventId: others.event.id },
      { kind: "not", of: { kind: "opened", campaignId: theirs.id } },
      { kind: "bought", eventId: event.id },
    ],
  };
  assert.deepEqual(await faults({ segment, eventId: others.event.id }), [
    "eventId",
    "segment.of[0].eventId",
    "segment.of[1].of.campaignId",
  ]);
  assert.deepEqual(await faults({ segment: { kind: "any", of: [{ kind: "spent" }] } }), [
    "segment.of[0].currency",
  ]);
  const { id } = await add();
  const body = { abTest };
  refused(await api.patch(`${path}/${id}`, { token, body }), 400, "validation_failed");
});

test("a preview counts one's own customers, and shows no whole address", async () => {
  const [ours, theirs] = [await openHouse(), await openHouse()];
  await bookAsGuest(ours.event, "Ada@Example.org");
  await bookAsGuest(ours.event, "ada@example.org");
  await bookAsGuest(ours.event, "grace@example.org");
  await bookAsGuest(theirs.event, "grace@example.org");
  await bookAsGuest(theirs.event, "mary@example.org");
  const preview = async ({ token, path, add, event }: typeof ours, segment: object) => {
    const { id } = await add({ segment, eventId: event.id, variants: [TEXT] });
    return ok(await api.post<Preview>(`${path}/${id}/preview`, { token }));
  };
  // Rows come with the projector.
  await until("all bookings are there", async () => {
    const sizes = [await preview(ours, EVERYBODY), await preview(theirs, EVERYBODY)];
    return sizes.every(({ size }) => size === 2);
  });
  const { sample, variants } = await preview(ours, EVERYBODY);
  assert.deepEqual([...sample].sort(), ["a…@example.org", "g…@example.org"]);
  assert.equal(variants[0]?.subject, "Hello Ada");
  assert.match(variants[0]?.html ?? "", /A &lt; B: <a href="https:\/\/example.org\/"/);
  const twice = { kind: "attended", atLeast: 2 };
  assert.equal((await preview(ours, twice)).size, 0);
  const spent = { kind: "spent", currency: "EUR", atLeast: 2_000 };
  assert.deepEqual((await preview(ours, spent)).sample, ["a…@example.org"]);
  assert.equal((await preview(ours, { kind: "attended", categories: ["jazz"] })).size, 2);
});

test("what has begun is stopped, not changed; and what is stopped stays so", async () => {
  const { token, path, add } = await openHouse();
  const { id } = await add();
  const one = `${path}/${id}`;
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const stopDraft = ok(await api.post<Kept>(`${one}/stop`, { token }));
  assert.equal(stopDraft.state, "draft");
  const scheduled = ok(await api.post<Kept>(`${one}/schedule`, { token, body: { at } }));
  assert.deepEqual([scheduled.state, scheduled.scheduledAt], ["scheduled", at]);
  ok(await api.patch(one, { token, body: { name: "Other" } }));
  refused(await api.delete(one, { token }), 409, "campaign_under_way");
  for (const [aheadMs, message] of [
    [400 * 86_400_000, "must be within a year"],
    [-90_000, "must not be past; without it, it is now"],
  ] as const) {
    const body = { at: new Date(Date.now() + aheadMs).toISOString() };
    const reply = await api.post<Problem>(`${one}/schedule`, { token, body });
    refused(reply, 400, "validation_failed");
    assert.deepEqual(reply.body.errors, [{ path: "at", message }]);
  }
  assert.equal(ok(await api.get<Kept>(one, { token })).scheduledAt, at);
  for (const _ of [1, 2]) {
    const { state, stopReason } = ok(await api.post<Kept>(`${one}/stop`, { token }));
    assert.deepEqual([state, stopReason], ["stopped", "asked"]);
  }
  refused(await api.patch(one, { token, body: { name: "New" } }), 409, "campaign_begun");
  refused(await api.post(`${one}/schedule`, { token }), 409, "campaign_begun");
  assert.equal((await api.delete(one, { token })).status, 204);
  // Of who meant now, and whose clock is behind ours.
  const justPast = new Date(Date.now() - 5_000).toISOString();
  const other = `${path}/${(await add()).id}/schedule`;
  const begun = ok(await api.post<Kept>(other, { token, body: { at: justPast } }));
  assert.ok((begun.scheduledAt ?? "") > justPast);
});

async function mailed(house: Awaited<ReturnType<typeof openHouse>>, people: number) {
  const { id } = await house.add();
  await owner.query(
    `INSERT INTO campaign_recipients
       (campaign_id, position, organization_id, digest, address, state, variant, ended_at)
     SELECT $1, n, $2, campaign_digest($1, address), address, 'sent', 0, now()
     FROM generate_series(0, $3::int - 1) AS n,
       LATERAL (SELECT n || '.' || $1::uuid || '@example.org' AS address) AS a`,
    [id, house.organizationId, people],
  );
  await owner.query(
    `UPDATE campaigns SET state = 'sent', started_at = now(), listed_at = now(),
       ended_at = now() WHERE id = $1`,
    [id],
  );
  const figures = async (): Promise<Figures> =>
    ok(await api.get(`${house.path}/${id}/statistics`, { token: house.token }));
  return { id, figures };
}

const tokens = (): TrackingTokens =>
  new TrackingTokens(readFileSync(join(office.node.dataDir, "jwt-secret"), "utf8").trim());

test("opens and clicks are counted by people, and links lead where they led", async () => {
  const house = await openHouse();
  const { id, figures } = await mailed(house, 4);
  const url = "https://example.org/größe?a=1&b=%20#end";
  const pixel = (position: number) =>
    `/api/v1/mail/o/${tokens().open({ campaignId: id, position })}.gif`;
  const link = (position: number, to = url) =>
    `/api/v1/mail/c/${tokens().click({ campaignId: id, position }, to)}`;
  const opened = await api.get(pixel(0));
  assert.deepEqual([opened.status, opened.headers["content-type"]], [200, "image/gif"]);
  assert.equal(opened.headers["cache-control"], "no-store");
  await api.get(pixel(0));
  const clicked = await api.get(link(1));
  assert.equal(clicked.status, 302);
  assert.equal(clicked.headers.location, new URL(url).href);
  for (const _ of [1, 2]) await api.get(link(0));
  // None of these counts, and each of them leads on.
  for (const headers of [
    { DNT: "1" },
    { "Sec-GPC": "1" },
    { "Sec-Purpose": "prefetch;anonymous" },
  ]) {
    assert.equal((await api.get(link(2), { headers })).status, 302);
    assert.equal((await api.get(pixel(2), { headers })).status, 200);
  }
  assert.equal((await api.request("HEAD", link(2))).status, 302);
  assert.equal((await api.request("HEAD", pixel(2))).status, 200);
  await until("they are counted", async () => (await figures()).clicks.total === 3);
  const { opens, clicks, openRate, recipients, progress } = await figures();
  assert.deepEqual(opens, { unique: 2, total: 3 });
  assert.deepEqual(clicks, { unique: 2, total: 3 });
  assert.deepEqual([openRate, recipients, progress], [0.5, 4, 1]);
});

test("no link leads where no mail led", async () => {
  const house = await openHouse();
  const { id } = await mailed(house, 1);
  const recipient = { campaignId: id, position: 0 };
  const token = tokens().click(recipient, "https://example.org/");
  const forged = [
    token.slice(0, -2),
    `${token}AA`,
    `${token.slice(0, 30)}${token[30] === "A" ? "B" : "A"}${token.slice(31)}`,
    tokens().open(recipient),
    new TrackingTokens("another secret, which nobody has").click(recipient, "https://evil.example"),
    "https%3A%2F%2Fevil.example",
    // Signed, but nowhere to go to.
    tokens().click(recipient, "javascript:alert(1)"),
    tokens().click(recipient, "//evil.example"),
    tokens().click(recipient, ""),
  ];
  for (const one of forged) {
    const reply = await api.get(`/api/v1/mail/c/${one}`);
    assert.equal(reply.headers.location, undefined);
    refused(reply, 404, "not_found");
  }
  refused(await api.get(`/api/v1/mail/o/${token}.gif`), 404, "not_found");
  refused(await api.get(`/api/v1/mail/o/${tokens().open(recipient)}`), 404, "not_found");
});

test("who objects is not counted any more, in no mail", async () => {
  const house = await openHouse();
  const { id, figures } = await mailed(house, 2);
  const at = (position: number) => ({ campaignId: id, position });
  const path = `/api/v1/mail/t/${tokens().objection(at(0))}`;
  const page = await api.get(path);
  assert.match(page.text, /<form method="post">/);
  const policyOf = ({ headers }: typeof page) => String(headers["content-security-policy"]);
  assert.match(policyOf(page), /default-src 'none'/);
  // One frame with the pages beside it: a landmark, colours for the dark, one style by its hash.
  const sister = await api.get("/api/v1/mail/unsubscribe/none");
  assert.match(page.text, /<main>\n<h1>Do not count me<\/h1>/);
  assert.equal(policyOf(page), policyOf(sister));
  const styleOf = (text: string) => /<style>[\s\S]*<\/style>/.exec(text)?.[0];
  assert.match(styleOf(page.text) ?? "", /color-scheme: light dark/);
  assert.equal(styleOf(page.text), styleOf(sister.text));
  // A page that is merely fetched changes nothing.
  const { rowCount } = await owner.query("SELECT FROM tracking_objections");
  assert.equal(rowCount, 0);
  for (const _ of [1, 2]) {
    const done = await api.post(path);
    assert.equal(done.status, 200);
    assert.match(done.text, /<main>\n<h1>You are not counted any more<\/h1>/);
  }
  for (const position of [0, 1]) {
    await api.get(`/api/v1/mail/c/${tokens().click(at(position), "https://example.org/")}`);
  }
  await until("the other one is counted", async () => (await figures()).clicks.total > 0);
  assert.deepEqual((await figures()).clicks, { unique: 1, total: 1 });
});

test("who ends the mails of an organisation counts for the last campaign that reached them", async () => {
  const house = await openHouse();
  const [first, second] = [await mailed(house, 2), await mailed(house, 2)];
  const address = `1.${second.id}@example.org`;
  // The same person had the first one, too.
  await owner.query(
    `UPDATE campaign_recipients SET digest = campaign_digest(campaign_id, $2), address = $2,
       ended_at = now() - interval '1 day' WHERE campaign_id = $1 AND position = 1`,
    [first.id, address],
  );
  for (const _ of [1, 2]) {
    await owner.query("SELECT campaign_unsubscribed($1, sha256(convert_to($2, 'UTF8')))", [
      house.organizationId,
      address,
    ]);
  }
  assert.deepEqual(
    [(await first.figures()).unsubscribes, (await second.figures()).unsubscribes],
    [0, 1],
  );
});

test("whoever leaves is in no campaign any more", async () => {
  const house = await openHouse();
  const { id } = await mailed(house, 2);
  const person = await office.confirmed();
  await owner.query(
    `UPDATE campaign_recipients SET user_id = $2, address = $3, state = 'waiting'
     WHERE campaign_id = $1 AND position = 0`,
    [id, person.id, person.email],
  );
  assert.equal((await api.delete("/api/v1/users/me", { token: person.token })).status, 204);
  const { rows } = await owner.query(
    `SELECT address, user_id, state, reason FROM campaign_recipients
     WHERE campaign_id = $1 AND position = 0`,
    [id],
  );
  assert.deepEqual(rows, [
    { address: null, user_id: null, state: "suppressed", reason: "forgotten" },
  ]);
});
