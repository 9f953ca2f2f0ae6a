/**
 * The journal alone, on a disk that fails in every way it can: lives that end in crashes, power
 * failures, failed syncs and writes, and full disks, one after the other on what the last one left.
 *
 * What must hold after each start: every acknowledged entry is there, each once and in order, and
 * the journal never refuses to start except for want of room. On failure a test's name shows its
 * seed: set SEED to it to run that one again, SEEDS to a number to run so many.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../engine/testing/random.ts";
import { FileJournal } from "../../workers/journal/file-journal.ts";
import { JournalLoop, type WorkerLink } from "../../workers/journal/journal-loop.ts";
import type { AppendMessage } from "../../workers/journal/journal-port.ts";
import { emptyFileJournal } from "../../workers/journal/other-journal.ts";
import { JournalNoRoom } from "../../workers/journal/recovery-errors.ts";
import { SALT_BYTES } from "../../workers/journal/segment.ts";
import {
  InlineSegmentSupply,
  type SegmentSupply,
  type SupplyOutcome,
} from "../../workers/journal/segment-supply.ts";
import { Died, entry, placesOf, SMALL_SEGMENT_BYTES } from "../support/journal-fixture.ts";
import { Crash, VirtualDisk } from "./virtual-disk.ts";

const SHARDS = [0, 1, 2];
const LIVES = 12;
const SEEDS = 300;
const SEEDS_PER_TEST = 100;
/** Appends; each takes up to 5 KB, most of them a tenth of that. */
const IN_FLIGHT_MAX = 3;

type Lsns = Map<number, number>;

/**
 * The world around one journal.
 *
 * Invariant: projected ≤ acked ≤ durable, for every shard, as far as each is known.
 */
class World {
  readonly random: Random;
  readonly disk: VirtualDisk;
  /** What was acknowledged, in this life or an earlier one. */
  readonly acked: Lsns = zeros();
  /** What the database has. */
  readonly projected: Lsns = zeros();
  readonly counts = new Map<string, number>();

  constructor(seed: number) {
    this.random = new Random(seed);
    this.disk = new VirtualDisk(this.random);
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** From a start to an end of whatever kind. */
  live(): void {
    const { disk, random } = this;
    disk.restart();
    if (this.chance(0.15)) disk.crashAfter(1 + random.below(40));
    else if (this.chance(0.8)) disk.crashAfter(40 + random.below(500));
    disk.failSyncs(this.chance(0.4) ? 0.03 : 0);
    disk.failWrites(this.chance(0.1) ? 0.01 : 0);
    disk.evictAtRandom(this.chance(0.5) ? 0.5 : 0);
    this.#resize();
    try {
      const life = this.start();
      life.run(random.below(60));
      if (this.chance(0.3)) return this.#close(life);
      this.count("killed");
    } catch (error) {
      this.explain(error);
    }
    if (this.chance(0.6)) disk.powerFailed();
    else disk.killed();
    if (this.chance(0.3)) disk.evict();
  }

  #resize(): void {
    const { disk, random } = this;
    const roomy = disk.usedBytes + 40 * SMALL_SEGMENT_BYTES;
    const tight = disk.usedBytes + random.below(3 * SMALL_SEGMENT_BYTES);
    disk.setCapacity(this.chance(0.2) ? tight : roomy);
  }

  start(): Life {
    const { disk, random } = this;
    const bytes = SMALL_SEGMENT_BYTES;
    const randomSalt = (): Buffer => {
      return Buffer.from(Array.from({ length: SALT_BYTES }, () => random.below(256)));
    };
    const supply = new LateSupply(new InlineSegmentSupply(disk, randomSalt, bytes));
    const { journal, recovered, report } = FileJournal.open(
      {
        disk,
        supply,
        randomSalt,
        die: (reason, cause) => {
          throw new Died(reason, { cause });
        },
        nowMs: () => 0,
        starterBytes: bytes,
      },
      this.projected,
    );
    this.count(report.verdict);
    const last = new Map(journal.last);
    for (const [shard, lsn] of this.acked) {
      const found = last.get(shard) ?? 0;
      assert.ok(found >= lsn, `shard ${shard}: ${lsn} was acknowledged, ${found} is there`);
    }
    const seen = new Map(this.projected);
    for (const [shard, lsn] of placesOf(recovered)) {
      assert.equal(lsn, (seen.get(shard) ?? 0) + 1, "what is recovered follows what is projected");
      seen.set(shard, lsn);
    }
    for (const [shard, lsn] of last) {
      assert.equal(seen.get(shard), lsn, "all that is durable and not projected is recovered");
      this.acked.set(shard, lsn);
    }
    return new Life(this, { loop: new JournalLoop(journal, recovered), supply, last });
  }

