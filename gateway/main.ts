/**
 * Starts a node, says where it is, and stops it on SIGTERM or SIGINT. These are listened for before
 * anything else: loading the node's modules alone takes a second, and the first process of a
 * container never hears a signal that it doesn't listen for.
 */
import "./hear-stop.mjs";
import { writeSync } from "node:fs";
import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import type { RunningNode } from "./node.ts";
import { listenForStop, StopAsked, unlessAborted, untilAborted } from "./stop-request.ts";

async function main(stopping: AbortSignal): Promise<void> {
  const loaded = Promise.all([
    import("./config.ts"),
    import("./log.ts"),
    import("./node.ts"),
    import("./start-warnings.ts"),
  ]);
  const [{ readConfig }, { createLog }, { startNode }, { startWarnings }] = await unlessAborted(
    stopping,
    loaded,
  );
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  for (const warning of startWarnings(config)) log.warn(warning);
  stopping.addEventListener("abort", () => log.info({ signal: signalOf(stopping) }, "stopping"));
  try {
    const node = await startNode(config, log, stopping);
    await sayReady(node, config, log, stopping);
    await untilAborted(stopping);
    await node.stop();
  } catch (error) {
    if (!(error instanceof StopAsked)) throw error;
  }
  log.info("stopped");
}

function signalOf({ reason }: AbortSignal): string {
  return reason instanceof StopAsked ? reason.message : "";
}

/** Logs are JSON in production; elsewhere a person reads them. */
async function sayReady(
  node: RunningNode,
  { isProduction }: Config,
  log: Log,
  stopping: AbortSignal,
): Promise<void> {
  const { url } = node;
  if (isProduction) {
    const ms = Math.round(process.uptime() * 1_000);
    // Whatever the level: it is how whoever started the node learns its address.
    const always = log.child({ url }, { level: "info" });
    return always.info(`Evently is ready at ${url} after ${ms} ms`);
  }
  log.info({ url }, "ready");
  const { banner } = await import("./banner.ts");
  const text = await banner(url, node.catalogue).catch((error: unknown) => {
    // Stopped meanwhile, and with it what the banner asks.
    if (stopping.aborted) return "";
    throw error;
  });
  writeSync(1, text);
}

/** One line for what the operator can mend; the stack for what is a bug. */
function fail(error: unknown): never {
  const code = error instanceof Error && "code" in error ? error.code : null;
  const isOurs = error instanceof Error && typeof code === "string";
  const text = isOurs ? `evently: ${error.message}` : error instanceof Error ? error.stack : error;
  writeSync(2, `${String(text)}\n`);
  process.exit(code === "config_invalid" ? 2 : 1);
}

main(listenForStop()).then(
  () => process.exit(0),
  (error: unknown) => (error instanceof StopAsked ? process.exit(0) : fail(error)),
);
