import type { BookingRecord } from "../../engine/booking.ts";
import type { Book } from "../../engine/commands/book.ts";
import type { Extend } from "../../engine/commands/extend.ts";
import type { Hold } from "../../engine/commands/hold.ts";
import type { Release } from "../../engine/commands/release.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { CommandKey, Held } from "../../engine/facts.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import type { BookingId, EventId, HoldId } from "../../engine/ids.ts";
import { HOLD_LIFETIME_TTLS_MAX, IN_FLIGHT_PER_WORKER_MAX } from "../../engine/limits.ts";
import { areaIndexOf, isSeat, type PlaceItem, totalMinor } from "../../engine/place.ts";
import { refuseBySale } from "../../engine/places.ts";
import type { Refusal, Reply } from "../../engine/replies.ts";
import type { BookingDeskPorts } from "../../gateway/booking/desk-core.ts";
import type { Done } from "../../gateway/shard-router.ts";
import type { Answer, Operation } from "../../workers/shard-messages.ts";
import { type HeldRow, refusalOfBooking, refusalOfHold } from "./held-row.ts";
import type { AreaWanted, BookOrder, HoldOrder, SaleDesign } from "./sale-design.ts";
import type { SaleStore } from "./sale-store.ts";
import { isDeadlock, isKeyUsed } from "./statements.ts";

export interface BaselineRouterOptions {
  readonly design: SaleDesign;
  readonly store: SaleStore;
  readonly logError: (message: string, cause: unknown) => void;
  /** Unix ms. Default: the machine's. */
  readonly now?: () => number;
}

/** How often an order is tried that found nothing free, though something was. */
const TRIES_MAX = 3;
/** How often an order is tried that PostgreSQL broke off: it and another waited for each other. */
const DEADLOCK_TRIES_MAX = 10;
const BUSY: Answer = { kind: "refused", refusal: { code: "busy" } };

/**
 * Stands where the gateway has its way to the actors, and answers from PostgreSQL: everything in
 * front of it (HTTP, tokens, validation, keys, views) is the product's own.
 *
 * It sells what the load asks for: holds of named seats and of areas, and bookings of them. What
 * the product does besides (limits per buyer, churn, promo codes, fees, wishes) it does not do,
 * which spares it work.
 *
 * Invariant: what has to be known of an event but is not sold (prices, times) is in memory here,
 * from the publication on, as a shop keeps it in a cache.
 */
