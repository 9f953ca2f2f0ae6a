/**
 * One life of a simulated node: the production supervisor with all its threads' code, and the
 * gateway's router, on a virtual platform.
 */
import type { Random } from "../../engine/testing/random.ts";
import { ShardRouter } from "../../gateway/shard-router.ts";
import { readBatch } from "../../workers/batch-wire.ts";
import { FileJournalSource } from "../../workers/journal/file-journal-source.ts";
import type { AppendMessage, JournalToShardMessage } from "../../workers/journal/journal-port.ts";
import type { JournalSource } from "../../workers/journal/journal-service.ts";
import { PgJournalSource } from "../../workers/journal/pg-journal-source.ts";
import { SALT_BYTES } from "../../workers/journal/segment.ts";
import { MessageReader } from "../../workers/packed-message.ts";
import type {
  OverfullMessage,
  WatermarkMessage,
} from "../../workers/projector/projector-messages.ts";
import { readRequests } from "../../workers/request-wire.ts";
import type { ShardThreadData } from "../../workers/shard/shard-thread-messages.ts";
import type { ActorLoader } from "../../workers/store/actor-loader.ts";
import type { OwnedShard } from "../../workers/store/shard-table.ts";
import { JournalRefused, Supervisor } from "../../workers/supervisor.ts";
import type { ThreadContext } from "../../workers/thread-context.ts";
import type { Life } from "./life.ts";
import { type Oracle, Violation } from "./oracle.ts";
import type { Plan } from "./plan.ts";
import type { DatabaseClient } from "./virtual-database.ts";
import type { VirtualDisk } from "./virtual-disk.ts";
import { VirtualPlatform } from "./virtual-platform.ts";
import { VirtualPort } from "./virtual-port.ts";
import { ProcessEnded, type VirtualProcess } from "./virtual-process.ts";
import { VirtualSegmentSupply } from "./virtual-segment-supply.ts";
import { watchedDisk } from "./watched-disk.ts";

/** Codes with which a start may refuse: no room, a disk or database that does not work, a rival. */
const PASSING_REFUSALS = ["journal_no_room", "journal_unreadable", "journal_fenced"];
/** Codes of errors with which a start may fail: the database is out of reach. */
const PASSING_ERRORS = ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT"];
/** What a journal that can't be read says of it: the database's words, and the disk's. */
const PASSING_REASONS = [
  /^(connection|no answer|the reply|the process is dead)/,
  /^(EIO:|ENOSPC:|the process was killed|\d+ of \d+ bytes)/,
];
const DRAIN_MS_MAX = 5_000;
const DYING_MS_MAX = 3;

export interface NodeParts {
  readonly plan: Plan;
  readonly random: Random;
  readonly process: VirtualProcess;
  readonly disk: VirtualDisk;
  readonly database: DatabaseClient;
  readonly oracle: Oracle;
  readonly life: Life;
  readonly ackMode: Plan["ackMode"];
  readonly shards: number;
  readonly workers: number;
  /** How long things between threads take, ms. */
  readonly delayMs: () => number;
  /** What the database has of each shard. */
  readonly watermarks: () => ReadonlyMap<number, number>;
  readonly acquired: (owned: readonly OwnedShard[]) => void;
  /** The journal of the other mode holds what is not projected: it has to be started first. */
  readonly wrongMode: () => void;
  readonly failed: (violation: unknown) => void;
}

export class VirtualNode {
  readonly parts: NodeParts;
  /** null: it is not up yet. */
  router: ShardRouter | null = null;
  isStopping = false;
  /** Requests that the router has not answered yet. */
  unanswered = 0;
  #supervisor: Supervisor | null = null;
  #hasRecovered = false;

  constructor(parts: NodeParts) {
    this.parts = parts;
    this.#start().catch((error: unknown) => this.#notStarted(error));
  }

  get isAlive(): boolean {
    return this.parts.process.isAlive;
  }

  /** As a SIGTERM would; the process is gone when it resolves. */
  async stop(): Promise<void> {
    const { router } = this;
    const supervisor = this.#supervisor;
    this.isStopping = true;
    if (router === null || supervisor === null) return this.parts.process.end();
    await router.drained();
    router.stop();
    await supervisor.stop(DRAIN_MS_MAX);
    this.parts.process.end();
  }