  #close(life: Life): void {
    const isDrained = this.chance(0.7);
    if (isDrained) life.drain();
    life.close();
    this.count("closed");
    const isProjected = [...this.acked].every(([shard, lsn]) => this.projected.get(shard) === lsn);
    // Another journal takes its turn; this one left nothing that could speak against it.
    if (isDrained && isProjected && this.chance(0.5)) {
      this.count("another's turn");
      for (const [shard, lsn] of this.projected) {
        this.projected.set(shard, lsn + 5);
        this.acked.set(shard, lsn + 5);
      }
    }
    if (this.chance(0.5)) this.disk.powerFailed();
    else this.disk.killed();
  }

  /** Throws, unless it was the disk that ended the life. */
  explain(error: unknown): void {
    if (error instanceof JournalNoRoom) return this.count("no room");
    const cause = error instanceof Died ? error.cause : error;
    if (cause instanceof Crash) return this.count("crashed");
    if (!(cause instanceof Error) || !("code" in cause)) throw cause;
    if (cause.code !== "EIO" && cause.code !== "short_write") throw cause;
    this.count(String(cause.code));
  }
}

interface LifeParts {
  readonly loop: JournalLoop;
  readonly supply: LateSupply;
  readonly last: Lsns;
}

/** Does its work when told to, as the thread that it stands for gets to it at some time. */
class LateSupply implements SegmentSupply {
  readonly #supply: SegmentSupply;
  #due: (() => void)[] = [];

  constructor(supply: SegmentSupply) {
    this.#supply = supply;
  }

  prepare(sequence: number, done: (outcome: SupplyOutcome) => void): void {
    this.#due.push(() => this.#supply.prepare(sequence, done));
  }

  discard(sequences: readonly number[]): void {
    this.#due.push(() => this.#supply.discard(sequences));
  }

  work(): void {
    for (let task = this.#due.shift(); task !== undefined; task = this.#due.shift()) task();
  }

  close(): void {
    this.work();
  }
}

/** A loop with a worker that appends at random, and a projector that gets behind. */
class Life {
  readonly #world: World;
  readonly #loop: JournalLoop;
  readonly #supply: LateSupply;
  readonly #next: Lsns;
  readonly #inbox: AppendMessage[] = [];
  readonly #tickets = new Map<number, Lsns>();
  readonly #unprojected: [shard: number, lsn: number][] = [];
  #ticket = 0;

  constructor(world: World, { loop, supply, last }: LifeParts) {
    this.#world = world;
    this.#loop = loop;
    this.#supply = supply;
    this.#next = new Map(last);
    loop.connectProjector({
      post: ({ entries }) => this.#unprojected.push(...placesOf([new Uint8Array(entries)])),
    });
    const link: WorkerLink = {
      take: () => this.#inbox.shift() ?? null,
      post: (message) => {
        if (message.kind === "durable") this.#acknowledge(message.ticket);
      },
    };
    loop.connect(link);
  }

