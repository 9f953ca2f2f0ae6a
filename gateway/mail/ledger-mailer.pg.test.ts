/** The mailer against mail servers that are real, and PostgreSQL. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { simpleParser } from "mailparser";
import { MAIL_HANDOVER_MS_MAX } from "../../engine/notifier-limits.ts";
import { content, ended, MailRig, orderTo, smtp } from "../../tests/support/mail-rig.ts";
import { MailSink } from "../../tests/support/mail-sink.ts";
import { digestOf } from "./mail-address.ts";

let rig: MailRig;
const sinks: MailSink[] = [];
before(async () => {
  rig = await MailRig.open();
});
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close();
});
after(() => rig.close());

async function openSink(): Promise<MailSink> {
  const sink = new MailSink();
  await sink.open();
  sinks.push(sink);
  return sink;
}

test("a mail is sent once, whole, and known by its key to have been", async () => {
  const sink = await openSink();
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
  const order = orderTo("anna@münchen.example");
  assert.deepEqual(await mailer.send(order, content), { end: "sent" });
  assert.deepEqual(await mailer.send(order, assert.fail), { end: "already" });
  assert.equal(sink.received.length, 1);
  const mail = await simpleParser(Buffer.from(sink.received[0]?.raw ?? "", "latin1"));
  assert.equal(mail.subject, "Grüße aus Jena");
  assert.equal(mail.text?.trimEnd(), "Hello\n.\n..\nTwo dots were there.");
  assert.equal(mail.html, "<p>Hello</p>");
  assert.deepEqual(mail.from?.value, [{ name: "Evently", address: "no-reply@tickets.example" }]);
  assert.equal(mail.headers.get("auto-submitted"), "auto-generated");
  assert.equal(mail.headers.get("feedback-id"), "confirmation:platform:evently");
  assert.equal(mail.headers.has("list"), false);
  assert.equal(mail.headers.has("x-mailer"), false);
  const row = await rig.row(order.key);
  assert.deepEqual([row?.state, row?.tries, row?.transport], ["sent", 1, "primary"]);
  assert.equal(mail.messageId, `<${row?.message_id}>`);
});

test("what its reader may do without says how to have no more of it, in one click", async () => {
  const sink = await openSink();
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
  const order = { ...orderTo("anna@example.org", "campaign"), organizationId: ORGANIZATION };
  await mailer.send(order, content);
  const raw = sink.received[0]?.raw ?? "";
  assert.match(raw, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
  const [, token = ""] =
    /^List-Unsubscribe:\s+<https:\/\/api\.example\/api\/v1\/mail\/unsubscribe\/([\w-]+)>\r$/m.exec(
      raw,
    ) ?? [];
  assert.deepEqual(rig.links.readUnsubscribe(token), {
    recipient: digestOf("anna@example.org"),
    kind: "campaign",
    organizationId: ORGANIZATION,
  });
});
const ORGANIZATION = "0190c2a4-7b1e-7c3d-8e4f-5a6b7c8d9e0f";

test("of fifty orders with one key at a time, one mail is sent", async () => {
  const sink = await openSink();
  const one = rig.mailer({ transports: [smtp(sink.url)] });
  const other = rig.mailer({ transports: [smtp(sink.url)] });
  const order = orderTo("anna@example.org");
  const ends = await Promise.all(
    Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? one : other).mailer.send(order, content)),
  );
  assert.equal(sink.received.length, 1);
  assert.equal(ends.filter(({ end }) => end === "sent").length, 1);
  assert.ok(
    ends.every(({ end }) => ["sent", "already", "later"].includes(end)),
    ends.map(ended).join(),
  );
  rig.clock.nowMs += MAIL_HANDOVER_MS_MAX;
  assert.deepEqual(await other.mailer.send(order, assert.fail), { end: "already" });
});

test("a mailbox that does not exist is asked once, and never again", async () => {
  const sink = await openSink();
  sink.manners.rcpt = (to) => ({ code: 550, text: `5.1.1 <${to}>: no such user` });
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
  const order = orderTo("nobody@example.org");
  assert.deepEqual(await mailer.send(order, content), {
    end: "dead",
    reason: "Can't send mail - all recipients were rejected: 550 5.1.1 <…>: no such user",
  });
  const next = await mailer.send(orderTo("nobody@example.org"), assert.fail);
  assert.equal(ended(next), "suppressed");
  assert.deepEqual(
    (
      await rig.suppressed.list({ limit: 9, cursor: null }, digestOf("nobody@example.org"))
    ).data.map(({ address, cause, until }) => [address, cause, until]),
    [["n…@example.org", "hard", null]],
  );
  await rig.suppressed.remove(digestOf("nobody@example.org"));
  sink.manners.rcpt = () => null;
  assert.deepEqual(await mailer.send(order, content), { end: "sent" });
});

test("a refusal that is not about the mailbox suppresses nobody", async () => {
  const sink = await openSink();
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
  const cases = [
    { rcpt: () => ({ code: 550, text: "5.7.1 your network is listed" }) },
    { rcpt: () => ({ code: 552, text: "5.2.2 mailbox full" }) },
    { data: () => ({ code: 554, text: "5.6.0 looks like spam" }) },
  ];
  for (const [n, manners] of cases.entries()) {
    sink.manners.rcpt = () => null;
    sink.manners.data = () => null;
    Object.assign(sink.manners, manners);
    const to = `${n}@policy.example`;
    const order = orderTo(to);
    assert.equal(ended(await mailer.send(order, content)), "dead");
    assert.equal((await rig.row(order.key))?.state, "dead");
    const { data } = await rig.suppressed.list({ limit: 9, cursor: null }, digestOf(to));
    assert.deepEqual(data, []);
  }
});

test("a greylist of five minutes is waited for; a third refusal is the last", async () => {
  const sink = await openSink();
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
  const begunMs = rig.clock.nowMs;
  sink.manners.rcpt = () =>
    rig.clock.nowMs - begunMs < 300_000 ? { code: 451, text: "4.7.1 come back later" } : null;
  const order = orderTo("grey@example.org");
  const hopeless = orderTo("black@example.org");
  sink.manners.data = (to) => (to === hopeless.to ? { code: 451, text: "4.3.0 no" } : null);
  const ends: string[] = [];
  for (let tries = 0; tries < 3; tries += 1) {
    ends.push(ended(await mailer.send(order, content)));
    const early = await mailer.send(order, assert.fail);
    if (early.end === "later") rig.clock.nowMs += early.afterMs;
  }
  assert.deepEqual(ends, ["again", "again", "sent"]);
  assert.equal(sink.to(order.to).length, 1);
  const last: string[] = [];
  for (let tries = 0; tries < 3; tries += 1) {
    last.push(ended(await mailer.send(hopeless, content)));
    rig.clock.nowMs += 600_000;
  }
  assert.deepEqual(last, ["again", "again", "dead"]);
  const row = await rig.row(hopeless.key);
  assert.deepEqual([row?.state, row?.tries], ["dead", 3]);
  // As a dead letter that is sent again by hand, it has three more.
  assert.equal(ended(await mailer.send(hopeless, content)), "again");
});

test("a line that breaks within a mail, or after it, uses up a try and repeats the Message-ID", async () => {
  const sink = await openSink();
  for (const way of ["in_data", "after_data"] as const) {
    const order = orderTo(`${way.replace("_", "-")}@example.org`);
    sink.manners.breaks = () => way;
    const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
    const broken = await mailer.send(order, content);
    const row = await rig.row(order.key);
    assert.equal(ended(broken), "again");
    assert.deepEqual([row?.state, row?.tries], ["waiting", 1]);
    sink.manners.breaks = () => null;
    rig.clock.nowMs += 100_000;
    // The first one's breaker has opened.
    const again = rig.mailer({ transports: [smtp(sink.url)] });
    assert.deepEqual(await again.mailer.send(order, content), { end: "sent" });
    const ids = sink.to(order.to).map(({ raw }) => /^Message-ID: (.*)\r$/m.exec(raw)?.[1]);
    assert.deepEqual(
      ids,
      Array.from({ length: way === "in_data" ? 1 : 2 }, () => ids[0]),
    );
  }
});

test("a server that hangs is left in time, and what is not begun uses up no try", async () => {
  const sink = await openSink();
  sink.manners.hangs = true;
  const { mailer, line } = rig.mailer({ transports: [smtp(sink.url, { waitMs: 150 })] });
  const order = orderTo("anna@example.org");
  const end = await mailer.send(order, content);
  assert.equal(ended(end), "later");
  assert.equal((await rig.row(order.key))?.tries, 0);
  assert.equal(line.isUp, false);
  const waiting = await mailer.send(orderTo("ben@example.org"), assert.fail);
  assert.equal(ended(waiting), "later");
});

test("a server that hangs at the end of a mail may have taken it: that is a try", async () => {
  const sink = await openSink();
  sink.manners.hangsAtEnd = true;
  const { mailer } = rig.mailer({ transports: [smtp(sink.url, { waitMs: 150 })] });
  const order = orderTo("anna@example.org");
  assert.equal(ended(await mailer.send(order, content)), "again");
  const row = await rig.row(order.key);
  assert.deepEqual([row?.state, row?.tries], ["waiting", 1]);
});

test("the backup takes over while the primary is away, and gives back", async () => {
  const [primary, backup] = [await openSink(), await openSink()];
  const { port, url } = primary;
  const { mailer, line } = rig.mailer({
    transports: [smtp(url), smtp(backup.url, { name: "backup" })],
    breakerPauseMs: 300,
  });
  const sendOne = async () => {
    const order = orderTo("anna@example.org");
    assert.deepEqual(await mailer.send(order, content), { end: "sent" });
    return (await rig.row(order.key))?.transport;
  };
  assert.equal(await sendOne(), "primary");
  await primary.close();
  assert.equal(await sendOne(), "backup");
  const again = new MailSink();
  await again.open(port);
  sinks.push(again);
  const deadline = Date.now() + 10_000;
  let by = await sendOne();
  while (by !== "primary" && Date.now() < deadline) by = await sendOne();
  assert.equal(by, "primary");
  assert.deepEqual(
    line.breakers.map(({ state }) => state),
    [0, 0],
  );
});

test("a domain that has had its share waits for its hour; others do not", async () => {
  const sink = await openSink();
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)], perHour: 2 });
  const ends: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    ends.push(ended(await mailer.send(orderTo(`${n}@small.example`), content)));
  }
  const over = await mailer.send(orderTo("3@small.example"), assert.fail);
  assert.deepEqual(ends, ["sent", "sent", "later"]);
  assert.ok(over.end === "later" && over.afterMs > 3_500_000 && over.afterMs <= 3_600_000);
  assert.deepEqual(await mailer.send(orderTo("0@other.example"), content), { end: "sent" });
});

test("who refused a kind, complained, or has a full mailbox gets what they can't do without", async () => {
  const sink = await openSink();
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
  const said = { reason: "", shown: "", atMs: rig.clock.nowMs };
  const to = (name: string) => `${name}@wishes.example`;
  await rig.suppressed.complaint({ ...said, recipient: digestOf(to("cross")) });
  for (const report of ["1", "2", "2", "3"]) {
    await rig.suppressed.soft({ ...said, recipient: digestOf(to("full")) }, report);
  }
  await rig.rows.query(
    "INSERT INTO mail_refusals (recipient, kind, organization_id) VALUES ($1, 'campaign', $2)",
    [digestOf(to("picky")), ORGANIZATION],
  );
  const of = async (
    name: string,
    kind: "campaign" | "confirmation",
    organizationId: string | null,
  ) => ended(await mailer.send({ ...orderTo(to(name), kind), organizationId }, content));
  for (const name of ["cross", "full"]) {
    assert.equal(await of(name, "campaign", null), "suppressed");
    assert.equal(await of(name, "confirmation", null), "sent");
  }
  assert.equal(await of("picky", "campaign", ORGANIZATION), "suppressed");
  assert.equal(await of("picky", "campaign", "0190c2a4-7b1e-7c3d-8e4f-000000000000"), "sent");
  assert.equal(await of("picky", "confirmation", ORGANIZATION), "sent");
});

test("a mail that the ledger can't mark is not sent", async () => {
  const sink = await openSink();
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
  await rig.rows.query("ALTER TABLE mails ADD CONSTRAINT stuck CHECK (state <> 'handing_over')");
  try {
    const order = orderTo("anna@example.org");
    assert.equal(ended(await mailer.send(order, content)), "later");
    assert.equal(sink.to(order.to).length, 0);
    await rig.rows.query("ALTER TABLE mails DROP CONSTRAINT stuck");
    rig.clock.nowMs += 100_000;
    assert.equal(ended(await mailer.send(order, content)), "sent");
  } finally {
    await rig.rows.query("ALTER TABLE mails DROP CONSTRAINT IF EXISTS stuck");
  }
});

test("what was being handed over for too long is in doubt, and not sent again", async () => {
  const sink = await openSink();
  const { mailer } = rig.mailer({ transports: [smtp(sink.url)] });
  const order = orderTo("anna@example.org");
  const first = orderTo("ben@example.org");
  await mailer.send(first, content);
  await rig.rows.query(
    `INSERT INTO mails SELECT $2, kind, organization_id, recipient, domain, message_id,
       'handing_over', 0, 'gone.0.1', null, null, begun_ms, $3::bigint, 0
     FROM mails WHERE key = $1`,
    [first.key, order.key, rig.clock.nowMs],
  );
  assert.equal(ended(await mailer.send(order, assert.fail)), "later");
  rig.clock.nowMs += MAIL_HANDOVER_MS_MAX + 1;
  assert.equal(ended(await mailer.send(order, assert.fail)), "in_doubt");
  assert.equal(await rig.ledger.doubt(rig.clock.nowMs - MAIL_HANDOVER_MS_MAX, rig.clock.nowMs), 1);
  assert.equal((await rig.row(order.key))?.state, "in_doubt");
  assert.equal(ended(await mailer.send(order, assert.fail)), "in_doubt");
  assert.equal(sink.to(order.to).length, 0);
});
