import { Readable } from "node:stream";

/** Somebody else sends this mail, or has. */
export class HandedOverElsewhere extends Error {
  override readonly name = "HandedOverElsewhere";
  readonly code = "mail_handed_over_elsewhere";

  constructor() {
    super("the mail is handed over by somebody else");
  }
}

/**
 * The way of one attempt past the point from which on a mail counts as sent.
 *
 *   idle ──► reading ──► asking ──► passed
 *                           └─────► refused
 *
 * A server has taken a mail when it has seen the line with the single dot. So whatever writes the
 * mail sends all but that line, passes, and only then the line: a mail that did not pass was
 * certainly not taken.
 */
export class Handover {
  #phase: "idle" | "reading" | "asking" | "passed" | "refused" = "idle";
  #error: unknown = null;
  #asking: Promise<boolean> | null = null;
  readonly #ask: () => Promise<boolean>;
  readonly #letGo: () => void;

  /** `ask`: whether the ledger has it, durably. `letGo`: the last thing before it goes. */
  constructor(ask: () => Promise<boolean>, letGo: () => void) {
    this.#ask = ask;
    this.#letGo = letGo;
  }

  /** Some of it may have left this process. */
  get isBegun(): boolean {
    return this.#phase !== "idle";
  }

  /** All of it may have. */
  get isPassed(): boolean {
    return this.#phase === "passed";
  }

  /** The ledger may have it, even though the answer was lost. */
  get isAsked(): boolean {
    return this.#phase !== "idle" && this.#phase !== "reading";
  }

  /** Why it did not pass; null: it did, or was not asked for. */
  get error(): unknown {
    return this.#error;
  }

  read(): void {
    if (this.#phase === "idle") this.#phase = "reading";
  }

  /**
   * The ledger has answered, if it was asked. A server that breaks off meanwhile ends the attempt
   * earlier, and its outcome must not be written before the mark.
   */
  async answered(): Promise<void> {
    await this.#asking?.catch(() => undefined);
  }

  /** Rejects when the mail must not go. */
  async pass(): Promise<void> {
    if (this.isAsked) throw new Error("a mail is handed over once");
    this.#phase = "asking";
    try {
      this.#asking = this.#ask();
      if (!(await this.#asking)) throw new HandedOverElsewhere();
    } catch (error) {
      this.#phase = "refused";
      this.#error = error;
      throw error;
    }
    // Many are told at once; each goes in a turn of its own, right after it is noted.
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#letGo();
    this.#phase = "passed";
  }
}

/**
 * All of a message, and its end when the handover has passed. Nothing is read before somebody reads
 * this: the server has agreed to take a message by then.
 */
export function gated(message: Readable, handover: Handover): Readable {
  return Readable.from(passing(message, handover), { objectMode: false, highWaterMark: 1 });
}

async function* passing(message: Readable, handover: Handover): AsyncGenerator<Buffer> {
  handover.read();
  for await (const chunk of message) yield chunk;
  await handover.pass();
}
