import { Piscina } from "piscina";
import { PRESS_THREAD_IDLE_MS, PRESS_WAITING_MAX } from "../../engine/ticket-limits.ts";
import { ProblemError } from "../http/problem.ts";
import type { CalendarEntry } from "./calendar-entry.ts";
import type { PressTask } from "./press/press-task.ts";
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
  /** Since when this is not counted yet, as performance.now() has it. */
  #busySinceMs = 0;
  /** The thread starts with the first ticket, and ends when there was none for a while. */
  readonly #pool = new Piscina({
    filename: TASK.href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: PRESS_THREAD_IDLE_MS,
    // The task brings its own loader.
    execArgv: [],
    recordTiming: false,
  });

  /** `fonts`: paths of font files that an operator has added. */
  constructor(fonts: readonly string[]) {
    this.#fonts = fonts;
  }

  /** For how long its thread had work, up to the last one that it finished. */
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
    if (this.#waiting === 0) this.#busySinceMs = performance.now();
    this.#waiting += 1;
    try {
      return await this.#pool.run(task);
    } finally {
      this.#waiting -= 1;
      const nowMs = performance.now();
      this.#busyMs += nowMs - this.#busySinceMs;
      this.#busySinceMs = nowMs;
    }
  }
}
