/** What operators are shown: the reports of shards, actors, journal and projector. */
import Type from "typebox";
import { Count, Id, nullable } from "../http/answer-schemas.ts";
import { PHASES } from "./node-health.ts";

const Ratio = Type.Number({ minimum: 0 });

export const ShardReport = Type.Object(
  {
    shard: Count,
    worker: Count,
    epoch: Count,
    actors: Type.Array(Id, { description: "Events whose actors are in memory." }),
    actorCount: Count,
    mailboxDepth: Count,
    commandsTotal: Count,
    commandsPerSecond: Ratio,
    factsPerRound: Ratio,
    lsn: Count,
    durableLsn: Count,
    projectedLsn: Count,
    logicalMs: Type.Number(),
    latencyMsP50: Ratio,
    latencyMsP99: Ratio,
    eventLoopUtilisation: Ratio,
    journalLagFacts: Type.Integer(),
    projectionLagFacts: Type.Integer(),
    batchSize: Ratio,
    inFlight: Count,
    subscribers: Count,
    failure: nullable(Type.String({ description: "Why it has stopped; null: it has not." })),
  },
  { $id: "ShardReport" },
);
export const ShardReports = Type.Object(
  { shards: Type.Array(ShardReport) },
  { $id: "ShardReports" },
);

export const ActorReport = Type.Object(
  {
    eventId: Id,
    shard: Count,
    seq: Count,
    configured: Type.Boolean(),
    holds: Count,
    bookings: Count,
    keys: Count,
    watched: Type.Boolean(),
    hash: Type.String(),
    subscribers: Count,
  },
  { $id: "ActorReport" },
);

const AuditSide = Type.Object(
  {
    seq: Count,
    capacity: Count,
    free: Count,
    held: Count,
    sold: Count,
    blocked: Count,
    holds: Count,
    bookings: Count,
    hash: Type.String(),
  },
  { $id: "AuditSide" },
);

export const AuditReport = Type.Object(
  {
    ok: Type.Boolean(),
    seq: Count,
    memory: AuditSide,
    database: AuditSide,
    drift: Type.Array(Type.String(), { description: "A sentence a difference; empty: none." }),
  },
  { $id: "AuditReport" },
);

const Histogram = Type.Object(
  {
    bounds: Type.Array(Type.Number(), {
      description: "Upper bounds of the buckets, inclusive; one without a bound follows.",
    }),
    counts: Type.Array(Count, { description: "Values per bucket, one more than bounds." }),
    sum: Ratio,
  },
  { $id: "Histogram" },
);

const ProjectorReport = Type.Object(
  {
    kind: Type.Literal("projectorReport"),
    backlogFacts: Count,
    backlogBytes: Count,
    overfull: Type.Boolean(),
    factsTotal: Count,
    batchesTotal: Count,
    lagMs: Ratio,
    failuresTotal: Count,
    transactionSeconds: Histogram,
    factsOfTransactions: Histogram,
    lastBatchFacts: Count,
    lastBatchMs: Ratio,
    unansweredMs: Ratio,
    lastError: nullable(Type.String()),
  },
  { $id: "ProjectorReport" },
);

const journal = {
  full: Type.Boolean(),
  frames: Count,
  entries: Count,
  entriesPerFrame: Ratio,
  bytesWritten: Count,
  commitSeconds: Histogram,
  entriesOfFrames: Histogram,
  shards: Type.Array(Type.Object({ shard: Count, durableLsn: Count, projectedLsn: Count })),
  projector: ProjectorReport,
};

const FileJournal = Type.Object(
  {
    kind: Type.Literal("file"),
    ...journal,
    segments: Count,
    bytes: Count,
    file: Type.String(),
    offset: Count,
    fsyncs: Count,
    lastSyncUs: Ratio,
  },
  { $id: "FileJournalReport" },
);
const PgJournal = Type.Object(
  {
    kind: Type.Literal("postgres"),
    ...journal,
    rows: Count,
    lastAppendUs: Ratio,
    failures: Count,
    lastFailure: nullable(Type.String()),
  },
  { $id: "PostgresJournalReport" },
);
export const JournalReport = Type.Union([FileJournal, PgJournal]);

const health = {
  status: Type.Enum(["ok", "unavailable"]),
  phase: Type.Enum(PHASES, { description: "What the node is at." }),
  impediments: Type.Array(Type.String(), { description: "A sentence each; empty when it is ok." }),
};

export const Health = Type.Object(health, { $id: "Health" });
export const Readiness = Type.Object(
  {
    ...health,
    notes: Type.Array(Type.String(), { description: "What is amiss, while it serves." }),
  },
  { $id: "Readiness" },
);

const Counted = Type.Object({ users: Count, addresses: Count });

export const LimitsReport = Type.Object(
  {
    counting: Type.Enum(["off", "process", "redis"], { description: "Who counts now." }),
    redis: nullable(
      Type.Object({
        isUp: Type.Boolean(),
        reason: nullable(Type.String({ description: "Why it is away." })),
        outages: Count,
        open: Count,
        unanswered: Count,
      }),
    ),
    keys: Type.Record(Type.String(), Counted, {
      description: "Users and addresses that this process counts, by class.",
    }),
  },
  { $id: "LimitsReport" },
);
