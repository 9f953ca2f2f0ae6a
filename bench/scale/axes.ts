/** What is varied, one thing at a time; all else is as in BASE. */
export interface Point {
  readonly shards: number;
  readonly workers: number;
  readonly connections: number;
  /** Seats that the event has beside its floor. */
  readonly seats: number;
  readonly events: number;
}

export type Axis = keyof Point;

/** One worker: what a machine of two cores has. */
const BASE: Point = { shards: 16, workers: 1, connections: 64, seats: 0, events: 1 };
/** For every shard, and every worker, to have something to do. */
const EVENTS_FOR_SHARDS = 64;

export const AXES: Readonly<Record<Axis, readonly number[]>> = {
  shards: [1, 2, 4, 16, 64],
  workers: [1, 2, 4],
  connections: [10, 100, 1_000, 10_000],
  seats: [100, 1_000, 10_000, 100_000],
  events: [1, 10, 100, 1_000, 10_000],
};

export const isAxis = (name: string): name is Axis => Object.hasOwn(AXES, name);

export function pointOf(axis: Axis, value: number): Point {
  const events = axis === "shards" || axis === "workers" ? EVENTS_FOR_SHARDS : BASE.events;
  return { ...BASE, events, [axis]: value };
}
