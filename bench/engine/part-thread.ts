/** Entry of a thread that measures one part of the engine, and nothing before it. */
import { currentThread } from "../../workers/thread-context.ts";
import type { FromPartThread, ToPartThread } from "./part-runner.ts";
import { ENGINE_PARTS } from "./parts.ts";

const { parent } = currentThread();

parent.on("message", ({ id, part, options }: ToPartThread) => {
  const bench = ENGINE_PARTS.get(part);
  if (bench === undefined) throw new Error(`there is no part "${part}"`);
  const found: FromPartThread = { kind: "found", id, finding: bench(options) };
  parent.postMessage(found);
});
