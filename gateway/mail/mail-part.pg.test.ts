/** The part that the notifier runs, with its files, its servers and what it left behind. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pino } from "pino";
import { MAIL_ROWS_KEPT_MS } from "../../engine/notifier-limits.ts";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { checkDkim } from "../../tests/support/dkim-check.ts";
import { content, MAIL_FROM, orderTo, StillClock } from "../../tests/support/mail-rig.ts";
import { MailSink } from "../../tests/support/mail-sink.ts";
import { type OwnerRows, openOwnerRows } from "../../tests/support/owner-rows.ts";
import { readConfig } from "../config.ts";
import type { NotifierConfig } from "../notifier-config.ts";
import { HandoverNotes } from "./handover-notes.ts";
import { mailPart } from "./mail-part.ts";

let database: TestDatabase;
let rows: OwnerRows;
let dataDir: string;
const clock = new StillClock();
before(async () => {
  database = await createTestDatabase();
  rows = openOwnerRows(database.url);
  dataDir = mkdtempSync(join(tmpdir(), "evently-mail-part-"));
});
after(async () => {
  await rows.end();
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

function open(smtpUrl: string | null, notifier: Partial<NotifierConfig> = {}) {
  const defaults = { ...readConfig({}).notifier, smtpConnections: 4, mailDomainPerHour: 1_000 };
  return mailPart({
    rows,
    clock,
    log: pino({ level: "silent" }),
    jwtSecret: "a secret of tests that is long enough",
    apiUrl: "https://api.example",
    config: {
      smtpUrl,
      dataDir,
      mailFrom: MAIL_FROM,
      notifier: { ...defaults, ...notifier },
    },
  });
}

test("without a server, a mail is one complete file that only its owner reads", async () => {
  const part = open(null);
  await part.start();
  const order = orderTo("anna@example.org");
  assert.deepEqual(await part.mailer.send(order, content), { end: "sent" });
  assert.deepEqual(await part.mailer.send(order, content), { end: "already" });
  await part.stop();
  const folder = join(dataDir, "mail");
  const [name = "", ...others] = readdirSync(folder);
  assert.deepEqual(others, []);
  const { rows: known } = await rows.query<{ message_id: string; transport: string }>(
    "SELECT message_id, transport FROM mails WHERE key = $1",
    [order.key],
  );
  assert.equal(known[0]?.transport, "files");
  const [id] = known[0]?.message_id.split("@") ?? [];
  assert.match(name, new RegExp(`^\\d{13}-${id}\\.eml$`));
  assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  const text = readFileSync(join(folder, name), "utf8");
  assert.ok(text.split("\r\n").includes("To: anna@example.org"), text);
  assert.deepEqual(readdirSync(join(dataDir, "mail-handovers")), []);
});

test("with a key, mails are signed, with both headers of one-click unsubscribing", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const sink = new MailSink();
  await sink.open();
  const dkim = { domain: "tickets.example", selector: "s1", privateKey: pem };
  const part = open(sink.url, { dkim });
  await part.start();
  const attachment = {
    filename: "a.bin",
    contentType: "application/x",
    content: Buffer.alloc(99_000, 7),
  };
  const large = async () => ({ ...(await content()), attachments: [attachment] });
  assert.deepEqual(await part.mailer.send(orderTo("a@example.org", "campaign"), content), {
    end: "sent",
  });
  assert.deepEqual(await part.mailer.send(orderTo("b@example.org"), large), { end: "sent" });
  await part.stop();
  await sink.close();
  for (const { raw } of sink.received) {
    const { isBodySame, isSigned, domain, selector } = checkDkim(raw, publicKey);
    assert.deepEqual(
      [isBodySame, isSigned, domain, selector],
      [true, true, "tickets.example", "s1"],
    );
    assert.equal(checkDkim(raw.replace("Subject:", "Subject: Re:"), publicKey).isSigned, false);
    assert.equal(checkDkim(`${raw}more\r\n`, publicKey).isBodySame, false);
  }
  const { signedHeaders } = checkDkim(sink.to("a@example.org")[0]?.raw ?? "", publicKey);
  for (const name of ["from", "date", "list-unsubscribe", "list-unsubscribe-post"]) {
    assert.ok(signedHeaders.includes(name), name);
  }
});

test("what a process left behind is tried again if it was not let go, and is in doubt if it was", async () => {
  const gone = new HandoverNotes(join(dataDir, "mail-handovers"));
  const [kept, letGo] = [gone.claim(), gone.claim()];
  letGo.letGo();
  const insert = (key: string, claim: string) =>
    rows.query(
      `INSERT INTO mails VALUES ($1, 'campaign', null, '\\x01', 'example.org', $1, 'handing_over',
         0, $2, null, null, $3::bigint, $3::bigint, 0)`,
      [key, claim, clock.nowMs],
    );
  await insert("kept", kept.text);
  await insert("let go", letGo.text);
  await insert("another node's", "0190c2a4-7b1e-4c3d-8e4f-5a6b7c8d9e0f.0.1");
  const part = open(null);
  await part.start();
  const { rows: states } = await rows.query<{ key: string; state: string }>(
    "SELECT key, state FROM mails WHERE claim IS NOT NULL AND message_id = key ORDER BY key",
  );
  assert.deepEqual(
    states.map(({ key, state }) => [key, state]),
    [
      ["another node's", "handing_over"],
      ["kept", "waiting"],
      ["let go", "in_doubt"],
    ],
  );
  await part.tick?.run();
  assert.equal(part.figures?.().in_doubt_rows, 1);
  await part.stop();
  await rows.query("DELETE FROM mails WHERE message_id = key");
});

test("what is older than anybody may ask for is forgotten", async () => {
  const part = open(null);
  await part.start();
  const order = orderTo("old@example.org");
  await part.mailer.send(order, content);
  const count = async () =>
    (await rows.query("SELECT FROM mails WHERE key = $1", [order.key])).rowCount;
  clock.nowMs += MAIL_ROWS_KEPT_MS - 1_000;
  await part.tick?.run();
  assert.equal(await count(), 1);
  clock.nowMs += 2_000;
  await part.tick?.run();
  assert.equal(await count(), 0);
  const figures = part.figures?.() ?? {};
  assert.equal(figures.sent, 1);
  assert.ok(Object.values(figures).every((figure) => typeof figure === "number"));
  await part.stop();
});

test("after a restart a domain's share is what is left of it", async () => {
  const before = open(null, { mailDomainPerHour: 1 });
  await before.start();
  assert.equal((await before.mailer.send(orderTo("a@share.example"), content)).end, "sent");
  await before.stop();
  const part = open(null, { mailDomainPerHour: 1 });
  await part.start();
  assert.equal((await part.mailer.send(orderTo("b@share.example"), content)).end, "later");
  await part.stop();
});
