/** A whole node in this process, so that what it sends can be listened to. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { readConfig } from "../../gateway/config.ts";
import { type RunningNode, startNode } from "../../gateway/node.ts";
import { ADMIN, OPS_TOKEN } from "../support/server.ts";

export const BOUNCE_SECRET = "a bounce secret of the tests, long enough";

export interface InProcessNode extends RunningNode {
  readonly dataDir: string;
}

export async function startInProcess(databaseUrl: string): Promise<InProcessNode> {
  const dataDir = mkdtempSync(join(tmpdir(), "evently-in-process-"));
  const config = readConfig({
    PORT: "0",
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    RATE_LIMIT: "off",
    SEED_DEMO: "on",
    WORKERS: "1",
    SHARDS: "2",
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    OPS_TOKEN,
    MAIL_BOUNCE_SECRET: BOUNCE_SECRET,
  });
  const node = await startNode(config, pino({ level: "silent" }));
  return {
    ...node,
    dataDir,
    async stop() {
      await node.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
