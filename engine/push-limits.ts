// The bounds of web push: see limits.ts for those of the engine.

/** Browsers that one person may be told in; a further one takes the oldest one's place. */
export const PUSH_SUBSCRIPTIONS_PER_USER_MAX = 20;
/** Push services' addresses have some 200 characters, Windows' up to 1,024. */
export const PUSH_ENDPOINT_CHARS_MAX = 2_048;
/** Of a title; no system shows more of one. */
export const PUSH_TITLE_CHARS_MAX = 100;
/** Of the text below it. */
export const PUSH_BODY_CHARS_MAX = 300;
/** A push service takes 4,096 bytes with what encryption adds; some take little more than 3,000. */
export const PUSH_PAYLOAD_BYTES_MAX = 3_000;
/** How long a push service keeps a message for a browser that is not there. */
export const PUSH_TTL_SECONDS_MAX = 7 * 86_400;
/** News that is older is not pushed any more: there is the mail, and the shop. */
export const PUSH_NEWS_MS_MAX = 86_400_000;
/** How long it is known who was told what: longer than there are tries. */
export const PUSH_DELIVERIES_KEPT_MS = 3 * 86_400_000;

/** A push service has answered by then, or it is tried again. */
export const PUSH_TRY_MS_MAX = 5_000;
/** Of these, for the name, the connection and TLS. */
export const PUSH_CONNECT_MS_MAX = 3_000;
/** Pauses after the 1st, 2nd … failure that may pass; after the last one, it is given up. */
export const PUSH_RETRY_PAUSES_MS: readonly number[] = [5_000, 30_000, 300_000, 1_800_000];
/** A push service that asks for a longer pause is tried then all the same. */
export const PUSH_RETRY_AFTER_MS_MAX = 3_600_000;
/** Messages in a row that a push service does not want, before its subscription is removed. */
export const PUSH_REFUSALS_MAX = 3;
/**
 * People of one lane who are told at the same time. Less than half of what the lane does at once:
 * mails don't wait for the push services that strangers name.
 */
export const PUSH_JOBS_MAX = 8;
/** A job for which there is no room comes back after that. */
export const PUSH_CROWDED_PAUSE_MS = 500;
/** How often it is looked what has become old. */
export const PUSH_SWEEP_EVERY_MS = 60_000;
/** Rows that one such look takes away. */
export const PUSH_SWEEP_ROWS_MAX = 5_000;
/** Refusals are logged at most so often: a stranger's push service must not fill the log. */
export const PUSH_WARN_EVERY_MS = 60_000;
