/**
 * Loaded first by every thread of a server that the bench starts: gives the thread a name that the
 * system shows, so that its time can be told from the others'. Linux only; elsewhere it does
 * nothing. The server itself knows nothing of it.
 */
import { existsSync, writeFileSync } from "node:fs";
import { isMainThread, threadId, workerData } from "node:worker_threads";

const OWN_NAME = "/proc/thread-self/comm";
/** Longer ones are cut off by the system. */
const CHARS_MAX = 15;

function nameOfThread() {
  if (isMainThread) return "gateway";
  const role = /([a-z-]+)-thread\.(?:ts|js)$/.exec(workerData?.entry ?? "")?.[1];
  if (role === undefined) return `worker ${threadId}`;
  const { worker } = workerData.data ?? {};
  return typeof worker === "number" ? `${role} ${worker}` : role;
}

if (existsSync(OWN_NAME)) writeFileSync(OWN_NAME, nameOfThread().slice(0, CHARS_MAX));
