import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import webPush from "web-push";
import { readConfig } from "./config.ts";

const PAIR = webPush.generateVAPIDKeys();
const SERVER = "smtp://mail.example:25";

test("without a word, mails are files, unsigned, and bounded by domain", () => {
  const { smtpUrl, mailFrom, notifier } = readConfig({});
  assert.deepEqual([smtpUrl, mailFrom], [null, "Evently <no-reply@localhost>"]);
  assert.deepEqual(notifier, {
    isOn: true,
    apiUrl: null,
    smtpBackupUrl: null,
    smtpConnections: 20,
    mailDomainPerHour: 100_000,
    dkim: null,
    bounceSecret: null,
    webhookAllowHttp: false,
    webhookAllowAddresses: [],
    push: { keys: null, contact: null },
  });
});

test("what is malformed, or only half of it, stops the start", () => {
  const refused: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ SMTP_BACKUP_URL: SERVER }, /^SMTP_URL is missing: SMTP_BACKUP_URL goes with it/],
    [{ SMTP_URL: SERVER, SMTP_BACKUP_URL: "smtp://" }, /^SMTP_BACKUP_URL accepts/],
    [{ SMTP_CONNECTIONS: "0" }, /^SMTP_CONNECTIONS accepts/],
    [{ MAIL_DOMAIN_PER_HOUR: "-1" }, /^MAIL_DOMAIN_PER_HOUR accepts/],
    [{ MAIL_BOUNCE_SECRET: "short" }, /^MAIL_BOUNCE_SECRET accepts at least 32 bytes/],
    [{ MAIL_DKIM_DOMAIN: "tickets.example" }, /^MAIL_DKIM_SELECTOR is missing/],
    [{ PUSH_VAPID_PRIVATE_KEY: PAIR.privateKey }, /^PUSH_VAPID_PUBLIC_KEY is missing/],
    [{ PUSH_VAPID_PUBLIC_KEY: PAIR.publicKey }, /^PUSH_VAPID_PRIVATE_KEY is missing/],
    [{ PUSH_VAPID_PUBLIC_KEY: "A".repeat(87) }, /^PUSH_VAPID_PUBLIC_KEY accepts/],
    [{ PUSH_VAPID_PRIVATE_KEY: "short" }, /^PUSH_VAPID_PRIVATE_KEY accepts/],
    [
      {
        PUSH_VAPID_PUBLIC_KEY: PAIR.publicKey,
        PUSH_VAPID_PRIVATE_KEY: webPush.generateVAPIDKeys().privateKey,
      },
      /are not of the same pair$/,
    ],
    [{ PUSH_CONTACT: "ops@example.org" }, /^PUSH_CONTACT accepts/],
    [{ MAIL_DKIM_DOMAIN: "no domain" }, /^MAIL_DKIM_DOMAIN accepts/],
  ];
  for (const [env, message] of refused) assert.throws(() => readConfig(env), { message });
});

test("a key that can't sign is found at the start", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "evently-dkim-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const MAIL_DKIM_KEY_FILE = join(directory, "key.pem");
  const env = { MAIL_DKIM_DOMAIN: "tickets.example", MAIL_DKIM_SELECTOR: "s1", MAIL_DKIM_KEY_FILE };
  assert.throws(() => readConfig(env), { message: /^MAIL_DKIM_KEY_FILE can't be read/ });
  const ed25519 = generateKeyPairSync("ed25519").privateKey;
  writeFileSync(MAIL_DKIM_KEY_FILE, ed25519.export({ type: "pkcs8", format: "pem" }));
  assert.throws(() => readConfig(env), { message: /^MAIL_DKIM_KEY_FILE accepts/ });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  writeFileSync(MAIL_DKIM_KEY_FILE, pem);
  const { dkim } = readConfig(env).notifier;
  assert.deepEqual(dkim, { domain: "tickets.example", selector: "s1", privateKey: pem });
});
