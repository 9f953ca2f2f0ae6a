import type { RandomSource } from "../../catalogue/random-source.ts";
import { categoryKey, type Hall, type Wish } from "../../hall/hall.ts";

const WHEELCHAIR_SHARE = 0.02;
const TOGETHER_SHARE = 0.8;
const CATEGORY_SHARE = 0.2;
const ZONE_SHARE = 0.1;

/** Most are two or four. */
export function bestPartySize(chance: number): number {
  if (chance < 0.1) return 1;
  if (chance < 0.5) return 2;
  if (chance < 0.6) return 3;
  if (chance < 0.9) return 4;
  return chance < 0.95 ? 5 : 6;
}

/** What a party of so many wishes. With a wheelchair come two at most. */
export function drawWish(hall: Hall, size: number, random: RandomSource): Wish {
  const accessible = random.chance(WHEELCHAIR_SHARE);
  const adjacent = random.chance(TOGETHER_SHARE);
  const chance = random.next();
  const anyOf = (names: readonly string[]): number => random.integer(0, names.length - 1);
  const category = chance < CATEGORY_SHARE ? anyOf(hall.categoryNames) : null;
  const isOfZone = category === null && chance < CATEGORY_SHARE + ZONE_SHARE;
  const zone = isOfZone ? anyOf(hall.zoneNames) : null;
  return { quantity: accessible ? Math.min(size, 2) : size, category, zone, adjacent, accessible };
}

/** JSON of a hold's items. */
export function wishItems(hall: Hall, { category, zone, ...plain }: Wish): string {
  const bestAvailable = {
    ...plain,
    ...(category === null ? {} : { category: categoryKey(hall.categoryNames[category] ?? "") }),
    ...(zone === null ? {} : { zone: hall.zoneNames[zone] }),
  };
  return JSON.stringify([{ bestAvailable }]);
}
