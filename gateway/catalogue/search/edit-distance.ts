/**
 * How many letters differ: left out, put in, replaced, or swapped with the next one (the distance
 * called "optimal string alignment"). Counts up to `max`; beyond, the answer is `max + 1`.
 */
export function editDistance(one: string, other: string, max: number): number {
  const a = Array.from(one);
  const b = Array.from(other);
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    if (Math.min(...row) > max) return max + 1;
    beforeLast = last;
    last = row;
  }
  return Math.min(last[b.length] ?? 0, max + 1);
}

/** The beginning of a word that its variants are made of; as search_deletes in sql/. */
const BEGINNING_LETTERS = 7;

/** The beginning of the word, and what is left of it without one to `max` of its letters. */
export function deletesOf(word: string, max: number): string[] {
  const found = new Set<string>();
  let latest = [Array.from(word).slice(0, BEGINNING_LETTERS).join("")];
  for (let depth = 0; depth <= max; depth += 1) {
    for (const variant of latest) found.add(variant);
    latest = latest.flatMap((variant) => {
      const letters = Array.from(variant);
      return letters.map((_, index) => letters.toSpliced(index, 1).join(""));
    });
  }
  return [...found];
}
