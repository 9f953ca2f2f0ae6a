import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnThread } from "../../workers/spawn-thread.ts";
import { endsWith } from "../clean-up.ts";
import type { Finding } from "./finding.ts";
import type { PartOptions } from "./parts.ts";

/** What a part's thread starts with. */
export interface PartStart {
  readonly part: string;
  readonly options: PartOptions;
}

const THREAD = new URL("./part-thread.ts", import.meta.url);

/**
 * Measures a part in a thread of its own, with a heap of its own and code that is compiled for it
 * alone: behind others it would be slower, by what they have left.
 */
export async function runPart(
  part: string,
  options: Omit<PartOptions, "directory">,
): Promise<Finding> {
  const directory = mkdtempSync(join(tmpdir(), "evently-bench-engine-"));
  const start: PartStart = { part, options: { ...options, directory } };
  const thread = spawnThread(THREAD, start);
  const stop = endsWith(async () => {
    await thread.terminate();
    rmSync(directory, { recursive: true, force: true });
  });
  try {
    return await new Promise<Finding>((resolve, reject) => {
      thread.on("message", resolve);
      thread.on("error", reject);
      thread.on("exit", (code) => reject(new Error(`the thread of "${part}" ended with ${code}`)));
    });
  } finally {
    await stop();
  }
}
