import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, beforeEach, type TestContext, test } from "node:test";
import { Client } from "pg";
import { Random } from "../../engine/testing/random.ts";
import { createTestDatabase } from "../../tests/support/database.ts";
import {
  entry as anyEntry,
  brokenDisk,
  contentOf,
  InterceptedDisk,
  JournalBuilder,
  NO_BASE,
  openJournal,
  placesOf,
  temporaryDirectory,
  writeSegment,
} from "../../tests/support/journal-fixture.ts";
import { acquireAt, logPorts } from "../../tests/support/log-fixture.ts";
import type { OwnedShard } from "../store/shard-table.ts";
import type { Disk } from "./disk.ts";
import type { FrameJournal, OpenedJournal } from "./frame-journal.ts";
import { FsDisk } from "./fs-disk.ts";
import { emptyFileJournal, emptyOperationLog } from "./other-journal.ts";
import { PgJournal } from "./pg-journal.ts";
import { PgJournalSource } from "./pg-journal-source.ts";
import { PgOperationLog } from "./pg-operation-log.ts";

type Mode = "journal" | "postgres";

const RUNS = 10;
const STEPS = 25;
const SHARDS_MAX = 4;

const database = await createTestDatabase();
const observer = new Client({ connectionString: database.url });
await observer.connect();
after(async () => {
  await observer.end();
  await database.drop();
});
beforeEach(async () => {
  await observer.query("TRUNCATE shards, operation_log, operation_log_ends");
});

/** One data directory and one database, and the nodes that start on them. */
class Place {
  readonly directory: string;
  readonly #test: TestContext;
  /** What PostgreSQL has. */
  readonly projected = new Map<number, number>();
  owned: OwnedShard[] = [];
  #deaths: readonly Error[] = [];

  constructor(t: TestContext) {
    this.directory = temporaryDirectory(t);
    this.#test = t;
  }

  async start(mode: Mode, shardCount = 1): Promise<OpenedJournal> {
    this.owned = await acquireAt(database.url, shardCount, [...this.projected]);
    return mode === "journal" ? this.#startFiles() : this.#startLog();
  }

  async #startFiles(): Promise<OpenedJournal> {
    const log = new PgOperationLog(database.url);
    try {
      await emptyOperationLog(log, this.owned);
    } finally {
      await log.close();
    }
    const watermarks = new Map(this.owned.map(({ shard, appliedLsn }) => [shard, appliedLsn]));
    return openJournal(this.directory, { watermarks });
  }

  async #startLog(): Promise<OpenedJournal> {
    const openDisk = (): Disk => new FsDisk(this.directory);
    const ports = logPorts(database.url);
    this.#deaths = ports.deaths;
    const source = new PgJournalSource({ ...ports, openDisk });
    try {
      const opened = await source.open(this.owned);
      this.#test.after(() => {
        opened.journal.close();
        return source.release();
      });
      return opened;
    } catch (error) {
      await source.release();
      throw error;
    }
  }

  entry(shard: number, lsn: number): Buffer {
    const bytes = anyEntry(shard, lsn, 500);
    bytes.writeDoubleLE(this.owned[shard]?.epoch ?? 0, 16);
    return bytes;
  }

  async append(journal: FrameJournal, shard: number, lsn: number): Promise<void> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    assert(journal.append([this.entry(shard, lsn)], done));
    while (!isDone) {
      assert.deepEqual(this.#deaths, []);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  segments(): string[] {
    return [...contentOf(this.directory).keys()].filter((name) => !name.endsWith(".broken"));
  }

  async rows(): Promise<number> {
    return (await observer.query("SELECT FROM operation_log")).rows.length;
  }
}

async function close(journal: FrameJournal): Promise<void> {
  journal.close();
  if (journal instanceof PgJournal) await journal.closed;
}

for (const [mode, other] of [
  ["journal", "postgres"],
  ["postgres", "journal"],
] as const) {
  test(`a start with ACK_MODE=${other} refuses what ${mode} has not projected`, async (t) => {
    const place = new Place(t);
    const { journal } = await place.start(mode);
    await place.append(journal, 0, 1);
    await place.append(journal, 0, 2);
    place.projected.set(0, 1);
    for (let tries = 0; tries < 2; tries += 1) {
      await assert.rejects(place.start(other), {
        code: "journal_other_in_use",
        message: new RegExp(`holds 1 entries .* start once with ACK_MODE=${mode},`),
      });
    }
    const { recovered } = await place.start(mode);
    assert.deepEqual(placesOf(recovered), [[0, 2]]);
  });

  test(`a start with ACK_MODE=${other} empties what ${mode} left projected`, async (t) => {
    const place = new Place(t);
    const { journal } = await place.start(mode);
    await place.append(journal, 0, 1);
    place.projected.set(0, 1);
    const next = await place.start(other);
    assert.equal(next.report.verdict, "empty");
    assert.deepEqual([...next.journal.last], [[0, 1]]);
    if (other === "journal") assert.equal(await place.rows(), 0);
    else assert.deepEqual(place.segments(), []);
    await place.append(next.journal, 0, 2);
    place.projected.set(0, 2);
    const back = await place.start(mode);
    assert.equal(back.report.verdict, "empty");
    assert.deepEqual([...back.journal.last], [[0, 2]]);
  });
}

