import type { Progress } from "./scenario.ts";

/** One line on stderr that is written over on a terminal; elsewhere every line stays. */
export class ProgressLine {
  readonly #startedMs = performance.now();
  #width = 0;

  readonly show: Progress = (text) => {
    const seconds = ((performance.now() - this.#startedMs) / 1_000).toFixed(0).padStart(4);
    const line = `${seconds} s  ${text}`;
    if (!process.stderr.isTTY) {
      process.stderr.write(`${line}\n`);
      return;
    }
    const shown = line.slice(0, (process.stderr.columns ?? 80) - 1);
    process.stderr.write(`\r${shown.padEnd(this.#width)}`);
    this.#width = shown.length;
  };

  /** Takes the line away. */
  end(): void {
    if (process.stderr.isTTY && this.#width > 0)
      process.stderr.write(`\r${"".padEnd(this.#width)}\r`);
    this.#width = 0;
  }
}
