import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bookingCode,
  groupedCode,
  parseBookingCode,
  parseTicketCode,
  ticketCodes,
} from "./codes.ts";

const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const UNMISTAKABLE = /^[2-9A-HJ-NP-Z]+$/;
const ticketCode = (): string => ticketCodes(1)[0] ?? "";
const KINDS = [
  { make: bookingCode, parse: parseBookingCode },
  { make: ticketCode, parse: parseTicketCode },
] as const;

/** The code with one character replaced. */
const withCharacter = (code: string, at: number, character = ""): string =>
  code.slice(0, at) + character + code.slice(at + 1);

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
  const codes = ticketCodes(20_000);
  assert.equal(codes.length, 20_000);
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(new Set(codes.join("")).size, 32);
});

test("as many are made together as are asked for, each with its check", () => {
  for (const count of [0, 1, 2, 63, 64, 65, 128, 200]) {
    const codes = ticketCodes(count);
    assert.equal(codes.length, count);
    for (const code of codes) assert.equal(parseTicketCode(code), code);
  }
});

test("every code is read as itself", () => {
  for (let n = 0; n < 5_000; n += 1) {
    for (const { make, parse } of KINDS) {
      const code = make();
      assert.equal(parse(code), code);
    }
  }
});

test("one wrong character is always found, wherever it is", () => {
  for (let n = 0; n < 300; n += 1) {
    for (const { make, parse } of KINDS) {
      const code = make();
      for (let at = 0; at < code.length; at += 1) {
        for (const wrong of ALPHABET) {
          const expected = wrong === code[at] ? code : null;
          assert.equal(parse(withCharacter(code, at, wrong)), expected, `${code}, ${at} ${wrong}`);
        }
      }
    }
  }
});

test("two characters that changed places are always found, neighbours or not", () => {
  for (let n = 0; n < 1_000; n += 1) {
    for (const { make, parse } of KINDS) {
      const code = make();
      for (let i = 0; i < code.length; i += 1) {
        for (let j = i + 1; j < code.length; j += 1) {
          if (code[i] === code[j]) continue;
          const swapped = withCharacter(withCharacter(code, i, code[j]), j, code[i]);
          assert.equal(parse(swapped), null, `${code} as ${swapped}`);
        }
      }
    }
  }
});

test("the check is linear, so what holds for every pair of values holds for every code", () => {
  // Errors that a code passes with are codes themselves; here are all of one or two characters.
  for (const { make, parse } of KINDS) {
    const zero = "2".repeat(make().length);
    assert.equal(parse(zero), zero);
    for (let i = 0; i < zero.length; i += 1) {
      for (let j = i + 1; j < zero.length; j += 1) {
        for (const same of ALPHABET.slice(1)) {
          assert.equal(parse(withCharacter(zero, i, same)), null);
          // A swap adds the same value in two places, and so does "aa" that became "bb".
          assert.equal(parse(withCharacter(withCharacter(zero, i, same), j, same)), null);
        }
      }
    }
  }
});

test("case, spaces and dashes do not matter", () => {
  const noise = fc.array(fc.constantFrom("", " ", "-", "–", "\u00a0", "\t"), {
    minLength: 16,
    maxLength: 16,
  });
  fc.assert(
    fc.property(noise, fc.boolean(), (gaps, isLower) => {
      for (const { make, parse } of KINDS) {
        const code = make();
        const typed = gaps.map((gap, at) => gap + (code[at] ?? "")).join("");
        assert.equal(parse(isLower ? typed.toLowerCase() : typed), code);
      }
    }),
  );
});

test("a code is read back from its groups", () => {
  assert.match(groupedCode(bookingCode()), /^\w{5}-\w{5}$/);
  assert.match(groupedCode(ticketCode()), /^\w{4}-\w{4}-\w{4}-\w{4}$/);
  const code = bookingCode();
  assert.equal(parseBookingCode(groupedCode(code)), code);
});

test("O, 0, I and 1 are read as the character that they were taken for", () => {
  const misreadings: Readonly<Record<string, string>> = { D: "O0o", Q: "O0o", L: "I1il" };
  let read = 0;
  for (let n = 0; n < 3_000; n += 1) {
    const code = bookingCode();
    for (const [at, character] of Array.from(code).entries()) {
      for (const misread of misreadings[character] ?? "") {
        assert.equal(parseBookingCode(withCharacter(code, at, misread)), code);
        read += 1;
      }
    }
  }
  assert.ok(read > 1_000);
});

test("several misread characters are read as the code that was meant, or not at all", () => {
  const confuse: Readonly<Record<string, string>> = { D: "0", Q: "0", L: "1" };
  for (let n = 0; n < 20_000; n += 1) {
    const code = ticketCode();
    const typed = Array.from(code, (character) => confuse[character] ?? character).join("");
    const read = parseTicketCode(typed);
    assert.ok(read === null || read === code, `${typed} for ${code} was read as ${read}`);
  }
});

test("everything else is no code", () => {
  const code = bookingCode();
  const others = ["", " ", code.slice(1), `${code}2`, `${code.slice(1)}!`, `${code.slice(1)}É`];
  for (const typed of others) assert.equal(parseBookingCode(typed), null, typed);
  assert.equal(parseBookingCode(code + " ".repeat(100)), null);
  assert.equal(parseTicketCode(code), null);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (typed) => {
      const read = parseBookingCode(typed);
      assert.ok(read === null || UNMISTAKABLE.test(read));
    }),
  );
});
