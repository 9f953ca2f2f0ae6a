/**
 * Everything that one seed makes: buyers and their network, a node that is started again whenever
 * it has ended, its disk and its database, the weather over them, and the oracle.
 *
 * Invariant: whatever is random is drawn from a stream of its own, so that taking away from one
 * (fewer operations, a fault less) leaves the others as they are.
 */
import type { EventId } from "../../engine/ids.ts";
import { Random } from "../../engine/testing/random.ts";
import { sequenceOf } from "../../workers/journal/segment.ts";
import { type BuyerRequest, Buyers } from "./buyers.ts";
import type { Life } from "./life.ts";
import { Oracle, Violation } from "./oracle.ts";
import { FAULTS, type Plan } from "./plan.ts";
import { Scheduler } from "./scheduler.ts";
import { type Commit, VirtualDatabase } from "./virtual-database.ts";
import { VirtualDisk } from "./virtual-disk.ts";
import { VirtualNode } from "./virtual-node.ts";
import { VirtualProcess } from "./virtual-process.ts";
import { VirtualProvider } from "./virtual-provider.ts";
import { Weather } from "./weather.ts";

const START_MS = 1_800_000_000_000;
const RESTART_MS_MAX = 2_000;
/** Codes of what the virtual disk throws. */
const DISK_FAILURES = ["crash", "EIO", "short_write"];
/** A start, or what a disturbance left to do, may keep holds from ending in time for so long. */
const CALM_AFTER_MS = 5_000;
/** Of a file journal that has nothing to keep: the one it writes to, and the next. */
const SEGMENTS_MAX = 2;
/** Longer than anything is kept that is kept for a time. */
const DAY_MS = 30 * 3_600_000;
/** A process that has lost its shards finds out within this, and ends. */
const DISPOSSESSED_MS_MAX = 5_000;

export class World {
  readonly plan: Plan;
  readonly scheduler = new Scheduler(START_MS);
  readonly database: VirtualDatabase;
  readonly oracle: Oracle;
  readonly weather: Weather;
  readonly buyers: Buyers;
  readonly provider: VirtualProvider;
  readonly #disk: VirtualDisk;
  readonly #network: Random;
  readonly #delays: Random;
  readonly #lots: Random;
  readonly #lives: Life[] = [];
  /** Processes that run; one, but for takeovers. */
  readonly #nodes = new Set<VirtualNode>();
  #node: VirtualNode | null = null;
  #ackMode: Plan["ackMode"];
  #shards: number;
  #workers: number;
  #skewMs = 0;
  /** Days that have passed at once: every clock shows so much too much, ms. */
  #aheadMs = 0;
  #wallMsMax = START_MS;
  #disturbedUntilMs = START_MS;
  #calmAtMs = START_MS + CALM_AFTER_MS;
  #failure: unknown = null;

