import type { Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute } from "../http/routes.ts";
import type { MetricsPage } from "../metrics/metrics-page.ts";
import { isSameSecret } from "./same-secret.ts";

/** `token` null: the page is shown to everybody, as the contract has it. */
export function metricsRoutes(page: MetricsPage, token: string | null): Route[] {
  return [
    {
      method: "GET",
      path: "/metrics",
      handler: asyncRoute(async ({ authorization }) => {
        if (token !== null && !isSameSecret(authorization, `Bearer ${token}`)) {
          throw new ProblemError("unauthenticated");
        }
        const body = await page.text();
        const headers = { "Cache-Control": "no-store" };
        return { status: 200, body, contentType: page.contentType, headers };
      }),
    },
  ];
}
