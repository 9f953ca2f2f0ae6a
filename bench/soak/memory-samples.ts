import { readFileSync } from "node:fs";
import type { BenchApi } from "../bench-api.ts";
import type { Point } from "./trend.ts";

const SAMPLE_MS = 1_000;
const HEAP = /^evently_thread_heap_used_bytes\{[^}]*\} (\S+)$/gm;

/** Memory of a server once a second: resident, and the heaps of its threads by its metrics, MiB. */
export class MemorySamples {
  readonly resident: Point[] = [];
  readonly heap: Point[] = [];
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | null = null;

  /** `pid` null: only the metrics are known. */
  constructor(api: BenchApi, pid: number | null) {
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look(api, pid).finally(() => {
        this.#looking = null;
      });
    }, SAMPLE_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(api: BenchApi, pid: number | null): Promise<void> {
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const residentMib = pid === null ? null : residentMibOf(pid);
    if (residentMib !== null) this.resident.push({ seconds, value: residentMib });
    try {
      const page = await api.metrics();
      const bytes = [...page.matchAll(HEAP)].reduce((sum, [, value]) => sum + Number(value), 0);
      if (bytes > 0) this.heap.push({ seconds, value: bytes / 2 ** 20 });
    } catch {
      // A look that is not answered shows nothing.
      return;
    }
  }
}

function residentMibOf(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? null : Number(kib) / 1_024;
  } catch {
    return null;
  }
}
