import type { ServerFigures, Table } from "./report.ts";

export interface ThreadColumn {
  readonly head: string;
  /** Measurements that are put together by their median; none: nothing is known. */
  readonly runs: readonly ServerFigures[];
}

/** What is told of a thread: cores, unless it is told how to make it of them. */
export type OfCores = (cores: number, figures: ServerFigures) => number;

/** Threads below one another, all of them first, then each in the order in which they are named. */
export function threadTable(
  title: string,
  columns: readonly ThreadColumn[],
  ofCores: OfCores = (cores) => cores,
): Table {
  const all = columns.flatMap(({ runs }) => runs.flatMap(({ threads }) => threads));
  const row = (name: string, isOf: (thread: string) => boolean): string[] => [
    name,
    ...columns.map(({ runs }) => {
      const values = runs.map((figures) => {
        const own = figures.threads.filter((thread) => isOf(thread.name));
        return ofCores(
          own.reduce((sum, { cores }) => sum + cores, 0),
          figures,
        );
      });
      return values.length === 0 ? "" : median(values).toFixed(2);
    }),
  ];
  const names = [...new Set(all.map(({ name }) => name))];
  return {
    title,
    head: ["", ...columns.map(({ head }) => head)],
    rows: [
      row("all threads", () => true),
      ...names.map((name) => row(name, (one) => one === name)),
    ],
  };
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
};
