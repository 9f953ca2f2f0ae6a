import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SEARCH_DEGREES_MAX } from "../../../engine/search-limits.ts";
import { degreesAround } from "./search-terms.ts";

const around = (lat: number, lng: number, radiusKm: number): string[] | null =>
  degreesAround({ near: { lat, lng }, radiusKm });

const EARTH_RADIUS_KM = 6_371.0088;

/** Where one comes to from a place, so far in this direction (radians). */
function destination(lat: number, lng: number, km: number, bearing: number): string {
  const [phi, angle] = [(lat * Math.PI) / 180, km / EARTH_RADIUS_KM];
  const sine =
    Math.sin(phi) * Math.cos(angle) + Math.cos(phi) * Math.sin(angle) * Math.cos(bearing);
  const turned = Math.atan2(
    Math.sin(bearing) * Math.sin(angle) * Math.cos(phi),
    Math.cos(angle) - Math.sin(phi) * sine,
  );
  const east = lng + (turned * 180) / Math.PI;
  const wrapped = ((((east + 180) % 360) + 360) % 360) - 180;
  return `g:${Math.floor((Math.asin(sine) * 180) / Math.PI)}:${Math.floor(wrapped)}`;
}

test("every place in a circle is in one of its degrees", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -80, max: 80, noNaN: true }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      fc.double({ min: 0, max: 900, noNaN: true }),
      fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (lat, lng, radiusKm, bearing, share) => {
        const degrees = around(lat, lng, radiusKm);
        fc.pre(degrees !== null);
        // A hair's breadth inside: on the very edge arithmetic may differ.
        const place = destination(lat, lng, radiusKm * share * 0.999999, bearing);
        assert.ok(degrees.includes(place), `${place} is not in ${degrees.join(" ")}`);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a circle over the date line has degrees on both sides of it", () => {
  assert.deepEqual(around(0.5, 179.9, 20), ["g:0:179", "g:0:-180", "g:0:180"]);
  assert.deepEqual(around(0.5, -179.9, 20), ["g:0:179", "g:0:-180", "g:0:180"]);
});

test("large circles, and those around a pole, are not counted", () => {
  assert.equal(around(52, 13, 20_000), null);
  assert.equal(around(89, 13, 10), null);
  assert.equal(degreesAround({ near: null, radiusKm: null }), null);
  for (const radiusKm of [1, 100, 500, 1_000, 2_000]) {
    const count = around(52, 13, radiusKm)?.length ?? 0;
    assert.ok(count <= SEARCH_DEGREES_MAX, `${count} degrees for ${radiusKm} km`);
  }
});
