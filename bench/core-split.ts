import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";

export interface CoreSplit {
  /** Runs the server behind it. */
  readonly launcher: readonly string[];
  readonly description: string;
}

/**
 * Gives this process the last core and leaves the others to the server: a load that takes the
 * server's own time away measures itself. Where that can't be done, both share all cores.
 */
export function splitCores(): CoreSplit {
  const cores = availableParallelism();
  const shared = { launcher: [], description: `server and load share ${cores} core(s)` };
  if (cores < 2) return shared;
  const servers = cores === 2 ? "0" : `0-${cores - 2}`;
  try {
    execFileSync("taskset", ["-a", "-c", "-p", String(cores - 1), String(process.pid)]);
    const description = `core(s) ${servers} for the server, ${cores - 1} for the load`;
    return { launcher: ["taskset", "-c", servers], description };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : "";
    return { ...shared, description: `${shared.description} (${reason})` };
  }
}
