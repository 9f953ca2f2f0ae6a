/** What readers want of mails, and what comes back: links, pages, reports, the operators' list. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { Webhook } from "standardwebhooks";
import { digestOf } from "../../gateway/mail/mail-address.ts";
import { SignedLinks } from "../../gateway/mail/signed-links.ts";
import { BoxOffice, refused } from "../support/box-office.ts";
import { guestToken, ok } from "../support/venue.ts";

const JWT_SECRET = "a secret of these tests that is long enough";
const BOUNCE_SECRET = "a secret for bounces that is long enough";
const office = BoxOffice.forThisFile({ JWT_SECRET, MAIL_BOUNCE_SECRET: BOUNCE_SECRET });
const { api } = office;
const links = new SignedLinks({ jwtSecret: JWT_SECRET, apiUrl: "" });
const ORGANIZATION = "0190c2a4-7b1e-7c3d-8e4f-5a6b7c8d9e0f";
const MINE = "/api/v1/users/me/mail-preferences";
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

interface Wishes {
  readonly reminder: boolean;
  readonly campaign: boolean;
  readonly refusedOrganizations: readonly string[];
}
interface Listed {
  readonly data: readonly {
    readonly id: string;
    readonly address: string;
    readonly cause: string;
    readonly until: string | null;
  }[];
  readonly nextCursor: string | null;
}

const all = { reminder: true, campaign: true, refusedOrganizations: [] };

test("one click ends a kind of mails, as a program does it; looking at the link does not", async () => {
  const { token, email } = await office.confirmed();
  const wishes = async () => ok(await api.get<Wishes>(MINE, { token }));
  assert.deepEqual(await wishes(), all);
  const link = links.unsubscribe(email, "campaign", ORGANIZATION);
  for (let n = 0; n < 2; n += 1) {
    const page = await api.get(link);
    assert.equal(page.status, 200);
    assert.match(page.text, /<form method="post">/);
    assert.match(String(page.headers["content-security-policy"]), /default-src 'none'/);
  }
  assert.deepEqual(await wishes(), all);
  for (let n = 0; n < 2; n += 1) {
    const done = await api.post(link, { raw: "List-Unsubscribe=One-Click", headers: FORM });
    assert.equal(done.status, 200);
    assert.match(done.text, /You are unsubscribed/);
  }
  assert.deepEqual(await wishes(), { ...all, refusedOrganizations: [ORGANIZATION] });
  ok(await api.post(links.unsubscribe(email, "reminder", null)));
  assert.equal((await wishes()).reminder, false);
});

test("the page of preferences shows what is chosen, and takes it without a script", async () => {
  const { token, email } = await office.confirmed();
  const page = links.preferences(email);
  const first = await api.get(page);
  assert.match(first.text, /name="reminder" checked/);
  assert.doesNotMatch(first.text, /name="refused"|<script|example\.org/);
  const saved = await api.post(page, { raw: "reminder=on", headers: FORM });
  assert.match(saved.text, /Saved\./);
  assert.match(saved.text, /name="campaign">/);
  assert.equal(ok(await api.get<Wishes>(MINE, { token })).campaign, false);
  ok(await api.post(links.unsubscribe(email, "campaign", ORGANIZATION)));
  const kept = "reminder=on&campaign=on&refused=on";
  assert.match((await api.post(page, { raw: kept, headers: FORM })).text, /name="refused" checked/);
  ok(await api.post(page, { raw: "reminder=on&campaign=on", headers: FORM }));
  assert.deepEqual(ok(await api.get<Wishes>(MINE, { token })), all);
});

test("a link that was not signed here leads nowhere and changes nothing", async () => {
  const stranger = new SignedLinks({ jwtSecret: "x".repeat(32), apiUrl: "" });
  const { token, email } = await office.confirmed();
  const strange = [stranger.unsubscribe(email, "campaign", null), stranger.preferences(email)];
  for (const link of [...strange, "/api/v1/mail/unsubscribe/x", "/api/v1/mail/preferences/x"]) {
    for (const reply of [await api.get(link), await api.post(link)]) {
      assert.equal(reply.status, 404);
      assert.match(reply.text, /This link does not work/);
    }
  }
  assert.deepEqual(ok(await api.get<Wishes>(MINE, { token })), all);
});

test("of two lists that are given at once, one takes the place of the other", async () => {
  const { token } = await office.confirmed();
  const ids = Array.from({ length: 20 }, (_, n) => `${ORGANIZATION.slice(0, -2)}${10 + n}`);
  const lists = [ids.slice(0, 10), ids.slice(10).reverse()];
  for (let round = 0; round < 10; round += 1) {
    const given = lists.map((refusedOrganizations) => ({ token, body: { refusedOrganizations } }));
    const answers = await Promise.all(given.map((ask) => api.patch<Wishes>(MINE, ask)));
    for (const answer of answers) ok(answer);
    const { refusedOrganizations } = ok(await api.get<Wishes>(MINE, { token }));
    const now = refusedOrganizations.toSorted();
    const ends = lists.map((list) => list.toSorted());
    assert.ok(
      ends.some((end) => isDeepStrictEqual(end, now)),
      now.join(),
    );
  }
});

test("whoever is signed in chooses for an address that is shown to be theirs", async () => {
  const { token } = await office.confirmed();
  const changed = ok(
    await api.patch<Wishes>(MINE, {
      token,
      body: { campaign: false, refusedOrganizations: [ORGANIZATION, ORGANIZATION] },
    }),
  );
  assert.deepEqual(changed, { ...all, campaign: false, refusedOrganizations: [ORGANIZATION] });
  const body = { campaign: true, refusedOrganizations: [] };
  assert.deepEqual(ok(await api.patch<Wishes>(MINE, { token, body })), all);
  const wrong = { token, body: { reminder: "no", refusedOrganizations: ["x"] } };
  refused(await api.patch(MINE, wrong), 400, "validation_failed");
  const unconfirmed = await office.register();
  refused(await api.get(MINE, { token: unconfirmed.token }), 403, "forbidden");
  refused(await api.get(MINE, { token: await guestToken(api) }), 403, "forbidden");
  refused(await api.get(MINE), 401, "unauthenticated");
});

function signed(text: string, id: string = randomUUID(), at = new Date()): Record<string, string> {
  const signer = new Webhook(Buffer.from(BOUNCE_SECRET).toString("base64"));
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": signer.sign(id, at, text),
  };
}

const report = (body: object | string, headers: Record<string, string> = {}, id?: string) => {
  const raw = typeof body === "string" ? body : JSON.stringify(body);
  return api.post<{ received: number; known: number }>("/api/v1/mail/bounces", {
    raw,
    headers: { ...signed(raw, id), ...headers },
  });
};

const listed = async (address: string) => {
  const path = `/ops/suppressions?address=${encodeURIComponent(address)}`;
  return ok(await api.get<Listed>(path, { token: office.admin })).data;
};

test("reported bounces and complaints are on the operators' list, without the address", async () => {
  const [hard, cross] = [`${randomUUID()}@gone.example`, `${randomUUID()}@gone.example`];
  const events = [
    { type: "hard", address: hard, reason: `550 <${hard}> unknown` },
    { type: "complaint", address: cross },
  ];
  assert.deepEqual(ok(await report({ events })), { received: 2, known: 2 });
  const [one] = await listed(hard);
  assert.deepEqual([one?.cause, one?.until], ["hard", null]);
  assert.equal(one?.address, `${hard[0]}…@gone.example`);
  assert.ok(!JSON.stringify(one).includes(hard));
  assert.equal((await listed(cross))[0]?.cause, "complaint");
  const page = ok(await api.get<Listed>("/ops/suppressions?limit=1", { token: office.admin }));
  const next = `/ops/suppressions?limit=1&cursor=${page.nextCursor}`;
  const second = ok(await api.get<Listed>(next, { token: office.admin }));
  assert.notEqual(second.data[0]?.id, page.data[0]?.id);
  const gone = await api.delete(`/ops/suppressions/${one?.id}`, { token: office.admin });
  assert.equal(gone.status, 204);
  assert.deepEqual(await listed(hard), []);
  refused(
    await api.delete(`/ops/suppressions/${one?.id}`, { token: office.admin }),
    404,
    "not_found",
  );
  const { token } = await office.confirmed();
  refused(await api.get("/ops/suppressions", { token }), 403, "forbidden");
  const wrong = "/ops/suppressions?address=x";
  refused(await api.get(wrong, { token: office.admin }), 400, "validation_failed");
});

test("the third soft bounce of a week suppresses for a while; a report that comes twice counts once", async () => {
  const address = `${randomUUID()}@full.example`;
  const soft = { type: "soft", address };
  for (const id of ["1", "2", "2", "2"]) ok(await report(soft, {}, id));
  assert.deepEqual(await listed(address), []);
  ok(await report(soft, {}, "3"));
  const [one] = await listed(address);
  assert.equal(one?.cause, "soft");
  assert.ok(Date.parse(one?.until ?? "") > Date.now());
});

test("a mail server's own report is read, and known by the Message-ID of our mail", async () => {
  const ours = `${randomUUID()}@example.org`;
  const messageId = `${randomUUID()}.campaign@tickets.example`;
  const client = new pg.Client({ connectionString: office.node.databaseUrl });
  await client.connect();
  await client.query(
    `INSERT INTO mails VALUES ($1, 'campaign', null, $2, 'example.org', $1, 'sent', 1, null,
       'primary', null, 0, 0, 0)`,
    [messageId, digestOf(ours)],
  );
  const dsn = `Content-Type: multipart/report; report-type=delivery-status; boundary=b
MIME-Version: 1.0

--b
Content-Type: text/plain

It did not arrive.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; forwarded@elsewhere.example
Action: failed
Status: 5.1.1
--b
Content-Type: text/rfc822-headers

Message-ID: <${messageId}>
--b--
`.replaceAll("\n", "\r\n");
  const asMail = { "Content-Type": "message/rfc822" };
  assert.deepEqual(ok(await report(dsn, asMail)), { received: 1, known: 1 });
  const { rows } = await client.query("SELECT bounced FROM mails WHERE key = $1", [messageId]);
  await client.end();
  assert.deepEqual(rows, [{ bounced: "hard" }]);
  assert.equal((await listed(ours))[0]?.cause, "hard");
  assert.deepEqual(await listed("forwarded@elsewhere.example"), []);
  const whole = dsn.slice(dsn.indexOf("\r\n\r\n") + 4);
  const asPart = { "Content-Type": "multipart/report; boundary=b" };
  assert.deepEqual(ok(await report(whole, asPart)), { received: 1, known: 1 });
  assert.deepEqual(ok(await report("Subject: hello\r\n\r\nNo report.", asMail)), {
    received: 0,
    known: 0,
  });
});

test("nobody reports a bounce without the secret", async () => {
  const body = { type: "hard", address: `${randomUUID()}@example.org` };
  const raw = JSON.stringify(body);
  const path = "/api/v1/mail/bounces";
  const old = signed(raw, "1", new Date(Date.now() - 3_600_000));
  for (const headers of [{}, old, { ...signed(raw), "webhook-id": "other" }]) {
    refused(await api.post(path, { raw, headers }), 400, "webhook_signature_invalid");
  }
  refused(await report({ type: "odd" }), 400, "validation_failed");
  refused(await report("{"), 400, "malformed_json");
  refused(await report("x", { "Content-Type": "text/plain" }), 415, "unsupported_media_type");
  assert.deepEqual(await listed(body.address), []);
});
