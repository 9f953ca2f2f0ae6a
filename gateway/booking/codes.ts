/**
 * Codes that people read aloud and type. Their last character checks the others:
 *
 *     7 K 2 M X  A 9 P 4 G        a booking's code: 45 random bits and the check
 *     v₀ v₁ …          v₉         each character's position in the alphabet, 0 to 31
 *
 *     v₀·α⁹ + v₁·α⁸ + … + v₈·α + v₉ = 0        in GF(32) = GF(2)[x] / (x⁵ + x² + 1), α = x
 *
 * α is a primitive element, so its first 31 powers differ and none is 0. In a code of up to 31
 * characters one wrong character is therefore always found, and so is a swap of two characters,
 * neighbours or not, and a pair "aa" that became "bb". Of other mistakes one in 32 is missed.
 */
import { randomFillSync } from "node:crypto";

/** Digits and letters that nobody confuses when reading them aloud or off paper. */
const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const BOOKING_CODE_LENGTH = 10;
const TICKET_CODE_LENGTH = 16;
/** x⁵ + x² + 1 */
const MODULUS = 0b100101;
/** What may have been meant by a character that no code has; the check tells which of them. */
const MEANT_BY: Readonly<Record<string, string>> = { O: "DQ", "0": "DQ", I: "L", "1": "L" };
/** Longer texts are no code with spaces in it. */
const TYPED_CHARS_MAX = 64;

const VALUES = new Map(Array.from(ALPHABET, (character, value) => [character, value]));

const DIGITS = Buffer.from(ALPHABET, "latin1");
/** Codes that are made together at most; of more, some are made behind them. */
const TOGETHER_MAX = 64;

const random = Buffer.alloc(8 * 1024);
let used = random.length;
const text = Buffer.alloc(TICKET_CODE_LENGTH * TOGETHER_MAX);

/** Writes a code into `text`: 5 random bits for each character, and the check. */
function write(start: number, length: number): void {
  if (used + length > random.length) {
    randomFillSync(random);
    used = 0;
  }
  let sum = 0;
  for (let i = 0; i < length - 1; i += 1) {
    const value = (random[used + i] ?? 0) & 31;
    text[start + i] = DIGITS[value] ?? 0;
    sum = timesAlpha(sum) ^ value;
  }
  used += length;
  text[start + length - 1] = DIGITS[timesAlpha(sum)] ?? 0;
}

function timesAlpha(value: number): number {
  const doubled = value << 1;
  return doubled > 31 ? doubled ^ MODULUS : doubled;
}

/** 45 random bits: what a buyer names a booking by. It opens nothing on its own. */
export function bookingCode(): string {
  write(0, BOOKING_CODE_LENGTH);
  return text.toString("latin1", 0, BOOKING_CODE_LENGTH);
}

/** 75 random bits each: whoever knows one may enter. Made together they cost half. */
export function ticketCodes(count: number): string[] {
  const codes: string[] = [];
  while (codes.length < count) {
    const together = Math.min(count - codes.length, TOGETHER_MAX);
    for (let n = 0; n < together; n += 1) write(n * TICKET_CODE_LENGTH, TICKET_CODE_LENGTH);
    const all = text.toString("latin1", 0, together * TICKET_CODE_LENGTH);
    for (let at = 0; at < all.length; at += TICKET_CODE_LENGTH) {
      codes.push(all.slice(at, at + TICKET_CODE_LENGTH));
    }
  }
  return codes;
}

/**
 * The booking code that somebody typed: in any case, with spaces and dashes, with O, 0, I or 1 for
 * a character like it. null: it is none, or is mistyped.
 */
export const parseBookingCode = (typed: string): string | null => parse(typed, BOOKING_CODE_LENGTH);
/** The ticket code that somebody typed, read as `parseBookingCode` does. */
export const parseTicketCode = (typed: string): string | null => parse(typed, TICKET_CODE_LENGTH);

/** A code as it is read out and printed: "7K2MX-A9P4G", or a ticket's in fours. */
export function groupedCode(code: string): string {
  const size = code.length % 5 === 0 ? 5 : 4;
  return code.replace(new RegExp(`(.{${size}})(?=.)`, "g"), "$1-");
}

function parse(typed: string, length: number): string | null {
  if (typed.length > TYPED_CHARS_MAX) return null;
  const characters = typed.toUpperCase().replace(/[\s\p{Pd}]/gu, "");
  if (characters.length !== length) return null;
  let meant: string | null = null;
  for (const reading of readingsOf(characters)) {
    if (!isChecked(reading)) continue;
    // Two readings that pass: nobody knows which one was meant.
    if (meant !== null) return null;
    meant = reading;
  }
  return meant;
}

/** What the characters may mean, each in turn; none when one of them means nothing. */
function* readingsOf(characters: string): Generator<string> {
  const at = Array.from(characters).findIndex((character) => !VALUES.has(character));
  if (at < 0) {
    yield characters;
    return;
  }
  for (const meant of MEANT_BY[characters[at] ?? ""] ?? "") {
    yield* readingsOf(characters.slice(0, at) + meant + characters.slice(at + 1));
  }
}

function isChecked(code: string): boolean {
  let sum = 0;
  for (const character of code) sum = timesAlpha(sum) ^ (VALUES.get(character) ?? 0);
  return sum === 0;
}
