import { assert } from "../../engine/assert.ts";
import {
  FRAME_PAYLOAD_BYTES_MAX,
  OPERATION_LOG_ANSWER_MS_MAX,
  OPERATION_LOG_RETIRE_PAUSE_MS,
  OPERATION_LOG_RETRY_MS_MAX,
} from "../../engine/limits.ts";
import { type Clock, pause } from "../clock.ts";
import type { FrameJournal, OpenedJournal } from "./frame-journal.ts";
import { FrameMeter } from "./frame-meter.ts";
import type { PgJournalStatus, Watermarks } from "./journal-port.ts";
import { rowsOf } from "./log-rows.ts";
import {
  type LogEnd,
  type LogRow,
  type OperationLog,
  OperationLogRefused,
} from "./operation-log.ts";
import { type LoggedShard, type LogTail, readLogTail } from "./operation-log-tail.ts";
import { JournalFenced } from "./recovery-errors.ts";

export interface PgJournalPorts {
  readonly log: OperationLog;
  readonly clock: Clock;
  /** Ends the process; a test may throw instead. */
  readonly die: (reason: string, cause: unknown) => never;
}

export interface OpenedPgJournal extends OpenedJournal {
  readonly journal: PgJournal;
}

/**
 * The journal in PostgreSQL: a frame is one statement, and a row for each shard in it.
 *
 *   append ─► statement ─► all advanced ──────────────────────────────► done
 *                │ failed, or no answer: pause, the same rows again      ▲
 *                └► not all advanced ─► ask for the ends ─► they are in ─┘
 *                                           └► another epoch, or anything else: the process ends
 *
 * Invariants:
 *  - `done` is called when the log has said of every row that it is in, and not otherwise: an
 *    outcome that is unknown is asked for until it is known.
 *  - one frame is under way at a time, so an end that reached our row reached it by our row.
 *  - it is full from the first failure of a frame, or from when its answer is late, until that
 *    frame is in. Nothing else waits meanwhile than what the workers had decided already.
 *  - rows are deleted only at or below what PostgreSQL has projected, beside the appends and never
 *    in their way. What could not be deleted is tried again, by the next start at the latest.
 */
export class PgJournal implements FrameJournal {
  readonly #ports: PgJournalPorts;
  readonly #last: Map<number, number>;
  readonly #projected: Map<number, number>;
  /** Watermarks whose rows are still to be deleted. */
  #unretired: Map<number, number>;
  /** False: the last try failed. */
  #retiring: Promise<boolean> | null = null;
  /** Cuts the pause between two deletions short. */
  #wake: () => void = () => undefined;
  #closing: Promise<void> | null = null;
  #isAppending = false;
  #isFull = false;
  #onRoom: () => void = () => undefined;
  #rows = 0;
  readonly #meter = new FrameMeter();
  #failures = 0;
  #lastFailure: string | null = null;

  /**
   * Reads the log's tail, and begins to delete what PostgreSQL has. `shards`: as they were taken
   * over by us. Throws OperationLogCorrupt, JournalFenced, and what the log throws when it can't be
   * read; nothing was changed then.
   */
  static async open(
    ports: PgJournalPorts,
    shards: readonly LoggedShard[],
  ): Promise<OpenedPgJournal> {
    const tail = await readLogTail(ports.log, shards);
    const journal = new PgJournal(ports, shards, tail);
    const { recovered, rows, entries, entriesRecovered } = tail;
    const verdict = rows === 0 ? "empty" : "clean";
    const report = { kind: "postgres", verdict, rows, entries, entriesRecovered } as const;
    return { journal, recovered, report };
  }

  private constructor(ports: PgJournalPorts, shards: readonly LoggedShard[], { last }: LogTail) {
    this.#ports = ports;
    this.#last = new Map(last);
    this.#projected = new Map(shards.map(({ shard, appliedLsn }) => [shard, appliedLsn]));
    this.#unretired = new Map(this.#projected);
    this.retryRoom();
  }

