/**
 * The messages of shard-messages.ts as they cross between threads: what there is much of (holds,
 * bookings, their answers, changes of availability) as positional rows without a single field name,
 * all else as it is.
 *
 *   requests   [[id, shard, eventId, deadlineMs, operation, trace?], …]
 *   operation  [1, holdId, userId, places, key]                                  a plain hold
 *              [2, holdId, userId, bookingId, code, ticketCodes, email, invoiceAllowed, key]  book
 *              the operation itself                                              any other
 *   key        null | [digest, fingerprint]
 *
 *   batch      [sentMs, changes, notices, answers, decisions]
 *   changes    [[eventId, seq, [[places, from, to, times?], …]], …]; of a reset: [eventId, seq]
 *   answers    [[id, lsn, answer], …]
 *   answer     [replayed, fact as in fact-codec.ts] of what is done; of any other, itself
 *
 * Sender and receiver are the same program, so nothing is checked here.
 */
import type { Book } from "../engine/commands/book.ts";
import type { Hold } from "../engine/commands/hold.ts";
import { decodeFact, encodeFact } from "../engine/fact-codec.ts";
import type { CommandKey, Move } from "../engine/facts.ts";
import type { BookingId, EventId, HoldId, UserId } from "../engine/ids.ts";
import type { Place } from "../engine/place.ts";
import type { PackedMessage } from "./batch-port.ts";
import type {
  Answer,
  InventoryChange,
  InventoryReset,
  Operation,
  ShardAnswer,
  ShardRequest,
  WorkerBatch,
} from "./shard-messages.ts";
import type { TraceContext } from "./traced.ts";

const HOLD = 1;
const BOOK = 2;

type KeyRow = readonly [digest: string, fingerprint: string] | null;
type HoldRow = readonly [
  kind: typeof HOLD,
  holdId: HoldId,
  userId: UserId,
  places: readonly Place[],
  key: KeyRow,
];
type BookRow = readonly [
  kind: typeof BOOK,
  holdId: HoldId,
  userId: UserId,
  bookingId: BookingId,
  code: string,
  ticketCodes: readonly string[],
  email: string | null,
  invoiceAllowed: boolean,
  key: KeyRow,
];
type OperationRow = HoldRow | BookRow | Operation;
type RequestRow = readonly [
  id: number,
  shard: number,
  eventId: EventId,
  deadlineMs: number,
  operation: OperationRow,
  trace?: TraceContext,
];
type MoveRow = readonly [
  places: readonly Place[],
  from: Move["from"],
  to: Move["to"],
  times?: number,
];
type ChangeRow = readonly [eventId: EventId, seq: number, moves?: readonly MoveRow[]];
type AnswerRow = readonly [
  id: number,
  lsn: number,
  answer: readonly [replayed: boolean, fact: readonly unknown[]] | Answer,
];
type BatchRow = readonly [
  sentMs: number,
  changes: readonly ChangeRow[],
  notices: WorkerBatch["notices"],
  answers: readonly AnswerRow[],
  decisions: WorkerBatch["decisions"] | null,
];

export function encodeRequests(requests: readonly ShardRequest[]): PackedMessage {
  const rows = requests.map(encodeRequest);
  return { rows, hasBytes: requests.some(({ operation }) => operation.kind === "configure") };
}

function encodeRequest(request: ShardRequest): RequestRow {
  const { id, shard, eventId, deadlineMs, operation, trace } = request;
  const row = encodeOperation(operation);
  return trace === undefined
    ? [id, shard, eventId, deadlineMs, row]
    : [id, shard, eventId, deadlineMs, row, trace];
}

/** `encoded`: the rows of encodeRequests, packed and unpacked. */
export function decodeRequests(encoded: unknown): ShardRequest[] {
  const rows = encoded as readonly RequestRow[];
  return rows.map(([id, shard, eventId, deadlineMs, row, trace]) => {
    const operation = decodeOperation(row);
    return trace === undefined
      ? { id, shard, eventId, deadlineMs, operation }
      : { id, shard, eventId, deadlineMs, operation, trace };
  });
}

