import { JournalWatch } from "./journal-watch.ts";
import type { Figure, Report } from "./report/report.ts";
import { ServerWatch } from "./server-figures.ts";
import type { Stage } from "./stage.ts";

export type Watched<T> = Pick<Report, "serverFigures" | "journal"> & {
  readonly result: T;
  readonly figures: readonly Figure[];
};

/** What the server did while something else was done to it. */
export async function whileWatched<T>(
  stage: Pick<Stage, "api" | "pid">,
  work: () => Promise<T>,
): Promise<Watched<T>> {
  const journalWatch = await JournalWatch.start(stage.api);
  const serverWatch = ServerWatch.start(stage.pid);
  try {
    const result = await work();
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
