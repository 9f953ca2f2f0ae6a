/**
 * One directory of a disk, as the journal uses it. Everything is synchronous: the journal has a
 * thread of its own, and in libuv's pool another task can delay an fdatasync by hundreds of
 * milliseconds.
 *
 * Nothing is durable before `datasync` (a file's bytes and size) or `syncDirectory` (its names)
 * returned. Whatever fails throws; the caller decides whether that ends the process. A simulated
 * disk implements the same interface and loses, tears and reorders what was not yet synced.
 */
export interface Disk {
  /** Names in the directory, in no particular order. */
  list(): string[];
  /** `create` empties a file that exists; `update` and `read` need one that does. */
  open(name: string, mode: OpenMode): DiskFile;
  rename(from: string, to: string): void;
  unlink(name: string): void;
  syncDirectory(): void;
}

/** What is open to `read` can't be changed. */
export type OpenMode = "create" | "update" | "read";

export interface DiskFile {
  size(): number;
  /** Writes all of `bytes`, or throws: a short write is a failed one. */
  write(bytes: Uint8Array, offset: number): void;
  /** Up to `length` bytes; fewer only at the end of the file. */
  read(offset: number, length: number): Buffer;
  truncate(length: number): void;
  datasync(): void;
  close(): void;
}

export class ShortWrite extends Error {
  readonly code = "short_write";
}

/**
 * True when a write failed for want of space, which is no sign of a broken disk. A full disk
 * answers a write that began within its room with a short one.
 */
export function isOutOfRoom(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ENOSPC" || error.code === "EDQUOT" || error instanceof ShortWrite;
}

/** True for the error of a file that is not there. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
