/**
 * Requests as they cross from the gateway to a shard worker (packed-message.ts): what there is much
 * of, holds and bookings, as numbers and texts; any other operation as it is.
 *
 *   request   numbers  id, shard, deadlineMs, form
 *             parts    eventId, if NEXT_EVENT: otherwise it is that of the request before
 *   HOLD      numbers  count of places, the places
 *             parts    holdId, userId, key
 *   BOOK      parts    holdId, userId, bookingId, code, ticketCodes, email, key
 *   OTHER     parts    the operation
 *   key       parts    digest, fingerprint, if KEYED
 *   trace     parts    the trace context, if TRACED
 *
 * Sender and receiver are the same program, so nothing is checked here.
 */
import type { Book } from "../engine/commands/book.ts";
import type { Hold } from "../engine/commands/hold.ts";
import type { CommandKey } from "../engine/facts.ts";
import type { BookingId, EventId, HoldId, UserId } from "../engine/ids.ts";
import type { Place } from "../engine/place.ts";
import type { MessageReader, MessageWriter } from "./packed-message.ts";
import type { Operation, ShardRequest } from "./shard-messages.ts";
import type { TraceContext } from "./traced.ts";

/** A form is one of these, and the flags below. */
const KIND = 3;
const OTHER = 0;
const HOLD = 1;
const BOOK = 2;
const NEXT_EVENT = 4;
const KEYED = 8;
const TRACED = 16;
const INVOICE_ALLOWED = 32;

export function writeRequests(to: MessageWriter, requests: readonly ShardRequest[]): void {
  let event: EventId | null = null;
  for (const { id, shard, eventId, deadlineMs, operation, trace } of requests) {
    const isNext = eventId !== event;
    event = eventId;
    to.number(id);
    to.number(shard);
    to.number(deadlineMs);
    to.number(formOf(operation) | (isNext ? NEXT_EVENT : 0) | (trace === undefined ? 0 : TRACED));
    if (isNext) to.part(eventId);
    writeOperation(to, operation);
    if (trace !== undefined) to.part(trace);
  }
}

/** All that were written. */
export function readRequests(from: MessageReader): ShardRequest[] {
  const requests: ShardRequest[] = [];
  let eventId = "" as EventId;
  while (from.hasNumbers) {
    const id = from.number();
    const shard = from.number();
    const deadlineMs = from.number();
    const form = from.number();
    if ((form & NEXT_EVENT) !== 0) eventId = from.part<EventId>();
    const operation = readOperation(from, form);
    requests.push(
      (form & TRACED) === 0
        ? { id, shard, eventId, deadlineMs, operation }
        : { id, shard, eventId, deadlineMs, operation, trace: from.part<TraceContext>() },
    );
  }
  return requests;
}

function formOf(operation: Operation): number {
  switch (operation.kind) {
    case "hold":
      return isPlain(operation) ? HOLD | keyed(operation.key) : OTHER;
    case "book":
      return BOOK | keyed(operation.key) | (operation.invoiceAllowed ? INVOICE_ALLOWED : 0);
    default:
      return OTHER;
  }
}

const keyed = (key: CommandKey | null): number => (key === null ? 0 : KEYED);

function isPlain({ best, promoCode, channel }: Hold): boolean {
  return best.length === 0 && promoCode === null && channel === null;
}

function writeOperation(to: MessageWriter, operation: Operation): void {
  switch (operation.kind) {
    case "hold":
      return isPlain(operation) ? writeHold(to, operation) : to.part(operation);
    case "book":
      return writeBook(to, operation);
    case "configure":
      // A definition has bytes.
      return to.partWithBytes(operation);
    default:
      return to.part(operation);
  }
}

function readOperation(from: MessageReader, form: number): Operation {
  switch (form & KIND) {
    case HOLD:
      return readHold(from, form);
    case BOOK:
      return readBook(from, form);
    default:
      return from.part<Operation>();
  }
}

function writeHold(to: MessageWriter, { holdId, userId, places, key }: Hold): void {
  to.number(places.length);
  for (const place of places) to.number(place);
  to.part(holdId);
  to.part(userId);
  writeKey(to, key);
}

function readHold(from: MessageReader, form: number): Hold {
  const count = from.number();
  const places: Place[] = [];
  for (let n = 0; n < count; n += 1) places.push(from.number());
  return {
    kind: "hold",
    holdId: from.part<HoldId>(),
    userId: from.part<UserId>(),
    places,
    best: [],
    promoCode: null,
    channel: null,
    key: readKey(from, form),
  };
}

function writeBook(to: MessageWriter, command: Book): void {
  const { holdId, userId, bookingId, code, ticketCodes, email, key } = command;
  for (const part of [holdId, userId, bookingId, code, ticketCodes, email]) to.part(part);
  writeKey(to, key);
}

function readBook(from: MessageReader, form: number): Book {
  return {
    kind: "book",
    holdId: from.part<HoldId>(),
    userId: from.part<UserId>(),
    bookingId: from.part<BookingId>(),
    code: from.part<string>(),
    ticketCodes: from.part<readonly string[]>(),
    email: from.part<string | null>(),
    invoiceAllowed: (form & INVOICE_ALLOWED) !== 0,
    key: readKey(from, form),
  };
}

function writeKey(to: MessageWriter, key: CommandKey | null): void {
  if (key === null) return;
  to.part(key.digest);
  to.part(key.fingerprint);
}

function readKey(from: MessageReader, form: number): CommandKey | null {
  if ((form & KEYED) === 0) return null;
  return { digest: from.part<string>(), fingerprint: from.part<string>() };
}
