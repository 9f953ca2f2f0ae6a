/**
 * Asks a node everything that its document describes, and a lot that it does not:
 *
 *   npm run fuzz                                    20,000 requests, another seed each time
 *   npm run fuzz -- --seed 7 --requests 1000        the same requests again
 *
 * What a request is about depends on what was answered before, and four are in flight at once: with
 * `--lanes 1` a seed gives nearly the same run again.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { commandLine, wholeNumber } from "../support/command-line.ts";
import { startTestServer, TEST_DATABASE_URL } from "../support/database.ts";
import { fuzz } from "./fuzz-run.ts";

const USAGE = `
Asks a node everything that its document describes, and a lot that it does not (docs/API.md).

  npm run fuzz -- [options]
    --requests 20000  so many
    --seed N          the same requests again; default: another one each time
    --lanes 4         in flight at once

Exit codes: 0 no findings, 1 findings, 2 usage.`;

const { seed, requests, lanes } = commandLine({ name: "fuzz", usage: USAGE }, (args) => {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: "string" },
      requests: { type: "string", default: "20000" },
      lanes: { type: "string", default: "4" },
    },
  });
  return {
    seed: values.seed === undefined ? randomInt(2 ** 31) : wholeNumber("--seed", values.seed, 0),
    requests: wholeNumber("--requests", values.requests),
    lanes: wholeNumber("--lanes", values.lanes),
  };
});
console.log(`npm run fuzz -- --seed ${seed} --requests ${requests} --lanes ${lanes}`);
const server = await startTestServer();
process.env[TEST_DATABASE_URL] = server.url;
try {
  const { findings, heard } = await fuzz({ seed, requests, lanes });
  for (const what of [...heard.keys()].sort()) {
    const statuses = [...(heard.get(what) ?? [])].sort(([a], [b]) => a.localeCompare(b));
    const counts = statuses.map(([status, count]) => `${status}×${count}`);
    console.log(`${what.padEnd(24)} ${counts.join("  ")}`);
  }
  for (const finding of findings) console.error(`FINDING ${finding}`);
  console.log(`${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
} finally {
  await server.stop();
}
