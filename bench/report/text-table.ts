import { isElsewhere, isSound, type Report, type Stream, type Table } from "./report.ts";

/** So that short reports stand alike. */
const NAME_CHARS_MIN = 27;
/** What the bench knows only of a server that it has started. */
export const TAKEN = "cores, memory, others took";
export const ELSEWHERE = "unknown: the server is elsewhere";

/** A report for a terminal: at most 100 columns, but for what the oracle found. */
export function textTable(report: Report): string {
  const { scenario, server, machine, streams, figures, journal, serverFigures, checks } = report;
  const chosen = Object.entries(report.options)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`);
  const failed = checks.filter(({ ok }) => !ok).length;
  const { fsyncs = 0, facts = 0, bytes = 0 } = journal ?? {};
  const verdict = isSound(report)
    ? "the oracle has no objection"
    : `THE ORACLE OBJECTS: ${failed} of ${checks.length} checks failed`;
  const named: Named[] = [
    ...figures.map(({ name, value, unit }) => [name, `${short(value)} ${unit}`] as const),
    ...(journal === null
      ? []
      : ([
          ["journal", `${fsyncs} fsyncs, ${facts} facts, ${short(bytes / 2 ** 20)} MiB`],
          ["facts per fsync", short(journal.factsPerFsync)],
          ["projection lag, most", `${journal.projectionLagFactsMax} facts of a shard`],
        ] as const)),
    ...serverLines(report),
  ];
  const threads = (serverFigures?.threads ?? []).map(
    ({ name, cores }) => [`  ${name}`, cores.toFixed(2)] as const,
  );
  return [
    `${scenario} against ${server}, ${report.startedAt}`,
    `${machine.cores} × ${machine.processor}, ${machine.memoryGib} GiB, Node.js ${machine.node}`,
    chosen.join(", "),
    "",
    ...(report.tables ?? []).flatMap(shownTable),
    ...streamTable(streams),
    ...lines(named),
    ...(threads.length === 0 ? [] : ["", "cores by thread", ...lines(threads)]),
    "",
    ...checks.map(({ name, ok, detail }) => `${ok ? "ok    " : "FAILED"} ${name}: ${detail}`),
    "",
    verdict,
  ].join("\n");
}

/** Three digits and no more, but whole numbers whole. */
export function short(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function rateOf({ count, seconds }: Stream): number {
  return seconds === 0 ? 0 : count / seconds;
}

function streamTable(streams: readonly Stream[]): string[] {
  if (streams.length === 0) return [];
  const head = ["", "count", "per s", "p50 ms", "p90", "p99", "p99.9", "max", "statuses"];
  const rows = streams.map((stream) => {
    const { p50, p90, p99, p999, max } = stream.latencyMs;
    const statuses = Object.entries(stream.statuses).map(([status, n]) => `${status}: ${n}`);
    return [
      `${stream.name}${stream.isCorrected ? " *" : ""}`,
      String(stream.count),
      short(Math.round(rateOf(stream))),
      ...[p50, p90, p99, p999, max].map(short),
      statuses.join(", "),
    ];
  });
  const lines = aligned(head, rows, head.length - 1);
  const note = streams.some(({ isCorrected }) => isCorrected)
    ? ["* times count from when a request was due (corrected for coordinated omission)"]
    : [];
  return [...lines, ...note, ""];
}

function shownTable({ title, head, rows }: Table): string[] {
  return [title, ...aligned(head, rows), ""];
}

/** Columns side by side, numbers to the right; the first is text, and so is the column `textAt`. */
function aligned(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  textAt = 0,
): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || column === textAt ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

type Named = readonly [name: string, value: string];

function serverLines(report: Report): readonly Named[] {
  const { serverFigures } = report;
  if (serverFigures === null) return isElsewhere(report) ? [[TAKEN, ELSEWHERE]] : [];
  const { memoryMib, othersShare } = serverFigures;
  const { start, peak, end } = memoryMib;
  const others = othersShare === null ? "unknown" : `${Math.round(othersShare * 100)} %`;
  return [
    ["memory", `${start} MiB at the start, ${peak} at most, ${end} at the end`],
    ["others took", `${others} of the machine's time`],
  ];
}

/** Values below one another, behind the longest name. */
function lines(named: readonly Named[]): string[] {
  const width = Math.max(NAME_CHARS_MIN, ...named.map(([name]) => name.length));
  return named.map(([name, value]) => `${name.padEnd(width)} ${value}`.trimEnd());
}
