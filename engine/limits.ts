import { assert } from "./assert.ts";

/**
 * Every bound of the system, with its unit in its name. Full is an answer (`busy`, or a refusal
 * that names the bound), never growth. Raising a bound costs what its sentence says.
 */

/**
 * Seats of one event. Five bytes each in the actor, 11 for where they stand, 60 more once it was
 * asked for the best ones; about 60 in the gateway's copy of the plan.
 */
export const SEATS_PER_EVENT_MAX = 200_000;
/** Standing areas of one event. */
export const AREAS_PER_EVENT_MAX = 256;
/** Places of one standing area; the database keeps them as int4. */
export const AREA_CAPACITY_MAX = 1_000_000;
/** Price categories of one event; seats refer to them by one byte. */
export const CATEGORIES_PER_EVENT_MAX = 255;
/** Price of one place in minor units; keeps every sum of a hold an exact integer. */
export const PRICE_MINOR_MAX = 1_000_000_000;
/** Places in one hold: bounds the work of one command and the size of its fact. */
export const PLACES_PER_HOLD_MAX = 100;
/** Ids that a hold has for items: those that it began with, and those added to it later. */
export const ITEM_IDS_PER_HOLD = 128;
/** Entries that wait for places of one event: about 300 bytes each. */
export const WAITLIST_ENTRIES_MAX = 100_000;
/**
 * An entry that does not fit what is free is passed over so often; then who comes behind it and
 * would do with the same categories waits with it.
 */
export const WAITLIST_SKIPS_MAX = 10;
/** Places that one buyer may hold and own in one event, whatever the event says. */
export const PLACES_PER_USER_MAX = 100_000;
/** Active holds of one event: about 400 bytes each. */
export const HOLDS_PER_EVENT_MAX = 1_000_000;
/** Idempotency keys kept for one event: about 150 bytes each. */
export const KEYS_PER_EVENT_MAX = 4_000_000;
/** How long an idempotency key keeps its outcome. The contract promises 24 h at least. */
export const KEY_TTL_MS = 25 * 3_600_000;
/**
 * Ended holds that an actor remembers, so that a late request hears "expired" and not "unknown".
 */
export const ENDED_HOLDS_PER_EVENT_MAX = 100_000;
/** How long an ended hold is remembered in the database. */
export const ENDED_HOLD_TTL_MS = 24 * 3_600_000;
export const HOLD_TTL_MS_MIN = 1_000;
export const HOLD_TTL_MS_MAX = 24 * 3_600_000;
/** A hold lives at most this many times the event's TTL, counted from its creation. */
export const HOLD_LIFETIME_TTLS_MAX = 2;
/** Fees on one ticket: each is one more division for every place of a hold. */
export const FEES_PER_EVENT_MAX = 8;
/** A fee of a fixed amount, in minor units: no more than the dearest place. */
export const FEE_MINOR_MAX = PRICE_MINOR_MAX;
/** A whole, in hundredths of a percent: what a fee, a tax or a discount may take at most. */
export const BASIS_POINTS_MAX = 10_000;
/** Promo codes of one event: looked up one by one, and kept in every configuration. */
export const PROMO_CODES_PER_EVENT_MAX = 500;
/** Characters of a promo code. */
export const PROMO_CODE_CHARS_MAX = 64;
/** Uses that a promo code may be limited to; the database keeps them as int4. */
export const PROMO_USES_MAX = 1_000_000_000;
/**
 * Who keeps taking places and dropping them waits longer, if the event wants that: by default 10
 * dropped holds within 10 minutes cost nothing, the next one 5 s, and each further one twice the
 * wait before it, up to 5 min.
 */
