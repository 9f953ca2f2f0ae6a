import Type from "typebox";
import {
  SEARCH_CORRECTED_WORDS_MAX,
  SEARCH_CORRECTIONS_MAX,
} from "../../../engine/search-limits.ts";
import { parseJsonText } from "../../http/json-body.ts";
import { compileSchema } from "../../http/validation.ts";

/** A misspelt word, and the words that are looked for in its place. */
export type Corrections = ReadonlyMap<string, readonly string[]>;

/**
 * Where a page of a search begins: behind this event. Besides its place in the order it says how
 * misspelt words were understood, so that a word which becomes known meanwhile does not change the
 * list half-way through.
 */
export interface SearchCursor {
  readonly listDigest: string;
  /** Sorted by relevance: 0 fits best. Otherwise null. */
  readonly tier: number | null;
  /** Sorted by distance: as a straight line through a sphere of radius 1. Otherwise null. */
  readonly distance: number | null;
  readonly startsMs: number;
  readonly eventId: string;
  readonly corrections: Corrections;
}

export const TIERS = 4;

const Word = Type.String({ pattern: "^[\\p{L}\\p{M}\\p{N}]{1,40}$" });
const checkCursor = compileSchema(
  Type.Tuple([
    Type.String({ maxLength: 16 }),
    Type.Union([Type.Integer({ minimum: 0, maximum: TIERS - 1 }), Type.Null()]),
    Type.Union([Type.Number({ minimum: 0, maximum: 2.001 }), Type.Null()]),
    Type.Integer({ minimum: -1e15, maximum: 1e15 }),
    Type.String({ maxLength: 36 }),
    Type.Array(
      Type.Tuple([Word, Type.Array(Word, { minItems: 1, maxItems: SEARCH_CORRECTIONS_MAX })]),
      { maxItems: SEARCH_CORRECTED_WORDS_MAX },
    ),
  ]),
);

export function encodeSearchCursor(cursor: SearchCursor): string {
  const { listDigest, tier, distance, startsMs, eventId, corrections } = cursor;
  const parts = [listDigest, tier, distance, startsMs, eventId, [...corrections]];
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** null: not one of ours. */
export function decodeSearchCursor(text: string): SearchCursor | null {
  const json = parseJsonText(Buffer.from(text, "base64url").toString("utf8"));
  const checked = json.ok ? checkCursor(json.value) : json;
  if (!checked.ok) return null;
  const [listDigest, tier, distance, startsMs, eventId, corrections] = checked.value;
  return {
    listDigest,
    tier,
    distance,
    startsMs,
    eventId,
    corrections: new Map(corrections),
  };
}
