import type { Check, Figure } from "../report/report.ts";
import type { HttpAnswer } from "./autocannon-connection.ts";

/** What a connection does next. */
export type Step =
  /** `stream` is the index of the kind of request, `text` all of its bytes. */
  | { readonly kind: "send"; readonly stream: number; readonly text: string }
  | { readonly kind: "pause"; readonly ms: number }
  /** There is nothing left to do for it. */
  | { readonly kind: "end" };

/** What one connection sends, one request after another. */
export interface Visitor {
  next(): Step;
  /** Told once after each `send`. */
  answered(answer: HttpAnswer): void;
  /** Its connection has ended: what it wanted to ask again, it cannot any more. */
  left(): void;
}

/** A kind of load: makes requests, and remembers what it was told. */
export interface Flow {
  /** Kinds of requests, in the plural, as the report names them. */
  readonly streams: readonly string[];
  visitor(connection: number): Visitor;
  findings(): FlowFindings;
}

export interface FlowFindings {
  readonly acknowledged: Acknowledged;
  /** What the server should never have said: a sentence each, the first few. */
  readonly faults: readonly string[];
  /** Beside the streams: collisions, drop-outs, … by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** What it measured that is no stream's. Absent: nothing. */
  readonly figures?: readonly Figure[];
  /** What it looked at besides single answers, for the oracle. Absent: nothing. */
  readonly checks?: readonly Check[];
}

/** What the server has promised, in few bytes: plain data for the oracle. */
export interface Acknowledged {
  /** Holds that were neither booked nor given back. */
  readonly holds: AcknowledgedList;
  readonly bookings: AcknowledgedList;
  /** Places, by index of the event, of requests whose answer was lost for good. */
  readonly unknownHeld: readonly (readonly [event: number, places: number])[];
  readonly unknownSold: readonly (readonly [event: number, places: number])[];
}

export interface AcknowledgedList {
  /** 16 bytes each. */
  readonly ids: Uint8Array;
  /** Index of the event, each. */
  readonly events: Uint32Array;
  /** Where each one's places end in `places`; they begin where those of the one before end. */
  readonly ends: Uint32Array;
  /** Indexes of seats; -1: a place of the area. */
  readonly places: Int32Array;
  /** What is due for each, minor units; NaN: nobody looked. */
  readonly totals: Float64Array;
}

export const NOTHING_ACKNOWLEDGED: Acknowledged = {
  holds: {
    ids: new Uint8Array(),
    events: new Uint32Array(),
    ends: new Uint32Array(),
    places: new Int32Array(),
    totals: new Float64Array(),
  },
  bookings: {
    ids: new Uint8Array(),
    events: new Uint32Array(),
    ends: new Uint32Array(),
    places: new Int32Array(),
    totals: new Float64Array(),
  },
  unknownHeld: [],
  unknownSold: [],
};
