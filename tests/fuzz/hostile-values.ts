/** What nobody in their right mind sends. */
import type { Random } from "../../engine/testing/random.ts";

const long = (count: number): string => "x".repeat(count);

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n += 1) value = n % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Made when asked for: some are large. */
const VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => -0,
  () => 1.5,
  () => 1e21,
  () => Number.MAX_SAFE_INTEGER,
  () => Number.MAX_SAFE_INTEGER + 1,
  () => 2 ** 31,
  () => -(2 ** 63),
  () => 5e-324,
  () => "",
  () => " ",
  () => "0",
  () => "null",
  () => "NaN",
  () => "\u0000",
  () => "x\u0000",
  () => "a\u0000b",
  () => "\ud800",
  () => "\udfff\ud800",
  () => "e\u0301\u200b\u202e\ufeff",
  () => "👩‍👩‍👧‍👦🇩🇪",
  () => "ﷺ".repeat(50),
  () => "\r\nX-Evil: 1",
  () => "'; DROP TABLE users; --",
  () => "%' OR 1=1 --",
  () => "#{7*7}{{7*7}}",
  () => "../../etc/passwd",
  () => "<script>alert(1)</script>",
  () => "__proto__",
  () => "constructor",
  () => "toString",
  () => "hasOwnProperty",
  () => "2030-02-30T00:00:00Z",
  () => "2030-13-01T00:00:00Z",
  () => "+275760-09-13T00:00:00Z",
  () => "0000-01-01T00:00:00+14:00",
  () => "9999-12-31T23:59:59-12:00",
  () => "2030-03-31T02:30",
  () => "a@b",
  () => `${long(64)}@${long(180)}.example`,
  () => "ada@exämple.org",
  () => "00000000-0000-7000-8000-000000000000",
  () => "FFFFFFFF-FFFF-7FFF-BFFF-FFFFFFFFFFFF",
  () => "ffffffff-ffff-7fff-bfff-ffffffffffff",
  () => "Etc/GMT+12",
  () => "1e2",
  () => "100.01",
  () => long(200),
  () => long(201),
  () => long(5_000),
  () => long(60_000),
  () => [],
  () => {
    return {};
  },
  () => [null],
  () => [[]],
  () => [1, "a", null, {}],
  () => Array.from({ length: 101 }, (_, n) => n),
  () => Array.from({ length: 3_000 }, () => ""),
  () => nested(20),
  () => nested(4_000),
  () => ({ length: 3 }),
  () => ({ constructor: { prototype: { polluted: true } } }),
  () => ({ toString: 1, valueOf: 2, toJSON: 3 }),
  () => ({ "": "" }),
  () => Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])),
];

export const hostileValue = (random: Random): unknown => random.pick(VALUES)();

const TEXTS = VALUES.filter((make) => typeof make() === "string");

/** For where everything is a text: paths and queries. */
export function hostileText(random: Random): string {
  if (random.next() < 0.8) return String(random.pick(TEXTS)());
  return String(JSON.stringify(hostileValue(random))).slice(0, 300);
}

/** Bodies that are no JSON, or only just. */
const BODIES: readonly (() => string | Buffer)[] = [
  () => "",
  () => " ",
  () => "{",
  () => "}",
  () => "[",
  () => "nul",
  () => "null",
  () => "true",
  () => "0",
  () => "1e400",
  () => '"text"',
  () => "[]",
  () => "{}",
  () => "{}{}",
  () => "{'a':1}",
  () => '{"a":1,}',
  () => '{"a":01}',
  () => '{"a":NaN}',
  () => '{"a":1e999}',
  () => '{"a":"\\u0000"}',
  () => '{"a":"\\ud800"}',
  () => '{"\\ud800":1}',
  () => '{"__proto__":{"polluted":true}}',
  () => '{"\\u005f_proto__":{"polluted":true}}',
  () => '{"constructor":{"prototype":{"polluted":true}}}',
  () => '{"items":1,"items":[]}',
  () => "\ufeff{}",
  () => Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
  () => Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
  () => Buffer.from('{"a":"é"}', "latin1"),
  () => Buffer.alloc(1_000),
  () => Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
  () => `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  () => '{"a":'.repeat(10_000),
  () => `{"a":${"9".repeat(30_000)}}`,
  () => `{"a":"${"\\u0061".repeat(9_000)}"}`,
  () => `{"items":"${long(70_000)}"}`,
];

export const hostileBody = (random: Random): string | Buffer => random.pick(BODIES)();

export const CONTENT_TYPES = [
  "",
  "text/plain",
  "text/html",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-16",
  "application/problem+json",
  "application/jsonp",
  "APPLICATION/JSON",
  `application/json; ${long(2_000)}`,
];

export const TOKENS = [
  "",
  "x",
  "null",
  "..",
  "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwicm9sZSI6ImFkbWluIn0.",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk4In0.c2lnbmF0dXJl",
  `${long(2_100)}`,
  "a.b.c.d",
  "%00",
];
