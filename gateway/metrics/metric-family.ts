import type { HistogramSnapshot } from "../../workers/histogram.ts";
import type { Counts } from "../../workers/tally.ts";

export type Labels = Readonly<Record<string, string>>;

/** Values of one metric. Labels name what the program has, never what came from outside. */
export type Sample = readonly [labels: Labels, value: number];
export type HistogramSample = readonly [labels: Labels, value: HistogramSnapshot];

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** One metric, and where its values are. */
export type MetricFamily<Source> =
  | (Described & {
      readonly kind: "counter" | "gauge";
      readonly read: (source: Source) => Iterable<Sample>;
    })
  | (Described & {
      readonly kind: "histogram";
      readonly read: (source: Source) => Iterable<HistogramSample>;
    });

/** A value without labels. */
export const plain = (value: number): Sample[] => [[{}, value]];

/** Numbers by name, the name being the label. */
export const byName = (label: string, counts: Counts): Sample[] =>
  counts.map(([name, count]) => [{ [label]: name }, count]);
