import type { HistogramSnapshot } from "../../workers/histogram.ts";
import type { ShardVitals, ShardWorkerVitals } from "../../workers/shard/host-meter.ts";
import type { Counts } from "../../workers/tally.ts";
import type { EngineVitals } from "../ops/thread-watch.ts";
import {
  byName,
  type HistogramSample,
  type MetricFamily,
  plain,
  type Sample,
} from "./metric-family.ts";

export interface EngineSource {
  readonly vitals: EngineVitals;
  /** Shards that the database refused something of. */
  readonly failedShards: number;
}

const workersOf = ({ vitals }: EngineSource): ShardWorkerVitals[] =>
  vitals.shards.filter((worker) => worker !== null);

const shardsOf = (source: EngineSource): ShardVitals[] =>
  workersOf(source).flatMap(({ shards }) => shards);

const total = (source: EngineSource, of: (shard: ShardVitals) => number): Sample[] =>
  plain(shardsOf(source).reduce((sum, shard) => sum + of(shard), 0));

const byShard = (source: EngineSource, of: (shard: ShardVitals) => number): Sample[] =>
  shardsOf(source).map((shard) => [{ shard: String(shard.shard) }, of(shard)]);

const byWorker = (
  source: EngineSource,
  of: (worker: ShardWorkerVitals) => HistogramSnapshot,
): HistogramSample[] =>
  workersOf(source).map((worker) => [{ worker: String(worker.worker) }, of(worker)]);

/** One number for each name, of all workers together. */
function summed(source: EngineSource, of: (worker: ShardWorkerVitals) => Counts): Counts {
  const sums = new Map<string, number>();
  for (const [name, count] of workersOf(source).flatMap(of)) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return [...sums];
}

const factsOf = (source: EngineSource, name: string): Sample[] =>
  plain(new Map(summed(source, ({ facts }) => facts)).get(name) ?? 0);

const SHARD_METRICS: readonly MetricFamily<EngineSource>[] = [
  {
    name: "evently_commands_total",
    kind: "counter",
    labels: ["kind"],
    help: "Commands and questions that actors have taken, by kind.",
    read: (source) =>
      byName(
        "kind",
        summed(source, ({ commands }) => commands),
      ),
  },
  {
    name: "evently_facts_total",
    kind: "counter",
    labels: ["kind"],
    help: "Changes that were decided, by kind.",
    read: (source) =>
      byName(
        "kind",
        summed(source, ({ facts }) => facts),
      ),
  },
  {
    name: "evently_holds_total",
    kind: "counter",
    labels: [],
    help: "Holds that were made, offers to the waitlist included.",
    read: (source) => factsOf(source, "held"),
  },
  {
    name: "evently_bookings_total",
    kind: "counter",
    labels: [],
    help: "Bookings that became confirmed, each once: without money, with it, or with late money.",
    read: (source) =>
      plain(workersOf(source).reduce((sum, worker) => sum + worker.bookingsConfirmed, 0)),
  },
  {
    name: "evently_actors",
    kind: "gauge",
    labels: [],
    help: "Events whose actors are in memory.",
    read: (source) => total(source, ({ actors }) => actors),
  },
  {
    name: "evently_holds_active",
    kind: "gauge",
    labels: [],
    help: "Active holds.",
    read: (source) => total(source, ({ holds }) => holds),
  },
  {
    name: "evently_waitlist_entries",
    kind: "gauge",
    labels: [],
    help: "Entries of the waitlists of actors in memory.",
    read: (source) => total(source, ({ waiting }) => waiting),
  },
  {
    name: "evently_mailbox_depth",
    kind: "gauge",
    labels: ["shard"],
    help: "Requests that wait for an actor to be loaded.",
    read: (source) => byShard(source, ({ mailboxDepth }) => mailboxDepth),
  },
  {
    name: "evently_round_duration_seconds",
    kind: "histogram",
    labels: ["worker"],
    help: "From the beginning of a round of commands until its answers left, journal included.",
    read: (source) => byWorker(source, ({ roundSeconds }) => roundSeconds),
  },
  {
    name: "evently_round_facts",
    kind: "histogram",
    labels: ["worker"],
    help: "Facts of a round, which go to the journal together.",
    read: (source) => byWorker(source, ({ factsOfRounds }) => factsOfRounds),
  },
  {
    name: "evently_shards_failed",
    kind: "gauge",
    labels: [],
    help: "Shards that sell nothing any more, because the database refused a fact of theirs.",
    read: ({ failedShards }) => plain(failedShards),
  },
];

