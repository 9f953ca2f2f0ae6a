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
import { commandLine, oneOf, readableFile, wholeNumber } from "../support/command-line.ts";
import { startTestServer, TEST_DATABASE_URL } from "../support/database.ts";
import { crash } from "./crash.ts";
import { clockMs } from "./recorder.ts";

const USAGE = `
Kills the server under load, again and again, and checks what its clients were told
(docs/FAULTS.md).

  npm run crash -- [options]
    --cycles 50         kills, at random moments
    --seed N            the same schedule again; default: another one each time
    --buyers 10         of each event
    --ack-mode journal  or postgres
    --shards-vary       other SHARDS and WORKERS at each restart
    --json FILE         keeps the figures
    --history FILE      keeps everything that was said
    --check FILE        checks a history that was kept, and does nothing else

Exit codes: 0 all is explained, 1 it is not, 2 usage.`;

function argsOf(args: string[]) {
  const { values } = parseArgs({
    args,
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
  const { seed, check: kept, json, history } = values;
  return {
    options: {
      seed: seed === undefined ? randomInt(2 ** 31) : wholeNumber("--seed", seed, 0),
      cycles: wholeNumber("--cycles", values.cycles),
      buyersPerEvent: wholeNumber("--buyers", values.buyers),
      ackMode: oneOf("--ack-mode", values["ack-mode"], ["journal", "postgres"]),
      shardsVary: values["shards-vary"],
      log: (line: string): void => console.log(line),
    },
    json,
    history,
    kept: kept === undefined ? undefined : readableFile("--check", kept),
  };
}
const { options, json, history, kept } = commandLine({ name: "crash", usage: USAGE }, argsOf);

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
  try {
    const report = await crash(options, history);
    console.log(JSON.stringify(report, null, 2));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(report)}\n`);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await server.stop();
  }
}

if (kept === undefined) await run();
else check(kept);
// Buyers of a run that failed may still wait for a server that is gone.
process.exit();
