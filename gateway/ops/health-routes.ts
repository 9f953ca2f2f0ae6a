import type { HttpResponse, Route } from "../http/exchange.ts";
import { asyncRoute } from "../http/routes.ts";

export interface HealthPorts {
  /** False once the stop has begun. */
  readonly isServing: () => boolean;
  /** Reasons why this node should get no new work; empty: none. */
  readonly impediments: () => Promise<readonly string[]>;
  /** What is not as it should be, although this node serves. */
  readonly notes: () => readonly string[];
}

/**
 * live: the process answers. startup: it has recovered and begun to serve. ready: it should get
 * requests now. A node whose database is away stays live: restarting it would not bring that back.
 */
export function healthRoutes(ports: HealthPorts): Route[] {
  const answer = (isGood: boolean, extra: object = {}): HttpResponse => ({
    status: isGood ? 200 : 503,
    body: JSON.stringify({ status: isGood ? "ok" : "unavailable", ...extra }),
    headers: { "Cache-Control": "no-store" },
  });
  return [
    { method: "GET", path: "/health/live", handler: (_, respond) => respond(answer(true)) },
    { method: "GET", path: "/health/startup", handler: (_, respond) => respond(answer(true)) },
    {
      method: "GET",
      path: "/health/ready",
      handler: asyncRoute(async () => {
        const impediments = ports.isServing() ? await ports.impediments() : ["stopping"];
        return answer(impediments.length === 0, { impediments, notes: ports.notes() });
      }),
    },
  ];
}
