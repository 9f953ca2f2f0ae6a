import assert from "node:assert/strict";
import { test } from "node:test";
import { bookingCode, ticketCode } from "./codes.ts";

const UNMISTAKABLE = /^[2-9A-HJ-NP-Z]+$/;

test("codes have no letter or digit that is mistaken for another", () => {
  for (let n = 0; n < 2_000; n += 1) {
    for (const code of [bookingCode(), ticketCode()]) {
      assert.match(code, UNMISTAKABLE);
      assert.doesNotMatch(code, /[01IO]/);
    }
  }
});

test("a booking code has 10 characters, a ticket code 16", () => {
  assert.equal(bookingCode().length, 10);
  assert.equal(ticketCode().length, 16);
});

test("codes do not repeat, and use their whole alphabet", () => {
  const codes = Array.from({ length: 20_000 }, ticketCode);
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(new Set(codes.join("")).size, 32);
});
