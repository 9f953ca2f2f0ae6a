/** The names of the designs that `compare` sets beside ours. */
export const BASELINE_KINDS = [
  "row-lock",
  "row-lock-pipelined",
  "conditional-update",
  "redis-lock",
  "echo",
] as const;
export type BaselineKind = (typeof BASELINE_KINDS)[number];

/**
 * Connections to PostgreSQL of a design, where one hot area is sold and where seats are: the best
 * of those that docs/BASELINES.md lists, or one that can't be told from it.
 */
export const CONNECTIONS = {
  "row-lock": { area: 8, seats: 16 },
  "row-lock-pipelined": { area: 4, seats: 16 },
  "conditional-update": { area: 4, seats: 8 },
  "redis-lock": { area: 8, seats: 8 },
} as const satisfies Record<Exclude<BaselineKind, "echo">, { area: number; seats: number }>;

export function parseBaselineKind(text: string | undefined): BaselineKind | null {
  return BASELINE_KINDS.find((kind) => kind === text) ?? null;
}