export const CHURN_FREE_DROPS_DEFAULT = 10;
export const CHURN_WINDOW_MS_DEFAULT = 10 * 60_000;
export const CHURN_FIRST_WAIT_MS_DEFAULT = 5_000;
export const CHURN_WAIT_MS_MAX_DEFAULT = 5 * 60_000;
export const CHURN_FREE_DROPS_MAX = 50;
export const CHURN_WINDOW_MS_MIN = 1_000;
export const CHURN_WINDOW_MS_MAX = 3_600_000;
export const CHURN_WAIT_MS_MIN = 1_000;
export const CHURN_WAIT_MS_MAX = 3_600_000;
/** Dropped holds that are remembered of one buyer: 8 bytes each. */
export const CHURN_DROPS_PER_USER_MAX = 64;
/** Buyers whose dropped holds one event remembers: about 250 bytes each, and 8 for each drop. */
export const CHURN_USERS_PER_EVENT_MAX = 100_000;
/** How long the payment of a booking may take. */
export const PAYMENT_WINDOW_MS_DEFAULT = 15 * 60_000;
export const PAYMENT_WINDOW_MS_MIN = 1_000;
export const PAYMENT_WINDOW_MS_MAX = 24 * 3_600_000;
/** Where an event's seats stand: 10 bytes a seat, and some for its row and its neighbours. */
export const SEAT_MAP_BYTES_MAX = 16 + 22 * SEATS_PER_EVENT_MAX;

/** Requests that one worker may have in flight; the gateway answers `busy` past it. */
export const IN_FLIGHT_PER_WORKER_MAX = 8_192;
/**
 * Requests that one worker may have in flight when a new hold comes. The bound follows the delay
 * between these two: the lower one keeps group commits large, the upper one memory small.
 */
export const HOLDS_IN_FLIGHT_MIN = 256;
export const HOLDS_IN_FLIGHT_MAX = 4_096;
/**
 * Past this delay in the worker, the fastest of an interval, fewer holds are let in. Who is let in
 * waits so long; who is not asks again, which costs more than his wait: docs/OVERLOAD.md.
 */
export const HOLD_DELAY_MS_TARGET = 60;
/** Length of that interval: longer than a pause of the collector or of the disk. */
export const HOLD_DELAY_WATCHED_MS = 100;
/** Requests that wait for one actor while it loads. */
export const ACTOR_MAILBOX_MAX = 8_192;
/** Requests decided in one round before its facts go to the journal: bounds a round's latency. */
export const ROUND_REQUESTS_MAX = 1_024;
/** Actors that one worker keeps: about 0.2 MiB each for a stadium, 2 KiB for a club. */
export const ACTORS_PER_WORKER_MAX = 10_000;
/** Actors loading from the database at once, per worker. */
export const LOADS_IN_FLIGHT_MAX = 8;
/** A request that waited longer than this is refused unexecuted. */
export const REQUEST_DEADLINE_MS = 5_000;
/** A requester hears `timeout` after this long, whatever becomes of the request. */
export const ANSWER_WAIT_MS_MAX = 15_000;
/**
 * An audit waits for the projection and reads all bookings of its event, of which there may be
 * 100,000s; while PostgreSQL is away, it is refused at once.
 */
export const AUDIT_WAIT_MS_MAX = 60_000;
/** A statement that loads actors is given up after this long, wait for a connection included. */
export const LOAD_STATEMENT_MS_MAX = 60_000;
/** Connections with which one worker loads actors. */
export const LOAD_CONNECTIONS_MAX = 2;
/** An actor that nobody used for this long, watches, or holds places in is let go. */
export const ACTOR_IDLE_MS = 120_000;
/** Facts of one shard that PostgreSQL may still lack; past it the shard answers `busy`. */
export const UNPROJECTED_FACTS_PER_SHARD_MAX = 400_000;
/** Bytes that the projector may keep waiting, all shards together. */
export const UNPROJECTED_BYTES_MAX = 128 * 1024 * 1024;
/**
 * Facts that a shard adds to a cancelled event at each of its looks (EXPIRY_TICK_MS), until all of
 * it has been given back: bounds how long other events of its thread wait.
 */
export const AFTERMATH_FACTS_PER_TICK = 500;
/**
 * Offers that a shard makes to the line of an event before other events of its thread are served,
 * and entries that it may go past for them. Who asks for the event meanwhile waits until all have
 * been made. Raising it saves rounds of the journal.
 */
