/** The files for Prometheus and Grafana, and the list in the documents, name what there is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parser } from "@prometheus-io/lezer-promql";
import { parse } from "yaml";
import { ROOT } from "../../bench/root.ts";
import { ENGINE_METRICS } from "../../gateway/metrics/engine-metrics.ts";
import { HTTP_METRICS } from "../../gateway/metrics/http-metrics.ts";
import { LIMIT_METRICS } from "../../gateway/metrics/limit-metrics.ts";
import { MetricsPage } from "../../gateway/metrics/metrics-page.ts";
import { NODE_METRICS } from "../../gateway/metrics/node-metrics.ts";
import { NOTIFIER_METRICS } from "../../gateway/metrics/notifier-metrics.ts";
import { filesEndingIn, readSource } from "../support/source-scan.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const FAMILIES = [
  ...[...HTTP_METRICS, ...LIMIT_METRICS, ...ENGINE_METRICS],
  ...[...NODE_METRICS, ...NOTIFIER_METRICS],
];
/** Labels that Prometheus itself adds, and those of buckets. */
const ADDED_LABELS = ["job", "instance", "le"];

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}
interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}
interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const rules = (parse(read("deploy/alerts.yml")) as Rules).groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(read("deploy/grafana-dashboard.json")) as { panels: Panel[] };
const panels = dashboard.panels.filter(({ type }) => type !== "row");

/** Every name that a query may use, with its labels; null: whatever labels it has. */
function series(): Map<string, readonly string[] | null> {
  const known = new Map<string, readonly string[] | null>([["up", null]]);
  for (const name of new MetricsPage().names()) known.set(name, null);
  for (const { name, kind, labels } of FAMILIES) {
    const names = kind === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    for (const ending of names) known.set(name + ending, labels);
  }
  return known;
}

interface Query {
  /** Metric and label names that are selected; labels of groupings stand with no metric. */
  readonly metrics: readonly string[];
  readonly labels: readonly { readonly metric: string; readonly label: string }[];
}

/** Takes a query apart with Prometheus's own grammar. */
function analysed(expr: string): Query {
  const text = expr.replaceAll("$__rate_interval", "5m");
  const metrics: string[] = [];
  const labels: { metric: string; label: string }[] = [];
  let metric = "";
  parser.parse(text).iterate({
    enter({ name, type, from, to }) {
      assert.ok(!type.isError, `${text} is no PromQL at ${from}`);
      const word = text.slice(from, to);
      if (name === "VectorSelector") {
        metric = /^[a-z_:]+/.exec(word)?.[0] ?? "";
        metrics.push(metric);
      } else if (name === "UnquotedLabelMatcher") {
        labels.push({ metric, label: /^[a-z_]+/.exec(word)?.[0] ?? "" });
      }
    },
  });
  return { metrics, labels };
}

function requireKnown(expr: string, where: string): void {
  const known = series();
  const { metrics, labels } = analysed(expr);
  assert.ok(metrics.length > 0, `${where} asks for something`);
  for (const metric of metrics) assert.ok(known.has(metric), `${where} asks for ${metric}`);
  for (const { metric, label } of labels) {
    const its = known.get(metric);
    const isIts = its === null || its?.includes(label) || ADDED_LABELS.includes(label);
    assert.ok(isIts, `${where} asks for ${metric} by ${label}`);
  }
}

test("every alert says what it means and what to do, and asks for metrics that there are", () => {
  assert.ok(rules.length >= 15);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, expr, labels, annotations } of rules) {
    assert.ok(["critical", "warning"].includes(labels.severity), alert);
    for (const part of ["summary", "description", "action"]) {
      assert.ok((annotations[part] ?? "").length > 10, `${alert} has its ${part}`);
    }
    requireKnown(expr, alert);
  }
});

test("every panel of the dashboard asks for metrics that there are", () => {
  assert.ok(panels.length >= 30);
  for (const { title, targets } of panels) {
    assert.ok(targets !== undefined && targets.length > 0, title);
    for (const { expr } of targets) requireKnown(expr, title);
  }
});

test("every metric of ours is on the dashboard or in an alert", () => {
  const queries = [
    ...rules.map(({ expr }) => expr),
    ...panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr)),
  ];
  const asked = new Set(queries.flatMap((expr) => analysed(expr).metrics));
  const isAsked = (name: string): boolean =>
    ["", "_bucket", "_sum", "_count"].some((ending) => asked.has(name + ending));
  const unseen = FAMILIES.map(({ name }) => name).filter((name) => !isAsked(name));
  // For whoever looks closer: the dashboard has what belongs beside them.
  assert.deepEqual(unseen.sort(), [
    "evently_http_body_bytes",
    "evently_projection_transaction_facts",
    "evently_thread_gc_total",
    "evently_thread_heap_total_bytes",
    "evently_thread_idle_seconds_total",
  ]);
});

test("who traces nothing loads no SDK: one module knows it, and is imported on demand", () => {
  const sources = filesEndingIn(".ts").map(readSource);
  const isSdk = (name: string): boolean => /^@opentelemetry\/(?!api$)/.test(name);
  const knowing = sources.filter(({ imports }) => imports.some(isSdk)).map(({ path }) => path);
  assert.deepEqual(knowing, ["gateway/tracing/otlp-tracing.ts"]);
  const importing = sources.filter(({ text }) => /from "[^"]*\/otlp-tracing\.ts"/.test(text));
  assert.deepEqual(importing, []);
});

test("docs/OPERATIONS.md lists every metric as it is, and every alert", () => {
  const rows = [...read("docs/OPERATIONS.md").matchAll(/^\| `(evently_\w+)` \| (.*) \|$/gm)];
  const listed = rows.map(([, name, rest]) => `${name} | ${rest}`);
  const labelsOf = (labels: readonly string[]): string =>
    labels.map((label) => `\`${label}\``).join(", ");
  assert.deepEqual(
    listed,
    FAMILIES.map(
      ({ name, kind, labels, help }) => `${name} | ${kind} | ${labelsOf(labels)} | ${help}`,
    ),
  );
  const alerts = [...read("docs/OPERATIONS.md").matchAll(/^\| `(Evently\w+)` \|/gm)];
  assert.deepEqual(
    alerts.map(([, name]) => name),
    rules.map(({ alert }) => alert),
  );
});
