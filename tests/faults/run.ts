/**
 * Runs fault scenarios: `npm run faults` for all of them, `npm run faults -- NAME --long` for the
 * long form of one. Prints what was done, checked and measured; exits with 1 on a failure.
 */
import { startTestServer, TEST_DATABASE_URL } from "../support/database.ts";
import { bitFlipped } from "./bit-flipped.ts";
import { diskFailing } from "./disk-failing.ts";
import { diskFull } from "./disk-full.ts";
import { nodeFrozen } from "./node-frozen.ts";
import { postgresDown } from "./postgres-down.ts";
import { postgresFrozen } from "./postgres-frozen.ts";
import { postgresKilled } from "./postgres-killed.ts";
import { type Scenario, Skipped, Stage } from "./scenario.ts";
import { twoProcesses } from "./two-processes.ts";

const SCENARIOS: readonly Scenario[] = [
  postgresKilled,
  postgresDown,
  postgresFrozen,
  nodeFrozen,
  twoProcesses,
  diskFailing,
  diskFull,
  bitFlipped,
];

async function play(scenario: Scenario, isLong: boolean): Promise<boolean> {
  const stage = new Stage(isLong);
  const startedMs = Date.now();
  const report = (verdict: string): void => {
    const rows: [string, readonly string[]][] = [
      [scenario.name, [`${verdict}, ${((Date.now() - startedMs) / 1_000).toFixed(1)} s`]],
      ["  did", stage.done],
      ["  checked", stage.checked],
      ["  figures", stage.figures],
    ];
    for (const [head, lines] of rows) {
      lines.forEach((line, index) => {
        console.log(`${(index === 0 ? head : "").padEnd(20)}${line}`);
      });
    }
    console.log();
  };
  try {
    await stage.play(scenario);
    report("ok");
    return true;
  } catch (error) {
    if (error instanceof Skipped) {
      report(`skipped: ${error.message}`);
      return true;
    }
    report("FAILED");
    console.error(error);
    return false;
  }
}

// Servers and file systems of a scenario that is cut short go with the process.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
const words = process.argv.slice(2);
const isLong = words.includes("--long");
const names = words.filter((word) => word !== "--long");
const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  console.error(`no scenario ${unknown.join(", ")}; there are:`);
  for (const { name, title } of SCENARIOS) console.error(`  ${name.padEnd(18)}${title}`);
  process.exit(1);
}
const server = await startTestServer();
process.env[TEST_DATABASE_URL] = server.url;
try {
  for (const scenario of SCENARIOS) {
    if (names.length > 0 && !names.includes(scenario.name)) continue;
    if (!(await play(scenario, isLong))) process.exitCode = 1;
  }
} finally {
  await server.stop();
}
