/**
 * Runs one baseline as a server, for bench/bench-server.ts or for a load of one's own:
 *
 *   BASELINE=row-lock PORT=0 DATA_DIR=… node bin/run.mjs bench/baselines/main.ts
 *
 * BASELINE: row-lock, row-lock-pipelined, conditional-update, redis-lock or echo.
 * BASELINE_CONNECTIONS: to PostgreSQL. All else as for the product.
 */
import { writeSync } from "node:fs";
import { readConfig } from "../../gateway/config.ts";
import { createLog } from "../../gateway/log.ts";
import { BASELINE_KINDS, parseBaselineKind } from "./baseline-kinds.ts";
import { startBaseline } from "./baseline-server.ts";
import { startEcho } from "./echo.ts";

interface Running {
  readonly url: string;
  stop(): Promise<void> | void;
}

class UnknownBaseline extends Error {
  readonly code = "unknown_baseline";
}

async function start(): Promise<Running> {
  const kind = parseBaselineKind(process.env.BASELINE);
  if (kind === null) {
    throw new UnknownBaseline(`BASELINE accepts ${BASELINE_KINDS.join(", ")}`);
  }
  const config = readConfig(process.env);
  if (kind === "echo") return startEcho(config.host, config.port);
  const text = process.env.BASELINE_CONNECTIONS ?? "";
  const connections = /^[1-9]\d?$/.test(text) ? Number(text) : null;
  return startBaseline({ kind, connections, config, log: createLog(config.logLevel) });
}

async function main(): Promise<void> {
  const running = await start();
  let isStopping = false;
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    await running.stop();
    process.exit(0);
  };
  process.on("SIGTERM", () => stop().catch(fail));
  process.on("SIGINT", () => stop().catch(fail));
  writeSync(1, `Evently is ready at ${running.url}\n`);
}

function fail(error: unknown): never {
  writeSync(2, `${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

main().catch(fail);