export const OFFERS_PER_TURN_MAX = 64;
export const PASSED_ENTRIES_PER_TURN_MAX = 10_000;
/** How often the shard looks for holds that ended; the contract allows 1 s. */
export const EXPIRY_TICK_MS = 100;
/** Pause before the events with holds are listed again, when the database did not answer. */
export const WAKE_RETRY_MS = 1_000;
/** How long a start waits for the ends of holds that were due while nobody was there. */
export const WAKE_WAIT_MS_MAX = 250;

/** Size of a journal segment. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;
/**
 * Size of the segment that a journal starts with when none is prepared: the start waits until it is
 * written, so it is small, but it must hold what comes in while the next one is prepared.
 */
export const STARTER_SEGMENT_BYTES = 16 * 1024 * 1024;
/** How often a journal that found no room for its next segment tries again. */
export const JOURNAL_ROOM_RETRY_MS = 1_000;
/** Copies of torn tails kept for whoever wants to look; later ones are not copied. */
export const BROKEN_COPIES_MAX = 16;
/** Payload of one journal frame: everything that one fdatasync covers. */
export const FRAME_PAYLOAD_BYTES_MAX = 8 * 1024 * 1024;
/** Body of one journal entry (one fact). A definition with 200,000 seats must fit. */
export const ENTRY_BYTES_MAX = 6 * 1024 * 1024;
/** While an append to the operation log waits longer for its answer, nothing new is admitted. */
export const OPERATION_LOG_ANSWER_MS_MAX = 1_000;
/** A statement of the operation log that waits longer is given up, and its outcome asked for. */
export const OPERATION_LOG_STATEMENT_MS_MAX = 10_000;
/** Longest pause between two tries of one append; the first is a hundredth of it. */
export const OPERATION_LOG_RETRY_MS_MAX = 500;
/** Rows that one read of the operation log's tail brings, besides FRAME_PAYLOAD_BYTES_MAX. */
export const OPERATION_LOG_PAGE_ROWS_MAX = 1_000;
/** Rows that one statement deletes from the operation log. */
export const OPERATION_LOG_RETIRE_ROWS_MAX = 2_000;
/** Between two times of deleting. Raising it saves statements, and the log has more rows. */
export const OPERATION_LOG_RETIRE_PAUSE_MS = 200;
/**
 * Outcomes of requests with a key that share a row, in bytes of facts: about two rows a page. One
 * that is larger has a row of its own.
 */
export const KEY_BLOCK_BYTES_MAX = 3_900;
/** Such rows that are read at once while an actor is loaded. */
export const KEY_BLOCKS_PER_READ_MAX = 500;
/** PostgreSQL leaves a question of the projector open this long: the node wants no new work. */
export const PROJECTION_STALL_MS = 3_000;
/**
 * How often the projector asks whether the shards are still its node's, and have what was stored.
 * So long at most a node that was replaced, or lost some of it, goes on without knowing.
 */
export const OWNERSHIP_CHECK_MS = 1_000;
/** How often the projector looks for rows that are older than their time to live. */
export const PURGE_INTERVAL_MS = 10_000;
/** Rows of one table that one step of the purge deletes. */
export const PURGE_ROWS_MAX = 1_000;
/** Rows outlive their time to live by this: a shard's clock may lag behind the purge's. */
export const PURGE_MARGIN_MS = 3_600_000;

/** An embedded PostgreSQL that must recover first may need this long to get ready. */
export const POSTGRES_START_MS_MAX = 120_000;
/** An embedded PostgreSQL that has not stopped after this long is killed, and recovers later. */
export const POSTGRES_STOP_MS_MAX = 60_000;

/** Pause before an embedded PostgreSQL that could not be started is tried again. */
export const POSTGRES_RESTART_PAUSE_MS = 2_000;

/** Database connections of the gateway's services; each takes memory in PostgreSQL. */
export const DATABASE_CONNECTIONS_MAX = 10;
/** Requests that may wait for one of them; one more hears `busy` at once. */
export const DATABASE_WAITS_MAX = 512;
/** How often PostgreSQL is asked whether it is there. */
export const DATABASE_HEARTBEAT_MS = 500;
/**
 * Without an answer for so long PostgreSQL is taken to be away, and what needs it is refused.
 * Raising it makes requests wait longer when PostgreSQL stands still; lowering it takes a slow
 * moment for an absence.
 */
