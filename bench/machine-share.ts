import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks, all cores together, since the machine started. */
interface Ticks {
  readonly all: number;
  readonly busy: number;
  readonly ours: number;
}

/**
 * How much of the machine others took while we measured: a figure from a machine that was not quiet
 * says little. As Linux tells it; elsewhere it is unknown.
 */
export class MachineShare {
  readonly #roots: readonly number[];
  #since: Ticks | null;

  /** `roots`: the processes that are ours, with all that they have started. */
  constructor(roots: readonly number[]) {
    this.#roots = roots;
    this.#since = ticksOf(roots);
  }

  /** From 0 to 1, since the last call; null: unknown. */
  takeOthers(): number | null {
    const since = this.#since;
    const now = ticksOf(this.#roots);
    this.#since = now;
    if (since === null || now === null || now.all === since.all) return null;
    const others = now.busy - since.busy - (now.ours - since.ours);
    return Math.max(0, others / (now.all - since.all));
  }
}

function ticksOf(roots: readonly number[]): Ticks | null {
  try {
    const [, ...fields] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").split(/\s+/);
    const columns = fields.map(Number);
    const all = columns.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
    const [, , , idle = 0, waiting = 0] = columns;
    return { all, busy: all - idle - waiting, ours: ticksOfTrees(roots) };
  } catch {
    return null;
  }
}

function ticksOfTrees(roots: readonly number[]): number {
  const parents = new Map<number, number>();
  const ticks = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const fields = /^\d+$/.test(name) ? statOf(name) : null;
    if (fields === null) continue;
    // Behind the name in brackets: state, parent, …, user ticks, system ticks.
    parents.set(Number(name), Number(fields[1]));
    ticks.set(Number(name), Number(fields[11]) + Number(fields[12]));
  }
  let sum = 0;
  for (const [pid, own] of ticks) {
    let ancestor: number | undefined = pid;
    while (ancestor !== undefined && !roots.includes(ancestor)) ancestor = parents.get(ancestor);
    if (ancestor !== undefined) sum += own;
  }
  return sum;
}

/** null: the process has ended meanwhile. */
function statOf(pid: string): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
