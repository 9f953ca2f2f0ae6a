/** What a search's words and names mean in this catalogue, and in how many events they are. */
import {
  SEARCH_CANDIDATES_MAX,
  SEARCH_CORRECTED_WORDS_MAX,
  SEARCH_CORRECTIONS_MAX,
  SEARCH_DEGREE_KEYS_MAX,
  SEARCH_DEGREES_MAX,
  SEARCH_WORDS_MAX,
} from "../../../engine/search-limits.ts";
import type { Queries } from "../../tenancy/database.ts";
import { deletesOf, editDistance } from "./edit-distance.ts";
import type { Corrections } from "./search-cursor.ts";
import type { SearchFilter } from "./search-request.ts";

export interface SearchTerms {
  /** Names that the event must have, as in event_search.keys. */
  readonly keys: readonly string[];
  /** null: no words are asked for. Otherwise what must be in an event, as a tsquery. */
  readonly words: {
    /** Each word as it was typed; null: one of them is in no event like that. */
    readonly whole: string | null;
    /** With what the last word may be the beginning of, and misspelt words corrected. */
    readonly loose: string;
    /**
     * What the last word may be the beginning of, if it is one letter and not alone: looked for
     * only in events that have the others, since there are too many words with it. null: none.
     */
    readonly letter: string | null;
    readonly corrections: Corrections;
    /** Events that have all of them: an upper bound. */
    readonly eventsMax: number;
  } | null;
  /** Events that have all the keys: an upper bound. null: there are no keys. */
  readonly keyedMax: number | null;
  /** Events in the degrees around the circle: an upper bound. null: not known, or not asked for. */
  readonly nearMax: number | null;
  /** The keys of these degrees. null: too many to look for, or none. */
  readonly degrees: readonly string[] | null;
}

/** U+2E80, where the letters begin that are words: Chinese, Japanese and Korean ones. */
const IDEOGRAPHS_FROM = 0x2e80;

/** A key is a letter for its kind, and the folded name. */
const TERMS = `
  WITH split AS (
    SELECT left(word, 40) AS word, position
    FROM regexp_split_to_table(search_fold($1), '[^[:alnum:]]+') WITH ORDINALITY
      AS s (word, position) WHERE word <> ''),
  words AS (
    SELECT word, max(position) AS position FROM split
    GROUP BY word ORDER BY min(position) LIMIT ${SEARCH_WORDS_MAX}),
  given AS (
    SELECT word, position, position = (SELECT max(position) FROM split) AS is_last,
      length(word) > 1 OR ascii(word) >= ${IDEOGRAPHS_FROM} AS is_beginning
    FROM words)
  SELECT 'word' AS kind, g.word AS term, COALESCE(w.events, 0) AS events, g.position,
    g.is_last AND g.is_beginning AS is_prefix,
    g.is_last AND NOT g.is_beginning AND (SELECT count(*) FROM words) > 1 AS is_letter,
    COALESCE(p.events, 0)::integer AS longer_events
  FROM given g
  LEFT JOIN search_words w ON w.word = g.word COLLATE "C"
  LEFT JOIN LATERAL (
    SELECT sum(l.events) AS events FROM search_words l
    WHERE l.word > g.word COLLATE "C" AND l.word < g.word || chr(1114111) COLLATE "C"
      AND g.is_last AND g.is_beginning) AS p ON true
  UNION ALL
  SELECT 'key', k.key, COALESCE(s.events, 0), 0, false, false, 0
  FROM (SELECT left(label, 1) || ':' || search_fold(substr(label, 3)) AS key
        FROM unnest($2::text[]) AS label) AS k
  LEFT JOIN search_keys s ON s.key = k.key COLLATE "C"
  UNION ALL
  SELECT 'near', '', COALESCE(sum(events), 0)::integer, 0, false, false, 0 FROM search_keys
  WHERE key = ANY ($3::text[] COLLATE "C")
  ORDER BY position`;

