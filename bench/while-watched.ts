import { JournalWatch } from "./journal-watch.ts";
import type { Figure, Report } from "./report/report.ts";
import { ServerWatch } from "./server-figures.ts";
import type { Stage } from "./stage.ts";

export type Watched<T> = Pick<Report, "serverFigures" | "journal"> & {
  readonly result: T;
  readonly figures: readonly Figure[];
};

/**
 * What the server did while something else was done to it. `work` may say when what it does begins
 * to count: threads start and connections are opened before, and would be taken for the server's
 * leisure.
 */
export async function whileWatched<T>(
  stage: Pick<Stage, "api" | "pid">,
  work: (begin: () => void) => Promise<T>,
): Promise<Watched<T>> {
  let watches = start(stage);
  const begin = (): void => {
    stop(watches).catch(() => undefined);
    watches = start(stage);
  };
  let result: T;
  try {
    result = await work(begin);
  } catch (error) {
    await stop(watches);
    throw error;
  }
  return { result, ...(await stop(watches)) };
}

interface Watches {
  readonly server: ServerWatch | null;
  readonly journal: Promise<JournalWatch>;
}

function start({ api, pid }: Pick<Stage, "api" | "pid">): Watches {
  return { server: ServerWatch.start(pid), journal: JournalWatch.start(api) };
}

async function stop({ server, journal }: Watches): Promise<Omit<Watched<unknown>, "result">> {
  const serverFigures = server?.stop() ?? null;
  const watched = await (await journal).stop();
  const figures = watched === null ? [] : [watched.lag];
  return { serverFigures, journal: watched?.journal ?? null, figures };
}
