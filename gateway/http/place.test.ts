import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePlace, placeOf } from "./place.ts";

test("a place is kept to the centimetre, and nothing smaller than that is computed with", () => {
  assert.deepEqual(parsePlace("52.52,13.405"), { lat: 52.52, lng: 13.405 });
  assert.deepEqual(parsePlace(" -33.85678412 , 151.2153 "), { lat: -33.8567841, lng: 151.2153 });
  const small = `0.${"0".repeat(321)}3`;
  assert.deepEqual(parsePlace(`60,-${small}`), { lat: 60, lng: 0 });
  assert.deepEqual(placeOf({ lat: 89.99999999999999, lng: 1e-310 }), { lat: 90, lng: 0 });
});

test("what is none is none", () => {
  for (const text of ["", "52.5", "91,0", "0,180.1", "1e2,3", "52.5,13.4,1", "NaN,0", "0x10,1"]) {
    assert.equal(parsePlace(text), null, text);
  }
});