export class BaselineRouter
  implements
    Pick<
      BookingDeskPorts["router"],
      "execute" | "shardOf" | "refusesHolds" | "refusesAllHolds" | "whenProjected"
    >
{
  readonly #design: SaleDesign;
  readonly #store: SaleStore;
  readonly #logError: BaselineRouterOptions["logError"];
  readonly #now: () => number;
  readonly #definitions = new Map<EventId, InventoryDefinition>();
  #inFlight = 0;

  constructor({ design, store, logError, now = Date.now }: BaselineRouterOptions) {
    this.#design = design;
    this.#store = store;
    this.#logError = logError;
    this.#now = now;
  }

  async configure(definition: InventoryDefinition): Promise<void> {
    await this.#store.configure(definition);
    this.#definitions.set(definition.eventId, definition);
  }

  definitionOf(eventId: EventId): InventoryDefinition | null {
    return this.#definitions.get(eventId) ?? null;
  }

  shardOf(): number {
    return 0;
  }

  refusesHolds(): boolean {
    return this.#inFlight >= IN_FLIGHT_PER_WORKER_MAX;
  }

  refusesAllHolds(): boolean {
    return this.refusesHolds();
  }

  /** What was answered is committed. */
  whenProjected(): Promise<boolean> {
    return Promise.resolve(true);
  }

  execute(eventId: EventId, operation: Operation, done: Done): void {
    if (this.refusesHolds()) {
      setImmediate(() => done(BUSY, 0));
      return;
    }
    this.#inFlight += 1;
    this.#answer(eventId, operation)
      .catch((error: unknown): Answer => {
        this.#logError("a baseline failed", error);
        return { kind: "failed" };
      })
      .then((answer) => {
        this.#inFlight -= 1;
        done(answer, 0);
      })
      .catch((error: unknown) => this.#logError("an answer could not be given", error));
  }

  async #answer(eventId: EventId, operation: Operation): Promise<Answer> {
    const definition = this.#definitions.get(eventId);
    if (definition === undefined) return refused({ code: "event_not_found" });
    switch (operation.kind) {
      case "hold":
        return this.#hold(definition, operation);
      case "book":
        return this.#book(definition, operation);
      case "getHold": {
        const { holdId, userId } = operation;
        const hold = await this.#store.findHold(eventId, holdId);
        const refusal = refusalOfHold(hold, userId, this.#now());
        if (refusal !== null || hold === null) return refused(refusal ?? NOT_FOUND);
        return { kind: "hold", hold: activeHold(hold) };
      }
      case "release":
        return this.#release(definition, operation);
      case "extend":
        return this.#extend(definition, operation);
      default:
        throw new Error(`a baseline does not do ${operation.kind}`);
    }
  }

  async #hold(definition: InventoryDefinition, command: Hold): Promise<Reply> {
    const nowMs = this.#now();
    const refusal = refuseBySale(definition, nowMs) ?? refuseByOrder(definition, command);
    if (refusal !== null) return refused(refusal);
    if (command.best.length > 0 || command.promoCode !== null || command.channel !== null) {
      throw new Error("a baseline sells named places at their price");
    }
    const order = orderOf(definition, command, nowMs);
    const { eventId, key } = order;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const result = await this.#orKeyUsed(() => this.#design.hold(order));
      if (result !== "key used" && result.ok) return heldReply(order, result.seq);
      const replay = await this.#replayHold(definition, key);
      if (replay !== null) return replay;
      if (result === "key used") continue;
      const { against } = result;
      const found = against.code === "unknown" ? await this.#store.refusalOf(order) : against;
      // It was free again when we looked.
      if (found === null) continue;
      if (found.code !== "insufficient_capacity") return refused(found);
      if ((await this.#store.reclaim(eventId, nowMs)) === 0) return refused(found);
    }
    return BUSY_REPLY;
  }

  async #book({ eventId }: InventoryDefinition, command: Book): Promise<Reply> {
    const order: BookOrder = { ...command, eventId, nowMs: this.#now() };
    const result = await this.#orKeyUsed(() => this.#design.book(order));
    if (result !== "key used" && result.ok) {
      const { seq, items } = result.sold;
      return bookedReply(recordOf(order, items), seq, { key: order.key, replayed: false });
    }
    const replay = await this.#replayBooking(eventId, order.key);
    if (replay !== null) return replay;
    if (result === "key used") return BUSY_REPLY;
    const { against } = result;
    if (against.code !== "unknown") return refused(against);
    const hold = await this.#store.findHold(eventId, order.holdId);
    return refused(refusalOfBooking(hold, order) ?? { code: "busy" });
  }

  async #release({ eventId }: InventoryDefinition, { holdId, userId }: Release): Promise<Reply> {
    const nowMs = this.#now();
    const hold = await this.#store.findHold(eventId, holdId);
    const refusal = refusalOfHold(hold, userId, nowMs);
    if (refusal?.code === "hold_released") return { kind: "unchanged" };
    if (refusal !== null || hold === null) return refused(refusal ?? NOT_FOUND);
    const seq = await this.#store.release({ eventId, holdId, userId, nowMs });
    if (seq === null) return BUSY_REPLY;
    const { items } = hold;
    const ended = { kind: "holdEnded", reason: "released", holdId, userId, items } as const;
    const fact = { ...ended, seq, atMs: nowMs, key: null, ordinals: null, terms: null };
    return { kind: "done", fact, replayed: false };
  }

  async #extend({ eventId, holdTtlMs }: InventoryDefinition, command: Extend): Promise<Reply> {
    const { holdId, userId } = command;
    const nowMs = this.#now();
    const hold = await this.#store.findHold(eventId, holdId);
    const refusal = refusalOfHold(hold, userId, nowMs);
    if (refusal !== null || hold === null) return refused(refusal ?? NOT_FOUND);
    const capMs = hold.createdAtMs + HOLD_LIFETIME_TTLS_MAX * holdTtlMs;
    const expiresAtMs = Math.min(hold.expiresAtMs + holdTtlMs, capMs);
    const seq = await this.#store.extend({ eventId, holdId, userId, nowMs }, expiresAtMs);
    if (seq === null) return refused({ code: "hold_not_extendable" });
    const base = { seq, atMs: nowMs, key: null, holdId, userId, expiresAtMs };
    const fact = { kind: "extended", ...base, ...plain(hold.items) } as const;
    return { kind: "done", fact, replayed: false };
  }

  /** Whom PostgreSQL breaks off comes again, in every design: nothing of it was done. */
  async #orKeyUsed<T>(work: () => Promise<T>): Promise<T | "key used"> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (isKeyUsed(error)) return "key used";
        if (!isDeadlock(error) || tries === DEADLOCK_TRIES_MAX) throw error;
      }
    }
  }

  /** null: the key is new. */
  async #replayHold(
    { eventId, holdTtlMs }: InventoryDefinition,
    key: CommandKey | null,
  ): Promise<Reply | null> {
    const used = key === null ? null : await this.#store.findKey(eventId, key.digest);
    if (used === null || key === null) return null;
    if (used.fingerprint !== key.fingerprint) return refused({ code: "idempotency_key_reused" });
    const hold = await this.#store.findHold(eventId, used.outcomeId as HoldId);
    if (hold === null) return BUSY_REPLY;
    const { holdId, userId, items, seq, createdAtMs: atMs } = hold;
    // As it was first: an extension came later.
    const expiresAtMs = atMs + holdTtlMs;
    const base = { seq, atMs, key, holdId, userId, expiresAtMs };
    return { kind: "done", fact: { kind: "held", ...base, ...plain(items) }, replayed: true };
  }

  async #replayBooking(eventId: EventId, key: CommandKey | null): Promise<Reply | null> {
    const used = key === null ? null : await this.#store.findKey(eventId, key.digest);
    if (used === null || key === null) return null;
    if (used.fingerprint !== key.fingerprint) return refused({ code: "idempotency_key_reused" });
    const known = await this.#store.findBooking(eventId, used.outcomeId as BookingId);
    if (known === null) return BUSY_REPLY;
    return bookedReply(known.record, known.seq, { key, replayed: true });
  }
}

