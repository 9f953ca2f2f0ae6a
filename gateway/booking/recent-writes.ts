import type { UserId } from "../../engine/ids.ts";

/**
 * Which buyers have bookings that the database may not have yet. A read of bookings waits for
 * these, and for nothing else, so that a booking is visible as soon as its 201 was received.
 *
 * Invariant: a buyer is in here until the projection of every noted shard has reached its lsn.
 */
export class RecentWrites {
  readonly #lsnByShard = new Map<UserId, Map<number, number>>();
  readonly #isProjected: (shard: number, lsn: number) => boolean;
  #sweepAt = 1_024;

  constructor(isProjected: (shard: number, lsn: number) => boolean) {
    this.#isProjected = isProjected;
  }

  note(userId: UserId, shard: number, lsn: number): void {
    const known = this.#lsnByShard.get(userId);
    if (known !== undefined) known.set(shard, Math.max(lsn, known.get(shard) ?? 0));
    else this.#lsnByShard.set(userId, new Map([[shard, lsn]]));
    if (this.#lsnByShard.size >= this.#sweepAt) this.#sweep();
  }

  /** What a read of this buyer's bookings has to wait for. */
  pendingOf(userId: UserId): [shard: number, lsn: number][] {
    const noted = this.#lsnByShard.get(userId);
    if (noted === undefined) return [];
    const pending = [...noted].filter(([shard, lsn]) => !this.#isProjected(shard, lsn));
    if (pending.length === 0) this.#lsnByShard.delete(userId);
    return pending;
  }

  /** Drops who is projected. The next sweep comes when the map has doubled: O(1) a note. */
  #sweep(): void {
    for (const userId of [...this.#lsnByShard.keys()]) this.pendingOf(userId);
    this.#sweepAt = Math.max(1_024, 2 * this.#lsnByShard.size);
  }
}
