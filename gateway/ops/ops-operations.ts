import Type from "typebox";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operation, Operations } from "../openapi/operation.ts";
import {
  ActorReport,
  AuditReport,
  Health,
  JournalReport,
  LimitsReport,
  Readiness,
  ShardReport,
  ShardReports,
} from "./ops-schemas.ts";

const tag = "Operations";
const shard = {
  shard: 0,
  worker: 0,
  epoch: 3,
  actors: [EXAMPLE.event],
  actorCount: 1,
  mailboxDepth: 0,
  commandsTotal: 1200,
  commandsPerSecond: 80,
  factsPerRound: 3.5,
  lsn: 4715,
  durableLsn: 4715,
  projectedLsn: 4710,
  logicalMs: 1901268000000,
  latencyMsP50: 0.4,
  latencyMsP99: 2.1,
  eventLoopUtilisation: 0.12,
  journalLagFacts: 0,
  projectionLagFacts: 5,
  batchSize: 3.5,
  inFlight: 2,
  subscribers: 12,
  failure: null,
};
const side = {
  seq: 4715,
  capacity: 502,
  free: 500,
  held: 1,
  sold: 1,
  blocked: 0,
  holds: 1,
  bookings: 1,
  hash: "9f1c2e7a",
};

const forOperators = (
  operation: Pick<Operation, "id" | "summary" | "description" | "codes">,
  answer: Pick<AnswerBody, "description" | "schema" | "example">,
): Operation => ({
  ...operation,
  tag,
  access: "operator",
  answers: { 200: { ...answer, headers: ["Cache-Control"] } },
});

const looking: Operations = {
  "GET /ops/shards": forOperators(
    { id: "listShards", summary: "All shards", description: "One report each." },
    { description: "The reports.", schema: ShardReports, example: { shards: [shard] } },
  ),
  "GET /ops/shards/:n": forOperators(
    { id: "getShard", summary: "One shard", description: "By its number, from 0." },
    { description: "The report.", schema: ShardReport, example: shard },
  ),
  "GET /ops/events/:id": forOperators(
    {
      id: "inspectEvent",
      summary: "An event's actor",
      description: "Loads it, if it is not in memory.",
      codes: ["event_not_found"],
    },
    {
      description: "The report.",
      schema: ActorReport,
      example: {
        eventId: EXAMPLE.event,
        shard: 0,
        seq: 4715,
        configured: true,
        holds: 1,
        bookings: 1,
        keys: 2,
        watched: true,
        hash: "9f1c2e7a",
        subscribers: 12,
      },
    },
  ),
  "GET /ops/events/:id/audit": forOperators(
    {
      id: "auditEvent",
      summary: "Memory against database",
      description: "Compares the two at one `seq`, exactly, while the event sells.",
      codes: ["event_not_found"],
    },
    {
      description: "Both sides, and every difference.",
      schema: AuditReport,
      example: { ok: true, seq: 4715, memory: side, database: side, drift: [] },
    },
  ),
  "GET /ops/limits": forOperators(
    { id: "getLimits", summary: "Limits", description: "Who counts, and how many are counted." },
    {
      description: "The report.",
      schema: LimitsReport,
      example: {
        counting: "process",
        redis: null,
        keys: { booking: { users: 120, addresses: 80 } },
      },
    },
  ),
  "GET /ops/journal": forOperators(
    {
      id: "getJournal",
      summary: "Journal and projector",
      description: "What is on disk, and what PostgreSQL still lacks of it.",
    },
    {
      description: "The report; its `kind` is that of the journal.",
      schema: JournalReport,
      example: {
        kind: "file",
        full: false,
        frames: 900,
        entries: 4715,
        entriesPerFrame: 5.2,
        bytesWritten: 3686400,
        commitSeconds: { bounds: [0.00025, 0.0005], counts: [812, 80, 8], sum: 0.17 },
        entriesOfFrames: { bounds: [1, 8], counts: [300, 540, 60], sum: 4715 },
        shards: [{ shard: 0, durableLsn: 4715, projectedLsn: 4710 }],
        segments: 2,
        bytes: 134217728,
        file: "0000000003.journal",
        offset: 81920,
        fsyncs: 900,
        lastSyncUs: 180,
        projector: {
          kind: "projectorReport",
          backlogFacts: 5,
          backlogBytes: 1024,
          overfull: false,
          factsTotal: 4710,
          batchesTotal: 300,
          lagMs: 12,
          failuresTotal: 0,
          transactionSeconds: { bounds: [0.0025, 0.005], counts: [40, 250, 10], sum: 0.96 },
          factsOfTransactions: { bounds: [8, 64], counts: [120, 170, 10], sum: 4710 },
          lastBatchFacts: 12,
          lastBatchMs: 3.2,
          unansweredMs: 0,
          lastError: null,
        },
      },
    },
  ),
};

interface Probe {
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly no: object;
}

const probe = ({ no, ...operation }: Probe, schema: typeof Health | typeof Readiness) => {
  const notes = schema === Readiness ? { notes: [] } : {};
  const example = { status: "ok", phase: "serving", impediments: [], ...notes };
  const headers = ["Cache-Control"] as const;
  return {
    ...operation,
    tag,
    access: "public",
    answers: {
      200: { description: "Yes.", schema, example, headers },
      503: {
        description: "No.",
        schema,
        example: { ...example, status: "unavailable", ...no },
        headers,
      },
    },
  } as const;
};

const probing: Operations = {
  "GET /health/live": probe(
    {
      id: "isLive",
      summary: "Do the process and its threads answer?",
      description: "A node whose database is away stays live: restarting it would not help.",
      no: { impediments: ["the journal thread has not answered for more than 30 s"] },
    },
    Health,
  ),
  "GET /health/startup": probe(
    {
      id: "isStarted",
      summary: "Has it recovered and begun to serve?",
      description: "Until then all but this, the other probes and `/metrics` is `busy`.",
      no: { phase: "recovering", impediments: ["starting: recovering"] },
    },
    Health,
  ),
  "GET /health/ready": probe(
    {
      id: "isReady",
      summary: "Should it get requests now?",
      description: "A 503 names what is in the way.",
      no: { impediments: ["the journal has no room"] },
    },
    Readiness,
  ),
};

const metrics: Operations = {
  "GET /metrics": {
    id: "getMetrics",
    tag,
    summary: "Metrics",
    description:
      "For Prometheus. Where METRICS_TOKEN is set it has to be sent as a bearer token; where " +
      "METRICS_PORT is set the page is there, and not here.",
    access: "public",
    codes: ["unauthenticated", "not_found"],
    answers: {
      200: {
        description: "The page.",
        schema: Type.String(),
        example: "evently_serving 1\n",
        contentTypes: ["text/plain"],
        headers: ["Cache-Control"],
      },
    },
  },
};

export const opsOperations: Operations = { ...looking, ...probing, ...metrics };
