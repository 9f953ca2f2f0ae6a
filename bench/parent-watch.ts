const LOOK_MS = 500;

/**
 * Calls `gone` once, when npm has started this process and ended without a word to it. Of a bench
 * that was started without npm nothing is presumed: it may be meant to outlive its shell.
 */
export function watchParent(gone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(looking);
    gone();
  }, LOOK_MS);
  looking.unref();
}
