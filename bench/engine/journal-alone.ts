import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Disk, DiskFile, OpenMode } from "../../workers/journal/disk.ts";
import { EntryWriter, forEachEntry } from "../../workers/journal/entry.ts";
import { FileJournal } from "../../workers/journal/file-journal.ts";
import { FsDisk } from "../../workers/journal/fs-disk.ts";
import { readJournal } from "../../workers/journal/recovery.ts";
import { SALT_BYTES } from "../../workers/journal/segment.ts";
import { InlineSegmentSupply, type SegmentSupply } from "../../workers/journal/segment-supply.ts";
import { check } from "../report/checking.ts";
import { factsOf } from "./event-run.ts";
import { type Finding, quantile } from "./finding.ts";
import { planSale } from "./sale-plan.ts";

const BATCHES = [1, 64, 512];
const SEATS = 2_000;
const SHARD = 0;
/** Disk that one measurement may fill. */
const BYTES_MAX = 160 * 1024 * 1024;
const SEGMENT_BYTES = 32 * 1024 * 1024;

export interface JournalBenchOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly directory: string;
}

/** The journal without anything around it. */
export function benchJournal(options: JournalBenchOptions): Finding {
  const found = [true, false].flatMap((isSynced) =>
    BATCHES.map((batch) => measure({ ...options, batch, isSynced })),
  );
  return {
    figures: found.flatMap(({ figures }) => figures),
    checks: found.flatMap(({ checks }) => checks),
  };
}

interface Measured extends JournalBenchOptions {
  readonly batch: number;
  readonly isSynced: boolean;
}

/** Each has a directory of its own, which is gone before the next one begins. */
function measure(options: Measured): Finding {
  const directory = mkdtempSync(join(options.directory, "journal-"));
  const finding = measureIn({ ...options, directory });
  rmSync(directory, { recursive: true });
  return finding;
}

function measureIn({ directory, batch, isSynced, seconds, seed }: Measured): Finding {
  const real = new FsDisk(directory);
  const disk = isSynced ? real : new UnsyncedDisk(real);
  const randomSalt = (): Uint8Array => randomBytes(SALT_BYTES);
  const supply = new LaterSupply(new InlineSegmentSupply(real, randomSalt, SEGMENT_BYTES));
  const { journal } = FileJournal.open(
    {
      disk,
      supply,
      randomSalt,
      die: (reason, cause) => {
        throw new Error(reason, { cause });
      },
      nowMs: () => performance.now(),
    },
    new Map([[SHARD, 0]]),
  );
  supply.work();
  const writer = new BatchWriter(batch, seed);
  const timesMs: number[] = [];
  let [bytes, totalMs] = [0, 0];
  while (totalMs < seconds * 1_000 && bytes < BYTES_MAX) {
    const entries = writer.next();
    const startMs = performance.now();
    const isTaken = journal.append([entries], () => undefined);
    const tookMs = performance.now() - startMs;
    if (!isTaken) throw new Error("the journal has no room");
    supply.work();
    timesMs.push(tookMs);
    totalMs += tookMs;
    bytes += entries.length;
  }
  const { fsyncs } = journal.status();
  journal.close();
  const { recovered } = readJournal(real, new Map([[SHARD, 0]]));
  const written = timesMs.length * batch;
  const sorted = Float64Array.from(timesMs).sort();
  const rate = (timesMs.length * 1_000) / totalMs;
  const name = `journal, ${batch} facts a frame, ${isSynced ? "synced" : "without fdatasync"}`;
  let read = 0;
  for (const { buffer, byteOffset, byteLength } of recovered) {
    forEachEntry(Buffer.from(buffer, byteOffset, byteLength), () => {
      read += 1;
    });
  }
  const isAll = read === written && fsyncs >= timesMs.length;
  return {
    figures: [
      { name, value: rate * batch, unit: "facts a second" },
      { name: `${name}, p50`, value: quantile(sorted, 0.5) * 1_000, unit: "µs a frame" },
      { name: `${name}, p99`, value: quantile(sorted, 0.99) * 1_000, unit: "µs a frame" },
    ],
    checks: [
      check(`${name}: all that was written is read again`, isAll, `${read} of ${written} entries`),
    ],
  };
}

/** Batches of real facts, one lsn after the other. */
class BatchWriter {
  readonly #writer = new EntryWriter();
  readonly #batch: number;
  readonly #sale: ReturnType<typeof factsOf>["facts"];
  readonly #eventId;
  #lsn = 0;

  constructor(batch: number, seed: number) {
    const { definition, commands } = planSale({ seats: SEATS, floor: 0 }, seed);
    this.#batch = batch;
    // The definition of the event is no fact of every day.
    this.#sale = factsOf(definition, commands).facts.slice(1);
    this.#eventId = definition.eventId;
  }

  next(): Uint8Array {
    for (let n = 0; n < this.#batch; n += 1) {
      const fact = this.#sale[this.#lsn % this.#sale.length];
      if (fact === undefined) throw new Error("a sale has facts");
      this.#lsn += 1;
      const header = { shard: SHARD, lsn: this.#lsn, epoch: 1, atMs: fact.atMs };
      this.#writer.write(header, this.#eventId, fact);
    }
    return this.#writer.take();
  }
}

/** Prepares segments between two appends, as its own thread would beside them. */
class LaterSupply implements SegmentSupply {
  readonly #supply: SegmentSupply;
  #prepare: (() => void) | null = null;

  constructor(supply: SegmentSupply) {
    this.#supply = supply;
  }

  prepare(...asked: Parameters<SegmentSupply["prepare"]>): void {
    this.#prepare = () => this.#supply.prepare(...asked);
  }

  work(): void {
    const prepare = this.#prepare;
    this.#prepare = null;
    prepare?.();
  }

  discard(sequences: readonly number[]): void {
    this.#supply.discard(sequences);
  }

  close(): void {
    this.#supply.close();
  }
}

/** A disk whose files are not synced: what the journal costs beside its waiting for the disk. */
class UnsyncedDisk implements Disk {
  readonly #disk: Disk;
  constructor(disk: Disk) {
    this.#disk = disk;
  }
  list(): string[] {
    return this.#disk.list();
  }
  open(name: string, mode: OpenMode): DiskFile {
    const file = this.#disk.open(name, mode);
    return {
      size: () => file.size(),
      write: (bytes, offset) => file.write(bytes, offset),
      read: (offset, length) => file.read(offset, length),
      truncate: (length) => file.truncate(length),
      datasync: () => undefined,
      close: () => file.close(),
    };
  }
  rename(from: string, to: string): void {
    this.#disk.rename(from, to);
  }
  unlink(name: string): void {
    this.#disk.unlink(name);
  }
  syncDirectory(): void {
    this.#disk.syncDirectory();
  }
}
