import { escaped } from "./escaped.ts";
import { short } from "./text-table.ts";

/** Charts as inline SVG: plain text, no script, colours from the page's variables. */

const WIDTH = 640;
const LEFT = 64;
const RIGHT = 16;
const COLOURS = 6;
/** Room for the names of bars. */
const NAME_MIN = 190;
const NAME_MAX = 370;
const NAME_GAP = 20;
const CHAR_WIDTH = 6.6;

export interface Line {
  readonly name: string;
  /** One value a second, from the first on. */
  readonly values: readonly number[];
}

/** Lines over seconds; "" where there is nothing to draw. */
export function lineChart(lines: readonly Line[], unit: string): string {
  const seconds = Math.max(0, ...lines.map(({ values }) => values.length));
  if (seconds < 2) return "";
  const [height, top, bottom] = [220, 12, 28];
  const most = niceTop(Math.max(...lines.flatMap(({ values }) => values), 1));
  const x = (second: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * second) / (seconds - 1);
  const y = (value: number): number => height - bottom - ((height - top - bottom) * value) / most;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(most * share);
    return (
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>` +
      text({ x: LEFT - 8, y: at + 4, anchor: "end" }, grouped(most * share))
    );
  });
  const step = Math.max(1, Math.ceil(seconds / 10));
  const ticks = Array.from({ length: Math.ceil(seconds / step) }, (_, n) => n * step).map(
    (second) => text({ x: x(second), y: height - 10, anchor: "middle" }, `${second + 1} s`),
  );
  const drawn = lines.map(({ name, values }, index) => {
    const points = values.map((value, second) => `${fixed(x(second))},${fixed(y(value))}`);
    const colour = `class="line c${index % COLOURS}"`;
    const title = `<title>${escaped(name)}</title>`;
    return `<polyline ${colour} points="${points.join(" ")}">${title}</polyline>`;
  });
  const chart = svg(height, unit, [...grid, ...ticks, ...drawn]);
  return lines.length < 2 ? chart : `${chart}${legend(lines.map(({ name }) => name))}`;
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly shown: string;
  /** Index of its colour. Default: 0. */
  readonly colour?: number;
}

/** Bars beside each other's names; lengths are linear, or logarithmic where they differ by far. */
export function barChart(bars: readonly Bar[], label: string, isLogarithmic = false): string {
  const shownBars = bars.filter(({ value }) => value > 0);
  if (shownBars.length === 0) return "";
  const [row, valueWidth] = [26, 90];
  const longest = Math.max(...shownBars.map(({ name }) => name.length));
  const nameWidth = Math.min(NAME_MAX, Math.max(NAME_MIN, NAME_GAP + longest * CHAR_WIDTH));
  const height = shownBars.length * row + 8;
  const most = Math.max(...shownBars.map(({ value }) => value));
  const least = Math.min(...shownBars.map(({ value }) => value));
  // The shortest bar is still seen.
  const shareOf = (value: number): number =>
    isLogarithmic ? Math.log((2 * value) / least) / Math.log((2 * most) / least) : value / most;
  const drawn = shownBars.map(({ name, value, shown, colour = 0 }, index) => {
    const at = index * row + 4;
    const length = Math.max(2, (WIDTH - nameWidth - valueWidth) * shareOf(value));
    return (
      text({ x: nameWidth - 10, y: at + 16, anchor: "end" }, name) +
      `<rect class="bar c${colour % COLOURS}" x="${nameWidth}" y="${at + 3}" rx="2" ` +
      `width="${fixed(length)}" height="${row - 8}"/>` +
      text({ x: nameWidth + length + 8, y: at + 16, anchor: "start" }, shown)
    );
  });
  return svg(height, label, drawn);
}

/** One group of bars a stream: its percentiles, all on one logarithmic scale. */
export function latencyChart(
  streams: readonly {
    readonly name: string;
    readonly latencyMs: Readonly<Record<string, number>>;
  }[],
): string {
  const names = ["p50", "p90", "p99", "p999", "max"] as const;
  const bars = streams.flatMap(({ name, latencyMs }, colour) =>
    names.map((figure) => ({
      name: `${name} ${figure === "p999" ? "p99.9" : figure}`,
      value: latencyMs[figure] ?? 0,
      shown: `${short(latencyMs[figure] ?? 0)} ms`,
      colour,
    })),
  );
  return barChart(bars, "Milliseconds, on a logarithmic scale", true);
}

function legend(names: readonly string[]): string {
  const items = names.map(
    (name, index) => `<li><span class="swatch c${index % COLOURS}"></span>${escaped(name)}</li>`,
  );
  return `<ul class="legend">${items.join("")}</ul>`;
}

function svg(height: number, label: string, parts: readonly string[]): string {
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  return `<svg ${size} role="img" aria-label="${escaped(label)}">${parts.join("")}</svg>`;
}

function text(at: { x: number; y: number; anchor: string }, content: string): string {
  const place = `x="${fixed(at.x)}" y="${fixed(at.y)}" text-anchor="${at.anchor}"`;
  return `<text ${place}>${escaped(content)}</text>`;
}

/** The next of 1, 2, 4, 5, 8 times a power of ten. */
export function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 4, 5, 8, 10].find((each) => each * power >= value) ?? 10;
  return factor * power;
}

const fixed = (value: number): string => value.toFixed(1);

export function grouped(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString("en-US") : short(value);
}
