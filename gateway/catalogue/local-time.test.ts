import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FieldError } from "../http/validation.ts";
import { instantOf, MomentReader, type Reading } from "./local-time.ts";

function utc(text: string, zone: string, reading: Reading = "earlier"): string {
  const instant = instantOf(text, zone, reading);
  assert.ok(instant.ok, JSON.stringify(instant));
  return new Date(instant.ms).toISOString().replace(".000", "");
}

test("a time with an offset is that instant in any zone", () => {
  for (const zone of ["UTC", "Europe/Berlin", "Australia/Lord_Howe"]) {
    assert.equal(utc("2027-03-28T02:30:00+02:00", zone), "2027-03-28T00:30:00Z");
    assert.equal(utc("2027-03-28T02:30Z", zone), "2027-03-28T02:30:00Z");
    assert.equal(utc("2027-03-28t02:30:00z", zone), "2027-03-28T02:30:00Z");
  }
});

test("a local time that UTC can't show within its four digits of a year is refused", () => {
  const message = "must be a time within the years 0000 to 9999, in UTC too";
  for (const [text, zone] of [
    ["9999-12-31T23:59", "America/New_York"],
    ["0000-01-01T00:00", "Asia/Tokyo"],
  ] as const) {
    assert.deepEqual(instantOf(text, zone, "earlier"), { ok: false, message });
  }
  assert.equal(utc("9999-12-31T23:59", "Asia/Tokyo"), "9999-12-31T14:59:00Z");
});

test("a time without an offset is what the clocks of the zone show", () => {
  assert.equal(utc("2027-01-15T10:00", "Europe/Berlin"), "2027-01-15T09:00:00Z");
  assert.equal(utc("2027-07-15T10:00:30", "Europe/Berlin"), "2027-07-15T08:00:30Z");
  assert.equal(utc("2027-07-15T10:00:30.250", "UTC"), "2027-07-15T10:00:30.250Z");
  assert.equal(utc("2027-01-15T10:00", "America/New_York"), "2027-01-15T15:00:00Z");
  assert.equal(utc("2027-01-15T10:00", "Asia/Kathmandu"), "2027-01-15T04:15:00Z");
  assert.equal(utc("2027-07-15T10:00", "Australia/Lord_Howe"), "2027-07-14T23:30:00Z");
});

/** Clocks are put forward from the first time to the second. */
const GAPS = [
  ["Europe/Berlin", "2027-03-28T02:00", "2027-03-28T03:00", "2027-03-28T01:00:00Z"],
  ["America/New_York", "2027-03-14T02:00", "2027-03-14T03:00", "2027-03-14T07:00:00Z"],
  ["Australia/Lord_Howe", "2027-10-03T02:00", "2027-10-03T02:30", "2027-10-02T15:30:00Z"],
  // Samoa went to the other side of the date line, and had no 30 December.
  ["Pacific/Apia", "2011-12-30T00:00", "2011-12-31T00:00", "2011-12-30T10:00:00Z"],
] as const;

const minutesAfter = (text: string, minutes: number): string =>
  new Date(Date.parse(`${text}Z`) + minutes * 60_000).toISOString().slice(0, 16);

for (const [zone, from, to, instant] of GAPS) {
  test(`a time that ${zone} skips is refused, its edges are not`, () => {
    const minutes = (Date.parse(`${to}Z`) - Date.parse(`${from}Z`)) / 60_000;
    for (const skipped of [0, 1, Math.floor(minutes / 2), minutes - 1]) {
      const text = minutesAfter(from, skipped);
      const message = `is ${text}, which no clock in ${zone} shows: they are put forward past it`;
      for (const reading of ["earlier", "later"] as const) {
        assert.deepEqual(instantOf(text, zone, reading), { ok: false, message });
      }
    }
    for (const reading of ["earlier", "later"] as const) {
      assert.equal(utc(to, zone, reading), instant);
      const before = utc(minutesAfter(from, -1), zone, reading);
      assert.equal(Date.parse(before), Date.parse(instant) - 60_000);
    }
  });
}

/** Clocks show what lies in [from, to) twice. */
const TWICE = [
  ["Europe/Berlin", "2027-10-31T02:00", "2027-10-31T03:00", "2027-10-31T00:00:00Z"],
  ["America/New_York", "2027-11-07T01:00", "2027-11-07T02:00", "2027-11-07T05:00:00Z"],
  ["Australia/Lord_Howe", "2027-04-04T01:30", "2027-04-04T02:00", "2027-04-03T14:30:00Z"],
] as const;

for (const [zone, from, to, first] of TWICE) {
  test(`a time that ${zone} has twice begins at the first and ends at the second`, () => {
    const minutes = (Date.parse(`${to}Z`) - Date.parse(`${from}Z`)) / 60_000;
    for (const into of [0, 1, minutes - 1]) {
      const text = minutesAfter(from, into);
      const expectedMs = Date.parse(first) + into * 60_000;
      assert.equal(Date.parse(utc(text, zone, "earlier")), expectedMs);
      assert.equal(Date.parse(utc(text, zone, "later")), expectedMs + minutes * 60_000);
    }
    for (const once of [minutesAfter(from, -1), to]) {
      assert.equal(utc(once, zone, "earlier"), utc(once, zone, "later"));
    }
  });
}

test("every instant is read back from what the clocks showed", () => {
  const zones = ["UTC", ...GAPS.map(([zone]) => zone), "Africa/Casablanca", "America/St_Johns"];
  const minute = fc.integer({ min: Date.UTC(2000, 0) / 60_000, max: Date.UTC(2037, 0) / 60_000 });
  fc.assert(
    fc.property(fc.constantFrom(...zones), minute, (zone, at) => {
      const ms = at * 60_000;
      // sv-SE writes 2027-03-28 10:00:00.
      const shown = new Date(ms).toLocaleString("sv-SE", { timeZone: zone }).replace(" ", "T");
      const readings = (["earlier", "later"] as const).map((each) => instantOf(shown, zone, each));
      assert.ok(
        readings.some((reading) => reading.ok && reading.ms === ms),
        `${shown} ${zone}`,
      );
    }),
    { numRuns: 1_000 },
  );
});

test("an unknown zone has no local times", () => {
  const instant = instantOf("2027-01-01T10:00", "Mars/Base", "earlier");
  assert.deepEqual(instant, {
    ok: false,
    message: "is a local time of Mars/Base, an unknown zone",
  });
});

test("a reader notes where a time was refused, and goes on", () => {
  const errors: FieldError[] = [];
  const reader = new MomentReader("Europe/Berlin", errors);
  assert.equal(reader.read("endsAt", null, "later"), null);
  assert.equal(reader.read("salesOpenAt", "2027-03-28T02:30", "earlier"), null);
  assert.equal(
    reader.read("startsAt", "2027-03-28T03:30", "earlier"),
    Date.UTC(2027, 2, 28, 1, 30),
  );
  assert.deepEqual(
    errors.map(({ path }) => path),
    ["salesOpenAt"],
  );
});
