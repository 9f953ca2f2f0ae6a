import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact, Held } from "../../engine/facts.ts";
import { activeHoldOf } from "../../engine/holds.ts";
import { BOB, EVENT_ID, EventBench } from "../../engine/testing/fixtures.ts";
import { Random } from "../../engine/testing/random.ts";
import { randomDomainStep } from "../../engine/testing/random-domain-step.ts";
import { randomStep } from "../../engine/testing/random-step.ts";
import { packFact } from "./fact-bytes.ts";
import { PlainHold } from "./plain-hold.ts";

const BEFORE = 7;
const KEY = { digest: "digest-of-the-key", fingerprint: "fingerprint" };

/** The fact as it is packed, somewhere in other bytes. */
function placed(fact: Fact): { bytes: Buffer; start: number; end: number } {
  const packed = packFact(fact);
  const bytes = Buffer.concat([Buffer.alloc(BEFORE, 0x98), packed, Buffer.from([0, 1, 2])]);
  return { bytes, start: BEFORE, end: BEFORE + packed.length };
}

function isPlain(fact: Fact): fact is Held {
  if (fact.kind !== "held" || fact.terms !== null || fact.ordinals !== null) return false;
  return fact.items.every(({ charge }) => charge === null);
}

function heldBy(places: readonly number[], key: typeof KEY | null): Held {
  const { reply } = new EventBench().hold(places, BOB, key);
  assert.ok(reply.kind === "done" && reply.fact.kind === "held");
  return reply.fact;
}

test("of all facts, plain holds are read, and all of what they say", () => {
  const seen = { plain: 0, other: 0, withKey: 0 };
  for (let seed = 1; seed <= 20; seed += 1) {
    const [bench, random] = [new EventBench(), new Random(seed)];
    const act = seed % 2 === 0 ? randomStep : randomDomainStep;
    for (let step = 0; step < 200; step += 1) act(random, bench, step);
    for (const fact of bench.facts) {
      const hold = PlainHold.read(EVENT_ID, placed(fact));
      assert.equal(hold !== null, isPlain(fact), fact.kind);
      if (hold === null || !isPlain(fact)) {
        seen.other += 1;
        continue;
      }
      const places: number[] = [];
      hold.forEachPlace((place) => places.push(place));
      const { eventId, seq, atMs, expiresAtMs, holdId } = hold;
      assert.deepEqual({ seq, atMs, expiresAtMs, holdId }, pick(fact));
      assert.equal(eventId, EVENT_ID);
      assert.equal(hold.hasKey, fact.key !== null);
      assert.deepEqual(hold.hold, activeHoldOf(fact));
      assert.deepEqual(
        places,
        fact.items.map(({ place }) => place),
      );
      const numbers = fact.items.flatMap((item) => [item.place, item.category, item.priceMinor]);
      assert.deepEqual(hold.items(), numbers);
      const texts = [hold.holdIdAt, hold.userIdAt].map((at) =>
        hold.bytes.toString("latin1", at, at + 36),
      );
      assert.deepEqual(texts, [fact.holdId, fact.userId]);
      seen.plain += 1;
      if (hold.hasKey) seen.withKey += 1;
    }
  }
  assert.ok(seen.plain > 100 && seen.withKey > 50 && seen.other > 100, JSON.stringify(seen));
});

const pick = ({ seq, atMs, expiresAtMs, holdId }: Held) => ({ seq, atMs, expiresAtMs, holdId });

test("what is not whole, or more than a plain hold, is none", () => {
  for (const key of [null, KEY]) {
    const place = placed(heldBy([0, 1, -1], key));
    assert.ok(PlainHold.read(EVENT_ID, place));
    assert.equal(PlainHold.read(EVENT_ID, { ...place, end: place.end + 1 }), null);
    for (let end = place.start; end < place.end; end += 1) {
      const cut = { ...place, bytes: place.bytes.subarray(0, end), end };
      assert.equal(PlainHold.read(EVENT_ID, { ...place, end }), null, `to end at ${end}`);
      assert.equal(PlainHold.read(EVENT_ID, cut), null, `cut off at ${end}`);
    }
  }
});

test("a hold with a member of another kind is none", () => {
  const { bytes, start, end } = placed(heldBy([0, 1], KEY));
  const found = PlainHold.read(EVENT_ID, { bytes, start, end });
  assert.ok(found);
  const heads = [start, start + 1, start + 2, found.holdIdAt - 2, found.userIdAt - 2, end - 9];
  const itemsAt = found.userIdAt + 36;
  // The values behind it move, and nearly all of them are another's then.
  for (const at of [...heads, itemsAt, itemsAt + 1, itemsAt + 2]) {
    for (const head of [0xc0, 0xa1, 0x91, 0xc3, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xdc, 0xdd]) {
      const changed = Buffer.from(bytes);
      changed[at] = head;
      if (changed.equals(bytes)) continue;
      const read = PlainHold.read(EVENT_ID, { bytes: changed, start, end });
      // A number may be another number.
      const isNumber = at > itemsAt || at === start + 2 || at === end - 9;
      assert.ok(read === null || isNumber, `${head} at ${at}`);
    }
  }
});

test("of areas that are far down, whatever lies behind, a hold is read from objects", () => {
  const fact = heldBy([-1, -1], null);
  const [item] = fact.items;
  assert.ok(item);
  for (let place = -1; place >= -256; place -= 1) {
    for (let n = 0; n < 64; n += 1) {
      const prices = [0, 200, 4_500, 70_000];
      const priceMinor = prices[n % prices.length] ?? 0;
      const expiresAtMs = 1_763_900_001_456 + n;
      const items = Array.from({ length: 1 + (n % 6) }, () => ({ ...item, place, priceMinor }));
      const bytes = packFact({ ...fact, items, expiresAtMs });
      const hold = PlainHold.read(EVENT_ID, { bytes, start: 0, end: bytes.length });
      assert.equal(hold !== null, place >= -32, `${place}`);
    }
  }
});
