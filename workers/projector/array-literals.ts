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