test("a torn tail of the files is nothing that PostgreSQL lacks, and is kept as a copy", async (t) => {
  const place = new Place(t);
  const builder = new JournalBuilder();
  const frames = [NO_BASE, { entries: [anyEntry(0, 1)] }, { entries: [anyEntry(0, 2)] }];
  const bytes = builder.segment(1, frames);
  writeSegment(place.directory, 1, bytes.fill(0, (builder.offsets.at(-1) ?? 0) - 5));
  place.projected.set(0, 1);
  await place.start("postgres");
  assert.deepEqual(place.segments(), []);
  assert.equal(contentOf(place.directory).size, 1);
});

test("files that are damaged are refused as they are by their own journal", async (t) => {
  const place = new Place(t);
  const bytes = new JournalBuilder().segment(1, [NO_BASE, { entries: [anyEntry(0, 1)] }]);
  bytes[4_100] = (bytes[4_100] ?? 0) ^ 1;
  writeSegment(place.directory, 1, bytes);
  const before = contentOf(place.directory);
  place.projected.set(0, 1);
  await assert.rejects(place.start("postgres"), { code: "journal_frame_after_bad" });
  assert.deepEqual(contentOf(place.directory), before);
});

test("files that are emptied are whole for either mode after a crash at any step", async (t) => {
  const steps = await cutShortAt(Number.POSITIVE_INFINITY);
  assert(steps >= 6);
  for (let step = 1; step <= steps; step += 1) await cutShortAt(step);

  async function cutShortAt(step: number): Promise<number> {
    const owned = [{ shard: 0, epoch: 1, appliedLsn: 16 }];
    const watermarks = new Map([[0, 16]]);
    const fill = (): string => {
      const directory = temporaryDirectory(t);
      const { journal } = openJournal(directory);
      for (let lsn = 1; lsn <= 16; lsn += 1) {
        journal.append([anyEntry(0, lsn, 2_000)], () => undefined);
      }
      return directory;
    };
    let calls = 0;
    const cut = (directory: string): void => {
      const disk = new InterceptedDisk(new FsDisk(directory), () => {
        calls += 1;
        if (calls === step) throw brokenDisk();
      });
      if (step === Number.POSITIVE_INFINITY) emptyFileJournal(disk, owned);
      else assert.throws(() => emptyFileJournal(disk, owned), { code: "EIO" });
    };
    const directory = fill();
    cut(directory);
    assert.deepEqual(openJournal(directory, { watermarks }).recovered, []);
    rmSync(directory, { recursive: true });
    calls = 0;
    const other = fill();
    cut(other);
    emptyFileJournal(new FsDisk(other), owned);
    assert.deepEqual([...contentOf(other).keys()], []);
    return calls;
  }
});

for (let seed = 1; seed <= RUNS; seed += 1) {
  test(`modes and numbers of shards that change lose nothing (SEED=${seed})`, async (t) => {
    await changeAtRandom(new Place(t), new Random(seed));
  });
}

async function changeAtRandom(place: Place, random: Random): Promise<void> {
  const durable = new Map<number, number>();
  /** The mode that has entries which PostgreSQL lacks. */
  let holder: Mode | null = null;
  const beyond = (): [number, number][] =>
    [...durable]
      .sort(([a], [b]) => a - b)
      .flatMap(([shard, last]) => {
        const from = place.projected.get(shard) ?? 0;
        return Array.from({ length: last - from }, (_, n): [number, number] => [
          shard,
          from + n + 1,
        ]);
      });
  for (let step = 0; step < STEPS; step += 1) {
    const mode = random.pick<Mode>(["journal", "postgres"]);
    const shardCount = 1 + random.below(SHARDS_MAX);
    if (holder !== null && holder !== mode) {
      await assert.rejects(place.start(mode, shardCount), { code: "journal_other_in_use" });
      continue;
    }
    const { journal, recovered } = await place.start(mode, shardCount);
    assert.deepEqual(
      placesOf(recovered).sort(([a], [b]) => a - b),
      beyond(),
    );
    for (let count = random.below(12); count > 0; count -= 1) {
      const shard = random.below(shardCount);
      const lsn = (durable.get(shard) ?? 0) + 1;
      await place.append(journal, shard, lsn);
      durable.set(shard, lsn);
    }
    const isAll = random.below(2) === 0;
    for (const [shard, last] of durable) {
      const from = place.projected.get(shard) ?? 0;
      place.projected.set(shard, isAll ? last : from + random.below(last - from + 1));
    }
    if (random.below(2) === 0) journal.retire([...place.projected]);
    if (random.below(2) === 0) await close(journal);
    holder = beyond().length > 0 ? mode : null;
  }
}
