import type { LaneReport, NotifierFigures } from "../notifier/notifier-messages.ts";
import type { MetricFamily, Sample } from "./metric-family.ts";
import { plain } from "./metric-family.ts";

export interface NotifierSource {
  /** null: this node has none, or it has said nothing yet. */
  readonly figures: NotifierFigures | null;
}

function byLane(
  { figures }: NotifierSource,
  read: (lane: LaneReport, figures: NotifierFigures) => number,
): Sample[] {
  if (figures === null) return [];
  return figures.lanes.map((lane) => [{ lane: lane.name }, read(lane, figures)]);
}

function* byEnd({ figures }: NotifierSource): Iterable<Sample> {
  for (const { name, ended } of figures?.lanes ?? []) {
    for (const [end, count] of Object.entries(ended)) yield [{ lane: name, end }, count];
  }
}

export const NOTIFIER_METRICS: readonly MetricFamily<NotifierSource>[] = [
  {
    name: "evently_outbox_waiting",
    kind: "gauge",
    labels: [],
    help: "What others are to be told of and has not become a job yet; counted to 10,000.",
    read: ({ figures }) => (figures === null ? [] : plain(figures.outbox.waiting)),
  },
  {
    name: "evently_outbox_age_seconds",
    kind: "gauge",
    labels: [],
    help: "Since the oldest of it happened.",
    read: ({ figures }) => (figures === null ? [] : plain(figures.outbox.oldestMs / 1e3)),
  },
  {
    name: "evently_lane_waiting",
    kind: "gauge",
    labels: ["lane"],
    help: "Jobs that wait to be begun, also those whose time has not come.",
    read: (source) => byLane(source, ({ waiting }) => waiting),
  },
  {
    name: "evently_lane_running",
    kind: "gauge",
    labels: ["lane"],
    help: "Jobs that this node is at.",
    read: (source) => byLane(source, ({ running }) => running),
  },
  {
    name: "evently_lane_lag_seconds",
    kind: "gauge",
    labels: ["lane"],
    help: "Since the oldest job that is due was added.",
    read: (source) => byLane(source, ({ oldestDueMs }) => oldestDueMs / 1e3),
  },
  {
    name: "evently_lane_paused",
    kind: "gauge",
    labels: ["lane"],
    help: "1: an operator has paused the lane.",
    read: (source) => byLane(source, ({ isPaused }) => Number(isPaused)),
  },
  {
    name: "evently_jobs_total",
    kind: "counter",
    labels: ["lane", "end"],
    help: "Jobs by how they ended: done, later (not a failure), again (a failure), dead.",
    read: byEnd,
  },
  {
    name: "evently_dead_letters",
    kind: "gauge",
    labels: ["lane"],
    help: "Jobs that failed for good and wait for an operator.",
    read: (source) => byLane(source, ({ name }, { deadLetters }) => deadLetters[name] ?? 0),
  },
  {
    name: "evently_notifier_holding_back",
    kind: "gauge",
    labels: [],
    help: "1: the notifier makes room for the sale.",
    read: ({ figures }) => (figures === null ? [] : plain(Number(figures.isHoldingBack))),
  },
  {
    name: "evently_notifier_figures",
    kind: "gauge",
    labels: ["figure"],
    help: "What the parts of the notifier count, since they began: see below.",
    read: ({ figures }) =>
      Object.entries(figures?.parts ?? {}).map(([figure, value]) => [{ figure }, value]),
  },
];
