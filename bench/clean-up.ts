/** What has to be stopped and removed before this process ends. */
const open: (() => Promise<void>)[] = [];
const ending = new Set<Promise<void>>();

/**
 * Registers how something that was started is ended; returns the way to end it, which works once:
 * whoever comes second waits for the first.
 */
export function endsWith(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | null = null;
  const once = (): Promise<void> => {
    const index = open.indexOf(once);
    if (index >= 0) open.splice(index, 1);
    if (ended === null) {
      const begun = end().finally(() => ending.delete(begun));
      ending.add(begun);
      ended = begun;
    }
    return ended;
  };
  open.push(once);
  return once;
}

/** Ends all that is still there, the last one first, and waits for what is ending already. */
export async function cleanUp(): Promise<void> {
  for (let end = open.at(-1); end !== undefined; end = open.at(-1)) await end();
  await Promise.all(ending);
}
