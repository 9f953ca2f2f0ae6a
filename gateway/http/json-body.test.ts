import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { requestLike } from "../../tests/support/requests.ts";
import { parseJsonBody } from "./json-body.ts";

const parse = (body: string | Buffer, contentType = "application/json") =>
  parseJsonBody(requestLike({ body: Buffer.from(body), contentType }));

describe("parseJsonBody", () => {
  for (const contentType of [
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON;charset=UTF-8",
    "application/merge-patch+json",
  ]) {
    it(`takes ${contentType}`, () => {
      assert.deepEqual(parse('{"a":[1,"é"]}', contentType), { ok: true, value: { a: [1, "é"] } });
    });
  }

  it("takes escaped characters of two halves, and backslashes before a u", () => {
    const parsed = parse('["\\ud83d\\ude00", "\\\\u0000"]');
    assert.deepEqual(parsed, { ok: true, value: ["😀", "\\u0000"] });
  });

  for (const contentType of ["", "text/plain", "application/jsonp", "x-application/json"]) {
    it(`answers unsupported_media_type to "${contentType}"`, () => {
      const parsed = parse("{}", contentType);
      assert.equal(parsed.ok ? null : parsed.code, "unsupported_media_type");
    });
  }

  const broken: readonly (readonly [what: string, body: string | Buffer])[] = [
    ["an empty body", ""],
    ["half a body", '{"a":'],
    ["a byte that is no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
    ["a byte order mark", "\ufeff{}"],
    ["a __proto__ key", '{"a":{"__proto__":{"admin":true}}}'],
    ["a constructor key", '{"constructor":{"prototype":{"admin":true}}}'],
    ["a constructor key in disguise", '{"\\u0063on\\u0073tructor":1}'],
    ["half a character in a text", '{"a":[{"b":"x\\udc00"}]}'],
    ["half a character in a key", '{"\\ud83d":1}'],
    ["a __proto__ key in disguise", '{"\\u005f_pr\\u006fto__" : 1}'],
  ];
  for (const [what, body] of broken) {
    it(`answers malformed_json to ${what}`, () => {
      const parsed = parse(body);
      assert.equal(parsed.ok ? null : parsed.code, "malformed_json");
    });
  }

  it("takes such words inside a text", () => {
    const text = 'say "__proto__": twice, and "constructor": once';
    const value = { text, word: "constructor" };
    assert.deepEqual(parse(JSON.stringify(value)), { ok: true, value });
  });
});
