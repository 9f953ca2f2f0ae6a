/**
 * Finds the stage among the areas that a zone of a seating plan draws. Two ways of writing them are
 * in use, and both are read:
 *
 *   {text: "Stage", position: {x, y}, width, height}
 *   {text: {text: "Stage"}, position: {x, y}, shape: "rectangle", rectangle: {width, height}}
 *
 * with circles {radius} and ellipses {radius: {x, y}} around their position, and polygons
 * {points: [{x, y}]} from it. An area is only a drawing: one that cannot be read is no fault of the
 * plan, and is passed over.
 */

/** In the plan's units; y grows from the front to the back, as on a screen. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What everybody looks at, in some languages: not what is behind it, nor the yard in front. */
const STAGE = /(?<!back)stage|bühne|buehne|scène|scen[ae]|podium|field|feld|pitch|court(?!yard)/iu;

/**
 * The middle of the first area that is a stage or a field; null: there is none. No coordinate of it
 * is beyond `coordinateMax`.
 */
export function stageCentre(
  areas: unknown,
  zone: Point | null,
  coordinateMax: number,
): Point | null {
  if (!Array.isArray(areas)) return null;
  for (const area of areas) {
    if (!STAGE.test(textOf(member(area, "text")).normalize("NFC"))) continue;
    const own = pointOf(member(area, "position")) ?? { x: 0, y: 0 };
    const half = middleOf(area);
    const x = (zone?.x ?? 0) + own.x + half.x;
    const y = (zone?.y ?? 0) + own.y + half.y;
    if (Math.abs(x) <= coordinateMax && Math.abs(y) <= coordinateMax) return { x, y };
  }
  return null;
}

/** Where the middle of an area is, seen from its position. */
function middleOf(area: unknown): Point {
  const polygon = member(member(area, "polygon"), "points");
  if (Array.isArray(polygon)) {
    const points = polygon.map(pointOf).filter((point) => point !== null);
    return { x: midRange(points.map(({ x }) => x)), y: midRange(points.map(({ y }) => y)) };
  }
  const size = member(area, "rectangle") ?? area;
  return { x: numberOf(member(size, "width")) / 2, y: numberOf(member(size, "height")) / 2 };
}

/** Halfway between the least and the greatest; 0 when there are none. */
export function midRange(values: readonly number[]): number {
  let least = values[0] ?? 0;
  let greatest = least;
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  return (least + greatest) / 2;
}

function textOf(text: unknown): string {
  const inner = typeof text === "string" ? text : member(text, "text");
  return typeof inner === "string" ? inner : "";
}

function pointOf(input: unknown): Point | null {
  const x = member(input, "x");
  const y = member(input, "y");
  return typeof x === "number" && typeof y === "number" ? { x, y } : null;
}

function numberOf(input: unknown): number {
  return typeof input === "number" && Number.isFinite(input) ? input : 0;
}

function member(input: unknown, name: string): unknown {
  if (typeof input !== "object" || input === null) return undefined;
  return Object.getOwnPropertyDescriptor(input, name)?.value;
}
