/** Bounds of finding events, and of knowing that they changed: limits.ts, continued. */

/** Words of a search that count; each is one more list to intersect. */
export const SEARCH_WORDS_MAX = 12;
/** Misspelt words of a search that are corrected, and meanings tried for each. */
export const SEARCH_CORRECTED_WORDS_MAX = 4;
export const SEARCH_CORRECTIONS_MAX = 3;
/** Degrees of latitude and longitude in which events are counted for one search. */
export const SEARCH_DEGREES_MAX = 1_500;
/** Degrees that are looked for by their keys, together with others. */
export const SEARCH_DEGREE_KEYS_MAX = 16;
/** Words that share letters with a misspelt one and are compared with it. */
export const SEARCH_CANDIDATES_MAX = 5_000;
/** Events in the order of the answer that a search looks through before it takes an index. */
export const SEARCH_WINDOW_ROWS = 2_000;
/** All tiers of words are collected at once if PostgreSQL expects no more cost: a row is 1. */
export const SEARCH_GATHER_COST_MAX = 2_000;
/** What a step of a walk costs, in PostgreSQL's units: about as much as a row that is collected. */
export const SEARCH_WALK_ROW_COST = 1;
/** How long the number of events is taken for what it was. */
export const SEARCH_TOTAL_TTL_MS = 60_000;
/** What is longer is looked for by itself among what has begun; as the index in sql/ has it. */
export const SEARCH_LONG_EVENT_MS = 6 * 3_600_000;
/** A search that finds no more than this is collected from an index and sorted at once. */
export const SEARCH_GATHER_ROWS_MAX = 2_000;
/** A statement of a search that takes longer is ended, and the search is `busy`. */
export const SEARCH_STATEMENT_MS_MAX = 2_000;
/** Database connections of searches: however slow they are, nothing else waits for them. */
export const SEARCH_CONNECTIONS_MAX = 3;
/** Answers of searches that are kept, for so long at most, and their bytes. */
export const SEARCH_PAGES_MAX = 2_000;
export const SEARCH_PAGES_TTL_MS = 1_000;
export const SEARCH_PAGES_BYTES_MAX = 32 * 1024 * 1024;
/** Letters of a cursor of a search; the whole head of a request has at most 4 KiB. */
export const SEARCH_CURSOR_CHARS_MAX = 2_800;
/** Letters of a cursor of a list of names, each of which may be in it. */
export const NAMES_CURSOR_CHARS_MAX = 1_000;
/** Half way round the earth. */
export const RADIUS_KM_MAX = 20_038;
export const RADIUS_KM_DEFAULT = 50;

/** Venues, and seating plans of up to 16 MiB, that one organisation keeps for its events. */
export const VENUES_PER_ORGANIZATION_MAX = 5_000;
export const PLANS_PER_ORGANIZATION_MAX = 200;
/** How often the connection that hears of changes is tried, and a lost one opened again. */
export const LISTEN_CHECK_MS = 5_000;
export const LISTEN_RETRY_MS = 500;
/** While changes may go unheard, what is known of an event is read again after this long. */
export const DIRECTORY_DOUBT_TTL_MS = 1_000;
/** How long a look at an event waits for that, before it takes what is known. */
export const DIRECTORY_DOUBT_WAIT_MS = 1_000;
