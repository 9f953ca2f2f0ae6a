import { BenchApi } from "./bench-api.ts";
import { type BenchServerOptions, startBenchServer } from "./bench-server.ts";
import { type BenchOptions, type Progress, UsageError } from "./scenario.ts";

/** A server to be measured, and what the bench needs to know of it. */
export interface Stage {
  readonly url: string;
  /** null: it runs elsewhere, or was not started by us. */
  readonly pid: number | null;
  readonly api: BenchApi;
  /** As the report names it. */
  readonly server: string;
  /** Stops what was started. */
  close(): Promise<void>;
}

/** The server that the options name, or one of our own. */
export async function openStage(
  { url, access }: BenchOptions,
  progress: Progress,
  serverOptions: BenchServerOptions = {},
): Promise<Stage> {
  if (url === null) {
    progress("starting a server");
    const server = await startBenchServer(serverOptions);
    const { pid, stop } = server;
    return { url: server.url, pid, api: new BenchApi(server.url), server: "evently", close: stop };
  }
  if (access === null) {
    throw new UsageError(
      "--url needs --email and --password of somebody who may organise events there, " +
        "and --ops-token for the audit (or BENCH_EMAIL, BENCH_PASSWORD, BENCH_OPS_TOKEN)",
    );
  }
  const api = new BenchApi(url, access);
  return { url, pid: null, api, server: `evently at ${url}`, close: () => Promise.resolve() };
}
