/** Bounds of what looks at a node: see limits.ts for all others. */

/** Lines that a second's requests get in the log at level `info`, for each way to end. */
export const REQUEST_LINES_PER_SECOND_MAX = 20;
/** A request that took longer is a warning in the log. */
export const SLOW_REQUEST_MS = 1_000;
/** How long one export of traces may take, and a stop waits for the last one. */
export const TRACE_EXPORT_MS_MAX = 5_000;
/** How long a probe waits for what it asks. */
export const PROBE_WAIT_MS_MAX = 1_000;
/** How long an operator's question waits for the engine's threads. */
export const OPS_WAIT_MS_MAX = 5_000;
/** How long a page of metrics is shown before the next one is made. */
export const METRICS_PAGE_MS = 500;
/** How often the engine's threads are asked how they do. */
export const THREAD_ASKED_EVERY_MS = 1_000;
/** So often a thread may be found not to have answered; then the process should be restarted. */
export const THREAD_SILENCE_LOOKS_MAX = 30;
/** Traced facts that the projector remembers; of further ones it tells nothing. */
export const TRACED_FACTS_MAX = 1_000;
