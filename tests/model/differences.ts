/**
 * Where two plain values differ, as sentences that name the place; []: they are equal. Arrays of
 * bytes are compared by their bytes, whatever their class; a field that is undefined is absent.
 */
export function differences(name: string, actual: unknown, expected: unknown): string[] {
  if (Object.is(actual, expected)) return [];
  if (isList(actual) && isList(expected)) return differencesOfLists(name, actual, expected);
  if (isRecord(actual) && isRecord(expected)) {
    const fields = new Set([...Object.keys(actual), ...Object.keys(expected)]);
    return [...fields].flatMap((field) =>
      differences(`${name}.${field}`, actual[field], expected[field]),
    );
  }
  return [`${name} is ${shown(actual)}, not ${shown(expected)}`];
}

type List = ArrayLike<unknown>;

function differencesOfLists(name: string, actual: List, expected: List): string[] {
  if (actual.length !== expected.length) {
    return [`${name} has ${actual.length} entries, not ${expected.length}`];
  }
  const found: string[] = [];
  for (let at = 0; at < actual.length; at += 1) {
    if (Object.is(actual[at], expected[at])) continue;
    found.push(...differences(`${name}[${at}]`, actual[at], expected[at]));
  }
  return found;
}

function isList(value: unknown): value is List {
  return Array.isArray(value) || value instanceof Uint8Array;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !isList(value);
}

const SHOWN_CHARS_MAX = 300;

/** A value as a sentence can bear it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX)}…`;
}
