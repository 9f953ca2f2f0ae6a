import { readFileSync } from "node:fs";
import type { Route } from "../http/exchange.ts";
import { liveSection } from "../live/live-operations.ts";
import { docsRoutes } from "./docs-routes.ts";
import { documentOf } from "./document.ts";
import { OPERATIONS } from "./operations.ts";

const MANIFEST = new URL("../../package.json", import.meta.url);

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(MANIFEST, "utf8"));
  const isManifest = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isManifest ? String(manifest.version) : "0.0.0";
}

/**
 * All routes of a node: the given ones, and those that show the document of them all. A route that
 * nobody has described is named in the document's `x-undescribed`, and fails a test.
 */
export function describedRoutes(routes: readonly Route[]): Route[] {
  let text = "";
  const all = [...routes, ...docsRoutes(() => text)];
  const { document, undescribed } = documentOf({
    routes: all,
    operations: OPERATIONS,
    version: version(),
    websocket: liveSection(OPERATIONS),
  });
  const extra = undescribed.length === 0 ? {} : { "x-undescribed": undescribed };
  text = JSON.stringify({ ...document, ...extra });
  return all;
}
