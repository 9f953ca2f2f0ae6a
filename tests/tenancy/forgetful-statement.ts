import { escapeLiteral } from "pg";
import type { Statement } from "./statement-log.ts";

/** A condition that compares a column with a parameter, wherever conditions stand. */
const COMPARED = /(\b(?:WHERE|AND|OR|ON)\s+\(?)[\w.]+ (?:=|<=|>) \$\d+(?:::\w+)?/g;

/**
 * The statement of somebody who forgot to say which rows are meant: no row is compared with a
 * parameter any more. null: it never was.
 */
export function forgetful(statement: Statement): Statement | null {
  const { text, values } = statement;
  let forgotten = text;
  // Two conditions in a row share the word between them: what the first pass leaves, others find.
  for (let length = -1; length !== forgotten.length; ) {
    length = forgotten.length;
    forgotten = forgotten.replace(COMPARED, "$1true");
  }
  if (forgotten === text) return null;
  // Literals, since a parameter that is nowhere has no type.
  const literal = (_: string, index: string): string => literalOf(values[Number(index) - 1]);
  return { ...statement, text: forgotten.replace(/\$(\d+)/g, literal), values: [] };
}

function literalOf(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (Buffer.isBuffer(value)) return `'\\x${value.toString("hex")}'`;
  if (value instanceof Date) return escapeLiteral(value.toISOString());
  if (Array.isArray(value)) return escapeLiteral(`{${value.map((one) => JSON.stringify(one))}}`);
  if (typeof value === "object") return escapeLiteral(JSON.stringify(value));
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return escapeLiteral(value);
  throw new Error(`no literal for ${typeof value}`);
}
