import { createHash, timingSafeEqual } from "node:crypto";
import { type EventId, parseEventId } from "../../engine/ids.ts";
import type { Operation, ShardReport } from "../../workers/shard-messages.ts";
import type { Supervisor } from "../../workers/supervisor.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute } from "../http/routes.ts";
import type { Tokens } from "../identity/tokens.ts";
import type { AvailabilityHub } from "../live/availability-hub.ts";
import type { Answered, ShardRouter } from "../shard-router.ts";

export interface OpsRoutesPorts {
  readonly supervisor: Supervisor;
  readonly router: ShardRouter;
  readonly hub: AvailabilityHub;
  readonly tokens: Tokens;
  /** null: only a platform administrator's access token opens these routes. */
  readonly opsToken: string | null;
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
      authorize(ports, request);
      const body = JSON.stringify(await handler(ports, request.params[0] ?? ""));
      return { status: 200, body, headers: { "Cache-Control": "no-store" } };
    }),
  };
}

function authorize({ opsToken, tokens }: OpsRoutesPorts, { authorization }: HttpRequest): void {
  if (opsToken !== null && isSame(authorization, `Bearer ${opsToken}`)) return;
  const identity = tokens.verify(authorization);
  if (identity === null) throw new ProblemError("unauthenticated");
  if (identity.role !== "admin") throw new ProblemError("forbidden");
}

/** Compares in constant time, whatever the lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

async function shardReports({ supervisor, hub }: OpsRoutesPorts): Promise<object[]> {
  const reports = await supervisor.shardReports();
  return reports.map((report) => {
    const failure = supervisor.failedShards.get(report.shard) ?? null;
    return { ...report, ...lagOf(report), subscribers: subscribersOf(hub, report), failure };
  });
}

function lagOf({ lsn, projectedLsn }: ShardReport): { projectionLagFacts: number } {
  return { projectionLagFacts: lsn - projectedLsn };
}

function subscribersOf(hub: AvailabilityHub, report: ShardReport): number {
  return report.actors.reduce((sum, eventId) => sum + hub.subscribersOf(eventId), 0);
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
  const answer = await ask(ports, eventId, { kind: "inspect" });
  if (answer.kind !== "actor") throw new ProblemError("busy");
  if (!answer.report.configured) throw new ProblemError("event_not_found");
  return { ...answer.report, subscribers: ports.hub.subscribersOf(eventId) };
}

async function audit(ports: OpsRoutesPorts, param: string): Promise<object> {
  const answer = await ask(ports, eventIdOf(param), { kind: "audit" });
  if (answer.kind !== "audit") throw new ProblemError("busy");
  if (answer.report.memory.seq === 0 && answer.report.ok) throw new ProblemError("event_not_found");
  return answer.report;
}

async function journalReport({ supervisor }: OpsRoutesPorts): Promise<object> {
  const [journal, projector] = await Promise.all([
    supervisor.journalStatus(),
    supervisor.projectorReport(),
  ]);
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
