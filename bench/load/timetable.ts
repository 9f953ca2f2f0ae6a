/** How long what is due waits until it is tried again. */
const LOOK_MS = 1;

export interface TimetableOptions {
  /** The clock of all times here. */
  readonly now: () => number;
  /** When the first is due. */
  readonly startMs: number;
  readonly count: number;
  readonly ratePerSecond: number;
  /** Whether one more may be sent now; what may not stays due, and its time runs. */
  readonly isFree: () => boolean;
  /** Nothing more can be sent, ever. */
  readonly isOver: () => boolean;
  readonly send: (dueMs: number) => void;
}

/**
 * Sends each when it is due, however late those before it were. Resolves, once all are sent or
 * their time is over, with how many were due and never sent.
 */
export function keepTimetable(options: TimetableOptions): Promise<number> {
  const { now, startMs, count, ratePerSecond, isFree, isOver, send } = options;
  const dueMsOf = (n: number): number => startMs + (n * 1_000) / ratePerSecond;
  return new Promise((resolve) => {
    let sent = 0;
    const look = (): void => {
      const nowMs = now();
      while (sent < count && dueMsOf(sent) <= nowMs && !isOver() && isFree()) {
        send(dueMsOf(sent));
        sent += 1;
      }
      if (sent === count || isOver() || nowMs >= dueMsOf(count)) resolve(count - sent);
      else setTimeout(look, Math.max(LOOK_MS, dueMsOf(sent) - nowMs));
    };
    look();
  });
}
