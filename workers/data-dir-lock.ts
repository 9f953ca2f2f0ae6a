import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";

/** Another process uses the directory. */
export class DataDirLocked extends Error {
  readonly code = "data_dir_locked";
}

export interface DataDirLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only one that uses `dir`, which must exist. Rejects with DataDirLocked.
 *
 * The lock is a socket that listens under a name made from the directory's real path. The name is
 * not a file: it vanishes with the process, however that ends, and so is never stale. Containers
 * see each other's names only within one network namespace; a volume shared between others needs
 * its own care.
 */
export async function lockDataDir(dir: string): Promise<DataDirLock> {
  const path = socketName(realpathSync(dir));
  // Other systems have no name that dies with its owner: there the operator is the lock.
  if (path === null) return { release: () => Promise.resolve() };
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EADDRINUSE") return reject(cause);
      reject(new DataDirLocked(`${dir} is in use by another process`, { cause }));
    });
    server.listen({ path, exclusive: true }, resolve);
  });
  server.unref();
  return {
    release: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

function socketName(realPath: string): string | null {
  const digest = createHash("sha256").update(realPath).digest("hex").slice(0, 40);
  if (process.platform === "linux") return `\0evently-${digest}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\evently-${digest}`;
  return null;
}
