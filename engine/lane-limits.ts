// The bounds of the notifier: of its queue, its lanes and what it keeps.

/** How often lanes and the outbox are looked at when nobody has knocked. */
export const LANE_LOOK_MS = 1_000;
/** A job that was begun and not ended for so long is taken to be a dead process's. */
export const JOB_LEASE_MS = 180_000;
/** A job that takes long is asked to come back later after so long: well within its lease. */
export const JOB_TURN_MS_MAX = 60_000;
/** A job that throws, or whose process dies, is begun so often, then it is a dead letter. */
export const JOB_BEGINNINGS_MAX = 12;
/** First pause after a failure that its handler has no opinion on; doubles, with jitter. */
export const JOB_RETRY_SECONDS = 5;
/** Jobs of a lane that wait in the queue; what comes after them stays in the outbox. */
export const LANE_WAITING_MAX = 2_000;
/** Entries that the outbox gives up in one transaction. */
export const OUTBOX_BATCH_MAX = 500;
/** Batches are at least so far apart: a rush of bookings is a few statements a second. */
export const OUTBOX_PAUSE_MS = 50;
/** An entry that alone fails so often becomes a dead letter, so that others get past it. */
export const OUTBOX_ENTRY_TRIES_MAX = 5;
/** Connections of the notifier's thread to PostgreSQL, beside the queue's listener. */
export const NOTIFIER_CONNECTIONS_MAX = 6;
/** A statement that takes longer has been given up: the job it is for is begun again. */
export const NOTIFIER_STATEMENT_MS_MAX = 20_000;
/** How long a stopping node waits for what its lanes are at. */
export const NOTIFIER_STOP_MS_MAX = 15_000;
/** A notifier that ended by itself is started again after so long. */
export const NOTIFIER_RESTART_MS = 5_000;
/** What is kept of the reason for which a job failed. */
export const JOB_REASON_CHARS_MAX = 500;
/** Dead letters that one call sends again. */
export const DEAD_LETTERS_RESENT_MAX = 1_000;
/** Where others keep more than this of the processors busy, the notifier makes room for them … */
export const COURTESY_OTHERS_MAX = 0.6;
/** … by taking no more than this share of one processor: some 40 mails of a campaign a second. */
export const COURTESY_SHARE = 0.08;
/** Where others keep less than this busy, there is time for what is not urgent. */
export const COURTESY_QUIET_MAX = 0.2;
/** How often that is looked at. */
export const COURTESY_LOOK_MS = 250;
