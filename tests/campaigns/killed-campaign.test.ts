/** A campaign whose process is killed, again and again, and what its recipients got. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Random } from "../../engine/testing/random.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { until } from "../support/server.ts";
import { CampaignStage } from "./campaign-stage.ts";
import { addCrowd, addOrganization } from "./customers.ts";
import { acceptedIn, FileMailer } from "./file-mailer.ts";

const CHILD = fileURLToPath(new URL("./sender-child.ts", import.meta.url));
const PEOPLE = 2_000;
const KILLS = 3;

let database: TestDatabase;
let folder: string;
before(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), "evently-campaign-"));
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

interface Child {
  kill(): void;
  readonly ended: Promise<number | null>;
}

function startChild(path: string, id: string): Child {
  const args = ["--import", "tsx", CHILD, database.url, path, id];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  const killWithUs = (): void => {
    child.kill("SIGKILL");
  };
  process.once("exit", killWithUs);
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      process.off("exit", killWithUs);
      resolve(code);
    });
  });
  return { kill: killWithUs, ended };
}

test("a campaign that is killed three times mails to each exactly once", async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  const random = new Random(seed);
  const path = join(folder, "mails");
  const stage = await CampaignStage.open(database.url, new FileMailer({ path }));
  const organizationId = await addOrganization(stage.rows);
  await addCrowd(stage.rows, organizationId, { people: PEOPLE, events: 5 });
  const id = await stage.schedule({ organizationId });
  // Moments of the whole, in order: how much has been accepted by then.
  const moments = Array.from({ length: KILLS }, () => 1 + random.below(PEOPLE - 200));
  for (const moment of moments.sort((a, b) => a - b)) {
    const child = startChild(path, id);
    await until(`${moment} mails are accepted (SEED=${seed})`, () => {
      return acceptedIn(path).length >= moment;
    });
    child.kill();
    assert.equal(await child.ended, null, `SEED=${seed}: it ended by itself`);
  }
  assert.equal(await startChild(path, id).ended, 0);

  const accepted = acceptedIn(path).sort();
  assert.equal(new Set(accepted).size, accepted.length, `SEED=${seed}: somebody got two`);
  const ends = await stage.ends(id);
  const { sent = 0, in_doubt: inDoubt = 0 } = ends;
  const message = `SEED=${seed}: ${JSON.stringify(ends)}, ${accepted.length} accepted`;
  assert.equal(sent + inDoubt, PEOPLE, message);
  // What is in doubt may have come or not; at a kill there are as many as are under way.
  assert.ok(accepted.length >= sent && accepted.length <= sent + inDoubt, message);
  assert.ok(inDoubt <= KILLS * 2 * 50, message);
  const keys = new Set(await stage.keys(id));
  assert.equal(keys.size, PEOPLE);
  assert.deepEqual(
    accepted.filter((key) => !keys.has(key)),
    [],
  );
  assert.equal(await stage.queue.count(), 0);
  await stage.close();
});