  async #start(): Promise<void> {
    const { process, database, shards, workers, life, plan } = this.parts;
    const { limits } = plan;
    const { oracle } = this.parts;
    const platform = new VirtualPlatform({
      process,
      shardTable: {
        acquire: async (shardCount) => {
          const owned = await database.shards.acquire(shardCount);
          for (const { shard, epoch } of owned) life.epochs.set(shard, epoch);
          this.parts.acquired(owned);
          return owned;
        },
        readLogicalMs: () => database.shards.readLogicalMs(),
      },
      store: () => database.projections,
      loader: () => this.#loader(),
      journal: (context) => this.#journal(context),
      frameBytesMax: limits.frameBytesMax,
      dyingMs: () => this.parts.random.next() * DYING_MS_MAX,
      messageDelayMs: this.parts.delayMs,
      startDelayMs: this.parts.delayMs,
      beforeWorkers: () => this.#recovered(),
      shardsStart: (data) => this.#watch(data),
    });
    const supervisor = await Supervisor.start({
      platform,
      shardCount: shards,
      workerCount: Math.min(workers, shards),
      ...limits,
      log: () => undefined,
    });
    this.#supervisor = supervisor;
    for (const port of supervisor.gatewayPorts) {
      if (port instanceof VirtualPort) port.tap = (message) => this.#asked(message);
    }
    const router = new ShardRouter({
      ports: supervisor.gatewayPorts,
      shardCount: shards,
      watermarks: [...supervisor.watermarks],
      clock: process.clock,
      ...limits,
    });
    supervisor.listen({
      projected: (watermarks) => {
        this.#observe(() => oracle.projected(watermarks));
        router.projected(watermarks);
      },
      shardFailed: (shard) => {
        router.stopShard(shard);
        if (life.isSuperseded) return;
        const reason = supervisor.failedShards.get(shard) ?? "";
        this.parts.failed(new Violation(`shard ${shard} can't be projected: ${reason}`));
      },
    });
    this.router = router;
  }

  #notStarted(error: unknown): void {
    const { process, life, failed } = this.parts;
    if (error instanceof ProcessEnded || process.isDying || !process.isAlive) return;
    const isSwitched = this.parts.plan.faults.has("switch");
    const code = error instanceof JournalRefused ? error.code : null;
    if (code === "journal_other_in_use" && isSwitched) this.parts.wrongMode();
    else if (!isPassing(error) && !life.isSuperseded) failed(new Violation(`no start: ${error}`));
    process.end();
  }

  /** The moment between recovery and service: what the shards go on from is settled. */
  #recovered(): void {
    if (this.#hasRecovered || this.parts.life.isSuperseded) return;
    this.#hasRecovered = true;
    this.#observe(() => this.parts.oracle.recovered(this.parts.watermarks()));
  }

  #watch(data: ShardThreadData): void {
    const { worker, shards, gatewayPort, journalPort, projectorPort } = data;
    const { oracle, life } = this.parts;
    const watermarks = this.parts.watermarks();
    for (const { shard, appliedLsn } of shards) {
      const stored = watermarks.get(shard) ?? 0;
      if (life.isSuperseded || appliedLsn === stored) continue;
      this.parts.failed(new Violation(`shard ${shard} starts at ${appliedLsn}, not ${stored}`));
    }
    if (gatewayPort instanceof VirtualPort) {
      gatewayPort.tap = (message) =>
        this.#observe(() => {
          const reader = new MessageReader(copyOf(message as ArrayBuffer));
          const asked = (id: number) => life.requests.get(id)?.request.operation ?? null;
          oracle.released(life, readBatch(reader, asked));
        });
    }
    if (journalPort instanceof VirtualPort) {
      journalPort.tap = (message) =>
        this.#observe(() => {
          const { ticket, entries } = message as AppendMessage;
          oracle.appended(life, { worker, ticket }, new Uint8Array(copyOf(entries)));
        });
      journalPort.tapIn = (message) =>
        this.#observe(() => oracle.heard(life, worker, message as JournalToShardMessage));
    }
    if (projectorPort instanceof VirtualPort) {
      projectorPort.tapIn = (message) =>
        oracle.heard(life, worker, message as WatermarkMessage | OverfullMessage);
    }
  }

  #asked(message: unknown): void {
    const { life, process } = this.parts;
    for (const request of readRequests(new MessageReader(copyOf(message as ArrayBuffer)))) {
      life.requests.set(request.id, { request, askedMs: process.clock.wallMs() });
    }
  }

  /** What the oracle finds is no business of the code that it watches. */
  #observe(look: () => void): void {
    const { life, process, failed } = this.parts;
    life.wallMsMax = Math.max(life.wallMsMax, process.clock.wallMs());
    try {
      look();
    } catch (violation) {
      failed(violation);
    }
  }

  #loader(): ActorLoader {
    const { database, oracle } = this.parts;
    const { loader } = database;
    return {
      load: async (eventId, known) => {
        const snapshot = await loader.load(eventId, known);
        oracle.reloaded(eventId);
        return snapshot;
      },
      loadOutcome: (eventId, seq) => loader.loadOutcome(eventId, seq),
      eventsToWake: () => loader.eventsToWake(),
      wrongTotals: (eventId) => loader.wrongTotals(eventId),
    };
  }

  #journal({ clock, die }: ThreadContext): JournalSource {
    const { disk, plan, delayMs, database, ackMode, process } = this.parts;
    const { thread } = process;
    const { watermarks, failed } = this.parts;
    const synced = (): void => process.wait(thread, 2 * delayMs());
    const openDisk = () => watchedDisk({ disk, synced, watermarks, failed });
    const openLog = database.operationLog;
    if (ackMode === "postgres") {
      return new PgJournalSource({ log: openLog(), clock, die, openDisk });
    }
    const randomSalt = (): Uint8Array => this.#randomSalt();
    const { segmentBytes } = plan;
    const supply = new VirtualSegmentSupply({
      clock,
      die,
      // Another thread, which takes its time as it is.
      disk: watchedDisk({ disk, synced: () => undefined, watermarks, failed }),
      randomSalt,
      segmentBytes,
      // Writing a whole segment ahead takes longer than a message.
      delayMs: () => 20 * delayMs(),
    });
    return new FileJournalSource({
      openDisk,
      openLog,
      supply,
      supplyClosed: () => supply.whenClosed(),
      randomSalt,
      die,
      nowMs: () => clock.monotonicMs(),
      starterBytes: segmentBytes,
    });
  }

  #randomSalt(): Uint8Array {
    return Uint8Array.from({ length: SALT_BYTES }, () => this.parts.random.below(256));
  }
}

/** Whether a start may fail like this, and succeed another time. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error && "code" in error)) return false;
  if (!(error instanceof JournalRefused)) return PASSING_ERRORS.some((each) => each === error.code);
  if (error.code === "journal_unreadable") {
    return PASSING_REASONS.some((each) => each.test(error.message));
  }
  return PASSING_REFUSALS.includes(error.code);
}

/** What was decoded are windows into the buffer, which is about to be transferred. */
function copyOf(buffer: ArrayBuffer): ArrayBuffer {
  return buffer.slice(0);
}
