import type { Wish } from "../hall/hall.ts";

export interface Fill {
  readonly name: string;
  /** Whether a seat is free, by its number in its row, and a number from 0 to 1. */
  readonly isFree: (number: number, chance: number) => boolean;
}

/** One kind of search in one kind of hall. */
export interface ChoiceCase {
  readonly name: string;
  readonly wish: Wish;
  readonly fill: Fill;
  /** In every row something has changed before each choice, as when an actor has just come up. */
  readonly isCold: boolean;
}

const PARTY = 4;
/** Any of those of an arena will do: it looks the same in all. */
const CATEGORY = 1;
const ZONE = 42;

const SOLD: readonly Fill[] = [
  { name: "empty", isFree: () => true },
  { name: "50 % sold", isFree: (_, chance) => chance >= 0.5 },
  { name: "90 % sold", isFree: (_, chance) => chance >= 0.9 },
  { name: "99 % sold", isFree: (_, chance) => chance >= 0.99 },
];

const FILLS: readonly Fill[] = [
  ...SOLD,
  { name: "sold out", isFree: () => false },
  { name: "checkerboard", isFree: (number) => number % 2 === 0 },
  { name: "only single seats", isFree: (number, chance) => number % 3 === 0 && chance < 0.2 },
  { name: "only stretches of 2", isFree: (number) => number % 3 !== 2 },
  { name: "only stretches of 3", isFree: (number) => number % 4 !== 3 },
  { name: "only stretches of 5", isFree: (number) => number % 6 !== 5 },
];

const base = { quantity: PARTY, category: null, zone: null, adjacent: true, accessible: false };
const WISHES: readonly (readonly [name: string, wish: Wish])[] = [
  ["4 together", base],
  ["4, split if need be", { ...base, adjacent: false }],
  ["4 together, a category", { ...base, category: CATEGORY }],
  ["4 together, a zone", { ...base, zone: ZONE }],
];

/** Every wish in every fill; those that are cold are beside the aim. */
export const CHOICE_CASES: readonly ChoiceCase[] = [
  ...WISHES.flatMap(([name, wish]) =>
    FILLS.map((fill) => ({ name: `${name}, ${fill.name}`, wish, fill, isCold: false })),
  ),
  ...SOLD.map((fill) => {
    return { name: `4 together, ${fill.name}, all rows changed`, wish: base, fill, isCold: true };
  }),
];
