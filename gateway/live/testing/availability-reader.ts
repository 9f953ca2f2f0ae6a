/**
 * A client of the live availability that believes nothing but snapshots and deltas.
 *
 * Invariant: every delta's `from` is the `to` of what was read before it; anything else throws.
 */
import assert from "node:assert/strict";
import { FREE } from "../../../engine/inventory.ts";

export interface Totals {
  readonly free: number;
  readonly held: number;
  readonly sold: number;
  readonly blocked: number;
}

interface LiveMessage extends Totals {
  readonly op: string;
  readonly eventId: string;
  readonly epoch: number;
  readonly seq: number;
  readonly from: number;
  readonly to: number;
  readonly statuses: string;
  readonly seats: readonly (readonly [index: number, status: string])[];
  readonly areas: readonly (Totals & { readonly key: string })[];
}

export class AvailabilityReader {
  epoch = 0;
  seq = 0;
  snapshots = 0;
  deltas = 0;
  totals: Totals = { free: 0, held: 0, sold: 0, blocked: 0 };
  readonly areas = new Map<string, Pick<Totals, "free" | "held" | "sold">>();
  #statuses = Buffer.alloc(0);

  get statuses(): string {
    return this.#statuses.toString("latin1");
  }

  isFree(index: number): boolean {
    return this.#statuses[index] === FREE;
  }

  get capacity(): number {
    const { free, held, sold, blocked } = this.totals;
    return free + held + sold + blocked;
  }

  /** Takes a snapshot or a delta; other messages are passed over. */
  read(text: string): void {
    const message = JSON.parse(text) as LiveMessage;
    if (message.op !== "snapshot" && message.op !== "delta") return;
    if (message.op === "snapshot") {
      this.snapshots += 1;
      this.epoch = message.epoch;
      this.seq = message.seq;
      this.#statuses = Buffer.from(message.statuses, "latin1");
    } else {
      assert.equal(message.epoch, this.epoch, "a delta of the epoch that is read");
      assert.equal(message.from, this.seq, "a delta begins where the last one ended");
      this.deltas += 1;
      this.seq = message.to;
      for (const [index, status] of message.seats) this.#statuses.write(status, index, "latin1");
    }
    for (const { key, free, held, sold } of message.areas)
      this.areas.set(key, { free, held, sold });
    const { free, held, sold, blocked } = message;
    this.totals = { free, held, sold, blocked };
  }
}
