import { readFileSync } from "node:fs";

/** Linux counts time in hundredths of a second, whatever its clock does. */
export const TICKS_PER_SECOND = 100;

export interface Stat {
  readonly name: string;
  readonly parent: number;
  /** Time spent, its own and the system's for it. */
  readonly ticks: number;
  /** Time of its children that have ended, and their children's. */
  readonly endedTicks: number;
}

/** What Linux says of a process or a thread; null: it has ended, or this is no Linux. */
export function statOf(path: string): Stat | null {
  try {
    const stat = readFileSync(path, "utf8");
    // The name, in brackets, may have brackets and spaces of its own.
    const [open, close] = [stat.indexOf("("), stat.lastIndexOf(")")];
    const fields = stat.slice(close + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    const endedTicks = Number(fields[13]) + Number(fields[14]);
    return { name: stat.slice(open + 1, close), parent: Number(fields[1]), ticks, endedTicks };
  } catch {
    return null;
  }
}

/** Ms of a processor that the asking thread has had; null: the system does not tell. */
export function processorMsOfThisThread(): number | null {
  const stat = statOf("/proc/thread-self/stat");
  return stat === null ? null : (stat.ticks * 1_000) / TICKS_PER_SECOND;
}
