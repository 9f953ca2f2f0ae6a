import { readdirSync } from "node:fs";
import { type Stat, statOf, TICKS_PER_SECOND } from "../workers/thread-ticks.ts";
import { MachineShare } from "./machine-share.ts";
import { MemoryWatch } from "./memory-watch.ts";
import type { ServerFigures } from "./report/report.ts";

const SAMPLE_MS = 1_000;
const HELPERS = "helpers of Node.js";
export const POSTGRES = "PostgreSQL, all processes";
/** What a server may run beside itself, by the name of the processes. */
const BESIDE: Readonly<Record<string, string>> = { postgres: POSTGRES, "redis-server": "Redis" };

/** Threads that took less than this, in cores, are not worth a line. */
const CORES_MIN = 0.002;

/** Ticks so far, by name of the thread. */
type Ticks = ReadonlyMap<string, number>;

/**
 * What a server on this machine takes while it is looked at: time by thread, memory, and what
 * others took of the machine. As Linux tells it; elsewhere nothing is known.
 */
export class ServerWatch {
  readonly #pid: number;
  readonly #postgresPid: number | null;
  readonly #startMs = performance.now();
  readonly #memory: MemoryWatch;
  readonly #machine: MachineShare;
  readonly #start: Ticks | null;
  readonly #startMib: number;
  readonly #perSecond: number[] = [];
  readonly #sampler: NodeJS.Timeout;

  private constructor(pid: number, postgresPid: number | null) {
    this.#pid = pid;
    this.#postgresPid = postgresPid;
    this.#memory = new MemoryWatch(pid);
    this.#machine = new MachineShare([process.pid, pid]);
    this.#start = ticksOf(pid, postgresPid);
    this.#startMib = this.#memory.nowMiB();
    this.#sampler = setInterval(() => this.#perSecond.push(this.#memory.nowMiB()), SAMPLE_MS);
  }

  /**
   * `postgresPid`: of a database that the server has not started itself. null: the server's process
   * is not known, or the system tells nothing.
   */
  static start(pid: number | null, postgresPid: number | null = null): ServerWatch | null {
    const isKnown = pid !== null && ticksOf(pid, postgresPid) !== null;
    return isKnown ? new ServerWatch(pid, postgresPid) : null;
  }

  /** Ends it; null: the server has gone meanwhile. */
  stop(): ServerFigures | null {
    clearInterval(this.#sampler);
    this.#memory.stop();
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const [start, end] = [this.#start, ticksOf(this.#pid, this.#postgresPid)];
    if (start === null || end === null) return null;
    const threads = [...end]
      .map(([name, ticks]) => {
        const spent = Math.max(0, ticks - (start.get(name) ?? 0));
        return { name, cores: spent / TICKS_PER_SECOND / seconds };
      })
      .filter(({ cores }) => cores >= CORES_MIN)
      .sort((a, b) => b.cores - a.cores);
    const memoryMib = {
      start: this.#startMib,
      peak: this.#memory.takePeakMiB(),
      end: this.#memory.nowMiB(),
      perSecond: [...this.#perSecond],
    };
    return { seconds, threads, memoryMib, othersShare: this.#machine.takeOthers() };
  }
}

/** null: there is no such process, or no /proc. */
function ticksOf(pid: number, postgresPid: number | null): Ticks | null {
  try {
    const ticks = new Map<string, number>();
    const add = (name: string, more: number): void => {
      ticks.set(name, (ticks.get(name) ?? 0) + more);
    };
    const tids = readdirSync(`/proc/${pid}/task`).map(Number);
    for (const tid of tids.sort((a, b) => a - b)) {
      const stat = statOf(`/proc/${pid}/task/${tid}/stat`);
      if (stat !== null) add(threadName(stat.name, tid === pid, ticks), stat.ticks);
    }
    for (const stat of processesUnder([pid, ...(postgresPid === null ? [] : [postgresPid])])) {
      // One that has ended meanwhile has left its time with who started it.
      add(BESIDE[stat.name] ?? "", stat.ticks + stat.endedTicks);
    }
    return ticks;
  } catch {
    return null;
  }
}

/**
 * thread-name.mjs has given names to the threads that run JavaScript. Those that a thread has made
 * for its own ends (compiler, collector, libuv's pool) begin with its name, or are called as node.
 */
function threadName(name: string, isMain: boolean, known: Ticks): string {
  if (isMain) return name === "node" ? "main thread" : name;
  if (name.startsWith("worker ")) return "other workers";
  return name === "node" || known.has(name) ? HELPERS : name;
}

/** Those of `BESIDE` that one of `roots` is, or has started. */
function processesUnder(roots: readonly number[]): Stat[] {
  const all = new Map<number, Stat>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? statOf(`/proc/${name}/stat`) : null;
    if (stat !== null) all.set(Number(name), stat);
  }
  const isUnder = (pid: number): boolean => {
    const parent = all.get(pid)?.parent;
    return roots.includes(pid) || (parent !== undefined && isUnder(parent));
  };
  return [...all].flatMap(([pid, stat]) => (stat.name in BESIDE && isUnder(pid) ? [stat] : []));
}
