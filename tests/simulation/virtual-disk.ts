/**
 * A disk in memory that does what disks do to those who trust them, from a seed.
 *
 *   write ──► page cache ──datasync──► platter          what a power failure leaves
 *             (a process's death       (sectors of      ───────────────────────────
 *              leaves it alone)         512 bytes)      platter, and of what was not synced:
 *                                                         each sector, or not (torn, reordered,
 *                                                         lost; also a version in between)
 *                                                         the first few changes of the size
 *   create, rename, unlink ──syncDirectory──► names       some directory operations (see below)
 *
 * Names: half of the power failures leave the first few operations, as a file system with a journal
 * would; the others leave any, as POSIX allows: only those on one name keep their order. A missing
 * directory sync between two removals is seen by the second kind alone.
 *
 * A failed datasync is the worst thing that Linux does: EIO, some sectors reached the platter, and
 * the cache calls all of them clean. The next datasync succeeds without writing them, reads show
 * what the platter never got, until `evict` (the kernel drops clean pages when it likes). Names and
 * sizes that a failed sync could not write stay for the next one: a file system either keeps its
 * metadata or shuts down.
 *
 * Room is counted in pages of all files, taken when a page is first written.
 */
import type { Random } from "../../engine/testing/random.ts";
import { type Disk, type DiskFile, type OpenMode, ShortWrite } from "../../workers/journal/disk.ts";
import { VirtualInode } from "./virtual-inode.ts";

/** The process was killed in the middle of a disk operation, or lives no more and asks again. */
export class Crash extends Error {
  readonly code = "crash";
}

type Names = Map<string, VirtualInode>;

/** One operation on the directory, not yet synced. */
interface NameChange {
  readonly names: readonly string[];
  apply(names: Names): void;
}

/**
 * Invariants:
 *  - `#durable` is what the platter knows of the names; `#changes`, in order, lead from there to
 *    `#names`.
 *  - a file handle works for the process that opened it, and only as long as that one lives.
 *  - everything random is drawn from the one Random, in the order of the calls.
 */
export class VirtualDisk implements Disk {
  readonly #random: Random;
  #names: Names = new Map();
  #durable: Names = new Map();
  #changes: NameChange[] = [];
  readonly #handles = new Set<VirtualInode>();
  /** Counts processes; whoever opened a file in an earlier one is dead. */
  #life = 1;
  #isDead = false;
  #operationsLeft = Number.POSITIVE_INFINITY;
  #syncFailures = 0;
  #writeFailures = 0;
  #evictions = 0;
  #capacityBytes = Number.POSITIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  // What the process under test does.

