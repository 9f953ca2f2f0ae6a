/** One whole run: load, kills, verdict. A failure says what it takes to repeat it. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveHistory } from "../linearizability/history.ts";
import { type CrashOptions, CrashRun } from "./crash-run.ts";
import { clockMs } from "./recorder.ts";
import { type CrashReport, verdictOf } from "./verdict.ts";

export type TimedReport = CrashReport & {
  /** From the first request to the last kill's recovery, without the verdict. */
  readonly loadSeconds: number;
};

export class CrashFound extends Error {
  readonly code = "crash_found";
}

/** `historyPath`: where everything that was said is kept; default: only when it fails. */
export async function crash(options: CrashOptions, historyPath?: string): Promise<TimedReport> {
  const command = commandOf(options);
  options.log(command);
  const run = await CrashRun.start(options);
  const { records } = run.recorder;
  records.push({ kind: "run", command, seed: options.seed });
  try {
    const startedMs = clockMs();
    await run.sell();
    const loadSeconds = Math.round((clockMs() - startedMs) / 1_000);
    const report = await verdictOf(run);
    if (historyPath !== undefined) saveHistory(historyPath, records);
    return { ...report, loadSeconds };
  } catch (cause) {
    const path = historyPath ?? join(tmpdir(), `evently-crash-${options.seed}.ndjson`);
    saveHistory(path, records);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `${reason}\nagain: ${command}\nwhat was said: npm run crash -- --check ${path}`;
    throw new CrashFound(message, { cause });
  } finally {
    await run.close();
  }
}

function commandOf({ seed, cycles, buyersPerEvent, ackMode, shardsVary }: CrashOptions): string {
  const named = { seed, cycles, buyers: buyersPerEvent, "ack-mode": ackMode };
  const options = Object.entries(named).map(([name, value]) => ` --${name} ${value}`);
  return `npm run crash --${options.join("")}${shardsVary ? " --shards-vary" : ""}`;
}
