import type { ListedScenario, OptionName, Scenario } from "./scenario.ts";
import { durationMaxFor } from "./token-time.ts";

interface Entry {
  load(): Promise<Scenario>;
  readonly takes: readonly OptionName[];
  /** Times `--duration` that one set of buyers' tokens is used for. Absent: they are renewed. */
  readonly tokensServe?: number;
}

/** By name; each is loaded when it runs, or when all are listed. */
const ENTRIES: Readonly<Record<string, Entry>> = {
  "on-sale": {
    load: async () => (await import("./scenarios/on-sale.ts")).onSale,
    takes: ["url", "connections", "duration", "seats", "rate", "seed"],
    tokensServe: 1,
  },
  hold: {
    load: async () => (await import("./scenarios/hold.ts")).hold,
    takes: ["url", "connections", "duration", "rate"],
    tokensServe: 1,
  },
  "hold-wrk": {
    load: async () => (await import("./scenarios/hold-wrk.ts")).holdWrk,
    takes: ["url", "connections", "duration"],
    tokensServe: 1,
  },
  sale: {
    load: async () => (await import("./scenarios/sale.ts")).sale,
    takes: ["url", "connections", "duration", "rate", "seed"],
    tokensServe: 1,
  },
  steady: {
    load: async () => (await import("./scenarios/steady.ts")).steady,
    takes: ["url", "connections", "duration", "rate", "events", "seed"],
    tokensServe: 1,
  },
  availability: {
    load: async () => (await import("./scenarios/availability.ts")).availability,
    takes: ["url", "connections", "duration", "seats", "rate", "seed"],
    tokensServe: 2,
  },
  "best-available": {
    load: async () => (await import("./scenarios/best-available.ts")).bestAvailable,
    takes: ["url", "connections", "duration", "seats", "rate", "seed"],
    tokensServe: 1,
  },
  compare: {
    load: async () => (await import("./scenarios/compare.ts")).compare,
    takes: ["connections", "duration", "seats", "seed"],
    tokensServe: 2,
  },
  search: {
    load: async () => (await import("./scenarios/search.ts")).search,
    takes: ["connections", "events"],
  },
  "hold-live": {
    load: async () => (await import("./scenarios/hold-live.ts")).holdLive,
    takes: ["url", "connections", "duration", "rate"],
    tokensServe: 1,
  },
  "fan-out": {
    load: async () => (await import("./scenarios/fan-out.ts")).fanOut,
    takes: ["url", "connections", "duration", "seats", "rate"],
    tokensServe: 1,
  },
  recovery: {
    load: async () => (await import("./scenarios/recovery.ts")).recovery,
    takes: ["connections", "events"],
  },
  soak: {
    load: async () => (await import("./scenarios/soak.ts")).soak,
    takes: ["url", "connections", "duration", "rate", "seed"],
  },
  scale: {
    load: async () => (await import("./scenarios/scale.ts")).scale,
    takes: ["duration"],
    tokensServe: 1.5,
  },
  mail: {
    load: async () => (await import("./scenarios/mail.ts")).mail,
    takes: ["connections", "duration"],
    tokensServe: 6,
  },
  engine: {
    load: async () => (await import("./scenarios/engine.ts")).engine,
    takes: ["duration", "seed"],
  },
  machine: {
    load: async () => (await import("./scenarios/machine.ts")).machine,
    takes: ["duration"],
  },
};

/** null: there is none of this name. */
export async function scenarioOf(name: string): Promise<ListedScenario | null> {
  const entry = Object.hasOwn(ENTRIES, name) ? ENTRIES[name] : undefined;
  return entry === undefined ? null : listed(entry);
}

export function allScenarios(): Promise<ListedScenario[]> {
  return Promise.all(Object.values(ENTRIES).map(listed));
}

async function listed({ load, takes, tokensServe }: Entry): Promise<ListedScenario> {
  const durationMax = tokensServe === undefined ? null : durationMaxFor(tokensServe);
  return { ...(await load()), takes, durationMax };
}
