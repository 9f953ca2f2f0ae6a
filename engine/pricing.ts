import { type Charge, chargeOf } from "./charges.ts";
import type { InventoryDefinition } from "./definition.ts";
import type { Inventory } from "./inventory.ts";
import type { Place, PlaceItem } from "./place.ts";
import { discountOf, type PromoDefinition } from "./promo-codes.ts";

/** The place with what it costs now; from here on that is frozen. */
export function priced(
  definition: InventoryDefinition,
  inventory: Inventory,
  place: Place,
  promo: PromoDefinition | undefined,
): PlaceItem {
  const category = inventory.categoryOf(place);
  const priceMinor = definition.categories[category]?.priceMinor ?? 0;
  const charge = chargedOn(definition, category, priceMinor, promo);
  return { place, category, priceMinor, charge };
}

/** null: nothing is taken off, and nothing is put on. */
function chargedOn(
  { charges }: InventoryDefinition,
  category: number,
  priceMinor: number,
  promo: PromoDefinition | undefined,
): Charge | null {
  const isPlain = charges.fees.length === 0 && charges.tax === null;
  if (promo === undefined && isPlain) return null;
  const discountMinor = promo === undefined ? 0 : discountOf(promo, category, priceMinor);
  return chargeOf(charges, priceMinor, discountMinor);
}
