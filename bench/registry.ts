import type { Scenario } from "./scenario.ts";

/** By name; each is loaded when it runs, or when all are listed. */
export const SCENARIOS: Readonly<Record<string, () => Promise<Scenario>>> = {
  "on-sale": async () => (await import("./scenarios/on-sale.ts")).onSale,
  hold: async () => (await import("./scenarios/hold.ts")).hold,
  "hold-wrk": async () => (await import("./scenarios/hold-wrk.ts")).holdWrk,
  sale: async () => (await import("./scenarios/sale.ts")).sale,
  steady: async () => (await import("./scenarios/steady.ts")).steady,
  availability: async () => (await import("./scenarios/availability.ts")).availability,
  "best-available": async () => (await import("./scenarios/best-available.ts")).bestAvailable,
  compare: async () => (await import("./scenarios/compare.ts")).compare,
  search: async () => (await import("./scenarios/search.ts")).search,
  "hold-live": async () => (await import("./scenarios/hold-live.ts")).holdLive,
  "fan-out": async () => (await import("./scenarios/fan-out.ts")).fanOut,
  recovery: async () => (await import("./scenarios/recovery.ts")).recovery,
  soak: async () => (await import("./scenarios/soak.ts")).soak,
  scale: async () => (await import("./scenarios/scale.ts")).scale,
  mail: async () => (await import("./scenarios/mail.ts")).mail,
  engine: async () => (await import("./scenarios/engine.ts")).engine,
  machine: async () => (await import("./scenarios/machine.ts")).machine,
};

/** null: there is none of this name. */
export async function scenarioOf(name: string): Promise<Scenario | null> {
  return Object.hasOwn(SCENARIOS, name) ? ((await SCENARIOS[name]?.()) ?? null) : null;
}

export function allScenarios(): Promise<Scenario[]> {
  return Promise.all(Object.values(SCENARIOS).map((load) => load()));
}
