import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Disk, type DiskFile, type OpenMode, ShortWrite } from "./disk.ts";

const FLAGS: Readonly<Record<OpenMode, string>> = { create: "w+", update: "r+", read: "r" };

/** A directory of the real disk; made if it is not there. */
export class FsDisk implements Disk {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    const made = mkdirSync(directory, { recursive: true });
    // The names of new directories must survive a power failure as much as the files in them.
    for (let path = directory; made !== undefined; path = dirname(path)) {
      syncDirectory(dirname(path));
      if (path === made || path === dirname(path)) break;
    }
  }

  list(): string[] {
    return readdirSync(this.#directory);
  }

  open(name: string, mode: OpenMode): DiskFile {
    return new FsDiskFile(openSync(this.#path(name), FLAGS[mode]));
  }

  rename(from: string, to: string): void {
    renameSync(this.#path(from), this.#path(to));
  }

  unlink(name: string): void {
    unlinkSync(this.#path(name));
  }

  syncDirectory(): void {
    syncDirectory(this.#directory);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

export class FsDiskFile implements DiskFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  size(): number {
    return fstatSync(this.#descriptor).size;
  }

  write(bytes: Uint8Array, offset: number): void {
    const written = writeSync(this.#descriptor, bytes, 0, bytes.length, offset);
    if (written !== bytes.length) {
      throw new ShortWrite(`${written} of ${bytes.length} bytes were written at ${offset}`);
    }
  }

  read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.#descriptor, bytes, filled, length - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  }

  truncate(length: number): void {
    ftruncateSync(this.#descriptor, length);
  }

  datasync(): void {
    fdatasyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
