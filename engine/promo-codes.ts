import { assert } from "./assert.ts";
import { assertBasisPoints } from "./charges.ts";
import type { UserId } from "./ids.ts";
import * as limits from "./limits.ts";
import { divideHalfEven } from "./round-half-even.ts";

/** A code that makes places cheaper. Times are Unix ms; null is no bound. */
export interface PromoDefinition {
  /** As `normalizePromoCode` gives it. */
  readonly code: string;
  readonly kind: "percent" | "amount";
  /** `percent`: basis points of the price. `amount`: minor units off each place. */
  readonly value: number;
  /** Indexes of the categories that it makes cheaper; null: all. */
  readonly categories: readonly number[] | null;
  /** It holds in [fromMs, untilMs). */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
  /** Orders that may use it, a hold or a booking being one: in all, and by each buyer. */
  readonly usesMax: number | null;
  readonly usesPerUserMax: number | null;
}

export type PromoReason =
  | "unknown"
  | "not_yet"
  | "over"
  | "used_up"
  | "used_by_you"
  | "no_place_it_applies_to";

export interface PromoRefusal {
  readonly code: "promo_not_valid";
  readonly reason: PromoReason;
}

export interface PromoUse {
  readonly code: string;
  readonly userId: UserId;
  /** At least 1. */
  readonly uses: number;
}

const VISIBLE = new RegExp(
  `^[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}]{1,${limits.PROMO_CODE_CHARS_MAX}}$`,
  "u",
);

/**
 * A promo code as it is compared: without space around it, in capitals, one form of each letter
 * (NFKC). null: it is no code, having other than 1 to 64 visible characters.
 */
export function normalizePromoCode(text: string): string | null {
  // More than this can't be a code, and need not be looked at.
  if (text.length > 8 * limits.PROMO_CODE_CHARS_MAX) return null;
  const code = text.normalize("NFKC").toUpperCase().normalize("NFKC").trim();
  return VISIBLE.test(code) ? code : null;
}

/** The promo code of this name; undefined: the event has none. `code` is normalised. */
export function findPromo(
  promoCodes: readonly PromoDefinition[],
  code: string,
): PromoDefinition | undefined {
  return promoCodes.find((promo) => promo.code === code);
}

export function appliesTo(promo: PromoDefinition, category: number): boolean {
  return promo.categories === null || promo.categories.includes(category);
}

/** What the code takes off one place, in minor units: never more than the price. */
export function discountOf(promo: PromoDefinition, category: number, priceMinor: number): number {
  if (!appliesTo(promo, category)) return 0;
  if (promo.kind === "amount") return Math.min(promo.value, priceMinor);
  return divideHalfEven(priceMinor * promo.value, limits.BASIS_POINTS_MAX);
}

/** Why the code is of no use for an order of places of these categories; null: it is of use. */
export function refusalByPlaces(
  promo: PromoDefinition,
  categories: Iterable<number>,
): PromoRefusal | null {
  for (const category of categories) if (appliesTo(promo, category)) return null;
  return refusal("no_place_it_applies_to");
}

/**
 * How often each promo code of one event is in use. A use is one order: it is reserved by a hold,
 * stays with the booking that the hold becomes, and is given back when the hold ends without one or
 * the whole booking is cancelled. Uses are counted under codes that a later configuration has
 * dropped, too: their holds and bookings are still there.
 *
 * Invariants: no count is 0 or below; a code's total is the sum of its buyers' counts.
 */
export class PromoUses {
  readonly #books = new Map<string, CodeUses>();

  /** Why this buyer may not use the code now; null: they may. `promo` undefined: there is none. */
  refusalOf(
    promo: PromoDefinition | undefined,
    userId: UserId,
    nowMs: number,
  ): PromoRefusal | null {
    if (promo === undefined) return refusal("unknown");
    const { code, fromMs, untilMs, usesMax, usesPerUserMax } = promo;
    if (fromMs !== null && nowMs < fromMs) return refusal("not_yet");
    if (untilMs !== null && nowMs >= untilMs) return refusal("over");
    // Before the total: this stays true when others give theirs back.
    if (usesPerUserMax !== null && this.usesBy(code, userId) >= usesPerUserMax) {
      return refusal("used_by_you");
    }
    if (usesMax !== null && this.usesOf(code) >= usesMax) return refusal("used_up");
    return null;
  }

  usesOf(code: string): number {
    return this.#books.get(code)?.total ?? 0;
  }

  usesBy(code: string, userId: UserId): number {
    return this.#books.get(code)?.byUser.get(userId) ?? 0;
  }

  /** Counts one more use, whatever the code's bounds are now: `refusalOf` has been asked. */
  reserve(code: string, userId: UserId): void {
    let book = this.#books.get(code);
    if (book === undefined) {
      book = { total: 0, byUser: new Map() };
      this.#books.set(code, book);
    }
    book.total += 1;
    book.byUser.set(userId, (book.byUser.get(userId) ?? 0) + 1);
  }

  giveBack(code: string, userId: UserId): void {
    const book = this.#books.get(code);
    const uses = book?.byUser.get(userId);
    assert(book !== undefined && uses !== undefined, "a use that is given back was reserved");
    if (uses > 1) book.byUser.set(userId, uses - 1);
    else book.byUser.delete(userId);
    book.total -= 1;
    if (book.total === 0) this.#books.delete(code);
  }

  /** In no particular order. */
  *all(): IterableIterator<PromoUse> {
    for (const [code, { byUser }] of this.#books) {
      for (const [userId, uses] of byUser) yield { code, userId, uses };
    }
  }
}

interface CodeUses {
  total: number;
  readonly byUser: Map<UserId, number>;
}

function refusal(reason: PromoReason): PromoRefusal {
  return { code: "promo_not_valid", reason };
}

/** Asserts what the gateway's validation has promised. */
export function assertPromoCodes(
  promoCodes: readonly PromoDefinition[],
  categoryCount: number,
): void {
  assert(promoCodes.length <= limits.PROMO_CODES_PER_EVENT_MAX, "promo codes within their bound");
  const codes = new Set(promoCodes.map(({ code }) => code));
  assert(codes.size === promoCodes.length, "a promo code is there once");
  for (const promo of promoCodes) assertPromo(promo, categoryCount);
}

function assertPromo(promo: PromoDefinition, categoryCount: number): void {
  const { code, kind, value, categories, fromMs, untilMs, usesMax, usesPerUserMax } = promo;
  assert(normalizePromoCode(code) === code, "a promo code is normalised");
  if (kind === "percent") assertBasisPoints(value);
  else assert(Number.isInteger(value) && value >= 0, "an amount is minor units");
  assert(value <= limits.PRICE_MINOR_MAX, "an amount is at most the dearest place");
  for (const category of categories ?? []) {
    assert(Number.isInteger(category) && category >= 0, "a category is an index");
    assert(category < categoryCount, "a promo code's category exists");
  }
  assert(fromMs === null || Number.isInteger(fromMs), "a promo code begins at a time");
  assert(untilMs === null || Number.isInteger(untilMs), "a promo code ends at a time");
  for (const max of [usesMax, usesPerUserMax]) {
    if (max === null) continue;
    assert(Number.isInteger(max) && max >= 0 && max <= limits.PROMO_USES_MAX, "uses are a count");
  }
}
