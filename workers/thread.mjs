/**
 * First module of every thread: JavaScript, which every thread can load. It loads the thread's
 * entry. spawn-thread.ts is the only place that names this file.
 */
import { workerData } from "node:worker_threads";
import { loadModule } from "./load-module.mjs";

await loadModule(workerData.entry);