  constructor(seed: number, plan: Plan) {
    this.plan = plan;
    const stream = (name: number): Random => new Random(Math.imul(seed, 2_654_435_761) + name);
    this.#network = stream(1);
    this.#delays = stream(2);
    this.#lots = stream(3);
    this.#ackMode = plan.ackMode;
    this.#shards = plan.shards;
    this.#workers = plan.workers;
    this.#disk = new VirtualDisk(stream(4));
    this.database = new VirtualDatabase({
      random: stream(5),
      pause: (ms) =>
        new Promise((resolve) => {
          this.scheduler.after(ms, resolve);
        }),
      broken: (error) => this.failed(error),
      onCommit: (commit) => this.#committed(commit),
    });
    this.oracle = new Oracle({
      snapshotOf: (eventId) => this.database.snapshotOf(eventId),
      rowsOf: (eventId) => this.database.rowsOf(eventId),
      watermark: (shard) => this.database.watermark(shard),
      unprojectedFactsMax: plan.limits.unprojectedFactsMax,
      isClockRough: plan.faults.has("clock"),
      wallMsMax: () => this.#latestMs(),
    });
    this.weather = new Weather({
      plan,
      randomOf: (fault) => stream(100 + FAULTS.indexOf(fault)),
      scheduler: this.scheduler,
      disk: this.#disk,
      server: this.database.server,
      node: () => this.#node,
      stopNode: () => this.stopNode(),
      takeOver: () => this.#takeOver(),
      disturbed: (ms) => {
        this.#disturbedUntilMs = Math.max(this.#disturbedUntilMs, this.scheduler.nowMs + ms);
        this.disturbed(ms);
      },
      setClock: (skewMs) => this.#setClock(skewMs),
      passDay: () => this.#passDay(),
    });
    this.provider = new VirtualProvider({
      scheduler: this.scheduler,
      random: stream(7),
      tell: (eventId, news) => this.buyers.insist(eventId, news),
    });
    this.buyers = new Buyers({
      scheduler: this.scheduler,
      random: stream(6),
      plan,
      eventIds: eventIdsOf(plan.events),
      wallMs: () => this.wallMs,
      modelOf: (eventId) => this.oracle.model(eventId),
      ask: (request) => this.#ask(request),
      paymentAsked: (eventId, intentId) => this.provider.asked(eventId, intentId),
      paymentBegun: (eventId, intentId) => this.provider.begin(eventId, intentId),
      failed: (error) => this.failed(error),
    });
    this.#boot();
  }

  /** The first thing that went wrong; null: nothing. */
  get failure(): unknown {
    return this.#failure;
  }

