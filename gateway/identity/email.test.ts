import assert from "node:assert/strict";
import { test } from "node:test";
import { domainToASCII } from "node:url";
import fc from "fast-check";
import addressParser from "nodemailer/lib/addressparser/index.js";
import { parseEmail } from "./email.ts";

test("an address is trimmed, in lower case, and its domain as DNS knows it", () => {
  for (const [given, parsed] of [
    ["  Anna.Lee+tickets@Example.ORG ", "anna.lee+tickets@example.org"],
    ["o'neil_{x}@sub-1.example.co.uk", "o'neil_{x}@sub-1.example.co.uk"],
    ["jörg@MÜNCHEN.example", "jörg@xn--mnchen-3ya.example"],
    ["jo\u0308rg@mu\u0308nchen.example", "jörg@xn--mnchen-3ya.example"],
    ["用户@例子。中国", "用户@xn--fsqu00a.xn--fiqs8s"],
    ["a@ｅｘａｍｐｌｅ．org", "a@example.org"],
    ["\u212Aim@example.org", "kim@example.org"],
  ] as const) {
    assert.equal(parseEmail(given), parsed);
    assert.equal(parseEmail(parsed), parsed, "once more, and it is the same");
  }
});

test("what a mail's header would read as something else is no address", () => {
  for (const text of [
    "",
    "anna",
    "@example.org",
    "anna@",
    "<a@b.org>",
    "a@b.org>,<x",
    "a,b@evil.org",
    "undisclosed:x;@b.org",
    "(anna)a@b.org",
    '"a b"@b.org',
    "a\\b@b.org",
    "a@b@c.org",
    "a b@c.org",
    "a@[127.0.0.1]",
    "a@127.0.0.1",
    "a@0x7f.1",
    "a@b",
    "a@b..org",
    "a@b.org.",
    "a@.b.org",
    "a@-b.org",
    "a@b-.org",
    "a@b_c.org",
    "a@b%2eorg",
    "a@xn--a.org",
    `a@${"b".repeat(64)}.org`,
    ".a@b.org",
    "a.@b.org",
    "a..b@b.org",
    "a\u200Bb@b.org",
    "a\u202Eb@b.org",
    "a\u2060b@b.org",
    "a\u3164b@b.org",
    "a@b\u00ADc.org",
    "a@b\u200Dc.org",
    "a\0@b.org",
    "a@b.org\r\nBcc: x@y.org",
    "\uD800@b.org",
    `${"a".repeat(65)}@b.org`,
    `${"a".repeat(64)}@${"b.".repeat(95)}org`,
    `${"a".repeat(60)}@${"ü.".repeat(60)}org`,
  ]) {
    assert.equal(parseEmail(text), null, JSON.stringify(text));
  }
});

test("a domain that needs no look at what DNS knows is what DNS knows", () => {
  const character = fc.constantFrom(..."abcxn019-.".split(""), "0x", "xn--", "%", "ü");
  const domain = fc.string({ unit: character, minLength: 1, maxLength: 24 });
  fc.assert(
    fc.property(domain, (given) => {
      const parsed = parseEmail(`anna@${given}`);
      if (parsed !== null) assert.equal(parsed, `anna@${domainToASCII(given)}`);
    }),
    { numRuns: 5_000 },
  );
});

test("mail goes to the one address that was parsed, whatever it is made of", () => {
  const odd = "!#$%&'*+-/=?^_`{|}~.ü@xn--mnchen-3ya.example";
  assert.equal(parseEmail(odd), odd);
  assert.deepEqual(
    addressParser(odd).map((one) => "address" in one && one.address),
    [odd],
  );
});
