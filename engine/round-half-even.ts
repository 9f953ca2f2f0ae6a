import { assert } from "./assert.ts";

/**
 * numerator / denominator as the nearest integer; a half goes to the even neighbour, so that many
 * roundings do not add up to one side (IEEE 754 roundTiesToEven, "banker's rounding"). Exact: the
 * remainder of two integers is exact in a double, and so is what is left without it.
 */
export function divideHalfEven(numerator: number, denominator: number): number {
  assert(Number.isSafeInteger(numerator) && numerator >= 0, "a numerator is an exact integer");
  assert(Number.isSafeInteger(denominator) && denominator > 0, "a denominator is a count");
  const remainder = numerator % denominator;
  const quotient = (numerator - remainder) / denominator;
  const rest = denominator - remainder;
  if (remainder < rest) return quotient;
  if (remainder > rest) return quotient + 1;
  return quotient % 2 === 0 ? quotient : quotient + 1;
}
