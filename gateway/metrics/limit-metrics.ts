import type { LimitOffice } from "../limits/limit-office.ts";
import type { BoundFigures } from "../limits/request-limits.ts";
import type { MetricFamily, Sample } from "./metric-family.ts";

export interface LimitSource {
  readonly limits: Pick<LimitOffice, "requests" | "report">;
}

function* byBound(
  { limits }: LimitSource,
  read: (figures: BoundFigures) => number,
): Iterable<Sample> {
  for (const figures of limits.requests?.figures() ?? []) {
    yield [{ class: figures.limitClass, scope: figures.scope }, read(figures)];
  }
}

/** Nothing where no Redis is configured. */
function ofRedis(
  { limits }: LimitSource,
  read: (redis: NonNullable<LimitOffice["report"]["redis"]>) => number,
): Sample[] {
  const { redis } = limits.report;
  return redis === null ? [] : [[{}, read(redis)]];
}

export const LIMIT_METRICS: readonly MetricFamily<LimitSource>[] = [
  {
    name: "evently_limit_refusals_total",
    kind: "counter",
    labels: ["class", "scope"],
    help: "Requests beyond a limit, by what they count as and whose limit it was.",
    read: (source) => byBound(source, ({ refused }) => refused),
  },
  {
    name: "evently_limit_keys",
    kind: "gauge",
    labels: ["class", "scope"],
    help: "Users and addresses that this node counts.",
    read: (source) => byBound(source, ({ keys }) => keys),
  },
  {
    name: "evently_redis_up",
    kind: "gauge",
    labels: [],
    help: "1: Redis counts for all nodes; 0: it is away, and this node counts by itself.",
    read: (source) => ofRedis(source, ({ isUp }) => Number(isUp)),
  },
  {
    name: "evently_redis_unanswered_total",
    kind: "counter",
    labels: [],
    help: "Requests that were counted without Redis, as it did not answer in time.",
    read: (source) => ofRedis(source, ({ unanswered }) => unanswered),
  },
];
