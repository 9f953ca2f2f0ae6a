/**
 * Columns as PostgreSQL array literals, `{1,2,NULL}`: a batch travels as one parameter per column,
 * and unnest makes rows of them. Written here because the driver's own conversion escapes every
 * number.
 */

/** Numbers, booleans, uuids, and whatever else needs no quotes. */
export function plainColumn<Row>(
  rows: readonly Row[],
  pick: (row: Row) => string | number | boolean | null,
): string {
  let text = "{";
  let separator = "";
  for (const row of rows) {
    text += `${separator}${pick(row) ?? "NULL"}`;
    separator = ",";
  }
  return `${text}}`;
}

/**
 * The column, or null where every row's value is null: unnest fills what is missing up with NULLs,
 * so what is rare costs nothing while it does not occur.
 */
export function rareColumn<Row, Value>(
  rows: readonly Row[],
  pick: (row: Row) => Value | null,
  column: (rows: readonly Row[], pick: (row: Row) => Value | null) => string,
): string | null {
  return rows.some((row) => pick(row) !== null) ? column(rows, pick) : null;
}

/** Any text. U+0000, which PostgreSQL cannot store, becomes U+FFFD. */
export function textColumn<Row>(rows: readonly Row[], pick: (row: Row) => string | null): string {
  return plainColumn(rows, (row) => {
    const value = pick(row);
    if (value === null) return null;
    return `"${value.replaceAll("\0", "\uFFFD").replace(/["\\]/g, "\\$&")}"`;
  });
}

export function bytesColumn<Row>(rows: readonly Row[], pick: (row: Row) => Buffer): string {
  return plainColumn(rows, (row) => `"\\\\x${pick(row).toString("hex")}"`);
}

/** Values as JSON. */
export function jsonColumn<Row>(rows: readonly Row[], pick: (row: Row) => unknown): string {
  return textColumn(rows, (row) => jsonText(pick(row)));
}

/** A value as JSON that PostgreSQL can store. */
export function jsonText(value: unknown): string | null {
  if (value === null) return null;
  return JSON.stringify(value, (_, member: unknown) => storable(member));
}

/** Arrays of numbers: each is a literal within the column's. */
export function arraysColumn<Row>(
  rows: readonly Row[],
  pick: (row: Row) => readonly (number | null)[] | null,
): string {
  return plainColumn(rows, (row) => {
    const numbers = pick(row);
    return numbers === null ? null : `"${plainColumn(numbers, (number) => number)}"`;
  });
}

/**
 * Within JSON, U+0000 and half a surrogate pair would be stored as they are, and fail whoever reads
 * any member of the value in SQL.
 */
function storable(value: unknown): unknown {
  if (typeof value !== "string" || !/[\0\ud800-\udfff]/.test(value)) return value;
  return Buffer.from(value.replaceAll("\0", "\uFFFD")).toString();
}