const refused = (refusal: Refusal): Reply => ({ kind: "refused", refusal });
const BUSY_REPLY = refused({ code: "busy" });
const NOT_FOUND: Refusal = { code: "hold_not_found" };

const plain = (items: readonly PlaceItem[]) => ({ items, ordinals: null, terms: null });

function refuseByOrder({ perOrderMax }: InventoryDefinition, { places }: Hold): Refusal | null {
  if (places.length <= perOrderMax) return null;
  const current = places.length;
  return { code: "limit_exceeded", scope: "perOrder", limit: perOrderMax, current };
}

function orderOf(definition: InventoryDefinition, command: Hold, nowMs: number): HoldOrder {
  const { eventId, holdTtlMs } = definition;
  const { holdId, userId, places, key } = command;
  const items = places.map((place) => itemOf(definition, place));
  const seats = places.filter(isSeat).sort((a, b) => a - b);
  const what = { items, seats, areas: areasOf(places), totalMinor: totalMinor(items) };
  return { eventId, holdId, userId, ...what, nowMs, expiresAtMs: nowMs + holdTtlMs, key };
}

function areasOf(places: readonly number[]): AreaWanted[] {
  const quantities = new Map<number, number>();
  for (const place of places) {
    if (isSeat(place)) continue;
    const area = areaIndexOf(place);
    quantities.set(area, (quantities.get(area) ?? 0) + 1);
  }
  const areas = [...quantities].map(([area, quantity]) => ({ area, quantity }));
  return areas.sort((a, b) => a.area - b.area);
}

function itemOf({ categories, areas, seatCategories }: InventoryDefinition, place: number) {
  const category = isSeat(place) ? seatCategories[place] : areas[areaIndexOf(place)]?.category;
  const priceMinor = categories[category ?? 0]?.priceMinor ?? 0;
  return { place, category: category ?? 0, priceMinor, charge: null };
}

function heldReply({ holdId, userId, items, nowMs, expiresAtMs, key }: HoldOrder, seq: number) {
  const base = { seq, atMs: nowMs, key, holdId, userId, expiresAtMs };
  const fact: Held = { kind: "held", ...base, ...plain(items) };
  return { kind: "done", fact, replayed: false } as const;
}

function recordOf(order: BookOrder, items: readonly PlaceItem[]): BookingRecord {
  const { bookingId, holdId, userId, email, code, nowMs, ticketCodes } = order;
  const ids = { bookingId, holdId, userId, email, code, bookedAtMs: nowMs, later: null };
  return { ...ids, ...plain(items), ticketCodes: ticketCodes.slice(0, items.length) };
}

function bookedReply(
  booking: BookingRecord,
  seq: number,
  { key, replayed }: { readonly key: CommandKey | null; readonly replayed: boolean },
): Reply {
  const fact = { kind: "booked", seq, atMs: booking.bookedAtMs, key, booking } as const;
  return { kind: "done", fact, replayed };
}

function activeHold(hold: HeldRow): ActiveHold {
  const { holdId, userId, items, createdAtMs, expiresAtMs, extended, seq } = hold;
  const times = { createdAtMs, expiresAtMs, extended, seq };
  return { holdId, userId, ...plain(items), paying: null, ...times };
}
