// The bounds of the projector's transactions: see limits.ts for those of the engine.

/** Facts in one projection transaction. */
export const PROJECTION_BATCH_FACTS_MAX = 10_000;
/**
 * While less than a full transaction waits, the next one begins this long after the last. Raising
 * it saves processor time of PostgreSQL, and shows rows later.
 */
export const PROJECTION_INTERVAL_MS = 20;
/** A transaction of so many facts is one of a rush: 2,500 a second, at the interval above. */
export const PROJECTION_RUSH_FACTS_MIN = 50;
/**
 * In a rush, when transactions take long, the next one begins after as many times what the last one
 * took: a hold that is booked meanwhile has no row of its own.
 */
export const PROJECTION_INTERVAL_TIMES = 5;
/** But after this long at the latest. */
export const PROJECTION_INTERVAL_MS_MAX = 100;
/** Entry bytes in one projection transaction, which each shard in it may exceed by one entry. */
export const PROJECTION_BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** A statement of the projector that is not answered after this long is given up and sent again. */
export const PROJECTION_STATEMENT_MS_MAX = 60_000;
/** Longest pause between two tries to project one batch; the first is a hundredth of it. */
export const PROJECTION_RETRY_MS_MAX = 5_000;
