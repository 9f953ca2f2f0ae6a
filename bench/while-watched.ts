import { JournalWatch } from "./journal-watch.ts";
import type { Figure, Report } from "./report/report.ts";
import { ServerWatch } from "./server-figures.ts";
import type { Stage } from "./stage.ts";

/** What is looked at. */
export type WatchedServer = Pick<Stage, "api" | "pid"> & {
  /** Of a database that the server has not started itself. */
  readonly postgresPid?: number;
};

export type Watched<T> = Pick<Report, "serverFigures" | "journal"> & {
  readonly result: T;
  readonly figures: readonly Figure[];
};

/**
 * What the server did while something else was done to it. `work` may say when what it does begins
 * to count: threads start and connections are opened before, and would be taken for the server's
 * leisure. The journal is looked at from the beginning: its figures may be more than what counts,
 * and are never less.
 */
export async function whileWatched<T>(
  { api, pid, postgresPid }: WatchedServer,
  work: (begin: () => void) => Promise<T>,
): Promise<Watched<T>> {
  const journalWatch = await JournalWatch.start(api);
  let serverWatch = ServerWatch.start(pid, postgresPid);
  const begin = (): void => {
    serverWatch?.stop();
    serverWatch = ServerWatch.start(pid, postgresPid);
  };
  try {
    const result = await work(begin);
    const serverFigures = serverWatch?.stop() ?? null;
    const watched = await journalWatch.stop();
    const figures = watched === null ? [] : [watched.lag];
    return { result, serverFigures, journal: watched?.journal ?? null, figures };
  } catch (error) {
    serverWatch?.stop();
    await journalWatch.stop();
    throw error;
  }
}
