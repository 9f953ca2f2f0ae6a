/** What a machine does by itself, measured while nothing of ours runs beside it. */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { FsDisk } from "../../workers/journal/fs-disk.ts";
import { spawnThread } from "../../workers/spawn-thread.ts";
import { ThreadLink } from "../../workers/thread-link.ts";
import { endsWith } from "../clean-up.ts";
import { LatencyRecord } from "../load/stream-record.ts";
import { check } from "../report/checking.ts";
import type { Check, Stream } from "../report/report.ts";
import type { ClockGaps } from "./clock-gaps.ts";

/** `watchSeconds` null: just answer. */
export interface ToProbeThread {
  readonly id: number;
  readonly watchSeconds: number | null;
}
export type FromProbeThread =
  | { readonly kind: "watched"; readonly id: number; readonly gaps: ClockGaps }
  | { readonly kind: "answered"; readonly id: number };

const THREAD = new URL("./probe-thread.ts", import.meta.url);
/** What a frame of the journal takes at least. */
const FRAME_BYTES = 4_096;
const FRAMES = 4_096;
/** Until the code of both ends is as fast as it gets. */
const WARM_UP_MESSAGES = 2_000;

type ProbeThread = ThreadLink<ToProbeThread, FromProbeThread>;

const answerOf = (thread: ProbeThread) =>
  thread.ask("answered", (id) => ({ id, watchSeconds: null }));

async function withThreads<Result>(
  count: number,
  use: (threads: readonly ProbeThread[]) => Promise<Result>,
): Promise<Result> {
  const threads = Array.from(
    { length: count },
    (): ProbeThread => new ThreadLink(spawnThread(THREAD, {})),
  );
  const stop = endsWith(async () => {
    await Promise.all(threads.map((thread) => thread.terminate()));
  });
  try {
    // All of them are there.
    await Promise.all(threads.map(answerOf));
    return await use(threads);
  } finally {
    await stop();
  }
}

/** A thread for each core, all at once: each could have one for itself. */
export function probeClocks(seconds: number): Promise<ClockGaps[]> {
  return withThreads(availableParallelism(), async (threads) => {
    const watched = threads.map((thread) =>
      thread.ask("watched", (id) => ({ id, watchSeconds: seconds })),
    );
    return (await Promise.all(watched)).map(({ gaps }) => gaps);
  });
}

/** From one thread to another, which is asleep, and back. */
export function probeMessages(seconds: number): Promise<Stream> {
  return withThreads(1, async ([thread]) => {
    if (thread === undefined) throw new Error("a thread was asked for");
    for (let n = 0; n < WARM_UP_MESSAGES; n += 1) await answerOf(thread);
    return timed("messages to a thread and back", seconds, () => answerOf(thread));
  });
}

/** A frame's bytes written into a file that is large enough already, and fdatasync behind each. */
export async function probeSyncs(seconds: number): Promise<{ syncs: Stream; found: Check }> {
  const directory = mkdtempSync(join(tmpdir(), "evently-bench-machine-"));
  const remove = endsWith(async () => rmSync(directory, { recursive: true, force: true }));
  try {
    const file = new FsDisk(directory).open("frames", "create");
    const frame = Buffer.alloc(FRAME_BYTES);
    for (let n = 0; n < FRAMES; n += 1) file.write(frame, n * FRAME_BYTES);
    file.datasync();
    const syncs = await timed("synced writes of 4 KiB", seconds, (n) => {
      frame.writeUInt32LE(n + 1);
      file.write(frame, (n % FRAMES) * FRAME_BYTES);
      file.datasync();
    });
    let wrong = 0;
    const last = Math.min(FRAMES, syncs.count);
    for (let n = syncs.count - last; n < syncs.count; n += 1) {
      frame.writeUInt32LE(n + 1);
      if (!frame.equals(file.read((n % FRAMES) * FRAME_BYTES, FRAME_BYTES))) wrong += 1;
    }
    file.close();
    return {
      syncs,
      found: check("what was synced is read again", wrong === 0, `${wrong} of ${last} not`),
    };
  } finally {
    await remove();
  }
}

/** One after the other, each as soon as the one before is done. */
async function timed(name: string, seconds: number, act: (n: number) => unknown): Promise<Stream> {
  const times = new LatencyRecord();
  const startMs = performance.now();
  let nowMs = startMs;
  while (nowMs < startMs + seconds * 1_000) {
    const fromMs = nowMs;
    await act(times.count);
    nowMs = performance.now();
    times.add(nowMs - fromMs);
  }
  return {
    name,
    count: times.count,
    seconds: (nowMs - startMs) / 1_000,
    latencyMs: times.figures(),
    isCorrected: false,
    statuses: {},
    perSecond: [],
  };
}