const JOURNAL_METRICS: readonly MetricFamily<EngineSource>[] = [
  {
    name: "evently_journal_lag_facts",
    kind: "gauge",
    labels: ["shard"],
    help: "Facts that are decided and not durable yet.",
    read: (source) => byShard(source, ({ lsn, durableLsn }) => lsn - durableLsn),
  },
  {
    name: "evently_journal_lag_seconds",
    kind: "gauge",
    labels: ["worker"],
    help: "How long the oldest round waits for the journal.",
    read: (source) =>
      workersOf(source).map(({ worker, unsyncedMs }) => [
        { worker: String(worker) },
        unsyncedMs / 1_000,
      ]),
  },
  {
    name: "evently_journal_sync_duration_seconds",
    kind: "histogram",
    labels: [],
    help: "The fdatasync of one frame; with ACK_MODE=postgres its commit.",
    read: ({ vitals: { journal } }) =>
      journal === null ? [] : [[{}, journal.status.commitSeconds]],
  },
  {
    name: "evently_journal_frame_entries",
    kind: "histogram",
    labels: [],
    help: "Facts that became durable with one sync.",
    read: ({ vitals: { journal } }) =>
      journal === null ? [] : [[{}, journal.status.entriesOfFrames]],
  },
  {
    name: "evently_journal_written_bytes_total",
    kind: "counter",
    labels: [],
    help: "Bytes written to the journal.",
    read: ({ vitals: { journal } }) => plain(journal?.status.bytesWritten ?? 0),
  },
  {
    name: "evently_journal_bytes",
    kind: "gauge",
    labels: [],
    help: "Bytes of the journal's segments on disk; none with ACK_MODE=postgres.",
    read: ({ vitals: { journal } }) =>
      journal?.status.kind === "file" ? plain(journal.status.bytes) : [],
  },
  {
    name: "evently_journal_segments",
    kind: "gauge",
    labels: [],
    help: "Segments that PostgreSQL does not have all of, the current one included.",
    read: ({ vitals: { journal } }) =>
      journal?.status.kind === "file" ? plain(journal.status.segments) : [],
  },
  {
    name: "evently_journal_full",
    kind: "gauge",
    labels: [],
    help: "1: the journal has no room, and nothing new is sold.",
    read: ({ vitals: { journal } }) => (journal === null ? [] : plain(journal.status.full ? 1 : 0)),
  },
];

const report = ({ vitals }: EngineSource) => vitals.projector?.report;

const PROJECTION_METRICS: readonly MetricFamily<EngineSource>[] = [
  {
    name: "evently_projection_lag_facts",
    kind: "gauge",
    labels: ["shard"],
    help: "Facts that PostgreSQL lacks.",
    read: (source) => byShard(source, ({ lsn, projectedLsn }) => lsn - projectedLsn),
  },
  {
    name: "evently_projection_lag_seconds",
    kind: "gauge",
    labels: [],
    help: "Age of the oldest fact that PostgreSQL lacks.",
    read: (source) => plain((report(source)?.lagMs ?? 0) / 1_000),
  },
  {
    name: "evently_projection_backlog_bytes",
    kind: "gauge",
    labels: [],
    help: "Bytes of facts that wait for PostgreSQL in memory.",
    read: (source) => plain(report(source)?.backlogBytes ?? 0),
  },
  {
    name: "evently_projection_unanswered_seconds",
    kind: "gauge",
    labels: [],
    help: "How long PostgreSQL has left a question of the projector open.",
    read: (source) => plain((report(source)?.unansweredMs ?? 0) / 1_000),
  },
  {
    name: "evently_projection_facts_total",
    kind: "counter",
    labels: [],
    help: "Facts that PostgreSQL has taken.",
    read: (source) => plain(report(source)?.factsTotal ?? 0),
  },
  {
    name: "evently_projection_failures_total",
    kind: "counter",
    labels: [],
    help: "Transactions of the projector that failed and are tried again.",
    read: (source) => plain(report(source)?.failuresTotal ?? 0),
  },
  {
    name: "evently_projection_transaction_duration_seconds",
    kind: "histogram",
    labels: [],
    help: "One transaction of the projector.",
    read: (source) => ofReport(report(source)?.transactionSeconds),
  },
  {
    name: "evently_projection_transaction_facts",
    kind: "histogram",
    labels: [],
    help: "Facts of one transaction of the projector.",
    read: (source) => ofReport(report(source)?.factsOfTransactions),
  },
];

const ofReport = (histogram: HistogramSnapshot | undefined): HistogramSample[] =>
  histogram === undefined ? [] : [[{}, histogram]];

export const ENGINE_METRICS: readonly MetricFamily<EngineSource>[] = [
  ...SHARD_METRICS,
  ...JOURNAL_METRICS,
  ...PROJECTION_METRICS,
];
