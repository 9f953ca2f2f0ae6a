import { isUtf8 } from "node:buffer";
import type { HttpRequest } from "./exchange.ts";
import type { ProblemCode } from "./problem-codes.ts";

export type JsonBody =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: ProblemCode; readonly detail: string };

const JSON_TYPE = /^application\/(?:[\w.!#$&^+-]+\+)?json\s*(?:;|$)/i;

/** A letter as it is, or as its escape `\u00xx`. */
function letterPattern(letter: string): string {
  const hex = letter.charCodeAt(0).toString(16);
  const digits = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  return `(?:${letter}|\\\\u00${digits})`;
}

const lettersPattern = (word: string): string => Array.from(word, letterPattern).join("");

/**
 * A key `__proto__` or `constructor`, however its letters are escaped, followed by its colon: the
 * ways to what all objects share. Inside a string value the quotes would be escaped, so only keys
 * match. (Source: fastify's secure-json-parse.)
 */
const SHARED_KEY = new RegExp(
  `"(?:${lettersPattern("__proto__")}|${lettersPattern("constructor")})"\\s*:`,
);

export type JsonText =
  | { readonly ok: true; readonly value: unknown }
  /** `value`: what was read although it is not accepted; undefined: nothing could be. */
  | { readonly ok: false; readonly detail: string; readonly value?: unknown };

/** An escape that may be half of a character: only then the texts are looked through. */
const DOUBTFUL_ESCAPE = /\\u[dD][89a-fA-F]/;

/** A surrogate without its other half: in Unicode mode whole pairs are one character. */
const HALF_CHARACTER = /\p{Surrogate}/u;

/** Parses JSON. Keys `__proto__` and `constructor`, and half characters in texts, are refused. */
export function parseJsonText(text: string): JsonText {
  if (SHARED_KEY.test(text)) {
    return { ok: false, detail: "The keys __proto__ and constructor are not accepted" };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (DOUBTFUL_ESCAPE.test(text) && !isWellFormed(value)) {
      return { ok: false, detail: "Texts must be made of whole Unicode characters", value };
    }
    return { ok: true, value };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : "not valid JSON" };
  }
}

/** Whether every text in it, keys too, is well-formed: no database keeps another. */
function isWellFormed(value: unknown): boolean {
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === "string" && HALF_CHARACTER.test(next)) return false;
    // A list of what is open, not recursion: depth costs no stack.
    if (typeof next === "object" && next !== null) {
      for (const [key, member] of Object.entries(next)) open.push(key, member);
    }
  }
  return true;
}

const refused = (code: ProblemCode, detail: string): JsonBody => ({ ok: false, code, detail });

/** Reads a body that has to be JSON. */
export function parseJsonBody({ body, contentType }: HttpRequest): JsonBody {
  if (contentType !== "application/json" && !JSON_TYPE.test(contentType)) {
    const given = contentType === "" ? "without a content type" : contentType;
    return refused("unsupported_media_type", `The body must be application/json, not ${given}`);
  }
  if (body.length === 0) return refused("malformed_json", "The body is empty; JSON is needed");
  if (!isUtf8(body)) return refused("malformed_json", "The body is not valid UTF-8");
  const parsed = parseJsonText(body.toString("utf8"));
  return parsed.ok ? parsed : refused("malformed_json", parsed.detail);
}
