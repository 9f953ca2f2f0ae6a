import type { BenchOptions } from "../scenario.ts";

/** What is chosen when nothing is given. */
export const NO_OPTIONS: BenchOptions = {
  url: null,
  connections: null,
  durationSeconds: null,
  seats: null,
  ratePerSecond: null,
  events: null,
  seed: 1,
  access: null,
  extra: {},
};
