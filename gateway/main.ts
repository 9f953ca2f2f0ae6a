/** Starts a node, says where it is, and stops it on SIGTERM or SIGINT. */
import { writeSync } from "node:fs";
import { banner } from "./banner.ts";
import { ConfigError, readConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { startNode } from "./node.ts";

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  const node = await startNode(config, log);
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping");
    node.stop().then(
      () => {
        log.info("stopped");
        process.exit(0);
      },
      (error: unknown) => fail(error),
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  // Whoever reads this may send a signal at once.
  log.info({ url: node.url }, "ready");
  const text = await banner(node.url, node.catalogue).catch((error: unknown) => {
    // Stopped meanwhile, and with it what the banner asks.
    if (stopping) return "";
    throw error;
  });
  writeSync(1, text);
}

/** One line for what the operator can mend; the stack for what is a bug. */
function fail(error: unknown): never {
  const isOurs = error instanceof Error && "code" in error && typeof error.code === "string";
  const text = isOurs ? `evently: ${error.message}` : error instanceof Error ? error.stack : error;
  writeSync(2, `${String(text)}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
}

main().catch(fail);
