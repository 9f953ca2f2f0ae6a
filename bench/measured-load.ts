import { type HttpLoadOptions, runHttpLoad } from "./load/http-load.ts";
import type { HttpLoadResult } from "./load/http-load-messages.ts";
import type { Figure, Report } from "./report/report.ts";
import type { Progress } from "./scenario.ts";
import type { Stage } from "./stage.ts";
import { whileWatched } from "./while-watched.ts";

export type MeasuredLoad = Pick<Report, "streams" | "figures" | "serverFigures" | "journal"> & {
  readonly result: HttpLoadResult;
};

/** A load, and what the server did meanwhile. */
export async function measureLoad(
  stage: Stage,
  options: Omit<HttpLoadOptions, "url" | "progress" | "counting">,
  progress: Progress,
): Promise<MeasuredLoad> {
  const load = { ...options, url: stage.url, progress: secondly(progress) };
  const watched = await whileWatched(stage, (begin) => runHttpLoad({ ...load, counting: begin }));
  const { result, serverFigures, journal } = watched;
  const { streams, findings } = result;
  const figures = [
    { name: "load thread busy", value: result.busyShare * 100, unit: "%" },
    ...(result.cores === null ? [] : [{ name: "load thread", value: result.cores, unit: "cores" }]),
    ...(options.ratePerSecond == null
      ? []
      : [{ name: "due, never sent", value: result.neverSent, unit: "requests" }]),
    ...watched.figures,
    ...(findings.figures ?? []),
    ...Object.entries(findings.counts).map(([name, value]): Figure => ({ name, value, unit: "" })),
  ];
  return { result, streams, figures, serverFigures, journal };
}

/** From sums since the start to what came in the last second. */
export function secondly(progress: Progress): (sums: Readonly<Record<string, number>>) => void {
  let before: Readonly<Record<string, number>> = {};
  return (sums) => {
    const parts = Object.entries(sums)
      .filter(([, sum]) => sum > 0)
      .map(([name, sum]) => `${sum - (before[name] ?? 0)} ${name}/s (${sum})`);
    before = sums;
    progress(parts.length === 0 ? "no answer yet" : parts.join(", "));
  };
}
