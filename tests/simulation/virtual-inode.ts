/** One file of the virtual disk: what the page cache shows, and what the platter has. */
import type { Random } from "../../engine/testing/random.ts";

export const SECTOR_BYTES = 512;
const PAGE_BYTES = 4096;

/** Bytes that grow. */
class Extent {
  size = 0;
  #bytes = Buffer.alloc(0);

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.size);
  }

  /** Also bytes behind the size, if they were ever written. */
  slice(start: number, end: number): Buffer {
    return this.#bytes.subarray(start, end);
  }

  /** Leaves the size as it is: bytes behind it count once it comes after them. */
  write(bytes: Uint8Array, offset: number): void {
    this.#reserve(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  resize(size: number): void {
    this.#reserve(size);
    this.#bytes.fill(0, size);
    this.size = size;
  }

  #reserve(end: number): void {
    if (end <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(end, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/**
 * Invariants:
 *  - a sector in `#dirty` will be written by the next sync; one that is not there won't be, whether
 *    the platter has it or not.
 *  - `#sizes` are the changes of the size that are not synced, in order.
 */
export class VirtualInode {
  readonly #cache = new Extent();
  readonly #platter = new Extent();
  #dirty = new Set<number>();
  #sizes: number[] = [];
  #pages = new Set<number>();

  get size(): number {
    return this.#cache.size;
  }

  get allocatedBytes(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  /** What the cache shows; not a copy. */
  bytes(): Buffer {
    return this.#cache.bytes();
  }

  /** How many of `length` bytes at `offset` can be written with so much room left. */
  roomFor(offset: number, length: number, freeBytes: number): number {
    let left = Math.floor(freeBytes / PAGE_BYTES);
    for (let at = offset; at < offset + length; at = (pageOf(at) + 1) * PAGE_BYTES) {
      if (this.#pages.has(pageOf(at))) continue;
      if (left <= 0) return at - offset;
      left -= 1;
    }
    return length;
  }

  write(bytes: Uint8Array, offset: number, random: Random): void {
    if (bytes.length === 0) return;
    const end = offset + bytes.length;
    for (let sector = sectorOf(offset); sector * SECTOR_BYTES < end; sector += 1) {
      // What is written over may have been on its way to the platter already.
      if (this.#dirty.has(sector) && random.below(2) === 0) this.#flush(sector);
      this.#dirty.add(sector);
    }
    for (let page = pageOf(offset); page * PAGE_BYTES < end; page += 1) this.#pages.add(page);
    this.#cache.write(bytes, offset);
    if (end <= this.size) return;
    this.#cache.size = end;
    this.#sizes.push(end);
  }

  truncate(length: number): void {
    if (length === this.size) return;
    this.#cache.resize(length);
    this.#sizes.push(length);
    this.#forget(length);
  }

  sync(): void {
    for (const size of this.#sizes) this.#platter.resize(size);
    for (const sector of this.#dirty) this.#flush(sector);
    this.#sizes = [];
    this.#dirty.clear();
  }

  /** A sync that did not come to its end: what did not reach the platter is still to be written. */
  syncSome(random: Random): void {
    const sizes = random.below(this.#sizes.length + 1);
    for (const size of this.#sizes.splice(0, sizes)) this.#platter.resize(size);
    // Some, all or none: each is likelier than chance would have it.
    const share = 2 * random.next() - 0.5;
    for (const sector of this.#dirty) if (random.next() < share) this.#flush(sector);
  }

  /** Sectors that did not reach the platter never will, unless they are written again. */
  failSync(random: Random): void {
    this.syncSome(random);
    this.#dirty.clear();
  }

  losePower(random: Random): void {
    this.failSync(random);
    this.#sizes = [];
    this.#cache.resize(0);
    this.#platter.resize(this.#platter.size);
    this.#cache.write(this.#platter.bytes(), 0);
    this.#cache.size = this.#platter.size;
    this.#forget(this.size);
  }

  evict(): void {
    const end = Math.min(this.size, this.#platter.size);
    for (let sector = 0; sector * SECTOR_BYTES < end; sector += 1) {
      if (this.#dirty.has(sector)) continue;
      const start = sector * SECTOR_BYTES;
      this.#cache.write(this.#platter.slice(start, Math.min(end, start + SECTOR_BYTES)), start);
    }
  }

  damage(offset: number, mask: number): void {
    for (const extent of [this.#cache, this.#platter]) {
      if (offset >= extent.size) continue;
      const byte = extent.bytes()[offset] ?? 0;
      extent.write(Uint8Array.of(byte ^ mask), offset);
    }
  }

  /** Bytes behind the platter's size count once the size has come after them, if it ever does. */
  #flush(sector: number): void {
    const start = sector * SECTOR_BYTES;
    const end = Math.min(start + SECTOR_BYTES, this.size);
    if (start < end) this.#platter.write(this.#cache.slice(start, end), start);
  }

  #forget(length: number): void {
    for (const sector of this.#dirty)
      if (sector * SECTOR_BYTES >= length) this.#dirty.delete(sector);
    for (const page of this.#pages) if (page * PAGE_BYTES >= length) this.#pages.delete(page);
  }
}

function sectorOf(offset: number): number {
  return Math.floor(offset / SECTOR_BYTES);
}

function pageOf(offset: number): number {
  return Math.floor(offset / PAGE_BYTES);
}
