import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILT_IN, type BuiltInKind, EDITABLE_KINDS } from "./built-in-templates.ts";
import { checkTemplate, renderMail } from "./mail-template.ts";
import { checkOwn, withOwn } from "./own-template.ts";
import { SAMPLES } from "./sample-variables.ts";
import type { MailValue, MailVariables } from "./template-engine.ts";

const KINDS = Object.keys(BUILT_IN) as BuiltInKind[];

test("every built-in template passes what others have to pass, and makes a mail", () => {
  for (const kind of KINDS) {
    assert.deepEqual(checkTemplate(BUILT_IN[kind], SAMPLES[kind]), [], kind);
    const { subject, html, text } = renderMail(BUILT_IN[kind], SAMPLES[kind]);
    assert.ok(subject.length > 10 && !subject.includes("{"), subject);
    assert.match(html, /^<!doctype html>/);
    assert.ok(text.length > 50 && !/[{}]|null|undefined/.test(text), text);
  }
});

test("nothing that may be missing is needed", () => {
  const without = (value: MailValue): MailValue => {
    if (Array.isArray(value)) return value.map(without);
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [
          name,
          ["url", "qr", "firstName", "link", "reason", "refund"].includes(name) &&
          typeof inner !== "object"
            ? null
            : without(inner),
        ]),
      );
    }
    return value;
  };
  for (const kind of KINDS) {
    const bare = without({ ...SAMPLES[kind] }) as MailVariables;
    const { html, text } = renderMail(BUILT_IN[kind], bare);
    assert.doesNotMatch(html, /href=""|src=""|null/, kind);
    assert.doesNotMatch(text, /Hello {|null/, kind);
  }
});

test("a token is on a line of its own in the plain text, whatever its length", () => {
  const token = "a-_".repeat(14);
  const { text } = renderMail(BUILT_IN.verification, { link: null, token });
  assert.match(text, new RegExp(`^Token: ${token}$`, "m"));
});

test("an organisation puts its own words in place of some, and of no others", () => {
  const own = {
    subject: "Hi {{ buyer.firstName }}",
    blocks: { intro: "<p>Welcome!</p>", codes: "" },
  };
  assert.deepEqual(checkOwn("confirmation", own), []);
  const used = withOwn("confirmation", own);
  assert.deepEqual(Object.keys(used.blocks), Object.keys(BUILT_IN.confirmation.blocks));
  const { subject, text } = renderMail(used, SAMPLES.confirmation);
  assert.equal(subject, "Hi Anna");
  assert.match(text, /Welcome!/);
  assert.match(checkOwn("refund", { blocks: { codes: "x" } })[0]?.message ?? "", /is no block/);
  for (const kind of EDITABLE_KINDS) {
    const broken = checkOwn(kind, { blocks: { footer: "{{ secret }}" } });
    assert.match(broken[0]?.message ?? "", /line 1: there is no variable secret/);
  }
});
