import { barChart, grouped, latencyChart, lineChart } from "./charts.ts";
import { escaped } from "./escaped.ts";
import { figureCharts } from "./figure-charts.ts";
import {
  isElsewhere,
  isSound,
  type Report,
  type ServerFigures,
  type Stream,
  type Table,
} from "./report.ts";
import { ELSEWHERE, rateOf, short, TAKEN } from "./text-table.ts";

/** Streams that are drawn; all are in the table. */
const DRAWN_MAX = 8;

/** A report as one page: nothing is loaded, from anywhere, and nothing in it runs. */
export function htmlPage(report: Report): string {
  const { scenario, server } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escaped(`${scenario} against ${server}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${header(report)}
${(report.tables ?? []).map(tableSection).join("\n")}
${report.streams.length === 0 ? "" : streamSection(report.streams)}
${figureSection(report)}
${report.serverFigures === null ? unknownServer(report) : serverSection(report.serverFigures)}
${checkSection(report)}
</main>
</body>
</html>
`;
}

function header(report: Report): string {
  const { scenario, server, startedAt, machine, options } = report;
  const failed = report.checks.filter(({ ok }) => !ok).length;
  const verdict = isSound(report)
    ? `<p class="verdict good">The oracle has no objection: ${report.checks.length} checks.</p>`
    : `<p class="verdict bad">The oracle objects: ${failed} of ${report.checks.length} checks
       failed. The figures count for nothing.</p>`;
  const chosen = Object.entries(options)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${escaped(name)} <b>${escaped(String(value))}</b>`);
  const { cores, processor, memoryGib, node } = machine;
  return `<header>
<h1>${escaped(scenario)} <small>against ${escaped(server)}</small></h1>
<p class="quiet">${escaped(startedAt)} · ${cores} × ${escaped(processor)}, ${memoryGib} GiB ·
Node.js ${escaped(node)}<br>${chosen.join(" · ")}</p>
${verdict}
</header>`;
}

function tableSection({ title, head, rows }: Table): string {
  return `<section><h2>${escaped(title)}</h2>${table(head, rows)}</section>`;
}

function streamSection(streams: readonly Stream[]): string {
  const [first] = streams;
  const drawn = streams.slice(0, DRAWN_MAX);
  const rest = streams.length - drawn.length;
  const more = rest === 0 ? "" : `<p class="quiet">… and ${rest} more in the table.</p>`;
  const tiles = drawn
    .filter(({ name }) => !name.startsWith("refused "))
    .map(
      (stream) => `<div class="tile"><span>${escaped(stream.name)} a second</span>
<b>${grouped(Math.round(rateOf(stream)))}</b>
<span>p50 ${short(stream.latencyMs.p50)} ms, p99 ${short(stream.latencyMs.p99)} ms</span></div>`,
    );
  const columns = ["", "count", "a second", "p50 ms", "p90", "p99", "p99.9", "max", "statuses"];
  const rows = streams.map((stream) => {
    const { p50, p90, p99, p999, max } = stream.latencyMs;
    const statuses = Object.entries(stream.statuses).map(([status, n]) => `${status}: ${n}`);
    const name = stream.isCorrected ? `${stream.name} *` : stream.name;
    const numbers = [stream.count, Math.round(rateOf(stream))].map(grouped);
    const times = [p50, p90, p99, p999, max].map(short);
    return [name, ...numbers, ...times, statuses.join(", ")];
  });
  const lines = drawn.map(({ name, perSecond }) => ({ name, values: wholeSeconds(perSecond) }));
  const note = streams.some(({ isCorrected }) => isCorrected)
    ? `<p class="quiet">* Times count from when a request was due:
       corrected for coordinated omission.</p>`
    : "";
  return `<section><div class="tiles">${tiles.join("")}</div>${more}
<h2>Answers</h2>${table(columns, rows)}${note}
${chart("Each second", lineChart(lines, `${first?.name ?? ""} and others, each second`))}
${chart("How long answers took", latencyChart(drawn.map(latenciesOf)))}${more}</section>`;
}

const latenciesOf = ({ name, latencyMs }: Stream) => ({ name, latencyMs: { ...latencyMs } });

/** Without the last one, which was cut off by the end. */
function wholeSeconds(perSecond: readonly number[]): readonly number[] {
  return perSecond.length > 2 ? perSecond.slice(0, -1) : perSecond;
}

function figureSection({ figures, journal }: Report): string {
  const rows = [
    ...figures.map(({ name, value, unit }) => [name, `${grouped(value)} ${unit}`]),
    ...(journal === null
      ? []
      : [
          ["fsyncs of the journal", grouped(journal.fsyncs)],
          ["facts", grouped(journal.facts)],
          ["written to the journal", `${short(journal.bytes / 2 ** 20)} MiB`],
          ["facts per fsync", short(journal.factsPerFsync)],
          ["projection lag, most", `${grouped(journal.projectionLagFactsMax)} facts of a shard`],
        ]),
  ];
  const charts = figureCharts(figures).map(({ title, drawing }) => chart(title, drawing));
  return rows.length === 0
    ? ""
    : `<section><h2>Figures</h2>${table([], rows)}${charts.join("\n")}</section>`;
}

function serverSection({ threads, memoryMib, othersShare }: ServerFigures): string {
  const bars = threads.map(({ name, cores }) => ({
    name,
    value: cores,
    shown: `${cores.toFixed(2)} cores`,
  }));
  const { start, peak, end, perSecond } = memoryMib;
  const others = othersShare === null ? "unknown" : `${Math.round(othersShare * 100)} %`;
  const memory = lineChart([{ name: "memory", values: perSecond }], "MiB, each second");
  return `<section>${chart("Cores by thread", barChart(bars, "Cores by thread"))}
${chart("Resident memory, MiB", memory)}
<p class="quiet">${start} MiB at the start, ${peak} at most, ${end} at the end.
Others took ${others} of the machine's time.</p></section>`;
}

const unknownServer = (report: Report): string =>
  isElsewhere(report) ? `<section><p class="quiet">${TAKEN}: ${ELSEWHERE}.</p></section>` : "";

function checkSection({ checks }: Report): string {
  const items = checks.map(
    ({ name, ok, detail }) =>
      `<li class="${ok ? "good" : "bad"}"><b>${ok ? "✓" : "✗"}</b>
<span>${escaped(name)}<small>${escaped(detail)}</small></span></li>`,
  );
  return `<section><h2>The oracle</h2><ul class="checks">${items.join("")}</ul></section>`;
}

function chart(title: string, drawing: string): string {
  return drawing === "" ? "" : `<h2>${escaped(title)}</h2><figure>${drawing}</figure>`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th scope="col">${escaped(column)}</th>`);
  const body = rows.map(
    ([name = "", ...cells]) =>
      `<tr><th scope="row">${escaped(name)}</th>${cells
        .map((cell) => `<td>${escaped(cell)}</td>`)
        .join("")}</tr>`,
  );
  const headRow = columns.length === 0 ? "" : `<thead><tr>${head.join("")}</tr></thead>`;
  return `<div class="wide"><table>${headRow}<tbody>${body.join("")}</tbody></table></div>`;
}

const STYLE = `
:root { --ground: #fff; --ink: #1b1f24; --quiet: #59636e; --rule: #d8dee4; --tile: #f5f7f9;
  --good: #16703a; --bad: #b3261e; --c0: #2563b8; --c1: #b4540a; --c2: #16703a; --c3: #8a3ab0;
  --c4: #0e7c86; --c5: #a61e4d; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --ink: #e6e9ec; --quiet: #9aa4af; --rule: #333a42; --tile: #1d2227;
    --good: #56c586; --bad: #ff8a80; --c0: #6ea8f7; --c1: #f2a65a; --c2: #56c586; --c3: #cf9bec;
    --c4: #4fc4cf; --c5: #f287ab; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 900px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 26px; margin: 0 0 4px; } h1 small { font-weight: 400; color: var(--quiet); }
h2 { font-size: 17px; margin: 32px 0 8px; }
.quiet { color: var(--quiet); font-size: 13px; margin: 4px 0; }
.quiet b { color: var(--ink); font-weight: 600; }
.verdict { border-left: 4px solid; padding: 8px 12px; background: var(--tile); font-weight: 600; }
.good b, .verdict.good { color: var(--good); } .bad b, .verdict.bad { color: var(--bad); }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 20px; }
.tile { background: var(--tile); border-radius: 8px; padding: 12px 16px; min-width: 170px; }
.tile span { display: block; color: var(--quiet); font-size: 13px; }
.tile b { font-size: 28px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); text-align: right;
  white-space: nowrap; }
th[scope=row], td:last-child, th:first-child, th:last-child { text-align: left; }
th { font-weight: 500; } thead th { color: var(--quiet); font-size: 13px; }
figure { margin: 0; } svg { width: 100%; height: auto; max-width: 760px; }
svg text { fill: var(--quiet); font-size: 12px; }
.grid { stroke: var(--rule); stroke-width: 1; } 
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
${[0, 1, 2, 3, 4, 5]
  .map(
    (n) =>
      `.line.c${n} { stroke: var(--c${n}); } .bar.c${n} { fill: var(--c${n}); }
  .swatch.c${n} { background: var(--c${n}); }`,
  )
  .join("\n")}
.legend, .checks { list-style: none; padding: 0; margin: 8px 0; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; }
.swatch { display: inline-block; width: 14px; height: 3px; margin-right: 6px;
  vertical-align: middle; }
.checks li { display: flex; gap: 10px; padding: 6px 0; border-bottom: 1px solid var(--rule); }
.checks small { display: block; color: var(--quiet); overflow-wrap: anywhere; }
`;