export function encodeBatch(batch: WorkerBatch): PackedMessage {
  const { sentMs, changes, notices, answers, decisions = null } = batch;
  const changeRows = changes.map(encodeChange);
  const rows: BatchRow = [sentMs, changeRows, notices, answers.map(encodeAnswer), decisions];
  return { rows, hasBytes: answers.some(hasBytes) };
}

/** Whether the answer shows a definition, or seats' statuses. */
const hasBytes = ({ answer }: ShardAnswer): boolean =>
  answer.kind === "view" || (answer.kind === "done" && answer.fact.kind === "configured");

/** `encoded`: the rows of encodeBatch, packed and unpacked. */
export function decodeBatch(encoded: unknown): WorkerBatch {
  const [sentMs, changeRows, notices, answerRows, decisions] = encoded as BatchRow;
  const changes = changeRows.map(decodeChange);
  const answers = answerRows.map(decodeAnswer);
  return decisions == null
    ? { sentMs, changes, notices, answers }
    : { sentMs, changes, notices, answers, decisions };
}

function encodeOperation(operation: Operation): OperationRow {
  switch (operation.kind) {
    case "hold":
      return isPlain(operation) ? encodeHold(operation) : operation;
    case "book":
      return encodeBook(operation);
    default:
      return operation;
  }
}

function isPlain({ best, promoCode, channel }: Hold): boolean {
  return best.length === 0 && promoCode === null && channel === null;
}

const encodeHold = ({ holdId, userId, places, key }: Hold): HoldRow => [
  HOLD,
  holdId,
  userId,
  places,
  encodeKey(key),
];

function encodeBook(command: Book): BookRow {
  const { holdId, userId, bookingId, code, ticketCodes, email, invoiceAllowed, key } = command;
  const row = encodeKey(key);
  return [BOOK, holdId, userId, bookingId, code, ticketCodes, email, invoiceAllowed, row];
}

function decodeOperation(row: OperationRow): Operation {
  if (!isRow(row)) return row;
  if (row[0] === HOLD) {
    const [, holdId, userId, places, key] = row;
    return {
      kind: "hold",
      holdId,
      userId,
      places,
      best: [],
      promoCode: null,
      channel: null,
      key: decodeKey(key),
    };
  }
  const [, holdId, userId, bookingId, code, ticketCodes, email, invoiceAllowed, key] = row;
  return {
    kind: "book",
    holdId,
    userId,
    bookingId,
    code,
    ticketCodes,
    email,
    invoiceAllowed,
    key: decodeKey(key),
  };
}

/** Array.isArray does not tell readonly tuples apart. */
function isRow<Row extends readonly unknown[]>(value: Row | object): value is Row {
  return Array.isArray(value);
}

const encodeKey = (key: CommandKey | null): KeyRow =>
  key === null ? null : [key.digest, key.fingerprint];

const decodeKey = (row: KeyRow): CommandKey | null =>
  row === null ? null : { digest: row[0], fingerprint: row[1] };

function encodeChange(change: InventoryChange | InventoryReset): ChangeRow {
  const { eventId, seq } = change;
  return "reset" in change ? [eventId, seq] : [eventId, seq, change.moves.map(encodeMove)];
}

function decodeChange([eventId, seq, moves]: ChangeRow): InventoryChange | InventoryReset {
  if (moves === undefined) return { eventId, seq, reset: true };
  return { eventId, seq, moves: moves.map(decodeMove) };
}

const encodeMove = ({ places, from, to, times }: Move): MoveRow =>
  times === undefined ? [places, from, to] : [places, from, to, times];

const decodeMove = ([places, from, to, times]: MoveRow): Move =>
  times === undefined ? { places, from, to } : { places, from, to, times };

function encodeAnswer({ id, lsn, answer }: ShardAnswer): AnswerRow {
  if (answer.kind !== "done") return [id, lsn, answer];
  return [id, lsn, [answer.replayed, encodeFact(answer.fact)]];
}

function decodeAnswer([id, lsn, row]: AnswerRow): ShardAnswer {
  if (!isRow(row)) return { id, lsn, answer: row };
  const [replayed, fact] = row;
  return { id, lsn, answer: { kind: "done", fact: decodeFact(fact), replayed } };
}
