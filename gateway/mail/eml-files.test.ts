import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MAILS_IN_FLIGHT_MAX } from "../../engine/limits.ts";
import { BackgroundMailbox } from "./background-mailbox.ts";
import { EmlFiles } from "./eml-files.ts";

const mail = { to: "anna@example.org", subject: "Grüße", text: "Hello\n\nToken: a-b_c\n" };

test("a mail becomes one complete file that only its owner reads", async (t) => {
  const parent = mkdtempSync(join(tmpdir(), "evently-mail-"));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const directory = join(parent, "mail");
  const mailbox = new BackgroundMailbox(
    new EmlFiles({ directory, from: "Evently <no-reply@example.org>" }),
    { warn: assert.fail },
  );
  mailbox.post(mail);
  mailbox.post({ ...mail, to: "ben@example.org\r\nBcc: eve@example.org" });
  await mailbox.close();
  const names = readdirSync(directory);
  assert.equal(names.length, 2);
  const texts = names.map((name) => readFileSync(join(directory, name), "utf8"));
  const text = texts.find((one) => one.includes("\r\nTo: anna@example.org\r\n")) ?? "";
  assert.match(text, /^From: Evently <no-reply@example.org>\r\n/);
  assert.match(text, /\r\n\r\nHello\r\n\r\nToken: a-b_c\r\n/);
  assert.doesNotMatch(texts.join(""), /^Bcc:/m);
  for (const name of names) {
    assert.match(name, /^[0-9a-f-]{36}\.eml$/);
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600);
  }
});

test("what can't be delivered, or is too much, is logged and holds nobody up", async () => {
  const logged: string[] = [];
  let fail: (error: Error) => void = () => undefined;
  const stuck = new Promise<void>((_, reject) => {
    fail = reject;
  });
  const transport = { deliver: () => stuck, close: () => undefined };
  const mailbox = new BackgroundMailbox(transport, {
    warn: (fields: unknown, message?: string) => {
      logged.push(`${message}: ${JSON.stringify(fields)}`);
    },
  });
  for (let n = 0; n < MAILS_IN_FLIGHT_MAX; n += 1) mailbox.post(mail);
  assert.equal(logged.length, 0);
  mailbox.post(mail);
  assert.equal(logged.length, 1);
  fail(new Error("no such server"));
  await mailbox.close();
  mailbox.post(mail);
  assert.equal(logged.length, MAILS_IN_FLIGHT_MAX + 2);
  assert.ok(logged.some((line) => line.includes("no such server")));
  assert.ok(!logged.some((line) => line.includes("anna@")));
});
