/**
 * What a place costs its buyer, in minor units:
 *
 *     price              4500
 *   − discount           − 500   of a promo code, never more than the price
 *   = base               = 4000
 *   + fees               + 220   each rounded by itself; none on a base of 0
 *   = gross              = 4220
 *   + tax, if exclusive  + 802   on base and fees; an inclusive tax is a part of the gross
 *   = due                = 5022
 *
 * Every line is rounded half to even, ticket by ticket, so a booking costs the sum of its tickets
 * whichever of them are cancelled later.
 */
import { assert } from "./assert.ts";
import * as limits from "./limits.ts";
import { divideHalfEven } from "./round-half-even.ts";

/** A fee on each ticket: an amount in minor units, or a share of what the place is sold for. */
export type FeeRule =
  | { readonly name: string; readonly kind: "fixed"; readonly minor: number }
  | { readonly name: string; readonly kind: "percent"; readonly basisPoints: number };

export interface TaxRule {
  readonly name: string;
  readonly basisPoints: number;
  /** True: prices and fees contain the tax. False: it comes on top of them. */
  readonly included: boolean;
}

export interface ChargeRules {
  readonly fees: readonly FeeRule[];
  readonly tax: TaxRule | null;
}

/** Minor units, none of them negative. */
export interface Charge {
  /** What the discount came to: never more than the price. */
  readonly discountMinor: number;
  readonly feeMinor: number;
  /** The part of `dueMinor` that is tax. */
  readonly taxMinor: number;
  readonly dueMinor: number;
}

export const NO_CHARGES: ChargeRules = { fees: [], tax: null };

/** What a place of this price costs, less a discount. */
export function chargeOf(rules: ChargeRules, priceMinor: number, discountMinor: number): Charge {
  assert(Number.isSafeInteger(priceMinor) && priceMinor >= 0, "a price is minor units");
  assert(priceMinor <= limits.PRICE_MINOR_MAX, "price within its bound");
  assert(Number.isSafeInteger(discountMinor) && discountMinor >= 0, "a discount is minor units");
  const discount = Math.min(discountMinor, priceMinor);
  const base = priceMinor - discount;
  const { fees, tax } = rules;
  if (base === 0 || (fees.length === 0 && tax === null)) {
    return { discountMinor: discount, feeMinor: 0, taxMinor: 0, dueMinor: base };
  }
  let feeMinor = 0;
  for (const fee of fees) feeMinor += feeOf(fee, base);
  const grossMinor = base + feeMinor;
  const taxMinor = tax === null ? 0 : taxOf(tax, grossMinor);
  const dueMinor = tax === null || tax.included ? grossMinor : grossMinor + taxMinor;
  return { discountMinor: discount, feeMinor, taxMinor, dueMinor };
}

function feeOf(fee: FeeRule, baseMinor: number): number {
  if (fee.kind === "fixed") return fee.minor;
  return divideHalfEven(baseMinor * fee.basisPoints, limits.BASIS_POINTS_MAX);
}

function taxOf({ basisPoints, included }: TaxRule, grossMinor: number): number {
  const wholePoints = limits.BASIS_POINTS_MAX + (included ? basisPoints : 0);
  return divideHalfEven(grossMinor * basisPoints, wholePoints);
}

/** Asserts what the gateway's validation has promised. */
export function assertChargeRules({ fees, tax }: ChargeRules): void {
  assert(fees.length <= limits.FEES_PER_EVENT_MAX, "fee count within its bound");
  for (const fee of fees) {
    if (fee.kind === "fixed") {
      assert(Number.isInteger(fee.minor) && fee.minor >= 0, "a fixed fee is minor units");
      assert(fee.minor <= limits.FEE_MINOR_MAX, "fixed fee within its bound");
    } else {
      assertBasisPoints(fee.basisPoints);
    }
  }
  if (tax !== null) assertBasisPoints(tax.basisPoints);
}

export function assertBasisPoints(basisPoints: number): void {
  assert(Number.isInteger(basisPoints) && basisPoints >= 0, "a share is basis points");
  assert(basisPoints <= limits.BASIS_POINTS_MAX, "a share is at most the whole");
}
