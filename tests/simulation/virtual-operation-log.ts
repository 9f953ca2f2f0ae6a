/** One process's connection to the operation log of the virtual database. */

import { OPERATION_LOG_STATEMENT_MS_MAX } from "../../engine/limits.ts";
import type { Watermarks } from "../../workers/journal/journal-port.ts";
import type { LogEnd, LogRow, OperationLog } from "../../workers/journal/operation-log.ts";
import type { VirtualLog } from "./virtual-log.ts";
import {
  type Caller,
  type CallOptions,
  ConnectionLost,
  type VirtualServer,
} from "./virtual-server.ts";

/** The lock of a shard's end in the log; a shard's own is its number. */
export function lockOfEnd(shard: number): number {
  return -1 - shard;
}

export type LogCommit =
  | { readonly kind: "logged"; readonly rows: readonly LogRow[] }
  | { readonly kind: "retired"; readonly rows: number };

export interface VirtualOperationLogParts {
  readonly server: VirtualServer;
  readonly log: VirtualLog;
  readonly isDead: () => boolean;
  readonly onCommit: (commit: LogCommit) => void;
  /** Hears of a caller who does not keep to the contract. */
  readonly broken: (error: unknown) => void;
}

export class VirtualOperationLog implements OperationLog, Caller {
  readonly #parts: VirtualOperationLogParts;
  #isClosed = false;
  /** An `append` or `ends` is under way. */
  #isAsked = false;
  #isRetiring = false;

  constructor(parts: VirtualOperationLogParts) {
    this.#parts = parts;
  }

  get isDead(): boolean {
    return this.#parts.isDead();
  }

  async append(rows: readonly LogRow[]): Promise<readonly number[]> {
    const { log, onCommit } = this.#parts;
    const shards = rows.map(({ shard }) => shard);
    const isAscending = shards.every((shard, index) => shard > (shards[index - 1] ?? -1));
    if (rows.length === 0 || !isAscending) this.#complain("rows are of shards in ascending order");
    const added = await this.#alone(() =>
      this.#call(
        "statement",
        shards.map(lockOfEnd),
        () => log.append(rows),
        (done) => {
          if (done.length > 0) onCommit({ kind: "logged", rows: done });
        },
      ),
    );
    return added.map(({ shard }) => shard);
  }

  ends(): Promise<readonly LogEnd[]> {
    const { log } = this.#parts;
    const locks = log.ends().map(({ shard }) => lockOfEnd(shard));
    return this.#alone(() => this.#call("read", locks, () => log.ends()));
  }

  readTail(after: Watermarks): Promise<readonly LogRow[]> {
    return this.#call("read", [], () => this.#parts.log.readTail(after));
  }

  async retire(watermarks: Watermarks): Promise<boolean> {
    const { log, onCommit } = this.#parts;
    if (this.#isRetiring) this.#complain("one retire at a time");
    this.#isRetiring = true;
    try {
      const retired = await this.#call(
        "statement",
        [],
        () => log.retire(watermarks),
        ({ rows }) => onCommit({ kind: "retired", rows }),
      );
      return retired.isMore;
    } finally {
      this.#isRetiring = false;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#parts.server.hangUp(this);
  }

  async #alone<Result>(ask: () => Promise<Result>): Promise<Result> {
    if (this.#isAsked) this.#complain("one append or ends at a time");
    this.#isAsked = true;
    try {
      return await ask();
    } finally {
      this.#isAsked = false;
    }
  }

  async #call<Result>(
    kind: CallOptions["kind"],
    locks: readonly number[],
    execute: () => Result,
    committed: (result: Result) => void = () => undefined,
  ): Promise<Result> {
    if (this.#isClosed) throw new ConnectionLost("the log is closed");
    const options: CallOptions = { kind, locks, timeoutMs: OPERATION_LOG_STATEMENT_MS_MAX };
    return this.#parts.server.call(this, options, { execute, committed });
  }

  #complain(rule: string): void {
    this.#parts.broken(new Error(`the operation log was not used as agreed: ${rule}`));
  }
}
