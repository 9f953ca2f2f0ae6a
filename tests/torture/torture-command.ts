/**
 * A crowd that does everything at once, and an audit of all that it was told:
 *
 *   npm run torture                               500 clients for 60 s
 *   npm run torture -- --clients 40 --seconds 8   the short form
 *   npm run torture -- --seed 7                   the same moods again
 *   npm run torture -- --url http://host:3000     a server that runs already, without rate limits
 *
 * Of a server elsewhere OPS_TOKEN opens the audit, SANDBOX_WEBHOOK_SECRET signs messages of the
 * provider, and DATABASE_URL leads to the provider's books; what lacks its variable is left out.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { commandLine, UsageError, wholeNumber } from "../support/command-line.ts";
import { startTestServer, TEST_DATABASE_URL } from "../support/database.ts";
import { tableOf } from "./report.ts";
import { type Elsewhere, type TortureOptions, torture } from "./torture.ts";

const USAGE = `
A crowd that does everything at once, and an audit of all that it was told (docs/TORTURE.md).

  npm run torture -- [options]
    --clients 500   half of them over HTTP, half over WebSockets
    --seconds 60    for so long
    --seed N        the same moods again; default: another one each time
    --url URL       a server that runs already, without rate limits; default: one of its own

Of a server elsewhere OPS_TOKEN, SANDBOX_WEBHOOK_SECRET and DATABASE_URL open what is checked.
Exit codes: 0 no faults, 1 faults, 2 usage.`;

function elsewhere(url: string): Elsewhere {
  const { OPS_TOKEN, SANDBOX_WEBHOOK_SECRET, DATABASE_URL } = process.env;
  return {
    url,
    opsToken: OPS_TOKEN ?? null,
    webhookSecret: SANDBOX_WEBHOOK_SECRET ?? null,
    databaseUrl: DATABASE_URL ?? null,
  };
}

async function run(options: TortureOptions): Promise<void> {
  const { clients, seconds, seed } = options;
  console.log(`npm run torture -- --clients ${clients} --seconds ${seconds} --seed ${seed}`);
  const report = await torture(options);
  console.log(tableOf(report));
  for (const fault of report.faults) console.error(`FAULT ${fault}`);
  console.log(`${report.faultCount} faults`);
  if (report.faultCount > 0) process.exitCode = 1;
}

function optionsOf(args: string[]): TortureOptions {
  const { values } = parseArgs({
    args,
    options: {
      clients: { type: "string", default: "500" },
      seconds: { type: "string", default: "60" },
      seed: { type: "string" },
      url: { type: "string" },
    },
  });
  const { seed, url } = values;
  if (url !== undefined && !/^https?:/.test(url)) {
    throw new UsageError(`--url starts with http:// or https://, not "${url}"`);
  }
  return {
    clients: wholeNumber("--clients", values.clients),
    seconds: wholeNumber("--seconds", values.seconds),
    seed: seed === undefined ? randomInt(2 ** 31) : wholeNumber("--seed", seed, 0),
    elsewhere: url === undefined ? null : elsewhere(url),
    log: (line) => console.log(line),
  };
}

const options = commandLine({ name: "torture", usage: USAGE }, optionsOf);
if (options.elsewhere !== null) await run(options);
else {
  const server = await startTestServer();
  process.env[TEST_DATABASE_URL] = server.url;
  try {
    await run(options);
  } finally {
    await server.stop();
  }
}
