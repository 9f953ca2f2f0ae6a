import { assert } from "../../engine/assert.ts";
import { PLAIN_HELD } from "../../engine/fact-codec.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import { activeHoldOf } from "../../engine/holds.ts";
import type { EventId, HoldId } from "../../engine/ids.ts";
import { RowReader } from "../journal/msgpack-row.ts";
import { factIn, type PackedPlace } from "./fact-bytes.ts";

const UUID_CHARS = 36;
const NUMBERS_PER_ITEM = 3;
const reader = new RowReader();

/**
 * A fact `held` as nearly all are, without charges, ordinals and terms, left where it lies packed.
 * In a rush most facts are of this kind, and all that is made of them is rows. As objects each
 * takes 3 KB, a good part of which outlives a collection or two.
 */
export class PlainHold implements PackedPlace {
  readonly eventId: EventId;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly seq: number;
  /** Unix ms. */
  readonly atMs: number;
  readonly expiresAtMs: number;
  readonly hasKey: boolean;
  /** Where the texts of the hold's id and its user's are in `bytes`, and its items. */
  readonly holdIdAt: number;
  readonly userIdAt: number;
  readonly itemsAt: number;

  /** null: it is another fact, or not as plain, or has a number that is not written plainly. */
  static read(eventId: EventId, place: PackedPlace): PlainHold | null {
    const parts = readParts(place);
    return parts === null ? null : new PlainHold(eventId, place, parts);
  }

  private constructor(eventId: EventId, place: PackedPlace, parts: Parts) {
    this.eventId = eventId;
    this.bytes = place.bytes;
    this.start = place.start;
    this.end = place.end;
    this.seq = parts.seq;
    this.atMs = parts.atMs;
    this.expiresAtMs = parts.expiresAtMs;
    this.hasKey = parts.hasKey;
    this.holdIdAt = parts.holdIdAt;
    this.userIdAt = parts.userIdAt;
    this.itemsAt = parts.itemsAt;
  }

  get ended(): null {
    return null;
  }

  get holdId(): HoldId {
    return this.bytes.toString("latin1", this.holdIdAt, this.holdIdAt + UUID_CHARS) as HoldId;
  }

  /** Triples of place, category, price, one item after another. */
  items(): number[] {
    reader.begin(this.bytes, this.itemsAt, this.end);
    const numbers = new Array<number>(reader.array());
    for (let at = 0; at < numbers.length; at += 1) numbers[at] = reader.number();
    return numbers;
  }

  forEachPlace(visit: (place: number) => void): void {
    reader.begin(this.bytes, this.itemsAt, this.end);
    for (let left = reader.array(); left > 0; left -= NUMBERS_PER_ITEM) {
      visit(reader.number());
      reader.number();
      reader.number();
    }
  }

  /** Made anew for whoever asks. */
  get hold(): ActiveHold {
    const fact = factIn(this);
    assert(fact.kind === "held", "a plain hold is a fact of its kind");
    return activeHoldOf(fact);
  }
}

type Parts = Pick<
  PlainHold,
  "seq" | "atMs" | "expiresAtMs" | "hasKey" | "holdIdAt" | "userIdAt" | "itemsAt"
>;

function readParts({ bytes, start, end }: PackedPlace): Parts | null {
  reader.begin(bytes, start, end);
  if (reader.array() !== PLAIN_HELD.members || reader.number() !== PLAIN_HELD.kind) return null;
  const seq = reader.number();
  const atMs = reader.number();
  const hasKey = !reader.null();
  if (hasKey && (reader.array() !== 2 || reader.skipText() < 0 || reader.skipText() < 0)) {
    return null;
  }
  const holdIdAt = uuidAt();
  const userIdAt = uuidAt();
  const itemsAt = reader.at;
  const numbers = reader.array();
  if (holdIdAt < 0 || userIdAt < 0 || numbers < 0 || numbers % NUMBERS_PER_ITEM !== 0) return null;
  for (let left = numbers; left > 0; left -= 1) if (Number.isNaN(reader.number())) return null;
  const expiresAtMs = reader.number();
  if (Number.isNaN(seq + atMs + expiresAtMs) || reader.at !== end) return null;
  return { seq, atMs, expiresAtMs, hasKey, holdIdAt, userIdAt, itemsAt };
}

/** Where the text of an id begins that is here; -1: another value is here. */
function uuidAt(): number {
  const from = reader.skipText();
  return reader.at - from === UUID_CHARS ? from : -1;
}
