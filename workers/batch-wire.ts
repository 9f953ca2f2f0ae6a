/**
 * A worker's batch as it crosses to the gateway (packed-message.ts). The answer to a plain hold or
 * booking has no more than what the actor has added: the rest is what was asked.
 *
 *   batch     numbers  sentMs, count of changes, the changes, the answers
 *             parts    notices, decisions, what changes and answers have
 *   change    numbers  1 if its event is not that of the change before, seq, count of moves
 *                      (-1: a reset), the moves
 *             parts    eventId, of another event
 *   move      numbers  from, to, times (0: none is said), count of places, the places
 *   answer    numbers  id, lsn, form
 *   AS_HELD   numbers  seq, atMs, expiresAtMs, the items
 *   AS_BOOKED numbers  seq, atMs, bookedAtMs, the items
 *   DONE, REPLAYED     parts: the fact as in fact-codec.ts
 *   OTHER     parts    the answer itself
 *   items     numbers  count; place, category and priceMinor of each
 *
 * Sender and receiver are the same program, so nothing is checked here but what was asked.
 */
import { assert } from "../engine/assert.ts";
import { bookingOf } from "../engine/commands/book.ts";
import { decodeFact, encodeFact } from "../engine/fact-codec.ts";
import type { Booked, Fact, Held, Move } from "../engine/facts.ts";
import type { EventId } from "../engine/ids.ts";
import { isSeatStatus, type SeatStatus } from "../engine/inventory.ts";
import type { PlaceItem } from "../engine/place.ts";
import type { MessageReader, MessageWriter } from "./packed-message.ts";
import type {
  Answer,
  InventoryChange,
  InventoryReset,
  Operation,
  ShardAnswer,
  WorkerBatch,
} from "./shard-messages.ts";

const OTHER = 0;
const DONE = 1;
const REPLAYED = 2;
const AS_HELD = 3;
const AS_BOOKED = 4;

const RESET = -1;

/** What was asked under an id; null: nobody waits for the answer any more. */
export type AskedOf = (id: number) => Operation | null;

export function writeBatch(to: MessageWriter, batch: WorkerBatch): void {
  const { sentMs, changes, notices, answers, decisions = null } = batch;
  to.number(sentMs);
  to.part(notices);
  to.part(decisions);
  to.number(changes.length);
  let event: EventId | null = null;
  for (const change of changes) {
    writeChange(to, change, event);
    event = change.eventId;
  }
  for (const answer of answers) writeAnswer(to, answer);
}

/** Without the answers that nobody waits for any more. */
export function readBatch(from: MessageReader, askedOf: AskedOf): WorkerBatch {
  const sentMs = from.number();
  const notices = from.part<WorkerBatch["notices"]>();
  const decisions = from.part<WorkerBatch["decisions"] | null>();
  const changes: (InventoryChange | InventoryReset)[] = [];
  for (let count = from.number(); count > 0; count -= 1) {
    changes.push(readChange(from, changes.at(-1)));
  }
  const answers: ShardAnswer[] = [];
  while (from.hasNumbers) {
    const id = from.number();
    const lsn = from.number();
    const asked = askedOf(id);
    const answer = readAnswer(from, asked);
    if (asked !== null && answer !== null) answers.push({ id, lsn, answer });
  }
  return decisions == null
    ? { sentMs, changes, notices, answers }
    : { sentMs, changes, notices, answers, decisions };
}

function writeChange(
  to: MessageWriter,
  change: InventoryChange | InventoryReset,
  before: EventId | null,
): void {
  const isNext = change.eventId !== before;
  to.number(isNext ? 1 : 0);
  if (isNext) to.part(change.eventId);
  to.number(change.seq);
  if ("reset" in change) return to.number(RESET);
  to.number(change.moves.length);
  for (const move of change.moves) writeMove(to, move);
}

function readChange(
  from: MessageReader,
  before: InventoryChange | InventoryReset | undefined,
): InventoryChange | InventoryReset {
  const isNext = from.number() === 1;
  const eventId = isNext || before === undefined ? from.part<EventId>() : before.eventId;
  const seq = from.number();
  const count = from.number();
  if (count === RESET) return { eventId, seq, reset: true };
  const moves: Move[] = [];
  while (moves.length < count) moves.push(readMove(from));
  return { eventId, seq, moves };
}

function writeMove(to: MessageWriter, { places, from, to: reached, times = 0 }: Move): void {
  to.number(from);
  to.number(reached);
  to.number(times);
  to.number(places.length);
  for (const place of places) to.number(place);
}

