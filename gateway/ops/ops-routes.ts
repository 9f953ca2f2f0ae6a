import { setTimeout as delay } from "node:timers/promises";
import { type EventId, parseEventId } from "../../engine/ids.ts";
import { OPS_WAIT_MS_MAX } from "../../engine/telemetry-limits.ts";
import type { Operation, ShardReport } from "../../workers/shard-messages.ts";
import type { Supervisor } from "../../workers/supervisor.ts";
import type { DatabasePool } from "../database-pool.ts";
import type { HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute } from "../http/routes.ts";
import type { AvailabilityHub } from "../live/availability-hub.ts";
import type { Answered, ShardRouter } from "../shard-router.ts";
import { type OperatorPorts, requireOperator } from "./operator.ts";

export interface OpsRoutesPorts extends OperatorPorts {
  readonly supervisor: Supervisor;
  readonly router: ShardRouter;
  readonly hub: AvailabilityHub;
  readonly pool: Pick<DatabasePool, "whileThere">;
  /** What is counted, and by whom. */
  readonly limits: () => object;
}

type OpsHandler = (ports: OpsRoutesPorts, param: string) => Promise<object>;

/** What operators see of the engine: behind an administrator's token or OPS_TOKEN. */
export function opsRoutes(ports: OpsRoutesPorts): Route[] {
  return [
    route(ports, "/ops/shards", async () => ({ shards: await shardReports(ports) })),
    route(ports, "/ops/shards/:n", shardReport),
    route(ports, "/ops/events/:id", eventReport),
    route(ports, "/ops/events/:id/audit", audit),
    route(ports, "/ops/journal", journalReport),
    route(ports, "/ops/limits", async () => ports.limits()),
  ];
}

function route(ports: OpsRoutesPorts, path: string, handler: OpsHandler): Route {
  return {
    method: "GET",
    path,
    handler: asyncRoute(async (request): Promise<HttpResponse> => {
      requireOperator(ports, request);
      const body = JSON.stringify(await handler(ports, request.params[0] ?? ""));
      return { status: 200, body, headers: { "Cache-Control": "no-store" } };
    }),
  };
}

async function shardReports({ supervisor, hub, router }: OpsRoutesPorts): Promise<object[]> {
  const reports = await inTime(supervisor.shardReports());
  const inFlight = router.inFlightByShard();
  return reports.map((report) => {
    const { shard, factsPerRound } = report;
    return {
      ...report,
      ...lagOf(report),
      batchSize: factsPerRound,
      inFlight: inFlight.get(shard) ?? 0,
      subscribers: hub.subscribersWhere((eventId) => router.shardOf(eventId) === shard),
      failure: supervisor.failedShards.get(shard) ?? null,
    };
  });
}

/** What a thread does not answer in time is `busy`: it stands still, or has much to do. */
async function inTime<T>(asked: Promise<T>): Promise<T> {
  const late = new AbortController();
  const tooLate = delay(OPS_WAIT_MS_MAX, null, { signal: late.signal }).then(
    () => Promise.reject(new ProblemError("busy")),
    () => asked,
  );
  try {
    return await Promise.race([asked, tooLate]);
  } finally {
    late.abort();
  }
}

function lagOf({ lsn, durableLsn, projectedLsn }: ShardReport) {
  return { journalLagFacts: lsn - durableLsn, projectionLagFacts: lsn - projectedLsn };
}

async function shardReport(ports: OpsRoutesPorts, param: string): Promise<object> {
  const reports = await shardReports(ports);
  const index = /^\d{1,4}$/.test(param) ? Number(param) : -1;
  const report = reports[index];
  if (report === undefined) throw new ProblemError("not_found");
  return report;
}

async function eventReport(ports: OpsRoutesPorts, param: string): Promise<object> {
  const eventId = eventIdOf(param);
  const answer = await inTime(ask(ports, eventId, { kind: "inspect" }));
  if (answer.kind !== "actor") throw new ProblemError("busy");
  if (!answer.report.configured) throw new ProblemError("event_not_found");
  return { ...answer.report, subscribers: ports.hub.subscribersOf(eventId) };
}

async function audit(ports: OpsRoutesPorts, param: string): Promise<object> {
  const eventId = eventIdOf(param);
  const answer = await ports.pool.whileThere(() => ask(ports, eventId, { kind: "audit" }));
  if (answer.kind !== "audit") throw new ProblemError("busy");
  if (answer.report.memory.seq === 0 && answer.report.ok) throw new ProblemError("event_not_found");
  return answer.report;
}

async function journalReport({ supervisor }: OpsRoutesPorts): Promise<object> {
  const asked = Promise.all([supervisor.journalStatus(), supervisor.projectorReport()]);
  const [journal, projector] = await inTime(asked);
  return { ...journal, projector };
}

async function ask(
  { router }: OpsRoutesPorts,
  eventId: EventId,
  operation: Operation,
): Promise<Answered> {
  const { answer } = await router.ask(eventId, operation);
  return answer;
}

function eventIdOf(param: string): EventId {
  const eventId = parseEventId(param);
  if (eventId === null) throw new ProblemError("event_not_found");
  return eventId;
}
