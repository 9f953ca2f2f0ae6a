import assert from "node:assert/strict";
import { test } from "node:test";
import { Packr } from "msgpackr";
import { decodeFact, encodeFact } from "./fact-codec.ts";
import type { Block, PlacesChanged } from "./facts.ts";
import { BLOCKED, FREE } from "./inventory.ts";
import { ENTRY_BYTES_MAX, SEATS_PER_EVENT_MAX } from "./limits.ts";
import { BOB, NOON } from "./testing/fixtures.ts";

const packr = new Packr({ useRecords: false });

const changed = (blocks: readonly Block[]): PlacesChanged => ({
  kind: "placesChanged",
  seq: 7,
  atMs: NOON,
  key: { digest: "d", fingerprint: "f" },
  by: BOB,
  blocks,
  capacities: [{ area: 0, capacity: 6 }],
  moves: [{ places: blocks.map(({ place }) => place), from: BLOCKED, to: FREE }],
});

test("channels may follow each other in any order, and none of them may be there", () => {
  for (const channels of ["", "a", "aab", "abba", "aba"]) {
    const blocks = Array.from(channels, (channel, place) => ({ place, channel, quantity: place }));
    const fact = changed([...blocks, { place: -1, channel: "", quantity: 2 }]);
    assert.deepEqual(decodeFact(packr.unpack(packr.pack(encodeFact(fact)))), fact);
  }
});

test("all seats of an event may return to sale at once, whatever their channels are called", () => {
  const channels = Array.from({ length: 100 }, (_, n) => `${n}`.padStart(64, "x"));
  const blocks = Array.from({ length: SEATS_PER_EVENT_MAX }, (_, place) => {
    return { place, channel: channels[Math.floor(place / 2_000)] ?? "", quantity: 0 };
  });
  const bytes = packr.pack(encodeFact(changed(blocks)));
  assert.ok(bytes.length < ENTRY_BYTES_MAX, `${bytes.length}`);
});

test("facts that were written before channels had runs are read", () => {
  const blocks = [
    { place: 3, channel: "press", quantity: 1 },
    { place: -1, channel: "", quantity: 4 },
  ];
  const fact = changed(blocks);
  const [, seq, atMs, key, by, , capacities, moves] = encodeFact(fact);
  const flat = blocks.flatMap(({ place, channel, quantity }) => [place, channel, quantity]);
  assert.deepEqual(decodeFact([10, seq, atMs, key, by, flat, capacities, moves]), fact);
});