function readMove(from: MessageReader): Move {
  const [left, reached] = [statusIn(from), statusIn(from)];
  const times = from.number();
  const places: number[] = [];
  for (let count = from.number(); count > 0; count -= 1) places.push(from.number());
  return times === 0
    ? { places, from: left, to: reached }
    : { places, from: left, to: reached, times };
}

function statusIn(from: MessageReader): SeatStatus {
  const status = from.number();
  assert(isSeatStatus(status), "a move is from status to status");
  return status;
}

function writeAnswer(to: MessageWriter, { id, lsn, answer }: ShardAnswer): void {
  to.number(id);
  to.number(lsn);
  if (answer.kind !== "done") {
    to.number(OTHER);
    // A view shows seats' statuses.
    if (answer.kind === "view") to.partWithBytes(answer);
    else to.part(answer);
    return;
  }
  const { fact, replayed } = answer;
  if (!replayed && fact.kind === "held" && isPlain(fact)) writeHeld(to, fact);
  else if (!replayed && fact.kind === "booked" && isPlainBooking(fact)) writeBooked(to, fact);
  else {
    to.number(replayed ? REPLAYED : DONE);
    if (fact.kind === "configured") to.partWithBytes(encodeFact(fact));
    else to.part(encodeFact(fact));
  }
}

/** null: what it answers is known to nobody any more. */
function readAnswer(from: MessageReader, asked: Operation | null): Answer | null {
  const form = from.number();
  switch (form) {
    case AS_HELD:
      return done(readHeld(from, asked), false);
    case AS_BOOKED:
      return done(readBooked(from, asked), false);
    case DONE:
    case REPLAYED:
      return done(decodeFact(from.part<unknown>()), form === REPLAYED);
    default:
      return from.part<Answer>();
  }
}

const done = (fact: Fact | null, replayed: boolean): Answer | null =>
  fact === null ? null : { kind: "done", fact, replayed };

type Contents = Pick<Held, "items" | "ordinals" | "terms">;

/** Nothing but places and prices. */
const isPlain = ({ items, ordinals, terms }: Contents): boolean =>
  terms === null && ordinals === null && items.every(({ charge }) => charge === null);

const isPlainBooking = ({ booking }: Booked): boolean => booking.later === null && isPlain(booking);

function writeHeld(to: MessageWriter, { seq, atMs, expiresAtMs, items }: Held): void {
  to.number(AS_HELD);
  to.number(seq);
  to.number(atMs);
  to.number(expiresAtMs);
  writeItems(to, items);
}

function readHeld(from: MessageReader, asked: Operation | null): Held | null {
  const seq = from.number();
  const atMs = from.number();
  const expiresAtMs = from.number();
  const items = readItems(from);
  if (asked === null) return null;
  assert(asked.kind === "hold", "a hold that is new was asked for");
  const { key, holdId, userId } = asked;
  const plain = { items, ordinals: null, terms: null };
  return { kind: "held", seq, atMs, key, holdId, userId, ...plain, expiresAtMs };
}

function writeBooked(to: MessageWriter, { seq, atMs, booking }: Booked): void {
  to.number(AS_BOOKED);
  to.number(seq);
  to.number(atMs);
  to.number(booking.bookedAtMs);
  writeItems(to, booking.items);
}

function readBooked(from: MessageReader, asked: Operation | null): Booked | null {
  const seq = from.number();
  const atMs = from.number();
  const bookedAtMs = from.number();
  const items = readItems(from);
  if (asked === null) return null;
  assert(asked.kind === "book" || asked.kind === "pay", "a new booking was asked for");
  const { key, holdId, userId } = asked;
  const hold = { holdId, userId, items, ordinals: null, terms: null };
  return { kind: "booked", seq, atMs, key, booking: bookingOf(hold, asked, bookedAtMs) };
}

function writeItems(to: MessageWriter, items: readonly PlaceItem[]): void {
  to.number(items.length);
  for (const { place, category, priceMinor } of items) {
    to.number(place);
    to.number(category);
    to.number(priceMinor);
  }
}

function readItems(from: MessageReader): PlaceItem[] {
  const items: PlaceItem[] = [];
  for (let count = from.number(); count > 0; count -= 1) {
    const [place, category, priceMinor] = [from.number(), from.number(), from.number()];
    items.push({ place, category, priceMinor, charge: null });
  }
  return items;
}
