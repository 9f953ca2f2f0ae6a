/** Copies that are on disk when they are done, and can be read by nobody else. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, constants, copyFile, open, readdir } from "node:fs/promises";
import { join } from "node:path";

export const PRIVATE_FILE = 0o600;
export const PRIVATE_DIRECTORY = 0o700;

/** Copies a file, about as long as it is now, to where there is none: it may grow meanwhile. */
export async function copyFileDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await makePrivate(to);
}

/** Lets nobody else read the file, and syncs it. */
export async function makePrivate(path: string): Promise<void> {
  await chmod(path, PRIVATE_FILE);
  await sync(path);
}

/** Syncs a file, or the names in a directory. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Syncs every directory below `directory`, and itself. */
export async function syncDirectories(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) await sync(join(entry.parentPath, entry.name));
  }
  await sync(directory);
}

export interface FileSum {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export async function sumOf(path: string): Promise<FileSum> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
