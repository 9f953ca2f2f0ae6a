/**
 * First module of every thread: makes TypeScript loadable, then imports the thread's entry.
 *
 * A thread does not inherit the loader that `--import tsx` gave to the main thread, and its first
 * module must therefore be JavaScript. spawn-thread.ts is the only place that names this file.
 */
import { workerData } from "node:worker_threads";
import { register } from "tsx/esm/api";

register();
await import(workerData.entry);
