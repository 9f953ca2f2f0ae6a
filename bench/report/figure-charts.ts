import { type Bar, barChart, grouped } from "./charts.ts";
import type { Figure } from "./report.ts";

/** Fewer are told as well by a table, and more are a chart that nobody reads. */
const BARS_MIN = 3;
const BARS_MAX = 24;
/** Further apart than this, the short ones would not be told from nothing. */
const LINEAR_TIMES_MAX = 40;

export interface FigureChart {
  readonly title: string;
  readonly drawing: string;
}

/** Figures of one unit beside each other, in their order; each unit's a chart. */
export function figureCharts(figures: readonly Figure[]): FigureChart[] {
  const units = [...new Set(figures.map(({ unit }) => unitOf(unit)))];
  return units.flatMap((unit) => {
    const drawn = figures.filter((each) => unitOf(each.unit) === unit && each.value > 0);
    if (unit === "" || drawn.length < BARS_MIN || drawn.length > BARS_MAX) return [];
    const shared = sharedStart(drawn.map(({ name }) => name));
    const isLogarithmic = isFarApart(drawn);
    const scale = isLogarithmic ? ", on a logarithmic scale" : "";
    const what = shared === "" ? "" : `${shared.replace(/[,:] $/, "")}: `;
    const title = `${what}${unit}${scale}`;
    return [{ title, drawing: barChart(barsOf(drawn, shared), title, isLogarithmic) }];
  });
}

/** Behind a comma is what is said of one figure alone. */
const unitOf = (unit: string): string => unit.split(", ")[0] ?? unit;

/** Those whose names end alike (`p50`, `p99`) have one colour. */
function barsOf(figures: readonly Figure[], shared: string): Bar[] {
  const ends = figures.map(({ name }) => name.slice(shared.length).split(", ").at(-1) ?? "");
  const isKind = (end: string): boolean => ends.indexOf(end) !== ends.lastIndexOf(end);
  const kinds = [...new Set(ends.map((end) => (isKind(end) ? end : "")))].sort();
  return figures.map(({ name, value }, index) => ({
    name: name.slice(shared.length),
    value,
    shown: grouped(value),
    colour: Math.max(0, kinds.indexOf(ends[index] ?? "")),
  }));
}

/** Up to the last comma or colon that all names have in common. */
function sharedStart(names: readonly string[]): string {
  const [first = ""] = names;
  let length = first.length;
  for (const name of names) {
    while (!name.startsWith(first.slice(0, length))) length -= 1;
  }
  return /^.*[,:] /.exec(first.slice(0, length))?.[0] ?? "";
}

function isFarApart(figures: readonly Figure[]): boolean {
  const values = figures.map(({ value }) => value);
  return Math.max(...values) > LINEAR_TIMES_MAX * Math.min(...values);
}
