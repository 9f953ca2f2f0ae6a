/** Time and timers as arguments: the machine's, or the simulator's. */
export interface Clock {
  /** Unix ms. May jump either way. */
  wallMs(): number;
  /** Ms since any fixed moment, the same one for all threads. Never runs backwards. */
  monotonicMs(): number;
  /** Runs again and again, `ms` apart, until the returned function is called. */
  every(ms: number, run: () => void): () => void;
  /** Runs once, unless the returned function is called before. */
  after(ms: number, run: () => void): () => void;
  /** Runs in a later turn of the event loop, in the order of the calls. */
  soon(run: () => void): void;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  // performance.now() counts from the start of its thread.
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  soon: (run) => {
    setImmediate(run);
  },
};

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
