/** An operation log in memory whose calls end as a test says. For tests only. */
import type { Watermarks } from "../journal/journal-port.ts";
import type { LogEnd, LogRow, OperationLog } from "../journal/operation-log.ts";

/**
 * How an append ends.
 *  - ok: it is in, and the answer comes
 *  - lost before: it never happens, and the connection breaks
 *  - lost after: it is in, and the connection breaks
 *  - orphan: the connection breaks, and it happens when `settle` is called
 *  - frozen: nothing until `settle` is called; then it is in, and the answer comes
 */
export type Ending = "ok" | "lost before" | "lost after" | "orphan" | "frozen";

export class MemoryLog implements OperationLog {
  readonly shardEnds = new Map<number, LogEnd>();
  rows: LogRow[] = [];
  /** Of the next appends; then "ok". */
  endings: Ending[] = [];
  /** What the next calls of each kind throw first; then nothing. */
  failures: { ends: Error[]; retire: Error[] } = { ends: [], retire: [] };
  /** Rows that one `retire` deletes. */
  retireRowsMax = 100;
  readonly appends: (readonly LogRow[])[] = [];
  readonly retired: Watermarks[] = [];
  isClosed = false;
  /** What nobody answered yet. */
  #waiting: (() => void)[] = [];
  #giveUp: ((error: Error) => void)[] = [];

  constructor(ends: readonly LogEnd[]) {
    for (const end of ends) this.shardEnds.set(end.shard, end);
  }

  async append(rows: readonly LogRow[]): Promise<readonly number[]> {
    this.appends.push(rows);
    const ending = this.endings.shift() ?? "ok";
    if (ending === "lost before") throw new Error("connection lost");
    if (ending === "orphan") this.#waiting.push(() => this.#apply(rows));
    if (ending === "orphan") throw new Error("connection lost");
    if (ending === "frozen") {
      return new Promise((resolve, reject) => {
        this.#waiting.push(() => resolve(this.#apply(rows)));
        this.#giveUp.push(reject);
      });
    }
    const advanced = this.#apply(rows);
    if (ending === "lost after") throw new Error("connection lost");
    return advanced;
  }

  /** What was forgotten or frozen happens now. */
  settle(): void {
    for (const happen of this.#waiting.splice(0)) happen();
  }

  async ends(): Promise<readonly LogEnd[]> {
    const failure = this.failures.ends.shift();
    if (failure !== undefined) throw failure;
    return [...this.shardEnds.values()];
  }

  async readTail(after: Watermarks): Promise<readonly LogRow[]> {
    const known = new Map(after);
    const beyond = this.rows.filter(
      ({ shard, lastLsn }) => lastLsn > (known.get(shard) ?? Number.POSITIVE_INFINITY),
    );
    return beyond.sort((a, b) => a.shard - b.shard || a.firstLsn - b.firstLsn).slice(0, 2);
  }

  async retire(watermarks: Watermarks): Promise<boolean> {
    this.retired.push(watermarks);
    const failure = this.failures.retire.shift();
    if (failure !== undefined) throw failure;
    const upTo = new Map(watermarks);
    let left = this.retireRowsMax;
    this.rows = this.rows.filter(({ shard, lastLsn }) => {
      if (left === 0 || lastLsn > (upTo.get(shard) ?? 0)) return true;
      left -= 1;
      return false;
    });
    return left === 0;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const reject of this.#giveUp.splice(0)) reject(new Error("closed"));
  }

  #apply(rows: readonly LogRow[]): number[] {
    return rows.flatMap((row) => {
      const { shard, epoch, firstLsn, lastLsn } = row;
      const end = this.shardEnds.get(shard);
      if (end?.epoch !== epoch || end.lastLsn !== firstLsn - 1) return [];
      this.shardEnds.set(shard, { shard, epoch, lastLsn });
      this.rows.push(row);
      return [shard];
    });
  }
}
