import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { UsageError } from "./scenario.ts";

/** Throws UsageError for a file that can't be written; leaves what is there as it is. */
export function requireWritable(option: string, path: string | null): void {
  if (path === null) return;
  const isThere = existsSync(path);
  try {
    closeSync(openSync(path, "a"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--${option} can't be written: ${reason}`, { cause: error });
  }
  if (!isThere) rmSync(path);
}
