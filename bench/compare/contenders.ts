import { fileURLToPath } from "node:url";
import { BASELINE_KINDS, type BaselineKind, CONNECTIONS } from "../baselines/baseline-kinds.ts";
import type { BenchServerOptions } from "../bench-server.ts";
import { sourceOf } from "../root.ts";

/** The engine itself, as reports name it. */
export const OURS = "evently";
/** The one that only answers. */
export const CEILING: BaselineKind = "echo";

/** Who takes a turn. */
export interface Contender {
  readonly name: string;
  readonly server: BenchServerOptions;
}

const ENTRY = sourceOf(fileURLToPath(new URL("../baselines/main.ts", import.meta.url)));

/** Ours first, and the ceiling last. `sold`: what the sales are of. */
export function contenders(
  withRedis: boolean,
  sold: "area" | "seats" = "area",
): readonly Contender[] {
  const kinds = BASELINE_KINDS.filter((kind) => withRedis || kind !== "redis-lock");
  return [
    { name: OURS, server: {} },
    ...kinds.map((kind) => ({
      name: kind,
      server: { entry: ENTRY, env: { BASELINE: kind, ...connectionsOf(kind, sold) } },
    })),
  ];
}

/** What the command's own environment says goes before. */
function connectionsOf(kind: BaselineKind, sold: "area" | "seats"): Record<string, string> {
  const isChosen = (process.env.BASELINE_CONNECTIONS ?? "") !== "";
  if (kind === "echo" || isChosen) return {};
  return { BASELINE_CONNECTIONS: String(CONNECTIONS[kind][sold]) };
}

/** The order of a round: each comes first in one of them, and nobody always follows the same. */
export function rotated<T>(list: readonly T[], round: number): T[] {
  const from = round % Math.max(1, list.length);
  const turned = [...list.slice(from), ...list.slice(0, from)];
  return Math.floor(round / Math.max(1, list.length)) % 2 === 1 ? turned.reverse() : turned;
}
