import type { NetEffects } from "./net-effects.ts";

export interface ProjectionBatch {
  readonly shard: number;
  /** Of the shard's owner, who writes. */
  readonly epoch: number;
  /** The batch is the shard's facts in [firstLsn, lastLsn]. */
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** The shard's time at lastLsn, Unix ms. */
  readonly logicalMs: number;
  readonly effects: NetEffects;
}

/** `already`: an earlier try had been committed, and its answer lost. */
export type Applied = "applied" | "already";

/**
 * Where facts become rows. A batch is one transaction, guarded by the owner's epoch and by the
 * watermark being exactly at the batch's beginning, so sending it again is harmless.
 *
 * What is thrown and is no ProjectionRefused (a lost connection, a server that restarts, a full disk)
 * may be tried again with the same batch.
 */
export interface ProjectionStore {
  apply(batch: ProjectionBatch): Promise<Applied>;
  /** Deletes some of what is older than its time to live. False: there is no more of it now. */
  purge(nowMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Trying again cannot help: the shard must not be written to any more. */
export abstract class ProjectionRefused extends Error {
  abstract readonly code: string;
}

/** Another process owns the shard now. */
export class FenceLost extends ProjectionRefused {
  readonly code = "fence_lost";
}

/** The batch does not begin where the database ends. */
export class WatermarkGap extends ProjectionRefused {
  readonly code = "watermark_gap";
}

/** The database's last line fired: a row that must not be, or one that should have been there. */
export class InvariantViolated extends ProjectionRefused {
  readonly code = "invariant_violated";
}