export const DATABASE_HEARTBEAT_MS_MAX = 1_500;
/** Readers of bookings that may wait until PostgreSQL has what they were told. */
export const PROJECTION_WAITS_MAX = 4_096;
/** How long a request waits for a connection, and then for its query, before it hears `busy`. */
export const DATABASE_WAIT_MS_MAX = 5_000;
/** How long a stop waits for the gateway's own queries to end. */
export const DATABASE_END_MS_MAX = 5_000;
/** A signal to stop that comes sooner after one is the same: npm and a terminal both send it. */
export const STOP_AGAIN_MS_MIN = 1_000;
/** How long a stop waits for PostgreSQL to catch up; what is left the next start recovers. */
export const PROJECTION_DRAIN_MS_MAX = 30_000;

/** HTTP bodies, except seating plans. */
export const BODY_BYTES_MAX = 64 * 1024;
/** HTTP bodies of routes that change an event: its text and its promo codes. */
export const EVENT_CHANGES_BODY_BYTES_MAX = 512 * 1024;
/** HTTP bodies of routes that take a seating plan. */
export const PLAN_BODY_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of the bodies of all unanswered requests; past it a request with a body is `busy`. */
export const BODIES_BYTES_MAX = 256 * 1024 * 1024;
/** Answers above this are sent as fast as they are read, without a copy for each reader. */
export const STREAMED_ANSWER_BYTES_MIN = 256 * 1024;
/** How long a stopping gateway waits for its open requests to be answered. */
export const DRAIN_MS_MAX = 20_000;
/** Wrong fields that one answer names. */
export const VALIDATION_ERRORS_MAX = 20;
/** Entries of one page of a list. */
export const PAGE_ENTRIES_MAX = 100;
/** WebSockets of one node: about 2 KiB each while they are quiet. */
export const SOCKETS_MAX = 100_000;
/** How long a WebSocket may send nothing, not even a pong to the pings that this causes. */
export const SOCKET_IDLE_SECONDS_MAX = 60;
/** How long a slow reader is given for each SLOW_READ_BYTES of its backlog, before the 1013. */
export const SOCKET_CUT_OFF_MS_MAX = 10_000;
/** One WebSocket message from a client. */
export const SOCKET_MESSAGE_BYTES_MAX = 64 * 1024;
/** Bytes that may wait for a slow WebSocket reader before it is cut off with 1013. */
export const SOCKET_BACKLOG_BYTES_MAX = 1024 * 1024;
/** Holds, bookings and the like that one WebSocket may have in flight; one more is `busy`. */
export const SOCKET_REQUESTS_IN_FLIGHT_MAX = 64;
/** Events that one WebSocket may watch. */
export const SUBSCRIPTIONS_PER_SOCKET_MAX = 64;
/** Deltas of an event leave at most so often; changes between them are conflated into the next. */
export const DELTA_CONFLATION_MS = 40;
/** Subscribers of an event who hear a delta in the same turn of the gateway's loop: some 3 ms. */
export const SUBSCRIBERS_PER_GROUP_MAX = 512;
/** Subscribers of any events after whom a turn lets what has come in be served first. */
export const SENDS_PER_TURN_MAX = 512;
/** Deltas kept per watched event, so that a reconnecting client resumes without a snapshot. */
export const DELTAS_KEPT_PER_EVENT_MAX = 512;
/** Events of which the gateway keeps a live copy of the availability. */
export const WATCHED_EVENTS_MAX = 5_000;
/** A live copy that nobody read or subscribed to for this long is let go. */
export const WATCH_IDLE_MS = 60_000;
/** Readers that may wait for one event's live copy while it loads. */
export const WATCH_WAITERS_MAX = 10_000;
/** Events whose plan and texts the gateway keeps. */
export const DIRECTORY_EVENTS_MAX = 2_000;
/** Events that the directory loads at once; who asks for one more is told `busy`. */
export const DIRECTORY_LOADS_MAX = 256;
/** Seats of all the plans that the gateway keeps: about 150 bytes each. */
export const DIRECTORY_SEATS_MAX = 4_000_000;
/** Ids that the gateway remembers as nobody's. */
export const DIRECTORY_ABSENT_MAX = 10_000;
/** How long it remembers that; another node may have created the event meanwhile. */
export const DIRECTORY_ABSENT_TTL_MS = 1_000;
/** Buyers whom the gateway remembers as nobody's members: about 150 bytes each. */
export const KNOWN_STRANGERS_MAX = 50_000;
/** How long it remembers that; a new member sees an event as a buyer does for so long. */
export const KNOWN_STRANGERS_TTL_MS = 10_000;
/** Bytes of the seat lists that the gateway keeps ready to send. */
export const SEAT_LISTS_BYTES_MAX = 64 * 1024 * 1024;
export const TITLE_CHARS_MAX = 200;
export const DESCRIPTION_CHARS_MAX = 20_000;
export const TAGS_PER_EVENT_MAX = 20;
/** Letters of a tag, a category, and other short names. */
export const NAME_CHARS_MAX = 100;
/** Categories of a seating plan, and names that an event gives prices for: each gets a look. */
export const PLAN_CATEGORIES_MAX = 1_000;
/** Objects and lists within one another in a plan that is kept as it is; the format has 8. */
export const PLAN_DEPTH_MAX = 32;
/** Letters of a seat's id, a zone, a row, a plan's category: what a plan may call things. */
export const PLAN_NAME_CHARS_MAX = 100;
/** People who act for one organisation, invited ones included. */
export const MEMBERS_PER_ORGANIZATION_MAX = 1_000;
/** Verified access tokens that need no second look at their signature: about 600 bytes each. */
export const TOKENS_CACHED_MAX = 50_000;
/** Sessions and people whose access tokens end before their time: about 150 bytes each. */
export const REVOKED_MAX = 100_000;
/** Life of an access token, and of a refresh token. */
export const ACCESS_TOKEN_SECONDS = 30 * 60;
export const REFRESH_TOKEN_SECONDS = 7 * 24 * 3_600;
/** Sign-ins of one person that may go on at once; the oldest ends for one more. */
export const SESSIONS_PER_USER_MAX = 100;
/** Life of what is mailed to show that an address is read, and to set a forgotten password. */
export const VERIFY_TOKEN_SECONDS = 48 * 3_600;
export const RESET_TOKEN_SECONDS = 3_600;
/** Forgotten passwords that are looked into at a time; one more request is `busy`. */
export const RESETS_IN_FLIGHT_MAX = 64;
/** For so long an invitation can be accepted, and is listed. */
export const INVITATION_SECONDS = 7 * 86_400;
/** How often tokens that are over are looked for, and how many of one table go at a time. */
export const TOKEN_SWEEP_MS = 60_000;
export const TOKEN_SWEEP_ROWS_MAX = 1_000;
/** How long a stop waits for mails that are on their way. */
export const MAIL_CLOSE_MS_MAX = 5_000;
/** How long the mail server may leave a connection without an answer. */
export const SMTP_WAIT_MS_MAX = 15_000;
/** Password hashes computed at once; each takes a core for tens of milliseconds. */
export const PASSWORD_HASHES_IN_FLIGHT_MAX = 2;
/** Password hashes that may wait for their turn: the last one waits about three seconds. */
export const PASSWORD_HASHES_WAITING_MAX = 256;
/** A thread that hashed nothing for so long ends; the next hash waits 50 ms for a new one. */
export const PASSWORD_THREAD_IDLE_MS = 60_000;
/** Payments that may wait for their provider's first answer; one more is `busy`. */
export const PAYMENT_BEGINS_IN_FLIGHT_MAX = 256;
/** A provider that has not answered one request after this long is asked again, or given up. */
export const PROVIDER_ANSWER_MS_MAX = 5_000;
/** How often one request to a provider is repeated at once; later ones are the runners'. */
export const PROVIDER_REPEATS_MAX = 1;
/** Letters of what a provider is told about a payment. */
export const PAYMENT_DESCRIPTION_CHARS_MAX = 200;
/** Letters of a provider's id of its message; of what went wrong with a payment. */
export const PROVIDER_ID_CHARS_MAX = 255;
export const PAYMENT_ERROR_CHARS_MAX = 500;
/** A signed message of a provider that is older, or newer, than this is refused. */
export const WEBHOOK_AGE_MS_MAX = 300_000;
/** Messages of providers worked on as they come in; further ones are kept for the runner. */
export const PAYMENT_MESSAGES_IN_FLIGHT_MAX = 64;
/** Rows that one step of a payment runner works on at once. */
export const PAYMENT_BATCH_ROWS_MAX = 16;
/** How often the payment runners look for work. Raising it saves statements, and delays retries. */
export const PAYMENT_LOOK_MS = 1_000;
/** For so long a row is its runner's; if that one died, another takes the row afterwards. */
export const PAYMENT_LEASE_MS = 30_000;
/** First and longest pause between two tries of the same row. */
export const PAYMENT_RETRY_MS_MIN = 1_000;
export const PAYMENT_RETRY_MS_MAX = 300_000;
/** Tries, over some minutes, after which waiting money is an error in the log and not a warning. */
export const PAYMENT_QUIET_TRIES_MAX = 8;
/** A provider is asked about an intent without news after this long, and then less often. */
export const PAYMENT_NEWS_MS = 30_000;
export const PAYMENT_NEWS_MS_MAX = 600_000;
/** An unpaid intent is cancelled this long after its window: money on its way may still arrive. */
export const PAYMENT_CANCEL_GRACE_MS = 5_000;

