import { SOCKET_REQUESTS_IN_FLIGHT_MAX } from "../../engine/limits.ts";
import { RandomSource } from "../catalogue/random-source.ts";
import { Acknowledgements } from "../load/acknowledgements.ts";
import { FaultList } from "../load/fault-list.ts";
import type { LiveCaller } from "../load/live-caller.ts";
import { StreamRecord } from "../load/stream-record.ts";
import { priceFault, totalOf } from "../load/told-price.ts";
import { RawConnection } from "../raw-connection.ts";
import type { SoakLoadOptions, SoakLoadResult } from "./soak-load.ts";

const IN_FLIGHT_PER_SOCKET_MAX = 32;
/** Of the holds: so many are booked, so many given back; the others end by themselves. */
const BOOKED = 0.5;
const RELEASED = 0.2;
/** Of the bookings. */
const CANCELLED = 0.5;
/** One look at the availability for so many holds. */
const HOLDS_PER_READ = 8;
/** A buyer thinks so long between two steps. */
const THINK_MS = 100;
const TICK_MS = 2;
const FLOOR = '"items":[{"area":"floor","quantity":1}]';
/** What is answered with prices and a total. */
const PRICED = ["hold", "book"];
const PAYMENT = '"payment":{"provider":"none"},"email":"buyer@example.org"';

/** The part of a socket that the sale needs. */
export type SaleCaller = Pick<LiveCaller, "request" | "inFlight" | "isCongested" | "close">;

interface Standing {
  readonly event: number;
  readonly holdId: string;
  readonly totalMinor: number | null;
}

interface Streams {
  readonly holds: StreamRecord;
  readonly bookings: StreamRecord;
  readonly cancellations: StreamRecord;
  readonly releases: StreamRecord;
  readonly reads: StreamRecord;
}

/**
 * Holds at a steady rate, and what buyers do with them afterwards.
 *
 * Invariants:
 * - Times of holds count from when they were due.
 * - `#standing` has the bookings that were confirmed and not cancelled, and nothing else.
 */
export class SteadySale {
  #callers: readonly SaleCaller[];
  /** Of the buyers before: they finish what they have begun, and hold nothing more. */
  #retired: readonly SaleCaller[] = [];
  readonly #options: SoakLoadOptions;
  readonly #reader: RawConnection;
  readonly #random: RandomSource;
  readonly #streams: Streams;
  readonly #standing = new Map<string, Standing>();
  readonly #eventIds: string[] = [];
  readonly #faults = new FaultList();
  #startMs = 0;
  #due = 0;
  #sent = 0;
  #neverSent = 0;
  #open = 0;
  #isReading = false;
  #isEnding = false;
  #ended: () => void = () => undefined;

