/** Parties up to this are split in every possible way; larger ones only into even groups. */
const EVERY_SHAPE_MAX = 12;
/** Groups of a large party. */
const GROUPS_MAX = 8;
/** Group sizes that `need` counts apart. */
export const COUNTED_SIZES = 8;
/** A count of four bits whose highest one is free. */
export const COUNT_MAX = 7;

/** Sizes of the groups of a party, largest first. */
export type Sizes = readonly number[];

export interface Shape {
  readonly sizes: Sizes;
  /** Four bits for each n from 1 to COUNTED_SIZES: groups of n people or more, up to COUNT_MAX. */
  readonly need: number;
}

/**
 * The ways to split a party into two groups or more, best first: few groups, few people alone, even
 * groups. 5 people: 3+2, 4+1, 2+2+1, 3+1+1, 2+1+1+1, 1+1+1+1+1.
 */
export function shapesOf(party: number): readonly Shape[] {
  const shapes = party <= EVERY_SHAPE_MAX ? partitions(party, party - 1) : evenShapes(party);
  shapes.sort(
    (a, b) => a.length - b.length || alone(a) - alone(b) || spread(a) - spread(b) || lexical(a, b),
  );
  return shapes.map((sizes) => ({ sizes, need: needOf(sizes) }));
}

function needOf(sizes: Sizes): number {
  let need = 0;
  for (let n = 0; n < COUNTED_SIZES; n++) {
    const groups = sizes.filter((size) => size > n).length;
    need |= Math.min(groups, COUNT_MAX) << (4 * n);
  }
  return need;
}

/** Every way to write `total` as a sum of numbers up to `max`, the largest first. */
function partitions(total: number, max: number): Sizes[] {
  if (total === 0) return [[]];
  const found: Sizes[] = [];
  for (let first = Math.min(max, total); first >= 1; first--) {
    for (const rest of partitions(total - first, first)) found.push([first, ...rest]);
  }
  return found;
}

/** Two groups of any sizes, and more that differ by one at most and leave nobody alone. */
function evenShapes(party: number): Sizes[] {
  const found: Sizes[] = [];
  for (let first = party - 1; first >= party - first; first--) found.push([first, party - first]);
  for (let count = 3; count <= Math.min(GROUPS_MAX, party / 2); count++) {
    const larger = party % count;
    const size = Math.floor(party / count);
    found.push(Array.from({ length: count }, (_, n) => (n < larger ? size + 1 : size)));
  }
  return found;
}

function alone(sizes: Sizes): number {
  return sizes.filter((size) => size === 1).length;
}

function spread(sizes: Sizes): number {
  return (sizes[0] ?? 0) - (sizes.at(-1) ?? 0);
}

function lexical(a: Sizes, b: Sizes): number {
  for (const [index, size] of a.entries()) if (size !== b[index]) return size - (b[index] ?? 0);
  return 0;
}
