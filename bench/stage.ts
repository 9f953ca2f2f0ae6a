import { BenchApi, BenchRequestFailed } from "./bench-api.ts";
import { type BenchServerOptions, startBenchServer } from "./bench-server.ts";
import { type Access, type BenchOptions, type Progress, UsageError } from "./scenario.ts";

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

/**
 * The server that the options name, or one of our own. Throws UsageError where the bench is not
 * let in to all that it needs there, and ServerUnreachable.
 */
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
  await requireAccess(api, url, access);
  return { url, pid: null, api, server: `evently at ${url}`, close: () => Promise.resolve() };
}

const UNAUTHENTICATED = 401;
const FORBIDDEN = 403;

/** Before any load: what the oracle can't look at afterwards, it objects to. */
async function requireAccess(api: BenchApi, url: string, access: Access): Promise<void> {
  const { email, opsToken } = access;
  await orUsage(api.signIn(), `${email} is not let in at ${url}: look at --email and --password`);
  await orUsage(
    api.shards(),
    opsToken === null
      ? `${email} may not look at ${url}/ops, which the oracle has to: ` +
          "--ops-token is missing (or BENCH_OPS_TOKEN)"
      : `--ops-token (or BENCH_OPS_TOKEN) is not the OPS_TOKEN of ${url}`,
  );
}

async function orUsage(asked: Promise<unknown>, refused: string): Promise<void> {
  try {
    await asked;
  } catch (error) {
    const status = error instanceof BenchRequestFailed ? error.status : 0;
    if (status !== UNAUTHENTICATED && status !== FORBIDDEN) throw error;
    throw new UsageError(refused, { cause: error });
  }
}
