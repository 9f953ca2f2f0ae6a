// The bounds of what follows a sale: mails and all else that the notifier does.

/** Mails that may be on their way at once, over all lanes; a further one comes back later. */
export const MAILS_SENDING_MAX = 512;
/** Mails whose marks or outcomes go into one statement: what gathers while the last one runs. */
export const MAIL_STATEMENT_ROWS_MAX = 500;
/**
 * Pauses before the second and the third try. With all of the jitter the third comes 5.6 minutes
 * after the first at the earliest: past the 5 minutes for which greylists keep strangers waiting.
 */
export const MAIL_TRY_PAUSES_MS = [60_000, 360_000] as const;
/** Part of a pause by which it may be shorter or longer, so that tries do not come all at once. */
export const MAIL_PAUSE_JITTER = 0.2;
/** One mail, from being handed to a transport to its answer; a slow server has no more of us. */
export const MAIL_ATTEMPT_MS_MAX = 120_000;
/**
 * A mail whose handing over began so long ago, with no outcome, is in doubt: its process is gone.
 * Longer than an attempt takes, and what its outcome may need to be written.
 */
export const MAIL_HANDOVER_MS_MAX = 180_000;
/** A mail that no server could be asked to take for so long is nothing to anybody any more. */
export const MAIL_WAIT_MS_MAX = 5 * 86_400_000;
/** What a server says of a mail, as it is kept. */
export const MAIL_REASON_CHARS_MAX = 300;
/**
 * How long it is known of a mail that it was sent. Longer than anything that may ask for it again:
 * a mail waits for 5 days, a job is tried for hours, a dead letter is sent again within weeks.
 */
export const MAIL_ROWS_KEPT_MS = 60 * 86_400_000;
/** Rows that one round of sweeping removes, so that no statement of it takes long. */
export const MAIL_SWEEP_ROWS_MAX = 5_000;
/** Rounds of one sweep. With one sweep a minute: 72 million rows a day. */
export const MAIL_SWEEP_ROUNDS_MAX = 10;
export const MAIL_SWEEP_EVERY_MS = 60_000;
/** How often the outcome of a mail is written again when the database does not take it. */
export const MAIL_OUTCOME_TRIES_MAX = 5;
export const MAIL_OUTCOME_PAUSE_MS = 1_000;

/** Failures of a mail server, of all it was asked in 10 s, that have it left alone for a while. */
export const MAIL_BREAKER_FAILURE_PERCENT = 50;
export const MAIL_BREAKER_WINDOW_MS = 10_000;
/** For so long; then one mail shows whether it is there again. */
export const MAIL_BREAKER_PAUSE_MS = 15_000;
/** Mails of one connection. Servers end one after some hundred, and so do the better clients. */
export const SMTP_CONNECTION_MAILS_MAX = 100;
/** An unused connection stays open for so long. */
export const SMTP_IDLE_MS_MAX = 20_000;
/** What SMTP_CONNECTIONS may say. */
export const SMTP_CONNECTIONS_LIMIT = 200;

/** Soft bounces of one address within their period that keep mails from it for a while. */
export const SOFT_BOUNCES_MAX = 3;
export const SOFT_BOUNCE_PERIOD_MS = 7 * 86_400_000;
export const SOFT_BOUNCE_PAUSE_MS = 3 * 86_400_000;
/** A report of a bounce may carry the mail that bounced, with its tickets. */
export const BOUNCE_BYTES_MAX = 4 * 1_048_576;
/** Bounces of one message, and recipients of one report. */
export const BOUNCES_MAX = 100;
// The bounds of what is told after a sale; limits.ts has those of the engine.

/** Characters of one block of a mail's template: some three printed pages. */
export const TEMPLATE_BLOCK_CHARS_MAX = 20_000;
/** Characters of a template's subject; what it becomes is cut at MAIL_SUBJECT_CHARS_MAX. */
export const TEMPLATE_SUBJECT_CHARS_MAX = 500;
/** Blocks of one template; the built-in ones have four or five. */
export const TEMPLATE_BLOCKS_MAX = 12;
/** Of a request with a template, bytes: all blocks at their length, as JSON in UTF-8 has them. */
export const TEMPLATE_BODY_BYTES_MAX = 1_048_576;
/** Loops that stand in one another: as deep as what is given to templates. */
export const TEMPLATE_LOOPS_DEEP_MAX = 2;
/**
 * What a template may make for one mail, counted by the template engine in characters and items; a
 * built-in one makes a few hundred. An empty loop over so many numbers takes some milliseconds.
 */
export const TEMPLATE_MEMORY_MAX = 50_000;
/**
 * A mail is composed in about 1 ms. What counting does not stop, this does. By the clock on the
 * wall, so that a machine that is busy with a sale must not be mistaken for a greedy template.
 */
export const TEMPLATE_RENDER_MS_MAX = 2_000;
/** Of one block, once it is filled in: mail programs cut off what is longer than about 100 KB. */
export const MAIL_BLOCK_CHARS_MAX = 60_000;
/** Elements of HTML that stand in one another. */
export const MAIL_HTML_DEEP_MAX = 64;
/** Longer subjects are cut: RFC 5322 asks for lines of at most 998 bytes, readers show some 70. */
export const MAIL_SUBJECT_CHARS_MAX = 200;
/** Problems of a template that are told at once. */
export const TEMPLATE_ERRORS_MAX = 20;

