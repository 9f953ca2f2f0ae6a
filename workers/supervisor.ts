/**
 * Starts the engine's threads in the order in which they may trust each other, wires their ports,
 * and stops them the other way round:
 *
 *   fence older owners (epochs) ─► open the journal ─► project its tail ─► shard workers ─► serve
 *
 *           ┌─ gateway port ─► shard worker n ── entries ──► journal thread ── durable ──┐
 *   main ───┤                      ▲    ▲                         │                      ▼
 *           │                      │    └──── durable ticket ─────┘            projector thread
 *           └─ watermarks ◄────────┴────────────── watermarks ───────────────────────────┘
 *
 * Invariant: a thread that is gone, or a projector that found a violated constraint, is never
 * papered over: a dead thread ends the process, and the next start recovers.
 */
import { UNPROJECTED_BYTES_MAX, WAKE_WAIT_MS_MAX } from "../engine/limits.ts";
import { PROJECTION_BATCH_FACTS_MAX } from "../engine/projection-limits.ts";
import { pause } from "./clock.ts";
import type { FromJournalThread, JournalStatus, ToJournalThread } from "./journal/journal-port.ts";
import type { Platform, ThreadStart } from "./platform.ts";
import type { Port } from "./port.ts";
import type {
  FromProjectorThread,
  ProjectorReport,
  ToProjectorThread,
  WatermarkMessage,
} from "./projector/projector-messages.ts";
import type { ShardWorkerVitals } from "./shard/host-meter.ts";
import { SHARD_LIMITS, type ShardLimits } from "./shard/shard-limits.ts";
import type { FromShardThread, ToShardThread } from "./shard/shard-thread-messages.ts";
import type { ShardReport } from "./shard-messages.ts";
import type { OwnedShard } from "./store/shard-table.ts";
import { ThreadLink } from "./thread-link.ts";
import type { TracedWork } from "./traced.ts";

/** The journal refused to open: what is on disk can't be what was written. */
export class JournalRefused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Limits that are not given are SHARD_LIMITS. */
export interface SupervisorOptions extends Partial<ShardLimits> {
  readonly platform: Platform;
  readonly shardCount: number;
  readonly workerCount: number;
  /** Bytes that the projector may keep waiting. Default: UNPROJECTED_BYTES_MAX. */
  readonly unprojectedBytesMax?: number;
  /** Facts in one projection transaction. Default: PROJECTION_BATCH_FACTS_MAX. */
  readonly projectionFactsMax?: number;
  readonly log: (level: "info" | "warn" | "error", fields: object, message: string) => void;
}

export interface SupervisorListener {
  projected(watermarks: WatermarkMessage["watermarks"]): void;
  /** A thread did something for requests that are traced. */
  traced?(work: TracedWork): void;
  /** The database refused a fact of this shard: it must not sell any more. */
  shardFailed(shard: number): void;
}

/** What each thread can be asked about how it does. */
export interface VitalsQuestions {
  readonly shards: readonly (() => Promise<ShardWorkerVitals>)[];
  readonly journal: () => Promise<JournalVitals>;
  readonly projector: () => Promise<ProjectorVitals>;
}

export type JournalVitals = Extract<FromJournalThread, { kind: "vitals" }>;
export type ProjectorVitals = Extract<FromProjectorThread, { kind: "vitals" }>;

