import type { Report } from "./report/report.ts";

/** The command line, understood. Nulls: the scenario's own default. */
export interface BenchOptions {
  /** null: the bench starts a server of its own and stops it. */
  readonly url: string | null;
  readonly connections: number | null;
  readonly durationSeconds: number | null;
  readonly seats: number | null;
  /** Requests a second; null: as fast as answers come. */
  readonly ratePerSecond: number | null;
  readonly events: number | null;
  /** Of the load's random choices. */
  readonly seed: number;
}

/** What a scenario tells while it runs: one line that is written over, or one a second. */
export type Progress = (line: string) => void;

export type Findings = Pick<
  Report,
  "server" | "streams" | "figures" | "serverFigures" | "journal" | "checks"
> & {
  /** What the scenario chose where the options left it open. */
  readonly chosen: Report["options"];
};

export interface Scenario {
  readonly name: string;
  /** One sentence for the list of scenarios. */
  readonly summary: string;
  /** Ends whatever it started, also when it throws. */
  run(options: BenchOptions, progress: Progress): Promise<Findings>;
}
