import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { createSigner } from "fast-jwt";
import type { HoldId } from "../../engine/ids.ts";
import { itemIdOf } from "../../engine/ids.ts";
import { EVENT_ID, NOON } from "../../engine/testing/fixtures.ts";
import { kidOf, type TicketClaims, TicketKey } from "./ticket-token.ts";

const CLAIMS: TicketClaims = {
  ticketId: itemIdOf(EVENT_ID as string as HoldId, 0),
  eventId: EVENT_ID,
  code: "7K2MXA9P4G7K2MXA",
  place: "Rang 1, Loge „Süd“",
  bookedAtMs: NOON,
};
const key = TicketKey.fresh(0);

test("what a key has signed it reads, and the same is signed in the same way", () => {
  const token = key.sign(CLAIMS);
  assert.deepEqual(key.read(token), CLAIMS);
  assert.equal(kidOf(token), key.kid);
  assert.equal(new TicketKey(key.secret, 5).sign(CLAIMS), token);
  assert.ok(token.length < 400, "a QR code of moderate size");
});

test("nothing else is a ticket", () => {
  const token = key.sign(CLAIMS);
  const [head = "", body = "", signature = ""] = token.split(".");
  assert.equal(TicketKey.fresh(0).read(token), null, "another key");
  const later = Buffer.from(body, "base64url").toString().replace("7K2M", "8K2M");
  assert.equal(key.read(`${head}.${Buffer.from(later).toString("base64url")}.${signature}`), null);
  // Signed with the key that is published, as if it were a shared secret.
  const { x } = key.published;
  const confused = createSigner({ algorithm: "HS256", key: x, kid: key.kid })({ jti: "x" });
  assert.equal(key.read(confused), null);
  const other = createSigner({ algorithm: "EdDSA", key: key.secret, kid: key.kid });
  for (const payload of [{}, { jti: 1 }, { jti: CLAIMS.ticketId, evt: EVENT_ID, cod: 7 }]) {
    assert.equal(key.read(other(payload)), null, JSON.stringify(payload));
  }
});

test("texts of any kind name no key", () => {
  const texts = ["", "7K2MXA9P4G7K2MXA", "a.b.c", "..", `${"a".repeat(600)}.${"b".repeat(600)}.c`];
  for (const text of texts) assert.equal(kidOf(text), null, text);
});

test("tickets are signed with Ed25519 and nothing else", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = String(privateKey.export({ format: "pem", type: "pkcs8" }));
  assert.throws(() => new TicketKey(pem, 0), /Ed25519/);
});
