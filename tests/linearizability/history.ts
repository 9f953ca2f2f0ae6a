/**
 * What clients did and were told, as it is checked and saved: newline-delimited JSON, one record a
 * line, in any order.
 *
 *   {"kind":"run","command":"npm run crash -- --seed 7","seed":7}
 *   {"kind":"event","eventId":"…","seq":1,"seats":["A-1","A-2"],"areas":[{"key":"floor",…}],…}
 *   {"kind":"operation","n":12,"eventId":"…","user":"…","operation":{"kind":"hold",…},
 *    "invokedMs":…,"answeredMs":…,"attempts":2,"answer":{"status":201,"replayed":true,"body":{…}}}
 *   {"kind":"outage","cause":"restart","fromMs":…,"toMs":…}
 *   {"kind":"clock","slackMs":0.4}
 *
 * All times are of one clock that never runs backwards, near Unix ms. An operation that was sent
 * several times, because nobody answered, is one operation: from its first invocation to its last
 * answer.
 */
import * as fs from "node:fs";

export type AskedItem =
  | { readonly seat: string }
  | { readonly area: string; readonly quantity: number };

export interface KeyedOperation {
  readonly key: string;
}
export interface HoldOperation extends KeyedOperation {
  readonly kind: "hold";
  readonly items: readonly AskedItem[];
}
export interface ExtendOperation extends KeyedOperation {
  readonly kind: "extend";
  readonly holdId: string;
}
export interface BookOperation extends KeyedOperation {
  readonly kind: "book";
  readonly holdId: string;
  readonly email: string;
}
export interface CancelOperation extends KeyedOperation {
  readonly kind: "cancel";
  readonly bookingId: string;
}
/** Operations that change something and come with an idempotency key. */
export type Keyed = HoldOperation | ExtendOperation | BookOperation | CancelOperation;

export type Operation =
  | Keyed
  | { readonly kind: "release"; readonly holdId: string }
  | { readonly kind: "getHold"; readonly holdId: string }
  | { readonly kind: "getBooking"; readonly bookingId: string }
  | { readonly kind: "listBookings" }
  | { readonly kind: "availability" };

export interface HistoryAnswer {
  readonly status: number;
  /** The answer called itself the first outcome of a repeated request. */
  readonly replayed: boolean;
  /** Parsed JSON; null: there was none. */
  readonly body: unknown;
}

export interface OperationRecord {
  readonly kind: "operation";
  /** Unique in its history. */
  readonly n: number;
  readonly eventId: string;
  /** Id of the user who asked. */
  readonly user: string;
  readonly operation: Operation;
  readonly invokedMs: number;
  readonly answeredMs: number;
  /** How often it was sent. */
  readonly attempts: number;
  readonly answer: HistoryAnswer;
}

/** The event as it was when nobody had held anything yet. */
export interface EventRecord {
  readonly kind: "event";
  readonly eventId: string;
  /** seq of the last fact before the history. */
  readonly seq: number;
  /** Ids in index order. */
  readonly seats: readonly string[];
  readonly areas: readonly { readonly key: string; readonly capacity: number }[];
  readonly holdTtlMs: number;
  readonly perOrderMax: number;
  readonly perUserMax: number;
}

/** Nobody could be expected to end a hold in this time. */
export interface OutageRecord {
  readonly kind: "outage";
  /** The server was away, or the whole machine stood still. */
  readonly cause: "restart" | "stall";
  readonly fromMs: number;
  readonly toMs: number;
}

/** How far the history's clock may be from that of the server. */
export interface ClockRecord {
  readonly kind: "clock";
  readonly slackMs: number;
}

export interface RunRecord {
  readonly kind: "run";
  /** Repeats the run. */
  readonly command: string;
  readonly seed: number;
}

export type HistoryRecord = RunRecord | EventRecord | OperationRecord | OutageRecord | ClockRecord;

export interface History {
  readonly events: readonly EventRecord[];
  readonly operations: readonly OperationRecord[];
  readonly outages: readonly OutageRecord[];
  /** Unix ms by which two clocks may differ. */
  readonly slackMs: number;
}

export function historyOf(records: readonly HistoryRecord[]): History {
  const ofKind = <Kind extends HistoryRecord["kind"]>(kind: Kind) =>
    records.filter((record): record is Extract<HistoryRecord, { kind: Kind }> => {
      return record.kind === kind;
    });
  return {
    events: ofKind("event"),
    operations: ofKind("operation"),
    outages: ofKind("outage"),
    slackMs: Math.max(0, ...ofKind("clock").map((clock) => clock.slackMs)),
  };
}

export function saveHistory(path: string, records: readonly HistoryRecord[]): void {
  const file = fs.openSync(path, "w");
  try {
    for (const record of records) fs.writeSync(file, `${JSON.stringify(record)}\n`);
  } finally {
    fs.closeSync(file);
  }
}

/** Reads what `saveHistory` wrote; its shape is believed, its contents are what is checked. */
export function loadHistory(path: string): HistoryRecord[] {
  return fs
    .readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as HistoryRecord);
}
