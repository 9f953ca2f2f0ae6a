import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { METRICS_PAGE_MS } from "../../engine/telemetry-limits.ts";
import type { HistogramSnapshot } from "../../workers/histogram.ts";
import type { HistogramSample, Labels, MetricFamily } from "./metric-family.ts";

/**
 * The page that Prometheus reads.
 *
 * Nothing is counted here: each metric reads the plain numbers of whoever counts. A page is made
 * once in METRICS_PAGE_MS at most, however many ask for it: it is public, and takes milliseconds.
 */
export class MetricsPage {
  readonly #registry = new Registry();
  #page: Promise<string> | null = null;
  #madeMs = Number.NEGATIVE_INFINITY;

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    // It lists a directory with an entry for each WebSocket, while everybody waits.
    this.#registry.removeSingleMetric("process_open_fds");
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** `source` is asked for each page. */
  add<Source>(families: readonly MetricFamily<Source>[], source: () => Source): void {
    for (const family of families) register(this.#registry, family, source);
  }

  /** What is on it, for whoever compares. */
  names(): string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  text(): Promise<string> {
    const nowMs = performance.now();
    if (this.#page === null || nowMs - this.#madeMs >= METRICS_PAGE_MS) {
      this.#madeMs = nowMs;
      this.#page = this.#registry.metrics();
    }
    return this.#page;
  }
}

function register<Source>(
  registry: Registry,
  family: MetricFamily<Source>,
  source: () => Source,
): void {
  const { name, help } = family;
  const labelNames = [...family.labels];
  const common = { name, help, labelNames, registers: [registry] };
  if (family.kind === "histogram") {
    new ReadHistogram(common, () => family.read(source()));
    return;
  }
  const { read } = family;
  if (family.kind === "counter") {
    const counter: Counter = new Counter({
      ...common,
      collect: () => {
        counter.reset();
        for (const [labels, value] of read(source())) counter.inc(labels, value);
      },
    });
    return;
  }
  const gauge: Gauge = new Gauge({
    ...common,
    collect: () => {
      gauge.reset();
      // A gauge without labels would keep a 0 that nobody has said.
      if (labelNames.length === 0) gauge.remove();
      for (const [labels, value] of read(source())) gauge.set(labels, value);
    },
  });
}

type HistogramOptions = ConstructorParameters<typeof Histogram>[0];

/** Shows histograms that were counted elsewhere: the library's own can only observe one by one. */
class ReadHistogram extends Histogram {
  readonly #name: string;
  readonly #read: () => Iterable<HistogramSample>;
  /** Empty, and on no page: knows how the library describes a histogram. */
  readonly #described: Histogram;

  constructor(options: HistogramOptions, read: () => Iterable<HistogramSample>) {
    super(options);
    this.#name = options.name;
    this.#read = read;
    this.#described = new Histogram({ ...options, registers: [] });
  }

  override async get(): ReturnType<Histogram["get"]> {
    const values = [...this.#read()].flatMap(([labels, value]) => this.#linesOf(labels, value));
    return { ...(await this.#described.get()), values };
  }

  /** What the registry asks when it writes the page. */
  getForPromString(): ReturnType<Histogram["get"]> {
    return this.get();
  }

  #linesOf(labels: Labels, { bounds, counts, sum }: HistogramSnapshot) {
    const name = this.#name;
    let count = 0;
    const buckets = counts.map((inBucket, index) => {
      count += inBucket;
      const le = bounds[index] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
