import { spawnThread } from "../../workers/spawn-thread.ts";
import { ThreadLink } from "../../workers/thread-link.ts";
import { endsWith } from "../clean-up.ts";
import type { Finding } from "./finding.ts";
import type { PartOptions } from "./parts.ts";

export interface ToPartThread {
  readonly id: number;
  readonly part: string;
  readonly options: PartOptions;
}
export interface FromPartThread {
  readonly kind: "found";
  readonly id: number;
  readonly finding: Finding;
}

const THREAD = new URL("./part-thread.ts", import.meta.url);

/**
 * Measures a part in a thread of its own, with a heap of its own and code that is compiled for it
 * alone: behind others it would be half as fast, by what they have left.
 */
export async function runPart(part: string, options: PartOptions): Promise<Finding> {
  const thread = new ThreadLink<ToPartThread, FromPartThread>(spawnThread(THREAD, {}));
  const stop = endsWith(() => thread.terminate());
  try {
    const { finding } = await thread.ask("found", (id) => ({ id, part, options }));
    return finding;
  } finally {
    await stop();
  }
}
