import { randomFillSync } from "node:crypto";

/** Digits and letters that nobody confuses when reading them aloud or off paper. */
const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const BOOKING_CODE_LENGTH = 10;
const TICKET_CODE_LENGTH = 16;

const pool = Buffer.alloc(8 * 1024);
let used = pool.length;

/** `length` characters of 5 random bits each. */
function code(length: number): string {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let text = "";
  for (let i = 0; i < length; i += 1) text += ALPHABET[(pool[used + i] ?? 0) & 31];
  used += length;
  return text;
}

/** 50 random bits: what a buyer names a booking by. It opens nothing on its own. */
export const bookingCode = (): string => code(BOOKING_CODE_LENGTH);
/** 80 random bits: whoever knows it may enter. */
export const ticketCode = (): string => code(TICKET_CODE_LENGTH);
