import type { Counts } from "../../workers/tally.ts";
import type { ThreadVitals } from "../../workers/thread-vitals.ts";
import type { EngineVitals } from "../ops/thread-watch.ts";
import { type MetricFamily, plain, type Sample } from "./metric-family.ts";

/** What the gateway's services say of themselves. */
export interface NodeSource {
  readonly vitals: EngineVitals;
  /** Of the gateway's own thread. */
  readonly own: ThreadVitals;
  /** Of the notifier's; null: there is none, or it has said nothing yet. */
  readonly notifier: ThreadVitals | null;
  /** Sentences about threads that do not answer. */
  readonly silent: readonly string[];
  readonly lanes: readonly { readonly inFlight: number; readonly holdsMax: number }[];
  readonly pool: {
    readonly totalCount: number;
    readonly idleCount: number;
    readonly waitingCount: number;
    readonly refusedCount: number;
  };
  readonly database: { readonly isUp: boolean; readonly answerMs: number };
  readonly hashesWaiting: number;
  /** Names are `provider outcome`. */
  readonly paymentMessages: Counts;
  readonly refunds: Counts;
  readonly isServing: boolean;
}

const threadsOf = ({
  own,
  vitals,
  notifier,
}: NodeSource): [name: string, vitals: ThreadVitals][] => {
  const { shards, journal, projector } = vitals;
  return [
    ["gateway", own],
    ...shards.flatMap((worker): [string, ThreadVitals][] =>
      worker === null ? [] : [[`shards-${worker.worker}`, worker.thread]],
    ),
    ...(journal === null ? [] : [["journal", journal.thread] as [string, ThreadVitals]]),
    ...(projector === null ? [] : [["projector", projector.thread] as [string, ThreadVitals]]),
    ...(notifier === null ? [] : [["notifier", notifier] as [string, ThreadVitals]]),
  ];
};

const byThread = (source: NodeSource, of: (vitals: ThreadVitals) => number): Sample[] =>
  threadsOf(source).map(([thread, vitals]) => [{ thread }, of(vitals)]);

const byWorker = (
  { lanes }: NodeSource,
  of: (lane: NodeSource["lanes"][number]) => number,
): Sample[] => lanes.map((lane, worker) => [{ worker: String(worker) }, of(lane)]);

const byProvider = (counts: Counts): Sample[] =>
  counts.map(([name, count]) => {
    const [provider = "", outcome = ""] = name.split(" ");
    return [{ provider, outcome }, count];
  });

const THREAD_METRICS: readonly MetricFamily<NodeSource>[] = [
  {
    name: "evently_thread_busy_seconds_total",
    kind: "counter",
    labels: ["thread"],
    help: "Time in which a thread's event loop had something to do: its rate is the utilisation.",
    read: (source) => byThread(source, ({ busySeconds }) => busySeconds),
  },
  {
    name: "evently_thread_idle_seconds_total",
    kind: "counter",
    labels: ["thread"],
    help: "Time in which a thread's event loop waited for something to do.",
    read: (source) => byThread(source, ({ idleSeconds }) => idleSeconds),
  },
  {
    name: "evently_thread_delay_seconds",
    kind: "histogram",
    labels: ["thread"],
    help: "How late a thread's event loop comes to a timer, looked at ten times a second.",
    read: (source) =>
      threadsOf(source).map(([thread, { delaySeconds }]) => [{ thread }, delaySeconds]),
  },
  {
    name: "evently_thread_heap_used_bytes",
    kind: "gauge",
    labels: ["thread"],
    help: "JavaScript heap of a thread that is in use.",
    read: (source) => byThread(source, ({ heapUsedBytes }) => heapUsedBytes),
  },
  {
    name: "evently_thread_heap_total_bytes",
    kind: "gauge",
    labels: ["thread"],
    help: "JavaScript heap of a thread.",
    read: (source) => byThread(source, ({ heapTotalBytes }) => heapTotalBytes),
  },
  {
    name: "evently_thread_gc_total",
    kind: "counter",
    labels: ["thread"],
    help: "Pauses of a thread's garbage collector.",
    read: (source) => byThread(source, ({ gcCount }) => gcCount),
  },
  {
    name: "evently_thread_gc_seconds_total",
    kind: "counter",
    labels: ["thread"],
    help: "Time in those pauses.",
    read: (source) => byThread(source, ({ gcSeconds }) => gcSeconds),
  },
  {
    name: "evently_threads_silent",
    kind: "gauge",
    labels: [],
    help: "Threads of the engine that do not answer any more.",
    read: ({ silent }) => plain(silent.length),
  },
];

const SERVICE_METRICS: readonly MetricFamily<NodeSource>[] = [
  {
    name: "evently_worker_requests_in_flight",
    kind: "gauge",
    labels: ["worker"],
    help: "Requests that a shard worker has not answered yet.",
    read: (source) => byWorker(source, ({ inFlight }) => inFlight),
  },
  {
    name: "evently_worker_holds_in_flight_max",
    kind: "gauge",
    labels: ["worker"],
    help: "Requests in flight from which on new holds are refused; follows the worker's delay.",
    read: (source) => byWorker(source, ({ holdsMax }) => holdsMax),
  },
  {
    name: "evently_database_connections",
    kind: "gauge",
    labels: ["state"],
    help: "Connections of the gateway's services to PostgreSQL.",
    read: ({ pool: { totalCount, idleCount } }) => [
      [{ state: "idle" }, idleCount],
      [{ state: "busy" }, totalCount - idleCount],
    ],
  },
  {
    name: "evently_database_waiting",
    kind: "gauge",
    labels: [],
    help: "Callers that wait for one of these connections.",
    read: ({ pool }) => plain(pool.waitingCount),
  },
  {
    name: "evently_database_refused_total",
    kind: "counter",
    labels: [],
    help: "Callers that were refused at once, as PostgreSQL did not answer or too many waited.",
    read: ({ pool }) => plain(pool.refusedCount),
  },
  {
    name: "evently_database_up",
    kind: "gauge",
    labels: [],
    help: "1: PostgreSQL answers the heartbeat; 0: what needs it is refused at once.",
    read: ({ database }) => plain(database.isUp ? 1 : 0),
  },
  {
    name: "evently_database_heartbeat_seconds",
    kind: "gauge",
    labels: [],
    help: "How long PostgreSQL took to answer the last heartbeat.",
    read: ({ database }) => plain(database.answerMs / 1_000),
  },
  {
    name: "evently_password_hashes_waiting",
    kind: "gauge",
    labels: [],
    help: "Password hashes that wait for their turn.",
    read: ({ hashesWaiting }) => plain(hashesWaiting),
  },
  {
    name: "evently_payment_messages_total",
    kind: "counter",
    labels: ["provider", "outcome"],
    help: "What became of messages about payments; postponed ones are tried again.",
    read: ({ paymentMessages }) => byProvider(paymentMessages),
  },
  {
    name: "evently_refunds_total",
    kind: "counter",
    labels: ["provider", "outcome"],
    help: "Refunds that were paid, refused for good, or postponed, which are tried again.",
    read: ({ refunds }) => byProvider(refunds),
  },
  {
    name: "evently_serving",
    kind: "gauge",
    labels: [],
    help: "1: the node takes requests; 0: it starts or stops.",
    read: ({ isServing }) => plain(isServing ? 1 : 0),
  },
];

export const NODE_METRICS: readonly MetricFamily<NodeSource>[] = [
  ...THREAD_METRICS,
  ...SERVICE_METRICS,
];
