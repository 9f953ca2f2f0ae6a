/**
 * Fills a catalogue with plausible events that can be found, looked at and booked:
 *
 *   npm run generate:events -- --count 1000000
 *   npm run generate:events -- --count 5000 --seed 7
 *
 * Into DATABASE_URL, or the embedded database of DATA_DIR, which no node may be using meanwhile.
 * The same seed makes the same events, around today.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { readConfig } from "../gateway/config.ts";
import { startEmbeddedPostgres } from "../gateway/embedded-postgres.ts";
import { migrate } from "../sql/migrate.ts";
import { lockDataDir } from "../workers/data-dir-lock.ts";
import { fillCatalogue } from "./catalogue/fill-catalogue.ts";
import { progressLine } from "./catalogue/progress-line.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
  },
});

const wholeOf = (name: string, text: string): number => {
  if (/^\d{1,8}$/.test(text)) return Number(text);
  throw new Error(`--${name} accepts a whole number up to 99999999`);
};

async function fill(url: string): Promise<void> {
  await migrate(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const count = wholeOf("count", values.count);
    const seed = wholeOf("seed", values.seed);
    const progress = progressLine("events", count);
    await fillCatalogue(client, { count, seed, nowMs: Date.now(), progress });
    process.stdout.write("\n");
  } finally {
    await client.end();
  }
}

const config = readConfig(process.env);
if (config.databaseUrl !== null) await fill(config.databaseUrl);
else {
  mkdirSync(config.dataDir, { recursive: true });
  const lock = await lockDataDir(config.dataDir);
  const database = await startEmbeddedPostgres({ directory: join(config.dataDir, "postgres") });
  try {
    await fill(database.url);
  } finally {
    await database.stop();
    await lock.release();
  }
}
