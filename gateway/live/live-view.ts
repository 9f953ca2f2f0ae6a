import type { InventoryDefinition } from "../../engine/definition.ts";
import type { EventId } from "../../engine/ids.ts";
import { Inventory } from "../../engine/inventory.ts";
import { DELTAS_KEPT_PER_EVENT_MAX, SOCKET_BACKLOG_BYTES_MAX } from "../../engine/limits.ts";
import { areaIndexOf, isSeat } from "../../engine/place.ts";
import type { InventoryChange, InventoryView } from "../../workers/shard-messages.ts";
import { KeptEntity } from "../http/etag.ts";

/** So much of missed deltas is sent whatever a snapshot takes. */
const MISSED_CHARS_MAX = SOCKET_BACKLOG_BYTES_MAX / 4;

interface SentDelta {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * The gateway's copy of one event's availability, and the deltas that were sent of it.
 *
 * Invariants:
 * - `seq` is the last fact applied; `sentSeq` the `to` of the last delta; what happened in between
 *   is in `#touchedSeats` and `#touchedAreas`.
 * - The kept deltas are gapless: each one's `from` is its predecessor's `to`.
 * - free + held + sold + blocked = capacity in everything that is shown (engine/inventory.ts).
 */
export class LiveView {
  readonly eventId: EventId;
  readonly epoch: number;
  readonly definition: InventoryDefinition;
  readonly inventory: Inventory;
  seq: number;
  #sentSeq: number;
  readonly #touchedSeats = new Set<number>();
  readonly #touchedAreas = new Set<number>();
  #deltas: SentDelta[] = [];
  #plainEntity: KeptEntity | null = null;
  #entityWithSeats: KeptEntity | null = null;
  #snapshot: string | null = null;

  constructor(eventId: EventId, view: InventoryView) {
    this.eventId = eventId;
    this.epoch = view.epoch;
    this.definition = view.definition;
    this.inventory = Inventory.restored(view.definition, view.statuses, view.areas);
    this.seq = view.seq;
    this.#sentSeq = view.seq;
  }

  /** The `to` of the last delta. */
  get sentSeq(): number {
    return this.#sentSeq;
  }

  get hasUnsent(): boolean {
    return this.seq > this.#sentSeq;
  }

  apply(change: InventoryChange): void {
    if (change.seq <= this.seq) return;
    this.seq = change.seq;
    this.#plainEntity = null;
    this.#entityWithSeats = null;
    this.#snapshot = null;
    for (const { places, from, to, times } of change.moves) {
      for (const place of places) {
        this.inventory.move(place, from, to, times);
        if (isSeat(place)) this.#touchedSeats.add(place);
        else this.#touchedAreas.add(areaIndexOf(place));
      }
    }
  }

  /**
   * The changes since the last delta as one delta; null: there are none. Encoded once for everyone.
   */
  takeDelta(): string | null {
    if (!this.hasUnsent) return null;
    const { inventory } = this;
    const text = JSON.stringify({
      op: "delta",
      eventId: this.eventId,
      epoch: this.epoch,
      from: this.#sentSeq,
      to: this.seq,
      seats: Array.from(this.#touchedSeats, (seat) => [
        seat,
        String.fromCharCode(inventory.statusOf(seat)),
      ]),
      areas: Array.from(this.#touchedAreas, (index) => this.#areaCounts(index)),
      ...this.#totals(),
    });
    this.#deltas.push({ from: this.#sentSeq, to: this.seq, text });
    if (this.#deltas.length > 2 * DELTAS_KEPT_PER_EVENT_MAX) {
      this.#deltas = this.#deltas.slice(-DELTAS_KEPT_PER_EVENT_MAX);
    }
    this.#sentSeq = this.seq;
    this.#touchedSeats.clear();
    this.#touchedAreas.clear();
    return text;
  }

  /**
   * What a client missed that has everything up to `seq`; null: it needs a snapshot, or much is
   * missed, and a snapshot says it in fewer words.
   */
  deltasSince(epoch: number, seq: number): readonly string[] | null {
    if (epoch !== this.epoch || this.hasUnsent) return null;
    const missed = this.#deltasSince(seq);
    let chars = 0;
    for (const text of missed ?? []) chars += text.length;
    return chars > MISSED_CHARS_MAX && this.snapshot().length < chars ? null : missed;
  }

  /**
   * What brings those up to `sentSeq` who have everything up to `seq`; null: whatever they have,
   * nothing follows it.
   */
  missedSince(seq: number | null): readonly string[] {
    const missed = seq === null ? null : this.#deltasSince(seq);
    if (missed !== null) return missed;
    // A snapshot has what no delta has said yet: the next delta has to begin behind it.
    this.takeDelta();
    return [this.snapshot()];
  }

  /** Nearly always the last few. */
  #deltasSince(seq: number): readonly string[] | null {
    if (seq === this.#sentSeq) return [];
    const first = this.#deltas.findLastIndex((delta) => delta.from === seq);
    return first < 0 ? null : this.#deltas.slice(first).map((delta) => delta.text);
  }

  /** The state as a message; kept until the next change. */
  snapshot(): string {
    this.#snapshot ??= JSON.stringify({
      op: "snapshot",
      eventId: this.eventId,
      epoch: this.epoch,
      seq: this.seq,
      statuses: this.#statuses(),
      areas: this.definition.areas.map((_, index) => this.#areaCounts(index)),
      ...this.#totals(),
    });
    return this.#snapshot;
  }

  /** What GET /events/{id}/availability answers without `seats`. */
  availability(): object {
    return this.#availability({});
  }

  /** The same as an entity, kept until the next change. Epoch and seq tell what it says. */
  availabilityEntity(withSeats: boolean): KeptEntity {
    if (!withSeats) {
      this.#plainEntity ??= entityOf(this.#availability({}), `"${this.epoch}.${this.seq}"`);
      return this.#plainEntity;
    }
    this.#entityWithSeats ??= entityOf(
      this.#availability({ statuses: this.#statuses() }),
      `"${this.epoch}.${this.seq}.seats"`,
    );
    return this.#entityWithSeats;
  }

  #availability(extra: { statuses?: string }): object {
    const { definition, inventory } = this;
    return {
      eventId: this.eventId,
      epoch: this.epoch,
      seq: this.seq,
      status: definition.status,
      capacity: inventory.capacity,
      ...this.#totals(),
      categories: definition.categories.map(({ key, priceMinor }, index) => ({
        key,
        free: inventory.freeIn(index),
        price: priceMinor,
      })),
      areas: definition.areas.map((_, index) => this.#areaCounts(index)),
      ...extra,
    };
  }

  /** Of an area's places, few are ever blocked: a message says so only where some are. */
  #areaCounts(index: number): object {
    const { blocked, ...counts } = this.inventory.area(index);
    const shown = { key: this.definition.areas[index]?.key, ...counts };
    return blocked === 0 ? shown : { ...shown, blocked };
  }

  #totals(): object {
    const { free, held, sold, blocked } = this.inventory;
    return { free, held, sold, blocked };
  }

  #statuses(): string {
    const { buffer, byteOffset, byteLength } = this.inventory.statuses;
    return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
  }
}

/** Caches may keep it, but ask each time whether it still is so. */
const entityOf = (shown: object, etag: string): KeptEntity =>
  new KeptEntity({ body: JSON.stringify(shown), etag, cacheControl: "no-cache" });
