import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import webPush from "web-push";
import { readConfig } from "../config.ts";
import { isPublicKey, publicKeyOf } from "./p256-keys.ts";
import { VAPID_FILE, vapidKeysOf } from "./vapid-keys.ts";

test("keys are made once, for their owner alone, and stay", (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "evently-vapid-"));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const config = readConfig({ DATA_DIR: dataDir, MAIL_FROM: "Tickets <tickets@example.org>" });
  const keys = vapidKeysOf(config);
  assert.ok(isPublicKey(keys.publicKey) && publicKeyOf(keys.privateKey) === keys.publicKey);
  assert.equal(keys.subject, "mailto:tickets@example.org");
  const path = join(dataDir, VAPID_FILE);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(vapidKeysOf(config), keys);
  const kept = readFileSync(path, "utf8");
  for (const broken of [kept.slice(0, -9), "{}", '{"privateKey":"AA"}', "null"]) {
    writeFileSync(path, broken);
    assert.throws(() => vapidKeysOf(config), /has no keys; remove it to have new ones made$/);
  }
});

test("configured keys and a contact go before all else", () => {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  const config = readConfig({
    PUSH_VAPID_PUBLIC_KEY: publicKey,
    PUSH_VAPID_PRIVATE_KEY: privateKey,
    PUSH_CONTACT: "https://example.org/contact",
  });
  const subject = "https://example.org/contact";
  assert.deepEqual(vapidKeysOf(config), { publicKey, privateKey, subject });
});
