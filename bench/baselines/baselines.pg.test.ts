import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ALICE, BOB, CAROL, EVENT_ID } from "../../engine/testing/fixtures.ts";
import type { SqlKind } from "./design-of.ts";
import { BaselineBench, outcomeOf } from "./testing/baseline-bench.ts";

const FLOOR = -1;
/** Each design, and the statements in which its booking finds the hold. */
const DESIGNS: readonly (readonly [SqlKind, readonly string[]])[] = [
  ["row-lock", ["lock hold", "book hold"]],
  ["row-lock-pipelined", ["lock hold", "book"]],
  ["conditional-update", ["book"]],
  ["redis-lock", ["held", "book"]],
];
const TTL_MS = 600_000;
const key = (digest: string, fingerprint = "same") => ({ digest, fingerprint });

for (const [kind, statements] of DESIGNS) {
  describe(kind, () => {
    let bench: BaselineBench;
    before(async () => {
      bench = await BaselineBench.start(kind);
    });
    after(async () => {
      const [drift, { errors }] = [await bench.drift(), bench];
      await bench.stop();
      assert.deepEqual(drift, [], "nothing that was done here drifted");
      assert.deepEqual(errors, [], "nothing failed");
    });

    /** Seats 0 to 9 and the floor's five places are free again. */
    async function emptied(): Promise<void> {
      for (const table of ["tickets", "bookings", "holds", "keys"]) {
        await bench.running.pool.query(`DELETE FROM baseline.${table}`);
      }
      await bench.running.pool.query("UPDATE baseline.areas SET taken = 0");
      await bench.running.pool.query("UPDATE baseline.seats SET until_ms = 0, hold_id = NULL");
    }

    test("holds a seat once: the second buyer hears which seat is taken", async () => {
      await emptied();
      const first = await bench.hold([3], ALICE);
      const second = await bench.hold([3], BOB);
      assert.equal(outcomeOf(first), "held");
      assert.deepEqual(second, {
        kind: "refused",
        refusal: { code: "seat_unavailable", seats: [3] },
      });
      assert.deepEqual(await bench.totals(), {
        capacity: 15,
        free: 14,
        held: 1,
        sold: 0,
        blocked: 0,
      });
    });

    test("holds all of an order or nothing", async () => {
      await emptied();
      await bench.held([2], ALICE);
      assert.equal(outcomeOf(await bench.hold([1, 2, FLOOR], BOB)), "seat_unavailable");
      assert.equal((await bench.totals()).held, 1);
      assert.equal(outcomeOf(await bench.hold([1, 4, FLOOR, FLOOR], BOB)), "held");
      assert.equal((await bench.totals()).held, 5);
    });

    test("sells no more of an area than it has", async () => {
      await emptied();
      await bench.held([FLOOR, FLOOR, FLOOR, FLOOR]);
      assert.deepEqual(await bench.hold([FLOOR, FLOOR], BOB), {
        kind: "refused",
        refusal: { code: "insufficient_capacity", area: 0, available: 1 },
      });
      assert.equal(outcomeOf(await bench.hold([FLOOR], BOB)), "held");
    });

    test("gives the last place to one of many who want it at once", async () => {
      await emptied();
      await bench.held([FLOOR, FLOOR, FLOOR, FLOOR]);
      const buyers = [ALICE, BOB, CAROL, ALICE, BOB, CAROL, ALICE, BOB];
      const seats = buyers.map((buyer) => bench.hold([7], buyer));
      const places = buyers.map((buyer) => bench.hold([FLOOR], buyer));
      const outcomes = (await Promise.all([...seats, ...places])).map(outcomeOf).sort();
      assert.deepEqual(outcomes, [
        "held",
        "held",
        ...Array<string>(7).fill("insufficient_capacity"),
        ...Array<string>(7).fill("seat_unavailable"),
      ]);
    });

    test("orders that overlap in any way end, and add up", async () => {
      await emptied();
      const orders = [
        [0, 1, 2],
        [2, 1, 0],
        [1, 3],
        [3, 2],
        [0, 3, FLOOR],
        [FLOOR, 2],
      ];
      const answers = await Promise.all(orders.map((places) => bench.hold(places)));
      const held = answers.flatMap((answer) =>
        answer.kind === "done" && answer.fact.kind === "held" ? answer.fact.items : [],
      );
      const seats = held.map(({ place }) => place).filter((place) => place >= 0);
      assert.equal(new Set(seats).size, seats.length, "no seat twice");
      assert.ok(seats.length > 0, "somebody has won");
      assert.equal((await bench.totals()).held, held.length);
    });

    test("answers a repeated key with the first outcome, and another request with it not", async () => {
      await emptied();
      const first = await bench.hold([FLOOR], ALICE, key("k1"));
      const again = await bench.hold([FLOOR], ALICE, key("k1"));
      const other = await bench.hold([FLOOR], ALICE, key("k1", "other"));
      assert.ok(first.kind === "done" && first.fact.kind === "held");
      assert.deepEqual(again, { ...first, replayed: true });
      assert.equal(outcomeOf(other), "idempotency_key_reused");
      assert.equal((await bench.totals()).held, 1);
    });

    test("a key that comes twice at once takes one place", async () => {
      await emptied();
      const asked = Array.from({ length: 6 }, () => bench.hold([FLOOR], ALICE, key("k2")));
      const answers = await Promise.all(asked);
      const ids = answers.map((answer) =>
        answer.kind === "done" && answer.fact.kind === "held" ? answer.fact.holdId : "",
      );
      assert.equal(new Set(ids).size, 1, "one hold");
      assert.equal(answers.filter((a) => a.kind === "done" && !a.replayed).length, 1);
      assert.equal((await bench.totals()).held, 1);
    });

    test("replays a hold when nothing is free any more", async () => {
      await emptied();
      const first = await bench.hold([FLOOR, FLOOR, FLOOR, FLOOR], ALICE, key("k3"));
      await bench.held([FLOOR], BOB);
      const again = await bench.hold([FLOOR, FLOOR, FLOOR, FLOOR], ALICE, key("k3"));
      assert.equal(outcomeOf(first), "held");
      assert.ok(again.kind === "done" && again.replayed);
    });

    test("books a hold once, with a ticket a place, and tells the key's owner again", async () => {
      await emptied();
      const holdId = await bench.held([8, FLOOR], ALICE);
      const first = await bench.book(holdId, ALICE, key("k4"));
      const again = await bench.book(holdId, ALICE, key("k4"));
      const other = await bench.book(holdId, ALICE);
      assert.ok(first.kind === "done" && first.fact.kind === "booked");
      const { items, ticketCodes } = first.fact.booking;
      assert.deepEqual(
        items.map(({ place, category, priceMinor }) => [place, category, priceMinor]),
        [
          [8, 1, 3000],
          [FLOOR, 1, 3000],
        ],
      );
      assert.equal(ticketCodes.length, 2);
      assert.deepEqual(again, { ...first, replayed: true });
      assert.equal(outcomeOf(other), "hold_booked");
      assert.equal((await bench.totals()).sold, 2);
      assert.equal(outcomeOf(await bench.hold([8], BOB)), "seat_unavailable");
    });

    test("one of many bookings of one hold is made", async () => {
      await emptied();
      const holdId = await bench.held([5, 6]);
      const asked = Array.from({ length: 6 }, () => bench.book(holdId));
      const outcomes = (await Promise.all(asked)).map(outcomeOf).sort();
      assert.deepEqual(outcomes, ["booked", ...Array<string>(5).fill("hold_booked")]);
      assert.equal((await bench.totals()).sold, 2);
    });

    test("nobody books, sees or releases another's hold", async () => {
      await emptied();
      const holdId = await bench.held([1], ALICE);
      const found = await bench.ask({ kind: "getHold", holdId, userId: BOB });
      assert.equal(outcomeOf(found), "hold_not_found");
      assert.equal(outcomeOf(await bench.book(holdId, BOB)), "hold_not_found");
      assert.equal(outcomeOf(await bench.release(holdId, BOB)), "hold_not_found");
    });

    test("a hold ends at its time: it is not booked, and its places are another's", async () => {
      await emptied();
      const mine = await bench.held([4, FLOOR, FLOOR, FLOOR], ALICE);
      bench.nowMs += TTL_MS - 1;
      assert.equal(outcomeOf(await bench.hold([4], BOB)), "seat_unavailable");
      bench.nowMs += 1;
      assert.equal(outcomeOf(await bench.book(mine, ALICE)), "hold_expired");
      const theirs = await bench.held([4, FLOOR, FLOOR, FLOOR], BOB);
      await bench.booked(theirs, BOB);
      assert.deepEqual(await bench.totals(), {
        capacity: 15,
        free: 11,
        held: 0,
        sold: 4,
        blocked: 0,
      });
    });

    test("a hold is extended once, and released to whoever comes next", async () => {
      await emptied();
      const holdId = await bench.held([9, FLOOR], ALICE);
      assert.equal(outcomeOf(await bench.extend(holdId)), "extended");
      assert.equal(outcomeOf(await bench.extend(holdId)), "hold_not_extendable");
      bench.nowMs += TTL_MS + 1;
      assert.equal(outcomeOf(await bench.hold([9], BOB)), "seat_unavailable");
      assert.equal(outcomeOf(await bench.release(holdId)), "holdEnded");
      assert.equal(outcomeOf(await bench.release(holdId)), "unchanged");
      assert.equal(outcomeOf(await bench.hold([9, FLOOR], BOB)), "held");
    });

    test("no statement of a booking reads more holds than its own", async () => {
      await emptied();
      await Promise.all(Array.from({ length: 8 }, (_, seat) => bench.hold([seat])));
      await bench.booked(await bench.held([FLOOR]));
      for (const name of statements) {
        const plan = await bench.planOf(name);
        assert.match(plan, /using holds_pkey on holds/, name);
        assert.doesNotMatch(plan, /holds_due|Seq Scan on holds/, name);
      }
    });

    test("no index has what changes of a hold, so that its row is changed in place", async () => {
      const { rows } = await bench.running.pool.query<{ index: string }>(
        `SELECT indexdef AS index FROM pg_indexes
         WHERE schemaname = 'baseline' AND tablename = 'holds'`,
      );
      assert.ok(rows.length > 1);
      for (const { index } of rows) {
        assert.doesNotMatch(index, /status|booking_id|extended|version/);
      }
    });

    test("whom PostgreSQL breaks off comes again, and is served", async () => {
      await emptied();
      const holdId = await bench.held([7]);
      await bench.breakOff(2);
      assert.equal(outcomeOf(await bench.hold([6, FLOOR], ALICE, key("hold"))), "held");
      assert.equal(await bench.writesOfHolds(), 3);
      await bench.breakOff(2);
      assert.equal(outcomeOf(await bench.book(holdId, ALICE, key("book"))), "booked");
      assert.equal(await bench.writesOfHolds(), 3);
      assert.deepEqual(await bench.totals(), {
        capacity: 15,
        free: 12,
        held: 2,
        sold: 1,
        blocked: 0,
      });
    });

    test("the audit finds a ticket that was sold twice, a counter and a total that are off", async () => {
      await emptied();
      const bookingId = await bench.booked(await bench.held([0, FLOOR]));
      const { pool } = bench.running;
      await pool.query("UPDATE baseline.areas SET taken = taken + 1 WHERE event_id = $1", [
        EVENT_ID,
      ]);
      await pool.query("UPDATE baseline.seats SET until_ms = 0 WHERE seat = 0");
      await pool.query("DELETE FROM baseline.tickets WHERE booking_id = $1 AND place < 0", [
        bookingId,
      ]);
      await pool.query("UPDATE baseline.bookings SET total_minor = 7 WHERE id = $1", [bookingId]);
      const drift = await bench.drift();
      assert.ok(drift.some((line) => line.startsWith(`booking ${bookingId} has a total of 7`)));
      assert.ok(drift.some((line) => line.startsWith("area 0 counts 2 places")));
      assert.ok(drift.some((line) => line.startsWith("seat 0 has 1 tickets and is not sold")));
      assert.ok(drift.some((line) => line.includes("has 1 tickets for 2 places")));
      await emptied();
    });
  });
}
