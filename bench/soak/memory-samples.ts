import { readFileSync } from "node:fs";
import type { BenchApi } from "../bench-api.ts";
import type { Point } from "./floors.ts";

const SAMPLE_MS = 1_000;
const HEAP_USED = /^evently_thread_heap_used_bytes\{[^}]*\} (\S+)$/gm;
const HEAP_TOTAL = /^evently_thread_heap_total_bytes\{[^}]*\} (\S+)$/gm;

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
      const usedMib = mibIn(await api.metrics(), HEAP_USED);
      if (usedMib > 0) this.heap.push({ seconds, value: usedMib });
    } catch {
      // A look that is not answered shows nothing.
      return;
    }
  }
}

/**
 * Resident memory without what the heaps of JavaScript have in reserve: that grows and shrinks by
 * tens of MiB as the collector likes. null: the process or its metrics are not known.
 */
export async function memoryInUseMib(api: BenchApi, pid: number | null): Promise<number | null> {
  const resident = pid === null ? null : residentMibOf(pid);
  if (resident === null) return null;
  const page = await api.metrics();
  return resident - mibIn(page, HEAP_TOTAL) + mibIn(page, HEAP_USED);
}

function mibIn(page: string, metric: RegExp): number {
  const bytes = [...page.matchAll(metric)].reduce((sum, [, value]) => sum + Number(value), 0);
  return bytes / 2 ** 20;
}

function residentMibOf(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? null : Number(kib) / 1_024;
  } catch {
    return null;
  }
}
