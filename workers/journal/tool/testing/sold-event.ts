/** A small sale and the journal that it left behind, for the tool's tests. */
import type { CommandKey, Fact } from "../../../../engine/facts.ts";
import { placeOfArea } from "../../../../engine/place.ts";
import { BOB, EventBench } from "../../../../engine/testing/fixtures.ts";
import { type EntryOptions, entriesOf } from "../../../testing/entries.ts";

export const KEY: CommandKey = { digest: "digest-of-user-and-key", fingerprint: "fingerprint" };

/**
 * Facts 1 to 8: configured, held, held with a key, booked, released, held on the floor, cancelled,
 * expired; one second apart.
 */
export function soldEvent(): EventBench {
  const bench = new EventBench();
  const tick = (): void => {
    bench.nowMs += 1_000;
  };
  tick();
  const first = bench.held([0, 1]);
  tick();
  bench.hold([2], BOB, KEY);
  tick();
  const booking = bench.booked(first);
  tick();
  const [second] = [...bench.state.holds.active()];
  if (second !== undefined) bench.run({ kind: "release", holdId: second.holdId, userId: BOB });
  tick();
  bench.held([placeOfArea(0), placeOfArea(0), 5], BOB);
  tick();
  bench.run({
    kind: "cancel",
    bookingId: booking,
    tickets: null,
    userId: BOB,
    asOrganizer: true,
    reason: "rain",
    key: null,
  });
  bench.nowMs += 3_600_000;
  bench.expire();
  return bench;
}

/** One entry each, as the journal has them. */
export function entriesEach(facts: readonly Fact[], options: EntryOptions = {}): Buffer[] {
  const { firstLsn = 1 } = options;
  return facts.map((fact, index) => entriesOf([fact], { ...options, firstLsn: firstLsn + index }));
}
