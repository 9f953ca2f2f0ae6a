import type { ClockGaps } from "../machine/clock-gaps.ts";
import { probeClocks, probeMessages, probeSyncs } from "../machine/machine-probe.ts";
import type { Figure } from "../report/report.ts";
import {
  type BenchOptions,
  type Findings,
  type Progress,
  type Scenario,
  UsageError,
} from "../scenario.ts";

/** Of each measurement. */
const SECONDS_DEFAULT = 5;

/** What no program on this machine can be better than: to be read beside any other figure. */
export const machine: Scenario = {
  name: "machine",
  summary: "no server: what keeps a thread from running, waking another, syncing the disk",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    if (options.url !== null)
      throw new UsageError("machine looks at this machine: there is no --url");
    const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
    progress("threads that look at the clock");
    const clocks = await probeClocks(seconds);
    progress("messages between two threads");
    const messages = await probeMessages(seconds);
    progress("writes that are synced");
    const { syncs, found } = await probeSyncs(seconds);
    return {
      server: "this machine",
      streams: [messages, syncs],
      figures: clocks.flatMap(figuresOf),
      serverFigures: null,
      journal: null,
      checks: [found],
      chosen: { durationSeconds: seconds, threads: clocks.length },
    };
  },
};

function figuresOf({ seconds, longGaps, longestMs, lostMs }: ClockGaps, index: number): Figure[] {
  const name = `clock, thread ${index + 1}`;
  return [
    { name: `${name}: kept from it`, value: lostMs / seconds / 10, unit: "% of the time" },
    { name: `${name}: for 1 ms or longer`, value: longGaps / seconds, unit: "times a second" },
    { name: `${name}: longest`, value: longestMs, unit: "ms" },
  ];
}
