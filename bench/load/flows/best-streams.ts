/** What a party is ready for, beside what all are. */
export type BestKind = "together" | "or split";

const KINDS: readonly BestKind[] = ["together", "or split"];
/** Of the seats, held or sold, when it is asked: where each stretch ends. */
const FILLS = [
  { name: "to 50 %", below: 0.5 },
  { name: "to 90 %", below: 0.9 },
  { name: "to 99 %", below: 0.99 },
  { name: "to the end", below: Number.POSITIVE_INFINITY },
];

/** Holds by what is wished and by how full the hall is: times of one have nothing of another. */
export const BEST_STREAMS: readonly string[] = [
  ...KINDS.flatMap((kind) => FILLS.map(({ name }) => `${kind}, ${name}`)),
  "with a wheelchair",
  "alternatives",
];

export const WHEELCHAIR_STREAM = BEST_STREAMS.length - 2;
/** Holds of what was offered instead: seats by name. */
export const ALTERNATIVE_STREAM = BEST_STREAMS.length - 1;

/** `takenShare`: 0 to 1. */
export function bestStream(kind: BestKind, takenShare: number): number {
  const fill = FILLS.findIndex(({ below }) => takenShare < below);
  return KINDS.indexOf(kind) * FILLS.length + fill;
}
