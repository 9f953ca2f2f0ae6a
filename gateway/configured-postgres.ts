import { join } from "node:path";
import { systemClock } from "../workers/clock.ts";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import { PostgresKeeper } from "./postgres-keeper.ts";

export interface Postgres {
  readonly url: string;
  /** It does not answer. */
  missed(): void;
  stop(): Promise<void>;
}

/** The one of DATABASE_URL, or the node's own, which does not stay when the process ends itself. */
export async function postgresOf(
  { databaseUrl: url, dataDir }: Pick<Config, "databaseUrl" | "dataDir">,
  log: Log,
  stopping: AbortSignal,
): Promise<Postgres> {
  if (url !== null) return { url, missed: () => undefined, stop: () => Promise.resolve() };
  const ports = { clock: systemClock, log };
  const directory = join(dataDir, "postgres");
  const keeper = await PostgresKeeper.start({ directory }, ports, stopping);
  const interrupt = (): void => keeper.interrupt();
  process.once("exit", interrupt);
  return {
    url: keeper.url,
    missed: () => keeper.missed(),
    async stop() {
      await keeper.stop();
      process.off("exit", interrupt);
    },
  };
}
