import type { Report, Table, Turn } from "./report/report.ts";

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
  /** Who the bench is on a server that it did not start; null: not given. */
  readonly access: Access | null;
  /** What was given of the scenario's `extras`, by name. */
  readonly extra: Readonly<Record<string, string>>;
}

/** Who the bench is on a server. */
export interface Access {
  /** Of somebody who may make organisations, and so events. */
  readonly email: string;
  readonly password: string;
  /** Opens `/ops/…`; null: those of `email` has to. */
  readonly opsToken: string | null;
}

/** What a scenario tells while it runs: one line that is written over, or one a second. */
export type Progress = (line: string) => void;

export type Findings = Pick<
  Report,
  "server" | "streams" | "figures" | "serverFigures" | "journal" | "checks"
> & {
  /** What the scenario chose where the options left it open. */
  readonly chosen: Report["options"];
  readonly tables?: readonly Table[];
  readonly turns?: readonly Turn[];
};

/** An option that only one scenario has: `--name VALUE`. */
export interface ExtraOption {
  readonly name: string;
  /** What its value is, for the help: `N`, `DIR`. */
  readonly value: string;
  readonly help: string;
}

export interface Scenario {
  readonly name: string;
  /** One sentence for the list of scenarios. */
  readonly summary: string;
  readonly extras?: readonly ExtraOption[];
  /** Ends whatever it started, also when it throws. */
  run(options: BenchOptions, progress: Progress): Promise<Findings>;
}

/** Options that not every scenario takes; what takes `url` also takes who the bench is there. */
export type OptionName = "url" | "connections" | "duration" | "seats" | "rate" | "events" | "seed";

/** A scenario as the command line knows it. */
export interface ListedScenario extends Scenario {
  /** Beside its `extras`; any other option is refused. */
  readonly takes: readonly OptionName[];
  /** Seconds of load that its buyers' access tokens are good for; null: as long as you like. */
  readonly durationMax: number | null;
}

/** The options cannot be what this scenario needs: exit code 2. */
export class UsageError extends Error {
  readonly code = "usage";
}
