import { readFileSync } from "node:fs";

const SAMPLE_MS = 200;

/** Watches the resident memory of a process, as Linux tells it; elsewhere it sees nothing. */
export class MemoryWatch {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #peakMiB = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.nowMiB(), SAMPLE_MS);
  }

  nowMiB(): number {
    const mib = residentMiB(this.#pid);
    this.#peakMiB = Math.max(this.#peakMiB, mib);
    return mib;
  }

  /** The most since the last call. */
  takePeakMiB(): number {
    const peak = Math.max(this.#peakMiB, this.nowMiB());
    this.#peakMiB = 0;
    return peak;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function residentMiB(pid: number): number {
  try {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.round(Number(kib ?? 0) / 1_024);
  } catch {
    return 0;
  }
}
