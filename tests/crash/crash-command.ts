/**
 * Kills the server under load, again and again, and checks what its clients were told:
 *
 *   npm run crash -- --cycles 50                  fifty kills at random moments
 *   npm run crash -- --cycles 50 --seed 7         the same schedule again
 *   npm run crash -- --shards-vary                with other SHARDS and WORKERS at each restart
 *   npm run crash -- --ack-mode postgres          with that ACK_MODE
 *   npm run crash -- --json FILE --history FILE   keeps the figures, and everything that was said
 *   npm run crash -- --check FILE                 checks a history that was kept
 */
import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkHistory } from "../linearizability/checker.ts";
import { historyOf, loadHistory } from "../linearizability/history.ts";
import { startTestServer, TEST_DATABASE_URL } from "../support/database.ts";
import { crash } from "./crash.ts";
import { clockMs } from "./recorder.ts";

const { values: args } = parseArgs({
  options: {
    cycles: { type: "string", default: "50" },
    seed: { type: "string" },
    buyers: { type: "string", default: "10" },
    "ack-mode": { type: "string", default: "journal" },
    "shards-vary": { type: "boolean", default: false },
    json: { type: "string" },
    history: { type: "string" },
    check: { type: "string" },
  },
});

function check(path: string): void {
  const { verdicts, operations, seconds, faults } = checkHistory(
    historyOf(loadHistory(path)),
    clockMs,
  );
  for (const verdict of verdicts) console.log(JSON.stringify(verdict));
  console.log(`${operations} operations in ${seconds.toFixed(2)} s`);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

async function run(): Promise<void> {
  const server = await startTestServer();
  process.env[TEST_DATABASE_URL] = server.url;
  const options = {
    seed: args.seed === undefined ? randomInt(2 ** 31) : Number(args.seed),
    cycles: Number(args.cycles),
    buyersPerEvent: Number(args.buyers),
    ackMode: args["ack-mode"],
    shardsVary: args["shards-vary"],
    log: (line: string): void => console.log(line),
  };
  try {
    const report = await crash(options, args.history);
    console.log(JSON.stringify(report, null, 2));
    if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify(report)}\n`);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await server.stop();
  }
}

if (args.check === undefined) await run();
else check(args.check);
// Buyers of a run that failed may still wait for a server that is gone.
process.exit();
