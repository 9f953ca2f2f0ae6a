import { statOf } from "../workers/thread-ticks.ts";

const LOOK_MS = 500;

/**
 * Calls `gone` once, when npm has started this process and ended without a word to it. Of a bench
 * that was started without npm nothing is presumed: it may be meant to outlive its shell.
 */
export function watchParent(gone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const before = starters();
  const looking = setInterval(() => {
    if (starters() === before) return;
    clearInterval(looking);
    gone();
  }, LOOK_MS);
  looking.unref();
}

/** Our parent, and its own where it is but the shell that npm gives its scripts to. */
function starters(): string {
  const parent = statOf(`/proc/${process.ppid}/stat`);
  const isShell = parent?.name.endsWith("sh") === true;
  return isShell ? `${process.ppid} of ${parent?.parent}` : String(process.ppid);
}
