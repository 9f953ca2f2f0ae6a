/**
 * Identifiers, and why a hold's id knows its event.
 *
 * Every id is a UUIDv7 (RFC 9562). The ids of holds, bookings, items and tickets are *routed*:
 * their last ten hex digits repeat the last ten of the event's id (its tag), so `GET /holds/{id}`
 * finds the one actor that may answer without a look-up that could lag behind.
 *
 *   018f3c9a-7b10-7 4d2-  9 1c0-5e 07a4b1c2d3
 *   └─ unix ms ──┘ │ │    │ └─┬──┘ └── tag ─┘
 *                  │ │    │   └ node: 22 bits (with the two low bits of the variant digit)
 *                  │ │    └ variant
 *                  │ └ counter: 12 bits, next ids of the same millisecond
 *                  └ version
 *
 * A hold of n places owns n + 1 consecutive (ms, counter) pairs: the first is the hold, the k-th
 * after it is its k-th item, which later is the ticket of that place. So items need no ids in the
 * journal.
 */
import { ITEM_IDS_PER_HOLD } from "./limits.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type EventId = Branded<"EventId">;
export type UserId = Branded<"UserId">;
export type OrganizationId = Branded<"OrganizationId">;
export type HoldId = Branded<"HoldId">;
export type BookingId = Branded<"BookingId">;
/** An item of a hold, and, once booked, the ticket of the same place. */
export type ItemId = Branded<"ItemId">;
/** Somebody who waits for places; the ids after it are the hold that they may be offered. */
export type WaitlistEntryId = Branded<"WaitlistEntryId">;
/** A payment that a provider is asked for. Routed, so that its outcome finds the event. */
export type IntentId = Branded<"IntentId">;
export type RefundId = Branded<"RefundId">;
/** Last ten hex digits of an event's id; unique among events. */
export type EventTag = Branded<"EventTag">;

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for a canonical, lower-case UUIDv7. */
export function isUuidV7(text: string): boolean {
  return UUID_V7.test(text);
}

function parse(text: unknown): string | null {
  return typeof text === "string" && UUID_V7.test(text) ? text : null;
}

export const parseEventId = (text: unknown): EventId | null => parse(text) as EventId | null;
export const parseUserId = (text: unknown): UserId | null => parse(text) as UserId | null;
export const parseHoldId = (text: unknown): HoldId | null => parse(text) as HoldId | null;
export const parseBookingId = (text: unknown): BookingId | null => parse(text) as BookingId | null;
export const parseItemId = (text: unknown): ItemId | null => parse(text) as ItemId | null;
export const parseIntentId = (text: unknown): IntentId | null => parse(text) as IntentId | null;
export const parseOrganizationId = (text: unknown): OrganizationId | null =>
  parse(text) as OrganizationId | null;

export function eventTagOf(id: EventId | HoldId | BookingId | ItemId | IntentId): EventTag {
  return id.slice(26) as EventTag;
}

const HEX = Array.from({ length: 4096 }, (_, n) => n.toString(16).padStart(3, "0"));

/** The time (Unix ms) and the counter that a routed id carries. */
function ordinalOf(id: string): { ms: number; counter: number } {
  const ms = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return { ms, counter: Number.parseInt(id.slice(15, 18), 16) };
}

/** Writes a routed id. `ms` is 48 bits, `counter` 12, `tail` is everything after the counter. */
function format(ms: number, counter: number, tail: string): string {
  const high = Math.floor(ms / 16777216);
  const low = ms % 16777216;
  const a = HEX[high >>> 12] ?? "";
  const b = HEX[high & 4095] ?? "";
  const c = HEX[low >>> 12] ?? "";
  const d = HEX[low & 4095] ?? "";
  return `${a}${b}${c.slice(0, 2)}-${c.slice(2)}${d}-7${HEX[counter] ?? ""}${tail}`;
}

/** Id of the item at `index` (from 0) of a hold; also the id of the ticket it becomes. */
export function itemIdOf(holdId: HoldId, index: number): ItemId {
  const { ms, counter } = ordinalOf(holdId);
  const next = counter + 1 + index;
  // Mostly in the same millisecond, and then nothing but the counter differs.
  if (next < HEX.length) return `${holdId.slice(0, 15)}${HEX[next]}${holdId.slice(18)}` as ItemId;
  return format(ms + (next >>> 12), next & 4095, holdId.slice(18)) as ItemId;
}

/** Id of an intent's refund number `index`, from 0. */
export function refundIdOf(intentId: IntentId, index: number): RefundId {
  return itemIdOf(intentId as string as HoldId, index) as string as RefundId;
}

/** Id of the hold that a waitlist entry is offered; there is one offer at most. */
export function offerIdOf(entryId: WaitlistEntryId): HoldId {
  return itemIdOf(entryId as string as HoldId, 0) as string as HoldId;
}

/**
 * Makes routed ids that never repeat on this node and grow with time.
 *
 * Invariant: the pair (ms, counter) only grows. When the counter of a millisecond is used up, or
 * the clock steps back, the minter runs ahead of the clock instead of repeating itself.
 *
 * The node's 22 bits keep two nodes apart; the caller draws them at random.
 */
export class IdMinter {
  #ms = 0;
  #counter = 0;
  readonly #node: string;

  constructor(nodeBits: number) {
    const variant = (8 + ((nodeBits >>> 20) & 3)).toString(16);
    const rest = (nodeBits & 0xfffff).toString(16).padStart(5, "0");
    this.#node = `-${variant}${rest.slice(0, 3)}-${rest.slice(3)}`;
  }

  /** A hold's id; the `places` ids after it are reserved for its items. */
  mintHold(nowMs: number, tag: EventTag, places: number): HoldId {
    return this.#mint(nowMs, tag, 1 + places) as HoldId;
  }

  mintBooking(nowMs: number, tag: EventTag): BookingId {
    return this.#mint(nowMs, tag, 1) as BookingId;
  }

  /** An intent's id; the ITEM_IDS_PER_HOLD ids after it are its refunds'. */
  mintIntent(nowMs: number, tag: EventTag): IntentId {
    return this.#mint(nowMs, tag, 1 + ITEM_IDS_PER_HOLD) as IntentId;
  }

  /** An entry's id; the next is its offer's, and ITEM_IDS_PER_HOLD more are those of its items. */
  mintEntry(nowMs: number, tag: EventTag): WaitlistEntryId {
    return this.#mint(nowMs, tag, 2 + ITEM_IDS_PER_HOLD) as WaitlistEntryId;
  }

  #mint(nowMs: number, tag: EventTag, count: number): string {
    if (nowMs > this.#ms) {
      this.#ms = nowMs;
      this.#counter = 0;
    }
    const id = format(this.#ms, this.#counter, this.#node + tag);
    const next = this.#counter + count;
    this.#ms += next >>> 12;
    this.#counter = next & 4095;
    return id;
  }
}

/** An id that is not routed (events, users, organisations), from 80 random bits. */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  const hex = (index: number): string => HEX[random[index] ?? 0]?.slice(1) ?? "";
  const counter = ((random[0] ?? 0) << 4) | ((random[1] ?? 0) >>> 4);
  const variant = (8 + ((random[1] ?? 0) & 3)).toString(16);
  const group = `-${variant}${hex(2)}${hex(3).slice(1)}`;
  const tail = `${group}-${hex(4)}${hex(5)}${hex(6)}${hex(7)}${hex(8)}${hex(9)}`;
  return format(nowMs, counter, tail);
}
