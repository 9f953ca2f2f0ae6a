/** What one seed is about: how big the world is, how narrow, and which faults it knows. */
import {
  FRAME_PAYLOAD_BYTES_MAX,
  HOLD_TTL_MS_MIN,
  IN_FLIGHT_PER_WORKER_MAX,
  UNPROJECTED_BYTES_MAX,
} from "../../engine/limits.ts";
import { PROJECTION_BATCH_FACTS_MAX } from "../../engine/projection-limits.ts";
import { Random } from "../../engine/testing/random.ts";
import { SHARD_LIMITS, type ShardLimits } from "../../workers/shard/shard-limits.ts";

/** Each fault comes again and again at random moments, until the weather clears. */
export const FAULTS = [
  /** The process is killed; what it wrote stays in the page cache. */
  "kill",
  /** The machine loses power: what was not synced survives in parts. */
  "power",
  /** The process is killed in the middle of a write, sync, rename or removal. */
  "torn",
  /** The process is told to stop, and is started again. */
  "stop",
  /** A write fails, or is a short one. */
  "write",
  /** An fdatasync or a directory sync fails, and the page cache lies from then on. */
  "sync",
  /** The disk is full for a while. */
  "room",
  /** PostgreSQL is away for a while. */
  "down",
  /** PostgreSQL does not answer for a while. */
  "frozen",
  /** Connections to PostgreSQL break; what was sent may be executed, at once or later, or not. */
  "connections",
  /** Answers of PostgreSQL are lost after it has executed what they answer. */
  "replies",
  /** Requests and answers of buyers are lost, doubled and delayed. */
  "network",
  /** The wall clock jumps, either way. */
  "clock",
  /** More than a day passes at once: holds end, keys are forgotten, old rows are purged. */
  "day",
  /** The process stands still for seconds. */
  "stall",
  /** Threads and their messages are slow. */
  "slow",
  /** Another process takes the shards over while the first still runs (operation log only). */
  "takeover",
  /** ACK_MODE is the other one after a restart. */
  "switch",
  /** Shards and workers are other ones after a restart. */
  "reshard",
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Plan {
  /** At the first start. */
  readonly ackMode: "journal" | "postgres";
  readonly faults: ReadonlySet<Fault>;
  /** Mean time from one fault of a kind to the next, ms. */
  readonly faultIntervalMs: number;
  readonly events: number;
  readonly seats: number;
  readonly areas: number;
  /** It is known which seats are side by side. */
  readonly hasSeatMap: boolean;
  readonly holdTtlMs: number;
  readonly buyers: number;
  /** Operations of all buyers together. */
  readonly operations: number;
  /** Mean pause of a buyer between two operations, ms. */
  readonly thinkMs: number;
  readonly shards: number;
  readonly workers: number;
  readonly segmentBytes: number;
  /** The node is killed once more in the end, and starts again while faults still strike. */
  readonly endsInStorm: boolean;
  /** All events are cancelled, and then it is killed once more. */
  readonly endsCancelled: boolean;
  readonly limits: NodeLimits;
  /** Whether the node is ever busy for want of room, without a fault. */
  readonly isNarrow: boolean;
}

/** The bounds of a node, which are lowered so that they are met within minutes. */
export interface NodeLimits extends ShardLimits {
  readonly unprojectedBytesMax: number;
  readonly projectionFactsMax: number;
  readonly frameBytesMax: number;
  readonly inFlightMax: number;
}

export interface PlanLimits {
  /** At most so many; undefined: as the seed says. */
  readonly operations?: number;
  readonly without?: readonly Fault[];
  readonly ackMode?: Plan["ackMode"];
}

/** Those of production. */
export const NODE_LIMITS: NodeLimits = {
  ...SHARD_LIMITS,
  unprojectedBytesMax: UNPROJECTED_BYTES_MAX,
  projectionFactsMax: PROJECTION_BATCH_FACTS_MAX,
  frameBytesMax: FRAME_PAYLOAD_BYTES_MAX,
  inFlightMax: IN_FLIGHT_PER_WORKER_MAX,
};

/** The same seed gives the same plan; limits take from it, and change nothing else. */
export function planOf(seed: number, limits: PlanLimits = {}): Plan {
  const random = new Random(seed);
  const ackMode = random.pick(["journal", "journal", "postgres"] as const);
  // Few kinds at a time, now and then all: faults hide each other.
  const share = random.pick([0.1, 0.25, 0.25, 0.5, 1]);
  const drawn = FAULTS.filter(() => random.next() < share);
  const faults = new Set(drawn.filter((fault) => !limits.without?.includes(fault)));
  const operations = random.pick([40, 100, 200, 200, 400]);
  const plan = {
    faultIntervalMs: random.pick([500, 2_000, 8_000]),
    events: random.pick([1, 1, 2, 4]),
    seats: random.pick([3, 12, 60]),
    areas: random.pick([0, 1, 2]),
    holdTtlMs: random.pick([1_000, 3_000, 20_000]),
    buyers: random.pick([2, 5, 12]),
    thinkMs: random.pick([5, 50, 500]),
    shards: random.pick([1, 3, 8]),
    workers: random.pick([1, 2, 3]),
    // Small ones are rolled over and retired all the time.
    segmentBytes: random.pick([16, 16, 32, 128]) * 1024,
    ...narrownessOf(random),
    endsInStorm: random.below(2) === 0,
    hasSeatMap: random.below(3) === 0,
    endsCancelled: random.below(3) === 0,
  };
  // An actor with holds stays where it is, so whoever waits for its place must not wait long.
  const isCrowded = plan.limits.actorsMax < plan.events;
  const { frameBytesMax } = plan.limits;
  // Drawn last: the other draws are what they were. Nobody outside may notice.
  const offersPerTurnMax = random.pick([1, 2, NODE_LIMITS.offersPerTurnMax]);
  return {
    ...plan,
    holdTtlMs: isCrowded ? HOLD_TTL_MS_MIN : plan.holdTtlMs,
    limits: {
      ...plan.limits,
      frameBytesMax: Math.min(frameBytesMax, plan.segmentBytes / 8),
      offersPerTurnMax,
    },
    ackMode: limits.ackMode ?? ackMode,
    faults,
    operations: Math.min(operations, limits.operations ?? operations),
  };
}

type Narrowness = Omit<NodeLimits, "offersPerTurnMax">;

function narrownessOf(random: Random): { limits: Narrowness; isNarrow: boolean } {
  const isNarrow = random.below(2) === 0;
  const wide = NODE_LIMITS;
  const drawn = {
    actorIdleMs: random.pick([0, 1_500, wide.actorIdleMs]),
    projectionFactsMax: random.pick([2, 10, wide.projectionFactsMax]),
    frameBytesMax: random.pick([2_048, 4_096, wide.frameBytesMax]),
    actorsMax: random.pick([1, 2, wide.actorsMax, wide.actorsMax]),
    unprojectedFactsMax: random.pick([2, 10, wide.unprojectedFactsMax]),
    unprojectedBytesMax: random.pick([2_000, wide.unprojectedBytesMax]),
    inFlightMax: random.pick([2, wide.inFlightMax, wide.inFlightMax]),
  };
  if (isNarrow) return { limits: drawn, isNarrow };
  // Only what nobody outside may notice.
  const { actorIdleMs, projectionFactsMax, frameBytesMax } = drawn;
  return { limits: { ...wide, actorIdleMs, projectionFactsMax, frameBytesMax }, isNarrow };
}
