/** A campaign of a real node that is killed while it sends, to a mail server that is not ours. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { simpleParser } from "mailparser";
import { BoxOffice, floor } from "../support/box-office.ts";
import { MailSink } from "../support/mail-sink.ts";
import { requireMailedOnce } from "../support/mailed-once.ts";
import { OPS_TOKEN, until } from "../support/server.ts";
import { guestToken, ok, openStudio } from "../support/venue.ts";

const RECIPIENTS = 200;
const sink = new MailSink();
const office = BoxOffice.forThisFile(async () => {
  await sink.open();
  return { SMTP_URL: sink.url };
});
const { api } = office;
after(() => sink.close());

interface StatisticsShape {
  readonly recipients: number;
  readonly sent: number;
  readonly inDoubt: number;
}

test("a campaign that is killed three times mails nobody twice, and to all who are not in doubt", async () => {
  const operator = { token: OPS_TOKEN };
  // Their tickets are another test's.
  ok(await api.post("/ops/lanes/transactional/pause", operator), 204);
  const capacity = RECIPIENTS + 10;
  const event = await openStudio(api, {
    areas: [{ key: "floor", name: "Floor", capacity, priceCategory: "standing" }],
    limits: { perOrder: 10, perUser: capacity },
    holdChurn: null,
  });
  const readers = Array.from({ length: RECIPIENTS }, (_, n) => `reader-${n}@inbox.example`);
  const token = await guestToken(api);
  for (const email of readers) {
    const { id } = await office.hold(event, token, [floor(1)]);
    const body = { holdId: id, payment: { provider: "none" }, email };
    ok(await api.post(`/api/v1/events/${event.id}/bookings`, { token, body }), 201);
  }
  const { organizationId } = ok(
    await api.get<{ organizationId: string }>(`/api/v1/events/${event.id}`),
  );
  const path = `/api/v1/organizations/${organizationId}/campaigns`;
  const body = {
    name: "Come again",
    segment: { kind: "attended" },
    variants: [
      {
        subject: "{{ organisation }}: what comes next",
        blocks: { main: '<p>See <a href="https://example.org/next">what comes next</a>.</p>' },
      },
    ],
  };
  const asked = { token: office.admin };
  const { id } = ok(await api.post<{ id: string }>(path, { ...asked, body }), 201);
  ok(await api.post(`${path}/${id}/schedule`, { ...asked, body: {} }));
  const shares = [20, 80, 140];
  for (const share of shares) {
    await until(`${share} have it`, () => sink.received.length >= share);
    await office.node.kill9();
    await office.node.start();
  }
  const settled = (): Promise<void> =>
    until("the campaign is sent", async () => {
      const { state } = ok(await api.get<{ state: string }>(`${path}/${id}`, asked));
      return state === "sent";
    });
  const { databaseUrl } = office.node;
  const killed = { databaseUrl, kills: shares.length, settled };
  const missing = await requireMailedOnce(sink, readers, killed);
  assert.equal(sink.received.length, RECIPIENTS - missing.length, "nobody else has any");
  const found = ok(await api.get<StatisticsShape>(`${path}/${id}/statistics`, asked));
  assert.deepEqual([found.recipients, found.sent + found.inDoubt], [RECIPIENTS, RECIPIENTS]);
  const mail = await simpleParser(Buffer.from(sink.received[0]?.raw ?? "", "latin1"));
  assert.equal(mail.subject, "Test Stage: what comes next");
  const link = /href="([^"]*\/api\/v1\/mail\/c\/[^"]+)"/.exec(String(mail.html))?.[1] ?? "";
  const response = await fetch(
    link.replaceAll("&amp;", "&").replace(/^http:\/\/[^/]+/, office.node.url),
    {
      redirect: "manual",
    },
  );
  assert.equal(response.headers.get("location"), "https://example.org/next");
  assert.match(
    String(mail.headers.get("list") && JSON.stringify(mail.headers.get("list"))),
    /unsub/,
  );
});
