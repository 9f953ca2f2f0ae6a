import type { BenchApi } from "../bench-api.ts";
import { JournalWatch } from "../journal-watch.ts";
import type { Costs } from "../report/report.ts";
import { ServerWatch } from "../server-figures.ts";
import { PostgresWatch } from "./postgres-watch.ts";

export interface CostlyServer {
  readonly pid: number;
  /** null: it has no operations pages. */
  readonly api: BenchApi | null;
  /** null: it has no database. */
  readonly databaseUrl: string | null;
}

/** What a server took while something was done to it, but for what that came to. */
export async function costing<T>(
  { pid, api, databaseUrl }: CostlyServer,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly taken: Omit<Costs, "count"> }> {
  const postgres = databaseUrl === null ? null : await PostgresWatch.start(databaseUrl);
  const journal = api === null ? null : await JournalWatch.start(api);
  const server = ServerWatch.start(pid);
  try {
    const result = await work();
    const taken = {
      serverFigures: server?.stop() ?? null,
      postgres: (await postgres?.stop()) ?? null,
      journal: (await journal?.stop())?.journal ?? null,
    };
    return { result, taken };
  } catch (error) {
    server?.stop();
    await Promise.allSettled([postgres?.stop(), journal?.stop()]);
    throw error;
  }
}