  /** What clocks show, Unix ms. */
  get wallMs(): number {
    return Math.floor(this.scheduler.nowMs + this.#skewMs);
  }

  get lives(): number {
    return this.#lives.length;
  }

  /** Nothing stands in the way of the node any more. */
  get isCalm(): boolean {
    return this.isServing && this.scheduler.nowMs >= this.#calmAtMs;
  }

  /** Whoever has asked has an answer, from the router and from the shard. */
  get isQuiet(): boolean {
    return this.#node?.unanswered === 0 && this.#lives.at(-1)?.requests.size === 0;
  }

  /** The file journal has what it writes to and the next; nothing is left of what is projected. */
  get isJournalShort(): boolean {
    const segments = [...this.#disk.files().keys()].filter((name) => sequenceOf(name) !== null);
    const rows = [...this.database.shards().keys()].map((shard) => this.database.logRows(shard));
    const isFile = this.#node?.parts.ackMode === "journal";
    return (
      segments.length <= (isFile ? SEGMENTS_MAX : 0) && rows.every(({ length }) => length === 0)
    );
  }

  get isServing(): boolean {
    const node = this.#node;
    return node?.router != null && node.isAlive && !node.isStopping;
  }

  failed(error: unknown): void {
    this.#failure ??= error;
  }

  /** Holds need not end in time for the next `ms`, and some time after. */
  disturbed(ms: number): void {
    this.#calmAtMs = Math.max(this.#calmAtMs, this.scheduler.nowMs + ms + CALM_AFTER_MS);
    for (const life of this.#lives) life.calmSinceMs = Number.POSITIVE_INFINITY;
    this.scheduler.after(this.#calmAtMs - this.scheduler.nowMs, () => this.#calm());
  }

  killNode(): void {
    this.#node?.parts.process.end();
  }

  stopNode(): void {
    const node = this.#node;
    if (node === null || node.isStopping) return;
    // What a stop that is cut short throws is the end of its process.
    node.stop().catch((error: unknown) => {
      if (node.isAlive) this.failed(error);
    });
  }

  #calm(): void {
    if (this.scheduler.nowMs < this.#calmAtMs) return;
    const process = this.#node?.parts.process;
    const life = this.#lives.at(-1);
    if (process !== undefined && life !== undefined) life.calmSinceMs = process.clock.wallMs();
  }

  /** The next life on the same machine. */
  #boot(): void {
    // One that was replaced while it started would look into the directory of the next one.
    for (const node of [...this.#nodes]) if (node.router === null) node.parts.process.end();
    if (this.weather.knows("switch") && this.#lots.below(3) === 0) this.#switchMode();
    this.#start();
  }

  #start(): void {
    if (this.weather.knows("reshard")) {
      this.#shards = 1 + this.#lots.below(9);
      this.#workers = 1 + this.#lots.below(3);
    }
    this.#disk.restart();
    // What a start does to a journal is seldom, and little of it is one step.
    if (this.weather.knows("torn") && this.#lots.below(3) === 0) {
      this.#disk.crashAfter(1 + this.#lots.below(30));
    }
    let epoch = Number.POSITIVE_INFINITY;
    const currentEpoch = (): number => this.database.shards().get(0)?.epoch ?? 0;
    const life: Life = {
      number: this.#lives.length + 1,
      get isSuperseded() {
        return currentEpoch() > epoch;
      },
      wallMsMax: 0,
      wallMs: () => process.clock.wallMs(),
      calmSinceMs: Number.POSITIVE_INFINITY,
      epochs: new Map(),
      requests: new Map(),
      watched: new Map(),
      unnoticed: new Set(),
      undurable: new Set(),
      full: new Set(),
      made: new Set(),
    };
    this.#lives.push(life);
    const client = this.database.connect();
    const process: VirtualProcess = new VirtualProcess(this.scheduler, this.#skewMs, {
      died: (reason, cause) => this.#died(life, reason, cause),
      ended: () => {
        client.kill();
        this.#nodes.delete(node);
        if (this.#node === node) this.#ended();
      },
    });
    const node: VirtualNode = new VirtualNode({
      plan: this.plan,
      random: this.#lots,
      process,
      disk: this.#disk,
      database: client,
      oracle: this.oracle,
      life,
      ackMode: this.#ackMode,
      shards: this.#shards,
      workers: this.#workers,
      delayMs: () => this.#delayMs(),
      watermarks: () => this.#watermarks(),
      acquired: (owned) => {
        epoch = owned.find(({ shard }) => shard === 0)?.epoch ?? epoch;
      },
      wrongMode: () => this.#switchMode(),
      failed: (error) => this.failed(error),
    });
    this.#nodes.add(node);
    this.#node = node;
    this.disturbed(0);
  }

  /** A node may end itself when its disk fails it, or its shards are another's; not otherwise. */
  #died(life: Life, reason: string, cause: unknown): void {
    const code = cause instanceof Error && "code" in cause ? cause.code : null;
    const isExcused = life.isSuperseded || DISK_FAILURES.some((each) => each === code);
    if (isExcused) return;
    const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.failed(new Violation(`the node ended itself: ${reason}: ${detail}`));
  }

  #switchMode(): void {
    this.#ackMode = this.#ackMode === "journal" ? "postgres" : "journal";
  }

  #ended(): void {
    this.#node = null;
    if (!this.#disk.isDead) this.#disk.killed();
    if (this.weather.knows("power") && this.#lots.below(2) === 0) this.#disk.powerFailed();
    if (this.#lots.below(4) === 0) this.#disk.evict();
    this.disturbed(RESTART_MS_MAX);
    this.scheduler.after(this.#lots.below(RESTART_MS_MAX), () => {
      if (this.#node === null) this.#boot();
    });
  }

  /** Another process of its own directory starts while this one runs, and takes the shards. */
  #takeOver(): void {
    const old = this.#node;
    if (old === null || old.parts.ackMode !== "postgres") return;
    const { process } = old.parts;
    const fromMs = this.scheduler.nowMs;
    this.#start();
    // It is cut off sooner or later, if it has not noticed by itself.
    this.scheduler.after(this.#lots.below(20_000), () => {
      const ms = this.scheduler.nowMs - fromMs;
      const mayNotice = !this.plan.faults.has("connections") && this.#disturbedUntilMs < fromMs;
      if (process.isAlive && mayNotice && ms > DISPOSSESSED_MS_MAX) {
        this.failed(new Violation(`a process goes on ${ms} ms after it has lost its shards`));
      }
      process.end();
    });
  }

  #setClock(skewMs: number): void {
    this.#latestMs();
    this.#skewMs = this.#aheadMs + skewMs;
    const node = this.#node;
    if (node === null) return;
    const { life, process } = node.parts;
    // Its threads may have looked just before.
    life.wallMsMax = Math.max(life.wallMsMax, process.clock.wallMs());
    process.skewMs = this.#skewMs;
  }

  /** The latest that the wall clock has shown, Unix ms. */
  #latestMs(): number {
    const nowMs = Math.floor(this.scheduler.nowMs + this.#skewMs);
    this.#wallMsMax = Math.max(this.#wallMsMax, nowMs);
    return this.#wallMsMax;
  }

  #passDay(): void {
    this.#aheadMs += DAY_MS;
    this.#skewMs += DAY_MS;
    for (const { parts } of this.#nodes) parts.process.skewMs += DAY_MS;
    // All that was held ends now, and some of it long after it was due.
    this.disturbed(0);
  }

  #committed(commit: Commit): void {
    const { kind } = commit;
    if (kind === "projected") {
      this.oracle.committed();
      for (const { eventId, payment, refund } of commit.batch.effects.refunds) {
        this.provider.refund(eventId, payment.intentId, refund.refundId);
      }
    }
    if (kind === "acquired") this.oracle.acquired();
    if (kind === "retired") this.#checkLog();
  }

  /** The operation log keeps what is not projected. */
  #checkLog(): void {
    for (const { shard, lastLsn } of this.database.logEnds()) {
      const watermark = this.database.watermark(shard);
      const firstLsn = this.database.logRows(shard)[0]?.firstLsn ?? lastLsn + 1;
      if (lastLsn <= watermark || firstLsn <= watermark + 1) continue;
      throw new Violation(
        `shard ${shard}: its log begins at ${firstLsn}, its rows end at ${watermark}`,
      );
    }
  }