  run(rounds: number): void {
    const { random } = this.#world;
    for (let round = 0; round < rounds; round += 1) {
      // What waits must fit into a segment, as everything in flight does in production.
      const appends = Math.min(random.below(4), IN_FLIGHT_MAX - this.#tickets.size);
      for (let index = 0; index < appends; index += 1) this.#append();
      if (this.#world.chance(0.4)) this.#supply.work();
      this.#loop.run();
      if (this.#world.chance(0.3)) this.project(1 + random.below(1 + this.#unprojected.length));
      if (this.#world.chance(0.1)) this.#loop.tick();
    }
  }

  /** The database gets the first so many of what it lacks; the journal may hear of it. */
  project(count: number): void {
    const { projected } = this.#world;
    for (const [shard, lsn] of this.#unprojected.splice(0, count)) {
      assert.equal(lsn, (projected.get(shard) ?? 0) + 1, "the projector gets each once, in order");
      projected.set(shard, lsn);
    }
    if (this.#world.chance(0.9)) this.#loop.retire([...projected]);
  }

  /** The database gets all that is durable, and the journal hears of it. */
  drain(): void {
    this.project(Number.POSITIVE_INFINITY);
    this.#loop.retire([...this.#world.projected]);
  }

  close(): void {
    this.#loop.close();
  }

  #append(): void {
    const { random } = this.#world;
    const lsns: Lsns = new Map();
    const entries: Buffer[] = [];
    for (let count = 1 + random.below(3); count > 0; count -= 1) {
      const shard = random.pick(SHARDS);
      const lsn = (this.#next.get(shard) ?? 0) + 1;
      this.#next.set(shard, lsn);
      lsns.set(shard, lsn);
      entries.push(entry(shard, lsn, random.below(this.#world.chance(0.1) ? 1_500 : 200)));
    }
    this.#ticket += 1;
    this.#tickets.set(this.#ticket, lsns);
    const bytes = Uint8Array.from(Buffer.concat(entries));
    this.#inbox.push({ kind: "append", ticket: this.#ticket, entries: bytes.buffer });
  }

  #acknowledge(durable: number): void {
    for (const [ticket, lsns] of this.#tickets) {
      if (ticket > durable) return;
      this.#tickets.delete(ticket);
      for (const [shard, lsn] of lsns) this.#world.acked.set(shard, lsn);
    }
  }
}

function zeros(): Lsns {
  return new Map(SHARDS.map((shard) => [shard, 0]));
}

/** A failure names its seed. */
function inWorld(seed: number, act: (world: World) => void): World {
  const world = new World(seed);
  try {
    act(world);
    return world;
  } catch (cause) {
    const what = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    throw new Error(`SEED=${seed} npm test -- journal-on-disk\n${what}`, { cause });
  }
}

function liveAll(world: World): void {
  for (let life = 0; life < LIVES; life += 1) world.live();
}

/** Starts that are cut short, one upon the other, on nothing or on a last frame that never was. */
function startOver(world: World): void {
  const { disk, random } = world;
  const attempt = (act: () => void): void => {
    disk.restart();
    try {
      act();
    } catch (error) {
      world.explain(error);
    }
    if (world.chance(0.3)) disk.powerFailed();
    else disk.killed();
    disk.heal();
  };
  if (world.chance(0.5)) {
    attempt(() => {
      const life = world.start();
      life.run(10);
      disk.failSyncs(1);
      life.run(10);
    });
  }
  for (let tries = 0; tries < 4; tries += 1) {
    disk.evictAtRandom(world.chance(0.5) ? 0.5 : 0);
    attempt(() => {
      disk.crashAfter(1 + random.below(20));
      world.start().run(2);
    });
  }
  disk.restart();
  world.start();
}

/** The other journal takes its turn, after starts of it that were cut short. */
function takeTurns(world: World): void {
  const { disk, random, projected, acked } = world;
  disk.restart();
  const life = world.start();
  life.run(20);
  life.drain();
  disk.killed();
  const empty = (crashAfter: number): void => {
    const shards = Array.from(projected, ([shard, appliedLsn]) => ({
      shard,
      epoch: 1,
      appliedLsn,
    }));
    disk.restart();
    disk.crashAfter(crashAfter);
    emptyFileJournal(disk, shards);
  };
  for (let tries = 0; tries < 3; tries += 1) {
    try {
      empty(1 + random.below(6));
    } catch (error) {
      world.explain(error);
    }
    disk.killed();
  }
  empty(Number.POSITIVE_INFINITY);
  for (const [shard, lsn] of projected) {
    projected.set(shard, lsn + 5);
    acked.set(shard, lsn + 5);
  }
  disk.powerFailed();
  disk.restart();
  world.start();
}

const chosen = process.env.SEED;
const first = Number(chosen ?? 1);
const seedCount = chosen === undefined ? Number(process.env.SEEDS ?? SEEDS) : 1;
const seen = new Map<string, number>();

for (let from = first; from < first + seedCount; from += SEEDS_PER_TEST) {
  const end = Math.min(from + SEEDS_PER_TEST, first + seedCount);
  test(`what was acknowledged survives every end of a life (seeds ${from} to ${end - 1})`, () => {
    for (let seed = from; seed < end; seed += 1) {
      for (const [what, times] of inWorld(seed, liveAll).counts)
        seen.set(what, (seen.get(what) ?? 0) + times);
    }
  });
}

test("starts that are cut short leave a journal that starts, whatever never got to disk", () => {
  for (let seed = first; seed < first + seedCount; seed += 1) inWorld(seed, startOver);
});

test("a journal that was emptied for the other one does not come back", () => {
  for (let seed = first; seed < first + seedCount; seed += 1) inWorld(seed, takeTurns);
});

test("the lives were of every kind", () => {
  if (chosen !== undefined) return;
  const kinds = ["empty", "clean", "torn tail", "no room", "crashed", "EIO", "short_write"];
  for (const kind of [...kinds, "killed", "closed", "another's turn"]) {
    assert.ok((seen.get(kind) ?? 0) > 10, `${kind}: ${seen.get(kind)}`);
  }
});
