import { constants, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Disk, DiskFile, OpenMode } from "../disk.ts";
import { FsDiskFile } from "../fs-disk.ts";

/** Something tried to change what is only looked at: a bug. */
export class ReadOnly extends Error {
  readonly code = "read_only";
}

/**
 * A directory of the real disk that is only looked at. Files are opened for reading, so that the
 * operating system itself refuses every write; nothing is made, locked, renamed or removed.
 */
export class ReadOnlyDisk implements Disk {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  list(): string[] {
    return readdirSync(this.#directory);
  }

  open(name: string, mode: OpenMode): DiskFile {
    if (mode === "create") throw new ReadOnly(`${name} is not made`);
    return new FsDiskFile(openSync(join(this.#directory, name), constants.O_RDONLY));
  }

  rename(from: string, to: string): void {
    throw new ReadOnly(`${from} is not renamed to ${to}`);
  }

  unlink(name: string): void {
    throw new ReadOnly(`${name} is not removed`);
  }

  syncDirectory(): void {
    throw new ReadOnly("the directory is not synced");
  }
}
