import assert from "node:assert/strict";
import { test } from "node:test";
import { HostMeter } from "./host-meter.ts";

test("a booking counts once, when it is confirmed: at once, by money, or by money that is late", () => {
  const meter = new HostMeter();
  for (const kind of ["held", "paymentStarted", "booked", "booked"]) meter.wrote({ kind });
  const changes = ["payment_expired", "paid_late", "paid_in_vain", "refund_settled", "cancelled"];
  for (const change of changes) meter.wrote({ kind: "bookingChanged", change });
  assert.equal(meter.vitals([]).bookingsConfirmed, 3);
  assert.equal(new Map(meter.vitals([]).facts).get("bookingChanged"), changes.length);
});
