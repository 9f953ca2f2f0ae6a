import type { HttpResponse, Route } from "../http/exchange.ts";
import { asyncRoute } from "../http/routes.ts";
import type { NodeHealth } from "./node-health.ts";

/**
 * live: the process answers, and so do its threads. startup: it has recovered and begun to serve.
 * ready: it should get requests now. A node whose database is away stays live: restarting it would
 * not bring that back.
 */
export function healthRoutes(health: NodeHealth): Route[] {
  const get = (path: string, answer: () => HttpResponse | Promise<HttpResponse>): Route => ({
    method: "GET",
    path,
    handler: asyncRoute(async () => answer()),
  });
  return [
    get("/health/live", () => {
      const impediments = health.silentThreads();
      return healthAnswer(impediments, { phase: health.phase });
    }),
    get("/health/startup", () => {
      const { phase } = health;
      return healthAnswer(health.hasStarted ? [] : [`starting: ${phase}`], { phase });
    }),
    get("/health/ready", async () => {
      const impediments = await health.impediments();
      return healthAnswer(impediments, { notes: health.notes, phase: health.phase });
    }),
  ];
}

function healthAnswer(impediments: readonly string[], extra: object): HttpResponse {
  const isGood = impediments.length === 0;
  return {
    status: isGood ? 200 : 503,
    body: JSON.stringify({ status: isGood ? "ok" : "unavailable", impediments, ...extra }),
    headers: { "Cache-Control": "no-store" },
  };
}
