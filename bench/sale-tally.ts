import { Latencies } from "./latencies.ts";

/** What came of a load during one stretch of time. */
export class SaleTally {
  readonly #startMs = performance.now();
  #endMs: number | null = null;
  /** Buyers who came, and those of them for whom a connection was free: the others sent nothing. */
  arrived = 0;
  sent = 0;
  /** Holds that were acknowledged, and bookings: a sale is a hold and its booking. */
  held = 0;
  sold = 0;
  /** Holds and bookings that were answered `503 busy`. */
  busyHolds = 0;
  busyBookings = 0;
  /** `busy` without a Retry-After. */
  withoutRetryAfter = 0;
  /** Anything else: a status that nobody expected, or a broken connection (0). */
  readonly unexpected = new Map<number, number>();
  readonly holdMs = new Latencies();
  readonly bookingMs = new Latencies();
  readonly busyMs = new Latencies();

  end(): this {
    this.#endMs = performance.now();
    return this;
  }

  get seconds(): number {
    return ((this.#endMs ?? performance.now()) - this.#startMs) / 1_000;
  }

  get salesPerSecond(): number {
    return this.sold / this.seconds;
  }

  get sentPerSecond(): number {
    return this.sent / this.seconds;
  }

  addUnexpected(status: number): void {
    this.unexpected.set(status, (this.unexpected.get(status) ?? 0) + 1);
  }
}
