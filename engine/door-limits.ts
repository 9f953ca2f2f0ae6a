import { assert } from "./assert.ts";

/**
 * Bounds of the gateway's door: how many may come, how often, and how slowly. limits.ts has those
 * of everything behind it. How often is configurable (gateway/limits/limit-classes.ts).
 */

/** Windows of one kind that a node counts: about 170 bytes each. The oldest goes first. */
export const LIMIT_KEYS_MAX = 100_000;
/** The longest window that may be configured, in seconds. */
export const LIMIT_WINDOW_SECONDS_MAX = 24 * 3_600;
/** The most that a window may be configured to let in. */
export const LIMIT_COUNT_MAX = 1_000_000_000;

/**
 * How long a request waits for Redis to count it, if REDIS_WAIT_MS does not say otherwise; then
 * this node's own count decides.
 */
export const REDIS_WAIT_MS_MAX = 20;
/** Questions that Redis may leave open, about 1 KiB each; one more is decided by the node. */
export const REDIS_ASKS_MAX = 4_096;
/** Redis has left a question open for so long: it is away, and is asked no more. */
export const REDIS_SILENCE_MS_MAX = 500;
/** How often an open connection to Redis is looked at, and an absent Redis is tried. */
export const REDIS_LOOK_MS = 250;
/** How long a start waits for Redis; without it, it begins with counts of its own. */
export const REDIS_START_MS_MAX = 1_000;
/** A connection to Redis that is not ready after this long is given up, and made again. */
export const REDIS_CONNECT_MS_MAX = 3_000;
/** Longest pause between two tries to connect to Redis. */
export const REDIS_RETRY_MS_MAX = 1_000;

/** HTTP connections of one node; one more is closed as it comes. */
export const CONNECTIONS_MAX = 50_000;
/** Listening sockets that share the port. The library has 512 connections wait at each. */
export const LISTENERS = 8;
/** Bodies of one address that may be on their way at a time. */
export const BODIES_PER_ADDRESS_MAX = 1_024;
/** The reading of a long answer may take so long, and more by its size: see below. */
export const SLOW_CLIENT_MS_MAX = 10_000;
/**
 * The same of a body. The library hangs up without a word on who sends less than 16 KiB a second
 * for 8 to 12 s: of a usual body it has to be said before.
 */
export const SLOW_BODY_MS_MAX = 5_000;
/** Bytes a second that a client has to send, or read, beyond SLOW_CLIENT_MS_MAX. */
export const SLOW_CLIENT_BYTES_PER_SECOND_MIN = 64 * 1024;
/** How often it is looked who is too slow. */
export const SLOW_CLIENT_LOOK_MS = 1_000;
/** Messages over its bound that a WebSocket may send, as multiples of it, before it is closed. */
export const SOCKET_FLOOD_FACTOR = 2;
/** Texts for a WebSocket that wait for the turn's end: the library packs 16 KiB into a write. */
export const SOCKET_UNSENT_MAX = 64;
/** Who is cut off, and reads less of the backlog in SOCKET_CUT_OFF_MS_MAX, reads none. */
export const SLOW_READ_BYTES = 64 * 1024;
/** Messages in one binary frame. */
export const MESSAGES_PER_FRAME_MAX = 256;
/** Addresses in headers of proxies, and origins, that were looked at and are remembered. */
export const DOOR_MEMORY_MAX = 10_000;
/** Addresses that are read of one header of a proxy, the nearest ones. */
export const PROXY_HOPS_MAX = 32;
/** How long a browser may remember what it was told about an origin. */
export const PREFLIGHT_SECONDS = 7_200;
/** So often `busy` is said over HTTP before a request is read: about a sixth of a processor. */
export const REFUSALS_PER_SECOND_MAX = 12_000;
/** Without any wait, after a quiet moment. */
export const REFUSALS_AT_ONCE_MAX = 1_000;
/** Past that rate a refusal waits for its turn, so long at most: half of what Retry-After says. */
export const REFUSAL_WAIT_MS_MAX = 500;

assert(SLOW_BODY_MS_MAX + 2 * SLOW_CLIENT_LOOK_MS < 8_000, "408 comes before the library's end");
assert(REDIS_WAIT_MS_MAX < REDIS_SILENCE_MS_MAX, "one slow answer is no outage");