  #watermarks(): ReadonlyMap<number, number> {
    return new Map([...this.database.shards()].map(([shard, row]) => [shard, row.appliedLsn]));
  }

  /** Between threads: mostly at once, sometimes not. */
  #delayMs(): number {
    const random = this.#delays;
    const slowness = random.below(100) === 0 ? 50 : this.weather.slowness;
    return random.next() * 0.2 * slowness;
  }

  /** One request of a buyer on its way to the gateway, and the answer on its way back. */
  #ask({ eventId, make, heard }: BuyerRequest): void {
    const random = this.#network;
    const isRough = this.weather.knows("network");
    const times = isRough && random.below(20) === 0 ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      if (isRough && random.below(20) === 0) continue;
      this.scheduler.after(this.#wayMs(isRough), () => {
        const node = this.#node;
        if (node === null || node.router === null || node.isStopping) {
          this.scheduler.after(this.#wayMs(isRough), () => heard({ kind: "lost" }, null));
          return;
        }
        const operation = make();
        let isAnswered: boolean | null = null;
        node.unanswered += 1;
        node.router.execute(eventId, operation, (answer) => {
          if (isAnswered !== false) this.failed(new Violation(`${operation.kind}: answered twice`));
          isAnswered = true;
          node.unanswered -= 1;
          if (isRough && random.below(20) === 0) return;
          this.scheduler.after(this.#wayMs(isRough), () => heard(answer, operation));
        });
        isAnswered = false;
      });
    }
  }

  #wayMs(isRough: boolean): number {
    const random = this.#network;
    return random.next() * (isRough && random.below(10) === 0 ? 3_000 : 5);
  }
}

function eventIdsOf(count: number): EventId[] {
  return Array.from({ length: count }, (_, index) => {
    const tag = (0xe0 + index).toString(16).padStart(12, "0");
    return `018f3c9a-7b10-7000-8000-${tag}` as EventId;
  });
}
