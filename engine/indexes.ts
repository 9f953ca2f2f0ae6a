/** Small numbers side by side, in as few bytes as the largest of them needs. */
export type Indexes = Uint16Array | Uint32Array;

const HALF_MAX = 0xffff;

/** Zeros that have room for numbers from 0 to `max`. */
export function indexesUpTo(max: number, length: number): Indexes {
  return max <= HALF_MAX ? new Uint16Array(length) : new Uint32Array(length);
}
