import assert from "node:assert/strict";
import { test } from "node:test";
import { niceTop } from "./charts.ts";
import { figureCharts } from "./figure-charts.ts";
import { htmlPage } from "./html-page.ts";
import { isSound, type Report } from "./report.ts";
import { short, textTable } from "./text-table.ts";

const HOSTILE = `<script src="http://evil.example/x.js"></script>'"&`;

const report: Report = {
  scenario: "hold",
  server: HOSTILE,
  startedAt: "2030-01-01T00:00:00.000Z",
  machine: { processor: "A", cores: 2, memoryGib: 4, node: "v20" },
  options: { connections: 4, url: null },
  streams: [
    {
      name: `holds ${HOSTILE}`,
      count: 1_000,
      seconds: 2,
      latencyMs: { p50: 1.234, p90: 2, p99: 12.34, p999: 123.4, max: 200 },
      isCorrected: true,
      statuses: { 201: 1_000 },
      perSecond: [400, 600, 0],
    },
  ],
  figures: [{ name: HOSTILE, value: 3, unit: "s" }],
  serverFigures: {
    seconds: 2,
    threads: [{ name: HOSTILE, cores: 0.5 }],
    memoryMib: { start: 1, peak: 3, end: 2, perSecond: [1, 3, 2] },
    othersShare: 0.25,
  },
  journal: {
    fsyncs: 10,
    facts: 1_000,
    factsPerFsync: 100,
    bytes: 3 * 2 ** 20,
    projectionLagFactsMax: 7,
  },
  checks: [{ name: "all is well", ok: true, detail: HOSTILE }],
};

test("a report without checks is not sound, nor is one with an objection", () => {
  assert.ok(isSound(report));
  assert.ok(!isSound({ checks: [] }));
  assert.ok(!isSound({ checks: [...report.checks, { name: "b", ok: false, detail: "" }] }));
});

test("the page shows what a server said as text, and names nothing to load", () => {
  const page = htmlPage(report);
  assert.doesNotMatch(page, /<script|<link|<img|@import|url\(|(?:src|href)=(?!&)/);
  assert.match(page, /&lt;script src=&quot;http:\/\/evil\.example\/x\.js&quot;&gt;/);
  assert.match(page, /default-src 'none'/);
  assert.equal(page.match(/<svg /g)?.length, 4, "rates, latencies, threads, memory");
});

test("the page and the table say first whether the oracle objects", () => {
  const objected = { ...report, checks: [{ name: "sums", ok: false, detail: "2 ≠ 3" }] };
  assert.match(htmlPage(objected), /class="verdict bad"/);
  assert.match(textTable(objected), /FAILED sums: 2 ≠ 3/);
  assert.match(textTable(objected), /THE ORACLE OBJECTS: 1 of 1/);
  assert.match(textTable(report), /the oracle has no objection$/);
});

test("the table says the rate, the times and whether they are corrected", () => {
  const table = textTable({ ...report, server: "evently" });
  assert.match(table, /1000 +500 +1\.23 +2 +12\.3 +123 +200 +201: 1000/);
  assert.match(table, /\* times count from when a request was due/);
  assert.match(table, /others took +25 %/);
});

test("a long name has its value behind it, and all values stand below one another", () => {
  const figures = [
    { name: "18000 seats, slowest sale 257978 the same", value: 293.1796875, unit: "KiB" },
    { name: "short", value: 1, unit: "s" },
  ];
  const shown = textTable({ ...report, figures }).split("\n");
  const at = (text: RegExp): number => shown.find((line) => text.test(line))?.search(text) ?? -1;
  assert.ok(shown.some((line) => /257978 the same 293 KiB$/.test(line)));
  assert.equal(at(/(?<= )293 KiB$/), at(/(?<=^short +)1 s$/));
});

test("of a server elsewhere it is said that its cores and memory are unknown", () => {
  const given = { ...report, serverFigures: null };
  const elsewhere = { ...given, options: { url: "http://a.example" } };
  for (const form of [textTable, htmlPage]) {
    assert.match(form(elsewhere), /others took.* unknown: the server is elsewhere/);
    assert.doesNotMatch(form(given), /elsewhere/);
  }
});

test("the page draws eight streams, and says how many more are in its table", () => {
  const [stream] = report.streams;
  assert.ok(stream !== undefined);
  const streams = Array.from({ length: 11 }, (_, n) => ({ ...stream, name: `kind ${n}` }));
  const page = htmlPage({ ...report, streams });
  assert.equal(page.match(/class="tile"/g)?.length, 8);
  assert.equal(page.match(/and 3 more in the table/g)?.length, 2, "beside tiles and charts");
  assert.match(page, /kind 10/);
  assert.doesNotMatch(htmlPage(report), /more in the table/);
});

test("the page draws figures of one unit beside each other, and those of one kind in one colour", () => {
  const figure = (name: string, value: number, unit = "µs a choice, all found") => {
    return { name, value, unit };
  };
  const best = [
    figure("best seats, empty, p50", 2),
    figure("best seats, empty, p99", 80),
    figure("best seats, half full, p50", 4),
    figure("best seats, half full, p99", 160),
  ];
  const others = [figure("a", 1, "s"), figure("b", 2, "s"), figure("c", 3, ""), figure("d", 0)];
  const [own, ...more] = figureCharts([...others, ...best]);
  const title = "best seats: µs a choice, on a logarithmic scale";
  assert.deepEqual([own?.title, more], [title, []]);
  const bars = [...(own?.drawing ?? "").matchAll(/class="bar c(\d)"/g)].map(([, colour]) => colour);
  assert.deepEqual(bars, ["0", "1", "0", "1"]);
  assert.match(own?.drawing ?? "", />half full, p99<\/text>/);
  const page = htmlPage({ ...report, streams: [], serverFigures: null, figures: best });
  assert.equal(page.match(/<svg /g)?.length, 1);
  assert.equal(figureCharts(Array.from({ length: 25 }, (_, n) => figure(`${n}`, 1))).length, 0);
});

test("numbers have three digits, and whole ones all of theirs", () => {
  assert.deepEqual([12_345, 123.45, 12.345, 1.2345, 0.01234].map(short), [
    "12345",
    "123",
    "12.3",
    "1.23",
    "0.012",
  ]);
  assert.deepEqual([1, 7, 8.1, 43, 1_300].map(niceTop), [1, 8, 10, 50, 2_000]);
});