  get last(): Watermarks {
    return [...this.#last];
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  listenForRoom(listener: () => void): void {
    this.#onRoom = listener;
  }

  append(chunks: readonly Uint8Array[], done: () => void): boolean {
    assert(!this.#isAppending, "one frame is appended at a time");
    if (this.#closing !== null) return false;
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    assert(bytes <= FRAME_PAYLOAD_BYTES_MAX, "the entries fit into a frame");
    const rows = this.#rowsOf(chunks);
    if (rows.length === 0) {
      done();
      return true;
    }
    this.#isAppending = true;
    this.#append(rows, done).catch((cause: unknown) => {
      this.#fail("the operation log could not be written", cause);
    });
    return true;
  }

  retire(watermarks: Watermarks): void {
    for (const [shard, lsn] of watermarks) {
      if (lsn <= (this.#projected.get(shard) ?? 0)) continue;
      this.#projected.set(shard, lsn);
      this.#unretired.set(shard, lsn);
    }
    this.retryRoom();
  }

  /** Goes on deleting, unless it does already. */
  retryRoom(): void {
    if (this.#unretired.size === 0 || this.#retiring !== null || this.#closing !== null) return;
    this.#retiring = this.#retire().catch((cause: unknown) => {
      this.#fail("the operation log could not be shortened", cause);
      return false;
    });
  }

  status(): PgJournalStatus {
    return {
      ...this.#meter.figures(),
      kind: "postgres",
      full: this.#isFull,
      rows: this.#rows,
      lastAppendUs: Math.round(this.#meter.lastMs * 1_000),
      failures: this.#failures,
      lastFailure: this.#lastFailure,
      shards: [...this.#last].map(([shard, durableLsn]) => {
        return { shard, durableLsn, projectedLsn: this.#projected.get(shard) ?? 0 };
      }),
    };
  }

  /**
   * Gives up an append that is under way, deletes once more what PostgreSQL has, and lets go of the
   * log. `closed` says when.
   */
  close(): void {
    this.#closing ??= this.#close();
  }

  /** Resolves once the log was let go of. To be asked after `close`. */
  get closed(): Promise<void> {
    assert(this.#closing !== null, "the journal was closed");
    return this.#closing;
  }

  #rowsOf(chunks: readonly Uint8Array[]): LogRow[] {
    try {
      return rowsOf(chunks, this.#last);
    } catch (cause) {
      return this.#ports.die("the journal was given what does not follow", cause);
    }
  }

  async #append(rows: readonly LogRow[], done: () => void): Promise<void> {
    const { clock } = this.#ports;
    const startedMs = clock.monotonicMs();
    const cancelWatch = clock.after(OPERATION_LOG_ANSWER_MS_MAX, () => this.#setFull(true));
    const isIn = await this.#appendUntilKnown(rows);
    cancelWatch();
    if (!isIn) return;
    let [entries, bytes] = [0, 0];
    for (const row of rows) {
      this.#last.set(row.shard, row.lastLsn);
      entries += row.lastLsn - row.firstLsn + 1;
      bytes += row.entries.length;
    }
    this.#rows += rows.length;
    this.#meter.wrote({ entries, bytes, ms: clock.monotonicMs() - startedMs });
    this.#isAppending = false;
    done();
    this.#setFull(false);
  }

  /** False: the journal was closed meanwhile, and nobody will ever know. */
  async #appendUntilKnown(rows: readonly LogRow[]): Promise<boolean> {
    for (let tries = 0; this.#closing === null; tries += 1) {
      if (await this.#tryAppend(rows, tries === 0)) return this.#closing === null;
      if (this.#closing !== null) break;
      this.#setFull(true);
      const ms = (OPERATION_LOG_RETRY_MS_MAX / 100) * 2 ** tries;
      await pause(this.#ports.clock, Math.min(OPERATION_LOG_RETRY_MS_MAX, ms));
    }
    return false;
  }

  /** False: the outcome is unknown. Throws when the rows can never be in. */
  async #tryAppend(rows: readonly LogRow[], isFirst: boolean): Promise<boolean> {
    const { log } = this.#ports;
    let missing: readonly LogRow[];
    let ends: readonly LogEnd[];
    try {
      const advanced = new Set(await log.append(rows));
      missing = rows.filter(({ shard }) => !advanced.has(shard));
      ends = missing.length === 0 ? [] : await log.ends();
    } catch (error) {
      this.#note(error);
      return false;
    }
    for (const row of missing) checkIsIn(row, ends, isFirst);
    return true;
  }

  /** Deletes what is to be deleted, now and then, until there is nothing or a try fails. */
  async #retire(): Promise<boolean> {
    let isAble = true;
    while (isAble && this.#unretired.size > 0) {
      isAble = await this.#retireOnce();
      if (isAble && this.#closing === null) await this.#rest();
    }
    this.#retiring = null;
    return isAble;
  }

  /** False: not now. */
  async #retireOnce(): Promise<boolean> {
    const watermarks = this.#unretired;
    this.#unretired = new Map();
    try {
      while (await this.#ports.log.retire([...watermarks])) {
        // Each turn is a bounded number of rows.
      }
      return true;
    } catch (error) {
      this.#note(error);
      this.#unretired = new Map([...watermarks, ...this.#unretired]);
      return false;
    }
  }

  #rest(): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return Promise.race([pause(this.#ports.clock, OPERATION_LOG_RETIRE_PAUSE_MS), woken]);
  }

  async #close(): Promise<void> {
    this.#wake();
    const isAble = await (this.#retiring ?? true);
    if (isAble && this.#unretired.size > 0) await this.#retireOnce();
    await this.#ports.log.close();
  }

  #note(error: unknown): void {
    if (error instanceof OperationLogRefused) throw error;
    this.#failures += 1;
    this.#lastFailure = error instanceof Error ? error.message : String(error);
  }

  #setFull(full: boolean): void {
    if (this.#isFull === full) return;
    this.#isFull = full;
    this.#onRoom();
  }

  /** In a turn of its own: what `die` may throw in a test would be lost in a promise. */
  #fail(reason: string, cause: unknown): void {
    this.#ports.clock.soon(() => this.#ports.die(reason, cause));
  }
}

/** The shard did not advance: an earlier try of ours was in already, or something is very wrong. */
function checkIsIn(row: LogRow, ends: readonly LogEnd[], isFirstTry: boolean): void {
  const { shard, epoch, firstLsn, lastLsn } = row;
  const end = ends.find((candidate) => candidate.shard === shard);
  if (end === undefined) throw new OperationLogRefused(`shard ${shard} has no end`);
  if (end.epoch !== epoch) {
    throw new JournalFenced(`shard ${shard} is at epoch ${end.epoch}, we are at ${epoch}`);
  }
  if (end.lastLsn === lastLsn && !isFirstTry) return;
  const reason = `shard ${shard} ends at lsn ${end.lastLsn}, its row is ${firstLsn} to ${lastLsn}`;
  throw new OperationLogRefused(reason);
}