/** QR codes that a mail shows by itself, some 1 KB each; its PDF has all of them. */
export const MAIL_QR_CODES_MAX = 6;
/** Bookings of one page, when everybody who goes to an event is told something. */
export const FAN_OUT_PAGE = 500;
/** A fan-out waits while so many jobs of its lane do: others come in between. */
export const FAN_OUT_WAITING_MAX = 1_000;
/** How long it waits then. */
export const FAN_OUT_PAUSE_MS = 500;
/** How often it is looked which events are to be reminded of. */
export const REMINDERS_EVERY_MS = 30_000;
/** Events of which reminders begin at one look; the others at the next one. */
export const REMINDERS_BEGUN_MAX = 500;
/** Events near the time of a reminder that one look considers, those first that begin first. */
export const REMINDERS_LOOKED_AT_MAX = 20_000;
/** Old notes of reminders that go at one look. */
export const REMINDERS_FORGOTTEN_MAX = 5_000;
/** An event without an end is over so long after it began. */
export const EVENT_HOURS_ASSUMED = 6;
/** Organisations' own templates that are kept at hand. */
export const OWN_TEMPLATES_KEPT_MAX = 1_000;
/** How long such a template is used before it is asked for anew. */
export const OWN_TEMPLATE_TTL_MS = 5_000;
// The bounds of what leaves after a sale: see limits.ts for those of the engine.

/** Webhooks that an organisation may have: each is sent every event's messages. */
export const WEBHOOKS_PER_ORGANIZATION_MAX = 20;
/** What proxies and servers take in a request's first line. */
export const WEBHOOK_URL_CHARS_MAX = 2_048;
export const WEBHOOK_DESCRIPTION_CHARS_MAX = 200;
/** As long as what HMAC-SHA256 makes of it. */
export const WEBHOOK_SECRET_BYTES = 32;
/** How long the secret before the last signs along: a day to deploy the next one. */
export const WEBHOOK_OLD_SECRET_MS = 86_400_000;

/** A receiver has answered by then, or has not: it should take the message and work on it later. */
export const WEBHOOK_TRY_MS_MAX = 10_000;
/** Of these, for the name, the connection and TLS. */
export const WEBHOOK_CONNECT_MS_MAX = 4_000;
/** One question to a name server; it is asked twice. Within WEBHOOK_CONNECT_MS_MAX. */
export const WEBHOOK_RESOLVE_MS_MAX = 1_500;
/** Addresses of one name that are tried; all that DNS gives are judged. */
export const WEBHOOK_ADDRESSES_MAX = 8;
/** An answer is read so far, and cut: only its status counts. */
export const WEBHOOK_ANSWER_BYTES_MAX = 16_384;
/** What the log keeps of an answer: enough for an error's first lines. */
export const WEBHOOK_ANSWER_CHARS_KEPT = 500;
/** Idle connections to receivers that are kept for the next message. */
export const WEBHOOK_IDLE_SOCKETS_MAX = 32;

/** Pauses after the 1st, 2nd … failure of a message: three days in all, and then no more. */
export const WEBHOOK_RETRY_PAUSES_MS: readonly number[] = [
  ...[5_000, 30_000, 300_000, 1_800_000],
  ...[2, 5, 10, 14, 20, 20].map((hours) => hours * 3_600_000),
];
/** A pause is longer by up to this part of it, so that what failed together comes back apart. */
export const WEBHOOK_RETRY_JITTER = 0.2;
/** A receiver that asks for a longer pause is tried then all the same. */
export const WEBHOOK_RETRY_AFTER_MS_MAX = 6 * 3_600_000;

/** Whoever drains a feed has it for so long after each message; longer than a try. */
export const WEBHOOK_LEASE_MS = 60_000;
/** Then the lane's place is free for another feed. */
export const WEBHOOK_DRAIN_MS_MAX = 15_000;
export const WEBHOOK_DRAIN_MESSAGES_MAX = 1_000;
/** Messages that are read at a time. */
export const WEBHOOK_PAGE_MESSAGES = 100;
/** Requests at a time to one host: a slow one must not have the whole lane … */
export const WEBHOOK_REQUESTS_PER_HOST_MAX = 4;
/** … nor a tenant with many hosts. */
export const WEBHOOK_REQUESTS_PER_ORGANIZATION_MAX = 6;
/** A feed whose host is busy comes back after that. */
export const WEBHOOK_CROWDED_PAUSE_MS = 500;
/** Seats whose names are kept between drains, of all events together. */
export const WEBHOOK_NAMED_SEATS_MAX = 500_000;

/** How often due feeds without a job are looked for: how long a replay waits at most. */
export const WEBHOOK_TICK_MS = 2_000;
/** Feeds that one look gives jobs to. */
export const WEBHOOK_TICK_FEEDS_MAX = 500;
/** How long the log tells of a message after its last try. */
export const WEBHOOK_LOG_TTL_MS = 14 * 86_400_000;
export const WEBHOOK_PURGE_EVERY_MS = 60_000;
/** Rows that one purge takes away: it goes on with the next one. */
export const WEBHOOK_PURGE_ROWS_MAX = 5_000;
/** Tries of one message that the log shows, the last ones. */
export const WEBHOOK_TRIES_SHOWN_MAX = 16;
/** Test messages that a node sends at a time: each may take WEBHOOK_TRY_MS_MAX. */
export const WEBHOOK_TESTS_MAX = 16;