type ShardLink = ThreadLink<ToShardThread, FromShardThread>;
type JournalLink = ThreadLink<ToJournalThread, FromJournalThread>;
type ProjectorLink = ThreadLink<ToProjectorThread, FromProjectorThread>;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #journal: JournalLink;
  readonly #projector: ProjectorLink;
  #workers: ShardLink[] = [];
  #stopping = false;
  #isProjectionFailing = false;
  #listener: SupervisorListener | null = null;
  /** One port per worker: requests in, batches out. */
  readonly gatewayPorts: Port[] = [];
  readonly watermarks = new Map<number, number>();
  /** Shards whose facts the database refused, with the reason: they sell nothing any more. */
  readonly failedShards = new Map<number, string>();

  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const owned = await options.platform.shardTable.acquire(options.shardCount);
    const supervisor = new Supervisor(options, owned);
    await supervisor.#recover(owned);
    await supervisor.#startWorkers(owned);
    return supervisor;
  }

  private constructor(options: SupervisorOptions, owned: readonly OwnedShard[]) {
    this.#options = options;
    const epochs = owned.map(({ shard, epoch, appliedLsn }) => [shard, epoch, appliedLsn] as const);
    this.#projector = this.#spawn({
      role: "projector",
      epochs,
      unprojectedBytesMax: options.unprojectedBytesMax ?? UNPROJECTED_BYTES_MAX,
      batchFactsMax: options.projectionFactsMax ?? PROJECTION_BATCH_FACTS_MAX,
    });
    this.#journal = this.#spawn({ role: "journal" });
    for (const { shard, appliedLsn } of owned) this.watermarks.set(shard, appliedLsn);
    this.#projector.on("watermarks", (message) => this.#projected(message.watermarks));
    const traced = (work: TracedWork): void => this.#listener?.traced?.(work);
    this.#journal.on("traced", traced);
    this.#projector.on("traced", traced);
    this.#projector.on("projectorReport", ({ lastError }) => this.#sayWhetherProjecting(lastError));
    this.#projector.on("projectorFailed", ({ shard, reason }) => {
      this.failedShards.set(shard, reason);
      options.log("error", { shard, reason }, "a shard can't be projected any more");
      this.#listener?.shardFailed(shard);
    });
  }

  /** Tells what has happened so far, and everything from now on. */
  listen(listener: SupervisorListener): void {
    this.#listener = listener;
    listener.projected([...this.watermarks]);
    for (const shard of this.failedShards.keys()) listener.shardFailed(shard);
  }

  async shardReports(): Promise<ShardReport[]> {
    const replies = await Promise.all(
      this.#workers.map((worker) => worker.ask("report", (id) => ({ kind: "report", id }))),
    );
    return replies.flatMap((reply) => reply.reports).sort((a, b) => a.shard - b.shard);
  }

  async journalStatus(): Promise<JournalStatus> {
    const reply = await this.#journal.ask("status", (id) => ({ kind: "status", id }));
    return reply.status;
  }

  async projectorReport(): Promise<ProjectorReport> {
    const reply = await this.#projector.ask("status", (id) => ({ kind: "status", id }));
    return reply.report;
  }

  /** One question for each thread: one that does not answer leaves the others alone. */
  get vitals(): VitalsQuestions {
    const [journal, projector] = [this.#journal, this.#projector];
    return {
      shards: this.#workers.map((worker) => async () => {
        return (await worker.ask("vitals", (id) => ({ kind: "vitals", id }))).vitals;
      }),
      journal: () => journal.ask("vitals", (id) => ({ kind: "vitals", id })),
      projector: () => projector.ask("vitals", (id) => ({ kind: "vitals", id })),
    };
  }

  /**
   * Stops the threads. The gateway has had all its answers by then. PostgreSQL is given `drainMs`
   * to catch up, and the journal, told of that, closes empty; what is left the next start recovers.
   */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const worker of this.#workers) await worker.terminate();
    // The answer comes behind whatever the workers still appended.
    await this.journalStatus();
    const drained = this.#projector.next("drained").then(() => true);
    this.#projector.send({ kind: "drain" });
    const inTime = await Promise.race([drained, this.#after(drainMs)]);
    if (!inTime) this.#options.log("warn", {}, "PostgreSQL is behind; the next start catches up");
    const closed = this.#journal.next("closed");
    this.#journal.send({ kind: "close" });
    await closed;
    const stopped = this.#projector.next("stopped").then(() => true);
    this.#projector.send({ kind: "stop" });
    await Promise.race([stopped, this.#after(drainMs)]);
    await this.#projector.terminate();
    await this.#journal.terminate();
  }

  async #recover(owned: readonly OwnedShard[]): Promise<void> {
    const opened = Promise.race([this.#journal.next("opened"), this.#journal.next("refused")]);
    this.#journal.send({ kind: "open", shards: owned });
    const result = await opened;
    if (result.kind === "refused") throw new JournalRefused(result.code, result.message);
    const { port1, port2 } = this.#options.platform.channel();
    this.#journal.send({ kind: "connectProjector", port: port1 }, [port1]);
    this.#projector.send({ kind: "connectJournal", port: port2 }, [port2]);
    const { recovered, report } = result;
    if (recovered > 0) this.#options.log("info", { recovered, report }, "journal tail recovered");
    await this.#caughtUp(result.last);
  }

  /** Resolves once PostgreSQL has everything that the journal had. */
  #caughtUp(last: readonly (readonly [shard: number, lsn: number])[]): Promise<void> {
    const isDone = (): boolean =>
      last.every(([shard, lsn]) => (this.watermarks.get(shard) ?? 0) >= lsn);
    if (isDone()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const offs = [
        this.#projector.on("watermarks", () => settle(isDone() ? resolve : null)),
        this.#projector.on("projectorFailed", ({ shard, reason }) => {
          const message = `the journal's tail does not fit the database: shard ${shard}: ${reason}`;
          settle(() => reject(new JournalRefused("journal_not_projectable", message)));
        }),
      ];
      const settle = (finish: (() => void) | null): void => {
        if (finish === null) return;
        for (const off of offs) off();
        finish();
      };
    });
  }

  async #startWorkers(owned: readonly OwnedShard[]): Promise<void> {
    const { platform, shardCount, workerCount } = this.#options;
    const options = { ...SHARD_LIMITS, ...this.#options };
    const { unprojectedFactsMax, actorsMax, actorIdleMs, offersPerTurnMax } = options;
    const logicalMs = await platform.shardTable.readLogicalMs();
    const limits = { unprojectedFactsMax, actorsMax, actorIdleMs, offersPerTurnMax };
    const common = { shardCount, logicalMs, ...limits };
    for (let worker = 0; worker < workerCount; worker += 1) {
      const gateway = platform.channel();
      const journal = platform.channel();
      const projector = platform.channel();
      this.#journal.send({ kind: "connect", port: journal.port1 }, [journal.port1]);
      this.#projector.send({ kind: "connectListener", port: projector.port1 }, [projector.port1]);
      const shards = owned
        .filter(({ shard }) => shard < shardCount && shard % workerCount === worker)
        .map((start) => ({
          ...start,
          appliedLsn: this.watermarks.get(start.shard) ?? start.appliedLsn,
        }));
      const ports = {
        gatewayPort: gateway.port2,
        journalPort: journal.port2,
        projectorPort: projector.port2,
      };
      const link: ShardLink = this.#spawn(
        { role: "shards", worker, shards, ...common, ...ports },
        Object.values(ports),
      );
      link.on("warning", ({ message, detail, about }) => {
        this.#options.log("warn", { worker, ...about, detail }, message);
      });
      this.#workers.push(link);
      this.gatewayPorts.push(gateway.port1);
    }
    await Promise.all(this.#workers.map((worker) => worker.next("ready")));
    const woken = Promise.all(this.#workers.map((worker) => worker.next("woken")));
    for (const worker of this.#workers) worker.send({ kind: "wake" });
    // Holds that were due meanwhile end before anybody is served, unless there are too many.
    await Promise.race([woken, this.#after(WAKE_WAIT_MS_MAX)]);
  }

  #projected(watermarks: WatermarkMessage["watermarks"]): void {
    for (const [shard, lsn] of watermarks) this.watermarks.set(shard, lsn);
    this.#listener?.projected(watermarks);
  }

  /** Once when it begins to fail, and once when it is over. */
  #sayWhetherProjecting(lastError: string | null): void {
    const wasFailing = this.#isProjectionFailing;
    this.#isProjectionFailing = lastError !== null;
    if (wasFailing === this.#isProjectionFailing) return;
    const { log } = this.#options;
    if (lastError === null) log("info", {}, "PostgreSQL takes facts again");
    else log("warn", { reason: lastError }, "PostgreSQL does not take facts; trying again");
  }

  #spawn<To extends object, From extends { kind: string }>(
    start: ThreadStart,
    ports: readonly Port[] = [],
  ): ThreadLink<To, From> {
    const { platform } = this.#options;
    const thread = platform.spawn(start, ports, (how, cause) => {
      if (!this.#stopping) platform.die(how, cause);
    });
    return new ThreadLink<To, From>(thread);
  }

  #after(ms: number): Promise<false> {
    return pause(this.#options.platform.clock, ms).then(() => false);
  }
}
