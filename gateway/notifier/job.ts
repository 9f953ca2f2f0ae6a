/** What is to be done after a sale, once its cause is stored, and how it may end. */
import type { Queries } from "../tenancy/database.ts";

/**
 * Each lane has its own queue, its own concurrency and its own pause, so that nothing waits behind
 * what is less urgent: an offer that runs out in minutes not behind confirmations, and these not
 * behind a campaign.
 */
export const LANES = ["urgent", "transactional", "webhooks", "reminders", "marketing"] as const;
export type Lane = (typeof LANES)[number];

export interface NewJob {
  /** Names its handler. */
  readonly kind: string;
  /** Of jobs with the same key, one is kept while it waits or runs. null: all of them. */
  readonly key: string | null;
  /** Survives JSON. Small: ids and what can't be looked up later. */
  readonly data: object;
  /** Unix ms. Absent: at once. */
  readonly notBeforeMs?: number;
}

export interface Job<Data extends object> {
  readonly id: string;
  readonly data: Data;
  /** How often it was begun before, by this process or one that is gone. */
  readonly begunBefore: number;
}

export type JobEnd =
  | { readonly end: "done" }
  /** Not a failure: it comes back after that long, as if it were new. */
  | { readonly end: "later"; readonly afterMs: number }
  /** A failure that may pass: it comes back after that long, or after a pause that grows. */
  | { readonly end: "again"; readonly reason: string; readonly afterMs?: number }
  /** A failure that no further try changes: kept as a dead letter. */
  | { readonly end: "dead"; readonly reason: string };

export const DONE: JobEnd = { end: "done" };

/**
 * Does the jobs of one kind. At least once: a job may be begun again by another process while it
 * still seems to run here, so its effects carry keys. What it throws is taken for `again`, until it
 * was begun too often.
 */
export interface JobHandler {
  readonly kind: string;
  readonly lane: Lane;
  /** `stopping`: what takes long comes to an end when it aborts, as `later`. */
  handle(job: Job<object>, stopping: AbortSignal): Promise<JobEnd>;
}

export interface JobQueue {
  /** With `within`, together with what that transaction changes, or not at all. */
  add(jobs: readonly NewJob[], within?: Queries): Promise<void>;
  /** How many of the lane wait to be begun, as known a moment ago: who makes many asks first. */
  waiting(lane: Lane): number;
}

/** A handler whose jobs have data of one form: whoever adds jobs of the kind gives it that. */
export function handlerOf<Data extends object>(
  kind: string,
  lane: Lane,
  handle: (job: Job<Data>, stopping: AbortSignal) => Promise<JobEnd>,
): JobHandler {
  return { kind, lane, handle: (job, stopping) => handle(job as Job<Data>, stopping) };
}
