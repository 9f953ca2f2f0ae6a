import assert from "node:assert/strict";
import { test } from "node:test";
import { BODIES_BYTES_MAX } from "../../engine/limits.ts";
import { BodyCollector } from "./body-collector.ts";

const chunk = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text)).buffer;

test("a body counts until its request is answered, whether it came whole or in chunks", () => {
  const held = { bytes: 0 };
  const whole = new BodyCollector(10, held);
  const parts = new BodyCollector(10, held);
  assert.deepEqual(whole.add(chunk("abc"), true), { kind: "complete", body: Buffer.from("abc") });
  assert.equal(parts.add(chunk("de"), false).kind, "more");
  assert.deepEqual(parts.add(chunk("fg"), true), { kind: "complete", body: Buffer.from("defg") });
  assert.equal(held.bytes, 7);
  for (const collector of [whole, parts, whole]) collector.discard();
  assert.equal(held.bytes, 0);
});

test("past the bound of all bodies there is no room, not even for a last chunk", () => {
  const held = { bytes: BODIES_BYTES_MAX - 3 };
  const fits = new BodyCollector(10, held);
  assert.equal(fits.add(chunk("abc"), true).kind, "complete");
  const more = new BodyCollector(10, held);
  assert.equal(more.add(chunk("a"), true).kind, "noRoom");
  fits.discard();
  assert.equal(held.bytes, BODIES_BYTES_MAX - 3);
});
