import type { Charge } from "../../engine/charges.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import { BASIS_POINTS_MAX } from "../../engine/limits.ts";
import type { PlaceItem } from "../../engine/place.ts";
import type { PromoDefinition } from "../../engine/promo-codes.ts";

/** amount × points / whole, to the nearest; a half to the even neighbour. */
function share(amount: number, points: number, whole: number): number {
  const product = BigInt(amount) * BigInt(points);
  const floor = product / BigInt(whole);
  const twiceLeft = 2n * (product % BigInt(whole));
  const isHalf = twiceLeft === BigInt(whole);
  const isUp = isHalf ? floor % 2n === 1n : twiceLeft > BigInt(whole);
  return Number(isUp ? floor + 1n : floor);
}

/** What a place of a category costs at a definition, with a promo code or without one. */
export function costIn(
  definition: InventoryDefinition,
  category: number,
  promo: PromoDefinition | undefined,
): Pick<PlaceItem, "priceMinor" | "charge"> {
  const priceMinor = definition.categories[category]?.priceMinor ?? 0;
  const { fees, tax } = definition.charges;
  if (promo === undefined && fees.length === 0 && tax === null) return { priceMinor, charge: null };
  const discountMinor = promo === undefined ? 0 : discountIn(promo, category, priceMinor);
  const base = priceMinor - discountMinor;
  const charge: Charge = { discountMinor, feeMinor: 0, taxMinor: 0, dueMinor: base };
  // What costs nothing has no fees.
  if (base === 0) return { priceMinor, charge };
  const feeMinor = fees
    .map((fee) =>
      fee.kind === "fixed" ? fee.minor : share(base, fee.basisPoints, BASIS_POINTS_MAX),
    )
    .reduce((sum, fee) => sum + fee, 0);
  const gross = base + feeMinor;
  if (tax === null) return { priceMinor, charge: { ...charge, feeMinor, dueMinor: gross } };
  const points = tax.basisPoints;
  const taxMinor = share(gross, points, BASIS_POINTS_MAX + (tax.included ? points : 0));
  const dueMinor = tax.included ? gross : gross + taxMinor;
  return { priceMinor, charge: { discountMinor, feeMinor, taxMinor, dueMinor } };
}

export const isFor = ({ categories }: PromoDefinition, category: number): boolean =>
  categories === null || categories.includes(category);

function discountIn(promo: PromoDefinition, category: number, priceMinor: number): number {
  if (!isFor(promo, category)) return 0;
  if (promo.kind === "amount") return Math.min(promo.value, priceMinor);
  return share(priceMinor, promo.value, BASIS_POINTS_MAX);
}

/** What its buyer owes for a place. */
export const dueOf = ({ priceMinor, charge }: PlaceItem): number =>
  charge === null ? priceMinor : charge.dueMinor;

export const sumOf = (items: readonly PlaceItem[]): number =>
  items.reduce((sum, item) => sum + dueOf(item), 0);
