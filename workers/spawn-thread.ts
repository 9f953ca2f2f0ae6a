import { type Transferable, Worker } from "node:worker_threads";

/** What `workerData` is in a thread: its entry reads `data`. */
export interface ThreadData {
  /** URL of the TypeScript module to run; thread.mjs imports it. */
  readonly entry: string;
  readonly data: object;
}

export interface SpawnThreadOptions {
  /** Shown by debuggers and in the names of threads. Default: the entry's file name. */
  readonly name?: string;
  /** Ports and buffers within the data that move to the thread instead of being copied. */
  readonly transferList?: readonly Transferable[];
}

const BOOTSTRAP = new URL("./thread.mjs", import.meta.url);

/**
 * Starts a thread on a TypeScript entry. An exception that nobody caught arrives as `error` on the
 * worker, and whoever spawned it must listen: a thread that is gone is never a detail.
 */
export function spawnThread(entry: URL, data: object, options: SpawnThreadOptions = {}): Worker {
  const workerData: ThreadData = { entry: entry.href, data };
  const name = options.name ?? entry.pathname.slice(entry.pathname.lastIndexOf("/") + 1, -3);
  return new Worker(BOOTSTRAP, {
    workerData,
    name,
    transferList: [...(options.transferList ?? [])],
    // Of what the main thread was started with: `--import tsx` would load the loader a second time,
    // but who asks for profiles wants those of the threads that do the work.
    execArgv: process.execArgv.filter((option) => option.startsWith("--cpu-prof")),
  });
}
