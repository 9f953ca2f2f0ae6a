import { statusOf } from "../booking.ts";
import { placeOfArea } from "../place.ts";
import { ALICE, BOB, type EventBench } from "./fixtures.ts";
import type { Random } from "./random.ts";

const FLOOR = placeOfArea(0);

/**
 * Something that a buyer of the fixtures' event may ask, refused or not, some time after what was
 * asked before. `step` makes its key differ from others.
 */
export function randomStep(random: Random, bench: EventBench, step: number): void {
  bench.nowMs += random.below(4_000);
  bench.expire();
  const userId = random.pick([ALICE, BOB]);
  const holds = [...bench.state.holds.active()];
  const bookings = bench.state.bookings
    .all()
    .filter(({ record }) => statusOf(record) === "confirmed");
  const key = random.below(2) === 0 ? null : { digest: `k${step}`, fingerprint: `f${step}` };
  const choice = random.below(20);
  const hold = holds.length > 0 ? random.pick(holds) : undefined;
  if (choice === 0) {
    const status = random.pick(["published", "published", "cancelled"] as const);
    bench.run({ kind: "configure", definition: { ...bench.definition, status } });
  } else if (choice < 9 || hold === undefined) {
    const count = 1 + random.below(3);
    const places = Array.from({ length: count }, () =>
      random.below(3) === 0 ? FLOOR : random.below(10),
    );
    bench.run(bench.holdCommand(places, userId, key));
  } else if (choice < 11) {
    bench.run({ kind: "extend", holdId: hold.holdId, userId: hold.userId, key });
  } else if (choice < 14) {
    bench.run({ kind: "release", holdId: hold.holdId, userId: hold.userId });
  } else if (choice < 18 || bookings.length === 0) {
    const email = random.pick([null, 'o"brien\\,{NULL}@example.org', "ümläut\u0000@example.org"]);
    bench.run({ ...bench.bookCommand(hold.holdId, hold.userId, key), email });
  } else {
    const { bookingId } = random.pick(bookings).record;
    const reason = random.pick([null, "", "NULL", '\\"}, {"']);
    bench.run({ kind: "cancel", tickets: null, bookingId, userId, asOrganizer: true, reason, key });
  }
}
