import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChildNode, Element, Text } from "domhandler";
import { parseDocument } from "htmlparser2";
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

test("a name that is wider than a telephone breaks, wherever it stands", () => {
  const wide = "W".repeat(60);
  const names = ["title", "venue", "name", "firstName", "place", "category", "reason"];
  const widened = (value: MailValue, name = ""): MailValue => {
    if (Array.isArray(value)) return value.map((one) => widened(one));
    if (typeof value === "object" && value !== null) {
      const members = Object.entries(value);
      return Object.fromEntries(members.map(([key, inner]) => [key, widened(inner, key)]));
    }
    return names.includes(name) ? wide : value;
  };
  const frame = { sender: wide, footnotes: [{ text: wide }], pixel: null };
  for (const kind of KINDS) {
    const variables = widened({ ...SAMPLES[kind] }) as MailVariables;
    const { html } = renderMail(BUILT_IN[kind], variables, { frame });
    const texts = textsOf(parseDocument(html).children).filter(({ data }) => data.includes(wide));
    // Its subject is the document's title.
    const shown = texts.filter(
      ({ parent }) => !(parent instanceof Element && parent.name === "title"),
    );
    assert.ok(shown.length >= 2, kind);
    for (const text of shown) {
      assert.equal(inherited(text, "overflow-wrap"), "anywhere", `${kind}: ${text.data}`);
      assert.equal(inherited(text, "word-break"), "break-word", `${kind}: ${text.data}`);
      assert.equal(inherited(text, "white-space"), null, `${kind}: ${text.data}`);
    }
  }
});

function textsOf(nodes: readonly ChildNode[]): Text[] {
  return nodes.flatMap((node) => {
    if (node instanceof Text) return [node];
    return node instanceof Element ? textsOf(node.children) : [];
  });
}

/** What the nearest element around a text says of a property that is handed down; null: none. */
function inherited({ parent }: ChildNode, property: string): string | null {
  if (!(parent instanceof Element)) return null;
  const said = new RegExp(`(?:^|;)${property}:([^;]+)`, "g");
  const last = [...(parent.attribs.style ?? "").matchAll(said)].at(-1);
  return last?.[1] ?? inherited(parent, property);
}

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
