/** Entry of a thread that measures one part of the engine, and nothing before it. */
import { currentThread, threadData } from "../../workers/thread-context.ts";
import type { PartStart } from "./part-runner.ts";
import { ENGINE_PARTS } from "./parts.ts";

const { part, options } = threadData<PartStart>();
const bench = ENGINE_PARTS.get(part);
if (bench === undefined) throw new Error(`there is no part "${part}"`);
currentThread().parent.postMessage(bench(options));
