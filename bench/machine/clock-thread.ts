/** Entry of a thread that looks at the clock: says that it is there, and is told for how long. */
import { parentPort } from "node:worker_threads";
import { watchClock } from "./clock-gaps.ts";

parentPort?.on("message", (seconds: number) => parentPort?.postMessage(watchClock(seconds)));
parentPort?.postMessage("ready");