  constructor(callers: readonly SaleCaller[], options: SoakLoadOptions) {
    const { hostname, port } = new URL(options.url);
    const stream = (name: string, isCorrected = false) => new StreamRecord(name, isCorrected);
    this.#callers = callers;
    this.#options = options;
    this.#reader = new RawConnection(hostname, Number(port));
    this.#random = new RandomSource(options.seed);
    this.#streams = {
      holds: stream("holds", true),
      bookings: stream("bookings"),
      cancellations: stream("cancellations"),
      releases: stream("releases"),
      reads: stream("reads of the availability"),
    };
  }

  get held(): number {
    return this.#streams.holds.succeeded;
  }

  sell(eventId: string): void {
    this.#eventIds.push(eventId);
    if (this.#startMs > 0) return;
    this.#startMs = performance.now();
    this.#tick();
  }

  /** Others hold from now on. Those before the last ones have long finished, and go. */
  renew(callers: readonly SaleCaller[]): void {
    for (const caller of this.#retired) caller.close();
    this.#retired = this.#callers;
    this.#callers = callers;
  }

  end(): Promise<Omit<SoakLoadResult, "busyShare">> {
    this.#isEnding = true;
    return new Promise((resolve) => {
      this.#ended = () => resolve(this.#result());
      this.#endIfDone();
    });
  }

  #tick(): void {
    const nowMs = performance.now();
    const { holdsPerSecond } = this.#options;
    for (;;) {
      const dueMs = this.#startMs + (this.#due * 1_000) / holdsPerSecond;
      if (dueMs > nowMs || this.#isEnding) break;
      this.#due += 1;
      const caller = this.#callers[this.#due % this.#callers.length];
      const isFree = caller !== undefined && caller.inFlight < IN_FLIGHT_PER_SOCKET_MAX;
      if (!isFree || caller.isCongested) this.#neverSent += 1;
      else this.#hold(caller, dueMs);
    }
    if (!this.#isEnding) setTimeout(() => this.#tick(), TICK_MS);
  }

  #hold(caller: SaleCaller, dueMs: number): void {
    const event = this.#eventIds.length - 1;
    this.#sent += 1;
    if (this.#sent % HOLDS_PER_READ === 0) this.#read(event);
    this.#ask(caller, "hold", { event, fields: FLOOR, sinceMs: dueMs }, (holdId) => {
      const chance = this.#random.next();
      if (chance < BOOKED) this.#later(() => this.#book(caller, event, holdId));
      else if (chance < BOOKED + RELEASED) this.#later(() => this.#release(caller, event, holdId));
    });
  }

  #book(caller: SaleCaller, event: number, holdId: string): void {
    const fields = `"holdId":"${holdId}",${PAYMENT},"idempotencyKey":"${holdId}"`;
    this.#ask(caller, "book", { event, fields }, (bookingId, body) => {
      if (this.#standing.has(bookingId)) this.#faults.add(`booking ${bookingId} came twice`);
      this.#standing.set(bookingId, { event, holdId, totalMinor: totalOf(body) });
      if (!this.#random.chance(CANCELLED)) return;
      this.#later(() => {
        this.#ask(caller, "cancel", { event, fields: `"bookingId":"${bookingId}"` }, () => {
          this.#standing.delete(bookingId);
        });
      });
    });
  }

  #release(caller: SaleCaller, event: number, holdId: string): void {
    this.#ask(caller, "release", { event, fields: `"holdId":"${holdId}"` }, () => undefined);
  }

  #ask(
    caller: SaleCaller,
    op: "hold" | "book" | "cancel" | "release",
    asked: { readonly event: number; readonly fields: string; readonly sinceMs?: number },
    accepted: (id: string, body: string) => void,
  ): void {
    const sinceMs = asked.sinceMs ?? performance.now();
    // After a standstill, what many buyers thought about is due at once.
    if (caller.inFlight >= SOCKET_REQUESTS_IN_FLIGHT_MAX) {
      return this.#later(() => this.#ask(caller, op, { ...asked, sinceMs }, accepted));
    }
    this.#open += 1;
    caller.request(op, `"eventId":"${this.#eventIds[asked.event]}",${asked.fields}`, (reply) => {
      const { status } = reply;
      this.#note(this.#streamOf(op), status, sinceMs);
      if (status >= 200 && status < 300) {
        const { bodyId, body } = reply;
        const fault = PRICED.includes(op) ? priceFault(body, 1) : null;
        if (fault !== null) this.#faults.add(`${op}: ${bodyId} has ${fault}`);
        accepted(bodyId, body);
      } else if (op !== "hold") this.#faults.add(`${op}: ${status} ${reply.body.slice(0, 200)}`);
      this.#over();
    });
  }

  #streamOf(op: "hold" | "book" | "cancel" | "release"): StreamRecord {
    const { holds, bookings, cancellations, releases } = this.#streams;
    return { hold: holds, book: bookings, cancel: cancellations, release: releases }[op];
  }

  #read(event: number): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#open += 1;
    const sinceMs = performance.now();
    const { host } = new URL(this.#options.url);
    const path = `/api/v1/events/${this.#eventIds[event]}/availability`;
    this.#reader.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, ({ status }) => {
      this.#isReading = false;
      this.#note(this.#streams.reads, status, sinceMs);
      this.#over();
    });
  }

  #note(stream: StreamRecord, status: number, sinceMs: number): void {
    const nowMs = performance.now();
    stream.add({ status, ms: nowMs - sinceMs, atMs: nowMs - this.#startMs });
  }

  /** What a buyer does next; the end waits for it. */
  #later(act: () => void): void {
    this.#open += 1;
    setTimeout(() => {
      act();
      this.#over();
    }, THINK_MS);
  }

  #over(): void {
    this.#open -= 1;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#isEnding && this.#open === 0) this.#ended();
  }

  #result(): Omit<SoakLoadResult, "busyShare"> {
    for (const caller of [...this.#callers, ...this.#retired]) caller.close();
    this.#reader.close();
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const acknowledged = new Acknowledgements();
    for (const [id, { event, holdId, totalMinor }] of this.#standing) {
      acknowledged.booked(holdId, { id, event, places: [-1], totalMinor });
    }
    return {
      streams: Object.values(this.#streams).flatMap((stream: StreamRecord) =>
        stream.streams(seconds),
      ),
      neverSent: this.#neverSent,
      findings: { acknowledged: acknowledged.pack(), faults: this.#faults.shown, counts: {} },
    };
  }
}
