import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LOCAL_ORIGINS, Origins, parseOriginPattern } from "./origins.ts";

describe("Origins", () => {
  it("allows what a pattern says, and nothing that only looks like it", () => {
    const origins = new Origins([
      ...["https://shop.example.org", "https://*.example.com", "http://localhost:*"],
      ...["https://tickets.example.net:8443", "http://[::1]:*"],
    ]);
    const allowed = [
      ...["https://shop.example.org", "https://a.example.com", "https://a.b.example.com"],
      ...["http://localhost", "http://localhost:5173", "https://tickets.example.net:8443"],
      "http://[::1]:3000",
    ];
    for (const origin of allowed) assert.equal(origins.allows(origin), true, origin);
    const refused = [
      ...["null", "", "https://example.org", "http://shop.example.org"],
      ...["https://shop.example.org.evil.test", "https://evil-shop.example.org"],
      ...["https://shopXexample.org", "https://shop.example.org:444", "https://example.com"],
      ...["https://evil.test/.example.com", "http://localhost.evil.test", "https://localhost:1"],
      ...["https://tickets.example.net", "https://shop.example.org/"],
    ];
    for (const origin of refused) assert.equal(origins.allows(origin), false, origin);
  });

  it("names the origin back, and tells caches that it depends on it", () => {
    const origins = new Origins(["https://shop.example.org"]);
    const lines = origins.linesFor("https://shop.example.org");
    assert.match(lines, /^\r\nVary: Origin\r\nAccess-Control-Allow-Origin: https:\/\/shop\.ex/);
    assert.match(lines, /\r\nAccess-Control-Expose-Headers: .*X-RateLimit-Remaining/);
    assert.equal(origins.linesFor("https://evil.test"), "\r\nVary: Origin");
    assert.equal(origins.linesFor(""), "\r\nVary: Origin");
    assert.equal(new Origins([]).linesFor("https://shop.example.org"), "");
  });

  it("says * to everybody where everybody may", () => {
    const lines = new Origins(["*"]).linesFor("https://any.example");
    assert.match(lines, /^\r\nAccess-Control-Allow-Origin: \*\r\n/);
  });

  it("never grows with the origins that ask", () => {
    const origins = new Origins(["https://*.example.org"]);
    for (let n = 0; n < 30_000; n += 1) origins.linesFor(`https://s${n}.example.org`);
    assert.match(origins.linesFor("https://s1.example.org"), /https:\/\/s1\.example\.org/);
  });

  it("refuses patterns that are none", () => {
    const bad = [
      ...["", "shop.example.org", "https://", "ftp://x", "https://*", "https://a b"],
      ...["https://shop.example.org/", "https://shop.example.org/path", "https://a.*.org", "null"],
    ];
    for (const text of bad) assert.equal(parseOriginPattern(text), undefined, text);
    for (const text of LOCAL_ORIGINS) assert.notEqual(parseOriginPattern(text), undefined, text);
  });
});
