/** What a machine does by itself, measured while nothing of ours runs beside it. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { FsDisk } from "../../workers/journal/fs-disk.ts";
import { endsWith } from "../clean-up.ts";
import { quantile } from "../engine/finding.ts";
import type { Stream } from "../report/report.ts";
import { BenchThread } from "./bench-thread.ts";
import type { ClockGaps } from "./clock-gaps.ts";

const CLOCK_THREAD = new URL("./clock-thread.ts", import.meta.url);
const ANSWERING_THREAD = new URL("./answering-thread.ts", import.meta.url);
/** What a frame of the journal takes at least. */
const FRAME_BYTES = 4_096;
const FILE_BYTES = 16 * 1024 * 1024;
/** Until the code of both ends is as fast as it gets. */
const WARM_UP_MESSAGES = 2_000;

/** A thread for each core, all at once: each could have one for itself. */
export async function probeClocks(seconds: number): Promise<ClockGaps[]> {
  const threads = await Promise.all(
    Array.from({ length: availableParallelism() }, () => BenchThread.start(CLOCK_THREAD)),
  );
  try {
    return await Promise.all(threads.map((thread) => thread.ask<ClockGaps>(seconds)));
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()));
  }
}

/** From one thread to another, which is asleep, and back. */
export async function probeMessages(seconds: number): Promise<Stream> {
  const thread = await BenchThread.start(ANSWERING_THREAD);
  try {
    for (let n = 0; n < WARM_UP_MESSAGES; n += 1) await thread.ask(n);
    return await timed("messages to a thread and back", seconds, async (n) => {
      const answer = await thread.ask(n);
      if (answer !== n) throw new Error(`sent ${n}, got ${answer}`);
    });
  } finally {
    await thread.stop();
  }
}

/** A frame's bytes written into a file that is large enough already, and fdatasync behind each. */
export async function probeSyncs(seconds: number): Promise<Stream> {
  const directory = mkdtempSync(join(tmpdir(), "evently-bench-machine-"));
  const remove = endsWith(async () => rmSync(directory, { recursive: true, force: true }));
  try {
    const file = new FsDisk(directory).open("frames", "create");
    for (let at = 0; at < FILE_BYTES; at += FRAME_BYTES) file.write(Buffer.alloc(FRAME_BYTES), at);
    file.datasync();
    const frame = Buffer.alloc(FRAME_BYTES, 1);
    const syncs = await timed("synced writes of 4 KiB", seconds, (n) => {
      file.write(frame, (n * FRAME_BYTES) % FILE_BYTES);
      file.datasync();
    });
    file.close();
    return syncs;
  } finally {
    await remove();
  }
}

/** One after the other, each as soon as the one before is done. */
async function timed(
  name: string,
  seconds: number,
  act: (n: number) => Promise<void> | void,
): Promise<Stream> {
  const timesMs: number[] = [];
  const startMs = performance.now();
  let nowMs = startMs;
  while (nowMs < startMs + seconds * 1_000) {
    const fromMs = nowMs;
    await act(timesMs.length);
    nowMs = performance.now();
    timesMs.push(nowMs - fromMs);
  }
  const sorted = Float64Array.from(timesMs).sort();
  const [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map((share) => quantile(sorted, share));
  return {
    name,
    count: timesMs.length,
    seconds: (nowMs - startMs) / 1_000,
    latencyMs: {
      ...{ p50: p50 ?? 0, p90: p90 ?? 0, p99: p99 ?? 0, p999: p999 ?? 0 },
      max: sorted.at(-1) ?? 0,
    },
    isCorrected: false,
    statuses: {},
    perSecond: [],
  };
}
