/** The names of the designs that `compare` sets beside ours. */
export const BASELINE_KINDS = ["row-lock", "conditional-update", "redis-lock", "echo"] as const;
export type BaselineKind = (typeof BASELINE_KINDS)[number];

/** Connections to PostgreSQL of a design; the best of those that docs/BASELINES.md lists. */
export const CONNECTIONS: Readonly<Record<Exclude<BaselineKind, "echo">, number>> = {
  "row-lock": 8,
  "conditional-update": 8,
  "redis-lock": 8,
};

export function parseBaselineKind(text: string | undefined): BaselineKind | null {
  return BASELINE_KINDS.find((kind) => kind === text) ?? null;
}