interface TermRow {
  readonly kind: "word" | "key" | "near";
  readonly term: string;
  readonly events: number;
  readonly is_prefix: boolean;
  readonly is_letter: boolean;
  readonly longer_events: number;
}

/** Beyond it nobody sells tickets. */
const POLAR_LATITUDE = 85;

const CANDIDATES = `
  SELECT g.word AS given, w.word, w.events
  FROM unnest($1::text[], $2::text[]) AS g (word, deletes),
    LATERAL (SELECT word, events FROM search_words
             WHERE deletes && g.deletes::text[] AND events > 0
             LIMIT ${SEARCH_CANDIDATES_MAX}) AS w`;

interface Candidate {
  readonly given: string;
  readonly word: string;
  readonly events: number;
}

/** One word of a search, and what stands for it. */
interface Meaning {
  readonly typed: string;
  readonly isPrefix: boolean;
  readonly isLetter: boolean;
  /** Empty: the word as it was typed. */
  readonly corrected: readonly string[];
  readonly eventsMax: number;
}

/** `known`: how misspelt words were understood on the pages before; null: on the first page. */
export async function readTerms(
  database: Queries,
  filter: SearchFilter,
  known: Corrections | null,
): Promise<SearchTerms> {
  const labels = [
    ["c", filter.category],
    ["t", filter.tag],
    ["p", filter.city],
    ["o", filter.organizationId],
  ].flatMap(([kind, label]) => (label === null ? [] : [`${kind}:${label}`]));
  const degrees = degreesAround(filter);
  if (filter.q === null && labels.length === 0 && degrees === null) {
    return { keys: [], words: null, keyedMax: null, nearMax: null, degrees };
  }
  const { rows } = await database.query<TermRow>({
    name: "search-terms",
    text: TERMS,
    values: [filter.q ?? "", labels, degrees ?? []],
  });
  const keys = rows.filter(({ kind }) => kind === "key");
  const keyedMax = keys.length === 0 ? null : Math.min(...keys.map(({ events }) => events));
  const words = rows.filter(({ kind }) => kind === "word");
  return {
    keys: keys.map(({ term }) => term),
    words: filter.q === null ? null : wordsOf(await meaningsOf(database, words, known)),
    keyedMax,
    degrees: degrees !== null && degrees.length <= SEARCH_DEGREE_KEYS_MAX ? degrees : null,
    nearMax: degrees === null ? null : (rows.find(({ kind }) => kind === "near")?.events ?? 0),
  };
}

/** Of a degree of latitude. */
const KM_PER_DEGREE = 111.1;
/** A circle is taken to be this much larger: arithmetic is not exact on its edge. */
const MARGIN_KM = 0.01;

/** The keys of the degrees that a circle touches; null: there is none, or it is large. */
export function degreesAround({
  near,
  radiusKm,
}: Pick<SearchFilter, "near" | "radiusKm">): string[] | null {
  if (near === null || radiusKm === null) return null;
  const radius = (radiusKm + MARGIN_KM) / KM_PER_DEGREE;
  const [south, north] = [near.lat - radius, near.lat + radius];
  const farthest = Math.max(Math.abs(south), Math.abs(north));
  // Around a pole a circle has every longitude.
  if (farthest > POLAR_LATITUDE) return null;
  const half = radius / Math.cos((farthest * Math.PI) / 180);
  const [west, east] = [Math.floor(near.lng - half), Math.floor(near.lng + half)];
  const latitudes = Math.floor(north) - Math.floor(south) + 1;
  const longitudes = east - west + 1;
  if (longitudes > 360 || latitudes * longitudes > SEARCH_DEGREES_MAX) return null;
  return Array.from({ length: latitudes * longitudes }, (_, n) => {
    const lat = Math.floor(south) + Math.floor(n / longitudes);
    const lng = west + (n % longitudes);
    // 180 east is 180 west, and a degree of its own.
    return `g:${lat}:${((((lng + 180) % 360) + 360) % 360) - 180}`;
  }).concat(east >= 180 || west <= -180 ? eastmost(south, latitudes) : []);
}