  list(): string[] {
    this.#check(this.#life);
    return [...this.#names.keys()];
  }

  open(name: string, mode: OpenMode): DiskFile {
    this.#check(this.#life);
    if (mode === "create") this.#create(name);
    const inode = this.#find(name);
    if (this.#random.next() < this.#evictions) inode.evict();
    this.#handles.add(inode);
    return this.#handle(inode, this.#life);
  }

  rename(from: string, to: string): void {
    const inode = this.#find(from);
    this.#operation(this.#life, (isCut) => {
      if (isCut && this.#random.below(2) === 0) return;
      this.#change([from, to], (names) => {
        names.delete(from);
        names.set(to, inode);
      });
    });
  }

  unlink(name: string): void {
    this.#find(name);
    this.#operation(this.#life, (isCut) => {
      if (isCut && this.#random.below(2) === 0) return;
      this.#change([name], (names) => names.delete(name));
    });
  }

  syncDirectory(): void {
    this.#operation(this.#life, (isCut) => {
      const fails = this.#random.next() < this.#syncFailures;
      const count = this.#changes.length;
      const kept = isCut || fails ? this.#random.below(count + 1) : count;
      for (const { apply } of this.#changes.splice(0, kept)) apply(this.#durable);
      if (fails) throw failure("EIO", "the directory could not be synced");
    });
  }

  // What the world does to it.

  /** Of the operations that change or sync something, the n-th from now (1: the next) crashes. */
  crashAfter(operations: number): void {
    this.#operationsLeft = operations;
  }

  /** Of every datasync and syncDirectory. */
  failSyncs(probability: number): void {
    this.#syncFailures = probability;
  }

  /** Of every write: EIO or a short one, either after some of the bytes. */
  failWrites(probability: number): void {
    this.#writeFailures = probability;
  }

  /** `evict` happens before a file is opened, with this probability. */
  evictAtRandom(probability: number): void {
    this.#evictions = probability;
  }

  /** Raised and lowered at any time; below what is in use, nothing new finds room. */
  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes;
  }

  /** No fault happens any more, and there is room for everything. */
  heal(): void {
    this.#operationsLeft = Number.POSITIVE_INFINITY;
    this.#syncFailures = 0;
    this.#writeFailures = 0;
    this.#evictions = 0;
    this.#capacityBytes = Number.POSITIVE_INFINITY;
  }

  /** The process died; the machine did not. Everything throws Crash until `restart`. */
  killed(): void {
    this.#isDead = true;
    this.#handles.clear();
  }

  /** The machine lost power, and the process with it. Everything throws Crash until `restart`. */
  powerFailed(): void {
    this.killed();
    for (const { apply } of this.#survivors()) apply(this.#durable);
    this.#changes = [];
    this.#names = new Map(this.#durable);
    for (const inode of new Set(this.#names.values())) inode.losePower(this.#random);
  }

  /** The next process begins. A `crashAfter` that did not happen is over. */
  restart(): void {
    this.#life += 1;
    this.#isDead = false;
    this.#handles.clear();
    this.#operationsLeft = Number.POSITIVE_INFINITY;
  }

  /** The kernel drops clean pages: what a failed datasync lied about shows its true content. */
  evict(): void {
    for (const inode of this.#names.values()) inode.evict();
  }

  /** Flips one bit of the byte, in the cache and on the platter. */
  damage(name: string, offset: number): void {
    this.#find(name).damage(offset, 1 << this.#random.below(8));
  }

  // What the observer sees, whoever is dead.

  /** True once a crash has happened, or the process was ended otherwise, until `restart`. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** Files and their sizes in bytes, as the cache shows them. */
  files(): Map<string, number> {
    return new Map([...this.#names].map(([name, inode]) => [name, inode.size]));
  }

  /** What the cache shows of a file. */
  contentOf(name: string): Buffer {
    return Buffer.from(this.#find(name).bytes());
  }

  /** Bytes that the files take, in whole pages; also those removed but still open. */
  get usedBytes(): number {
    let bytes = 0;
    for (const inode of new Set([...this.#names.values(), ...this.#handles])) {
      bytes += inode.allocatedBytes;
    }
    return bytes;
  }

  #find(name: string): VirtualInode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw failure("ENOENT", `there is no ${name}`);
    return inode;
  }

  #create(name: string): void {
    const isFull = this.usedBytes >= this.#capacityBytes;
    this.#operation(this.#life, (isCut) => {
      if (isCut && this.#random.below(2) === 0) return;
      const known = this.#names.get(name);
      if (known !== undefined) return known.truncate(0);
      // A directory has room for a few more names, or it has not.
      if (isFull && this.#random.below(2) === 0) throw outOfRoom(name);
      const inode = new VirtualInode();
      this.#change([name], (names) => names.set(name, inode));
    });
  }

  #handle(inode: VirtualInode, life: number): DiskFile {
    return {
      size: () => {
        this.#check(life);
        return inode.size;
      },
      read: (offset, length) => {
        this.#check(life);
        return Buffer.from(inode.bytes().subarray(offset, offset + length));
      },
      write: (bytes, offset) =>
        this.#operation(life, (isCut) => this.#write(inode, { bytes, offset, isCut })),
      truncate: (length) =>
        this.#operation(life, (isCut) => {
          if (!isCut || this.#random.below(2) === 0) inode.truncate(length);
        }),
      datasync: () =>
        this.#operation(life, (isCut) => {
          if (isCut) return inode.syncSome(this.#random);
          if (this.#random.next() >= this.#syncFailures) return inode.sync();
          inode.failSync(this.#random);
          throw failure("EIO", "the file could not be synced");
        }),
      // Closing is part of every way out, and says nothing.
      close: () => {
        if (life === this.#life) this.#handles.delete(inode);
      },
    };
  }

  #write(
    inode: VirtualInode,
    { bytes, offset, isCut }: { bytes: Uint8Array; offset: number; isCut: boolean },
  ): void {
    const fails = !isCut && this.#random.next() < this.#writeFailures;
    const asked = isCut || fails ? this.#random.below(bytes.length + 1) : bytes.length;
    const written = inode.roomFor(offset, asked, this.#capacityBytes - this.usedBytes);
    inode.write(bytes.subarray(0, written), offset, this.#random);
    if (isCut) return;
    if (written < asked && written === 0) throw outOfRoom("the file");
    if (fails && this.#random.below(2) === 0) throw failure("EIO", "the file can't be written");
    if (written < bytes.length) {
      throw new ShortWrite(`${written} of ${bytes.length} bytes were written at ${offset}`);
    }
  }

  #change(touched: readonly string[], apply: (names: Names) => void): void {
    apply(this.#names);
    this.#changes.push({ names: touched, apply });
  }

  /** The directory operations that outlive a power failure. */
  #survivors(): NameChange[] {
    if (this.#random.below(2) === 0) {
      return this.#changes.slice(0, this.#random.below(this.#changes.length + 1));
    }
    const lost = new Set<string>();
    const share = this.#random.next();
    return this.#changes.filter(({ names }) => {
      const survives = !names.some((name) => lost.has(name)) && this.#random.next() < share;
      if (!survives) for (const name of names) lost.add(name);
      return survives;
    });
  }

  #check(life: number): void {
    if (this.#isDead || life !== this.#life) throw new Crash("the process is dead");
  }

  /** Does it, or a part of it and crashes. */
  #operation(life: number, act: (isCut: boolean) => void): void {
    this.#check(life);
    this.#operationsLeft -= 1;
    if (this.#operationsLeft > 0) return act(false);
    try {
      act(true);
    } finally {
      this.killed();
    }
    throw new Crash("the process was killed in the middle of an operation");
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

function outOfRoom(name: string): Error {
  return failure("ENOSPC", `no space left for ${name}`);
}