assert(ENTRY_BYTES_MAX < FRAME_PAYLOAD_BYTES_MAX, "an entry fits into a frame");
assert(FRAME_PAYLOAD_BYTES_MAX * 2 < SEGMENT_BYTES, "frames fit into a segment");
assert(
  FRAME_PAYLOAD_BYTES_MAX + ENTRY_BYTES_MAX < STARTER_SEGMENT_BYTES,
  "any frame fits into a starter segment, beside what the segment itself needs",
);
assert(
  OPERATION_LOG_ANSWER_MS_MAX < OPERATION_LOG_STATEMENT_MS_MAX,
  "a log that does not answer is full before its statement is given up",
);
assert(
  SEATS_PER_EVENT_MAX * 8 + SEAT_MAP_BYTES_MAX < ENTRY_BYTES_MAX,
  "a definition fits into an entry",
);
assert(SEATS_PER_EVENT_MAX * 16 < ENTRY_BYTES_MAX, "all seats change at once within an entry");
assert(ROUND_REQUESTS_MAX <= IN_FLIGHT_PER_WORKER_MAX, "a round is made of requests in flight");
assert(HOLDS_IN_FLIGHT_MAX < IN_FLIGHT_PER_WORKER_MAX, "holds are refused before bookings");
assert(REQUEST_DEADLINE_MS < ANSWER_WAIT_MS_MAX, "nobody waits past what could still be executed");
assert(EXPIRY_TICK_MS * 5 <= 1_000, "expiry is exact to well within a second");
assert(DELTA_CONFLATION_MS <= 50, "the contract's conflation");
assert(PLACES_PER_HOLD_MAX < 4096, "a hold's item ids fit into its id range");
assert(
  (PRICE_MINOR_MAX + FEES_PER_EVENT_MAX * FEE_MINOR_MAX) * 2 * BASIS_POINTS_MAX <
    Number.MAX_SAFE_INTEGER,
  "what a place costs is computed in exact integers",
);
assert(
  CHURN_FREE_DROPS_MAX + Math.ceil(Math.log2(CHURN_WAIT_MS_MAX / CHURN_WAIT_MS_MIN)) + 1 <=
    CHURN_DROPS_PER_USER_MAX,
  "enough drops of a buyer are remembered for the longest wait",
);
assert(
  CHURN_WINDOW_MS_MAX + CHURN_WAIT_MS_MAX <= ENDED_HOLD_TTL_MS,
  "the drops that make a buyer wait are still in the database",
);
assert(
  PAYMENT_LEASE_MS > PROVIDER_ANSWER_MS_MAX * (1 + PROVIDER_REPEATS_MAX) + ANSWER_WAIT_MS_MAX,
  "a payment runner is done, or has given up, before its row is another's",
);
