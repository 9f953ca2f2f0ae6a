import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "./mail-address.ts";
import { ALL_ORGANIZATIONS } from "./optional-kinds.ts";
import { SignedLinks } from "./signed-links.ts";

const options = { jwtSecret: "a secret that is long enough to be", apiUrl: "https://api.example" };
const links = new SignedLinks(options);
const ORGANIZATION = "0190c2a4-7b1e-7c3d-8e4f-5a6b7c8d9e0f";
const tokenOf = (link: string): string => link.slice(link.lastIndexOf("/") + 1);

test("a link says whose mails of which kind end, and no address", () => {
  const link = links.unsubscribe("anna@example.org", "campaign", ORGANIZATION);
  assert.match(link, /^https:\/\/api\.example\/api\/v1\/mail\/unsubscribe\/[\w-]{88}$/);
  assert.ok(!Buffer.from(tokenOf(link), "base64url").includes("anna"));
  assert.deepEqual(links.readUnsubscribe(tokenOf(link)), {
    recipient: digestOf("anna@example.org"),
    kind: "campaign",
    organizationId: ORGANIZATION,
  });
  const ofAll = links.unsubscribe("anna@example.org", "reminder", null);
  assert.equal(links.readUnsubscribe(tokenOf(ofAll))?.organizationId, ALL_ORGANIZATIONS);
});

test("a kind that is needed leads to the page with those that are not", () => {
  const link = links.unsubscribe("anna@example.org", "confirmation", null);
  assert.equal(link, links.preferences("anna@example.org"));
  assert.deepEqual(links.readPreferences(tokenOf(link)), digestOf("anna@example.org"));
});

test("nothing that was changed, cut, made elsewhere or for another use is one", () => {
  const token = tokenOf(links.unsubscribe("anna@example.org", "campaign", ORGANIZATION));
  const bytes = Buffer.from(token, "base64url");
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    assert.equal(links.readUnsubscribe(changed.toString("base64url")), null, `byte ${at}`);
  }
  for (const other of ["", "x", token.slice(0, -1), `${token}AAAA`, "é".repeat(88)]) {
    assert.equal(links.readUnsubscribe(other), null, other);
  }
  assert.equal(links.readPreferences(token), null);
  assert.equal(links.readUnsubscribe(tokenOf(links.preferences("anna@example.org"))), null);
  const stranger = new SignedLinks({ ...options, jwtSecret: "another secret of such a length" });
  assert.equal(stranger.readUnsubscribe(token), null);
});
