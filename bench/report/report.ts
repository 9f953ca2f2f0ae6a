/**
 * What a bench run found: made by a scenario, shown as a table, as JSON and as an HTML page. All of
 * it is plain data, so that a report can be kept and compared.
 */

/** Counts and times of one kind of request, or of one kind of thing that happened. */
export interface Stream {
  /** In the plural: `holds`, `bookings`, `changes`. */
  readonly name: string;
  /** Those that succeeded. */
  readonly count: number;
  /** Whether `count` is of a stretch of `seconds`; a ceiling or a rate follows from both. */
  readonly seconds: number;
  readonly latencyMs: LatencyFigures;
  /** Times count from when a request was due, not from when it could be sent. */
  readonly isCorrected: boolean;
  /** Answers by status; 0: the connection ended, or nothing came in time. Empty: no HTTP. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Successes in each second of the run. */
  readonly perSecond: readonly number[];
}

export interface LatencyFigures {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What the server's machine spent meanwhile; only of a server on this machine that is known. */
export interface ServerFigures {
  /** How long it was looked at. */
  readonly seconds: number;
  /** Cores (1: one core all the time) by thread, the busiest first. */
  readonly threads: readonly { readonly name: string; readonly cores: number }[];
  /** Resident memory of the server's process, MiB. */
  readonly memoryMib: {
    readonly start: number;
    readonly peak: number;
    readonly end: number;
    readonly perSecond: readonly number[];
  };
  /** Share of the machine's time, 0 to 1, that neither the server nor the bench took. */
  readonly othersShare: number | null;
}

/** From the server's operations pages, over the measured stretch; null where it has no journal. */
export interface JournalFigures {
  readonly fsyncs: number;
  readonly facts: number;
  readonly factsPerFsync: number;
  /** Of all frames: what was written, and not how large the files are. */
  readonly bytes: number;
  /** The most that PostgreSQL lacked of a shard, and for how long (see the scenario). */
  readonly projectionLagFactsMax: number;
}

/** What PostgreSQL did, as it says itself. */
export interface PostgresFigures {
  /** Those that wrote, or locked a row. */
  readonly transactions: number;
  /** Of its log. It counts them up to a second late. */
  readonly walSyncs: number;
  readonly walBytes: number;
}

/** What a load took of a server, from its first request until PostgreSQL had all of it. */
export interface Costs {
  /** What was sold: also what counts for no rate. */
  readonly count: number;
  readonly serverFigures: ServerFigures | null;
  readonly journal: JournalFigures | null;
  /** null: there is none. */
  readonly postgres: PostgresFigures | null;
}

/** One of several measurements that a scenario compares: what its tables are made of. */
export interface Turn {
  readonly contender: string;
  readonly phase: string;
  /** From 0 on. */
  readonly round: number;
  /** A second. */
  readonly rate: number;
  readonly latencyMs: LatencyFigures;
  /** Of the load's thread, 0 to 1. */
  readonly loadBusyShare: number;
  readonly costs: Costs;
}

/** One thing that has to be true after the run. */
export interface Check {
  /** A sentence that says what is true when `ok`. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found, with numbers. */
  readonly detail: string;
}

/** A number that is not a stream's: seconds to recover, bytes a connection. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** Things side by side, as they are to be read: texts, the first column names the row. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Report {
  readonly scenario: string;
  /** What served: `evently`, or the name of a baseline. */
  readonly server: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGib: number;
    readonly node: string;
  };
  /** The command line's choices, with what was not chosen. */
  readonly options: Readonly<Record<string, string | number | boolean | null>>;
  readonly streams: readonly Stream[];
  readonly figures: readonly Figure[];
  /** Where a scenario compares; they come first. Absent: none. */
  readonly tables?: readonly Table[];
  /** Where a scenario compares: each measurement, in numbers. */
  readonly turns?: readonly Turn[];
  readonly serverFigures: ServerFigures | null;
  readonly journal: JournalFigures | null;
  /** The oracle's verdict; the run counts for nothing unless every check holds. */
  readonly checks: readonly Check[];
}

/** Whether the oracle has no objection. A run that checked nothing proves nothing. */
export function isSound({ checks }: Pick<Report, "checks">): boolean {
  return checks.length > 0 && checks.every(({ ok }) => ok);
}

/** Whether the server ran already, by `--url`: the bench sees no more of it than its answers. */
export function isElsewhere({ options }: Pick<Report, "options">): boolean {
  return typeof options.url === "string";
}
