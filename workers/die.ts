import { writeSync } from "node:fs";

/**
 * Ends the process at once, from any thread: what memory, journal or page cache say can no longer
 * be trusted, and whatever would still run (answers, projection, a tidy shutdown) could only spread
 * it. The next start recovers from what is durable.
 */
export function die(reason: string, cause?: unknown): never {
  const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? "");
  const line = { level: 60, time: Date.now(), msg: `fatal: ${reason}`, err: detail };
  try {
    writeSync(2, `${JSON.stringify(line)}\n`);
  } finally {
    process.kill(process.pid, "SIGKILL");
  }
  // The signal ends this thread within the call above or shortly after: never go on.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
