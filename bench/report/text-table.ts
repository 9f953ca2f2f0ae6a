import { isSound, type Report, type ServerFigures, type Stream, type Table } from "./report.ts";

/** A report for a terminal: at most 100 columns, but for what the oracle found. */
export function textTable(report: Report): string {
  const { scenario, server, machine, streams, figures, journal, serverFigures, checks } = report;
  const chosen = Object.entries(report.options)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`);
  const failed = checks.filter(({ ok }) => !ok).length;
  const verdict = isSound(report)
    ? "the oracle has no objection"
    : `THE ORACLE OBJECTS: ${failed} of ${checks.length} checks failed`;
  return [
    `${scenario} against ${server}, ${report.startedAt}`,
    `${machine.cores} × ${machine.processor}, ${machine.memoryGib} GiB, Node.js ${machine.node}`,
    chosen.join(", "),
    "",
    ...(report.tables ?? []).flatMap(shownTable),
    ...streamTable(streams),
    ...figures.map(({ name, value, unit }) => line(name, `${short(value)} ${unit}`)),
    ...(journal === null
      ? []
      : [
          line("journal", `${journal.fsyncs} fsyncs, ${journal.facts} facts`),
          line("facts per fsync", short(journal.factsPerFsync)),
          line("projection lag, most", `${journal.projectionLagFactsMax} facts of a shard`),
        ]),
    ...(serverFigures === null ? [] : serverLines(serverFigures)),
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

function serverLines({ threads, memoryMib, othersShare }: ServerFigures): string[] {
  const { start, peak, end } = memoryMib;
  const others = othersShare === null ? "unknown" : `${Math.round(othersShare * 100)} %`;
  return [
    line("memory", `${start} MiB at the start, ${peak} at most, ${end} at the end`),
    line("others took", `${others} of the machine's time`),
    "",
    "cores by thread",
    ...threads.map(({ name, cores }) => line(`  ${name}`, cores.toFixed(2))),
  ];
}

const line = (name: string, value: string): string => `${name.padEnd(27)} ${value}`.trimEnd();
