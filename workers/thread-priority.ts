import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";

/** Niceness: beside threads at 0 that have work to do, about a tenth of a processor is left. */
const BACKGROUND_NICENESS = 10;

/**
 * From now on the asking thread makes room for those of the same machine on which buyers wait: it
 * does not interrupt them, and where processors are short it gets what they leave.
 *
 * Linux alone has priorities of threads; elsewhere a number of a thread would be some process's,
 * and nothing is done.
 */
export function goToBackground(): void {
  if (process.platform !== "linux") return;
  try {
    // <process>/task/<thread>
    const threadId = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    if (Number.isInteger(threadId)) setPriority(threadId, BACKGROUND_NICENESS);
  } catch {
    // It goes on as it was: a container may not have /proc, or not allow it.
  }
}