/** The meridian at 180 degrees east, where a venue may say so. */
function eastmost(south: number, latitudes: number): string[] {
  return Array.from({ length: latitudes }, (_, n) => `g:${Math.floor(south) + n}:180`);
}

async function meaningsOf(
  database: Queries,
  words: readonly TermRow[],
  known: Corrections | null,
): Promise<Meaning[]> {
  const strange = words.filter((word) =>
    known === null
      ? word.events + word.longer_events === 0 && typosIn(word.term) > 0
      : known.has(word.term),
  );
  const candidates = await candidatesFor(
    database,
    strange.slice(0, SEARCH_CORRECTED_WORDS_MAX).map(({ term }) => term),
  );
  return words.map((word) => {
    const { term: typed, is_prefix: isPrefix, is_letter: isLetter } = word;
    const own = candidates.filter(({ given }) => given === typed);
    const corrected = known === null ? nearest(typed, own) : (known.get(typed) ?? []);
    const counted = own.filter((candidate) => corrected.includes(candidate.word));
    const eventsMax =
      corrected.length > 0
        ? counted.reduce((sum, { events }) => sum + events, 0)
        : word.events + word.longer_events;
    return { typed, isPrefix, isLetter, corrected, eventsMax };
  });
}

/** Letters that may be wrong in a word. */
function typosIn(word: string): number {
  const letters = Array.from(word).length;
  if (letters < 4) return 0;
  return letters < 8 ? 1 : 2;
}

async function candidatesFor(database: Queries, words: readonly string[]): Promise<Candidate[]> {
  if (words.length === 0) return [];
  const deletes = words.map((word) => arrayLiteral(deletesOf(word, typosIn(word))));
  const values = [words, deletes];
  const { rows } = await database.query<Candidate>({
    name: "search-typos",
    text: CANDIDATES,
    values,
  });
  return rows;
}

/** Of the words with the fewest differences those that are in most events. */
function nearest(typed: string, candidates: readonly Candidate[]): string[] {
  const max = typosIn(typed);
  const measured = candidates
    .map((candidate) => ({ ...candidate, distance: editDistance(typed, candidate.word, max) }))
    .filter(({ distance }) => distance <= max);
  const least = Math.min(...measured.map(({ distance }) => distance));
  return measured
    .filter(({ distance }) => distance === least)
    .sort((a, b) => b.events - a.events || (a.word < b.word ? -1 : 1))
    .slice(0, SEARCH_CORRECTIONS_MAX)
    .map(({ word }) => word);
}

function wordsOf(meanings: readonly Meaning[]): SearchTerms["words"] {
  const corrections = meanings.flatMap(({ typed, corrected }) =>
    corrected.length === 0 ? [] : [[typed, corrected] as const],
  );
  const letter = meanings.find(({ isLetter }) => isLetter);
  const others = meanings.filter(({ isLetter }) => !isLetter);
  const loose = others.map(({ typed, isPrefix, corrected }) =>
    corrected.length > 0
      ? `(${corrected.map(lexeme).join("|")})`
      : `${lexeme(typed)}${isPrefix ? ":*" : ""}`,
  );
  return {
    whole: corrections.length > 0 ? null : meanings.map(({ typed }) => lexeme(typed)).join("&"),
    loose: loose.join("&"),
    letter: letter === undefined ? null : `${lexeme(letter.typed)}:*`,
    corrections: new Map(corrections),
    eventsMax: least(others.map(({ eventsMax }) => eventsMax)),
  };
}

const lexeme = (word: string): string => `'${word.replace(/[\\']/g, "\\$&")}'`;

/** Quoted, since NULL is a word, too. */
const arrayLiteral = (words: readonly string[]): string =>
  `{${words.map((word) => `"${word}"`).join(",")}}`;

/** A text without any word is in no event. */
const least = (counts: readonly number[]): number =>
  counts.length === 0 ? 0 : Math.min(...counts);
