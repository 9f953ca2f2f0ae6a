import { Piscina } from "piscina";
import { PRESS_THREAD_IDLE_MS, PRESS_WAITING_MAX } from "../../engine/ticket-limits.ts";
import { ProblemError } from "../http/problem.ts";
import type { CalendarEntry } from "./calendar-entry.ts";
import type { Pressed, PressTask } from "./press/press-task.ts";
import type { TicketSheet } from "./ticket-sheet.ts";
import type { TicketClaims, TicketKey } from "./ticket-token.ts";

const TASK = new URL("./press/press-task.mjs", import.meta.url);

/**
 * Renders tickets on a thread of its own: a PDF takes about ten milliseconds, in which the
 * gateway answers hundreds of buyers.
 *
 * Invariant: at most PRESS_WAITING_MAX wait for it, in order; the next one is told `busy` at once.
 */
export class TicketPress {
  readonly #fonts: readonly string[];
  #waiting = 0;
  #busyMs = 0;
  /** What the thread last said of itself; less than before: it is a new one. */
  #threadMs = 0;
  readonly #pool: Piscina;

  /**
   * The thread starts with the first ticket, and ends when there was none for a while, unless it
   * is to stay. `fonts`: paths of font files that an operator has added.
   */
  constructor(fonts: readonly string[], { stays = false } = {}) {
    this.#fonts = fonts;
    this.#pool = new Piscina({
      filename: TASK.href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: stays ? Number.POSITIVE_INFINITY : PRESS_THREAD_IDLE_MS,
      // What the main thread was started with is not for threads.
      execArgv: [],
      recordTiming: false,
    });
  }

  /** Starts the thread and reads the fonts, so that the first ticket of a rush need not. */
  async begin(): Promise<void> {
    // Closed meanwhile, or a font that can't be read: the first ticket tells.
    await this.#run({ kind: "begin", fonts: this.#fonts }).catch(() => undefined);
  }

  /** What its threads have had of a processor, up to the last task that was finished. */
  get busyMs(): number {
    return this.#busyMs;
  }

  async pdf(sheet: TicketSheet, { secret }: TicketKey): Promise<Buffer> {
    const fonts = this.#fonts;
    const bytes = await this.#run<Uint8Array>({ kind: "pdf", sheet, secret, fonts });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** For what shows no SVG: mail programs. */
  async qrPng(claims: TicketClaims, { secret }: TicketKey): Promise<Buffer> {
    const bytes = await this.#run<Uint8Array>({ kind: "qrPng", claims, secret });
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  qrSvg(claims: TicketClaims, { secret }: TicketKey): Promise<string> {
    return this.#run({ kind: "qr", claims, secret });
  }

  calendarFile(entry: CalendarEntry): Promise<string> {
    return this.#run({ kind: "calendar", entry });
  }

  /** Takes no more; what is not done yet is given up. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #run<Result>(task: PressTask): Promise<Result> {
    if (this.#waiting >= PRESS_WAITING_MAX) throw new ProblemError("busy");
    this.#waiting += 1;
    const begunMs = performance.now();
    try {
      const { result, threadMs }: Pressed = await this.#pool.run(task);
      this.#count(threadMs, begunMs);
      return result as Result;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Where the system does not tell, it had at most the time that this took. */
  #count(threadMs: number | null, begunMs: number): void {
    if (threadMs === null) {
      this.#busyMs += performance.now() - begunMs;
      return;
    }
    this.#busyMs += threadMs >= this.#threadMs ? threadMs - this.#threadMs : threadMs;
    this.#threadMs = threadMs;
  }
}
