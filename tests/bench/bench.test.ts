/** The bench as a process: what it ends with, what it leaves, and that it finds an oversell. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Client } from "pg";
import { isSound, type Report } from "../../bench/report/report.ts";
import { ROOT } from "../../bench/root.ts";
import { ADMIN, OPS_TOKEN, TestNode, until } from "../support/server.ts";

interface Bench {
  readonly child: ChildProcess;
  /** What it said so far, of both kinds. */
  said(): string;
  readonly ended: Promise<number | null>;
  /** Where it keeps what it needs: empty again when it has ended. */
  readonly directory: string;
}

const COMMAND = [process.execPath, "bin/run.mjs", "bench/main.ts"];

function startBench(
  context: TestContext,
  args: string,
  env: NodeJS.ProcessEnv = {},
  [command = "", ...before] = COMMAND,
): Bench {
  const directory = mkdtempSync(join(tmpdir(), "evently-bench-test-"));
  // Where we are root, the database server's account is another.
  chmodSync(directory, 0o755);
  const child = spawn(command, [...before, ...args.split(" ")], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: directory, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  context.after(async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  return { child, said: () => said, ended, directory };
}

/** What is left of servers and databases; tsx keeps what it has compiled. */
const leftIn = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.startsWith("evently-"));

test("hold starts a server, measures, finds no objection, and leaves nothing behind", async (t) => {
  const reports = mkdtempSync(join(tmpdir(), "evently-reports-"));
  t.after(() => rmSync(reports, { recursive: true, force: true }));
  const [json, html] = [join(reports, "r.json"), join(reports, "r.html")];
  const args = `hold --duration 2 --connections 8 --rate 400 --json ${json} --html ${html}`;
  const bench = startBench(t, args);
  assert.equal(await bench.ended, 0, bench.said());
  const report = JSON.parse(readFileSync(json, "utf8")) as Report;
  assert.ok(isSound(report));
  const [holds] = report.streams;
  assert.ok(Number(holds?.count) > 0 && Number(holds?.count) <= 800);
  assert.deepEqual(Object.keys(holds?.statuses ?? {}), ["201"]);
  const names = report.serverFigures?.threads.map(({ name }) => name) ?? [];
  assert.ok(names.includes("gateway") && names.includes("shard 0"), names.join(", "));
  assert.ok(Number(report.journal?.facts) >= Number(holds?.count));
  assert.match(readFileSync(html, "utf8"), /The oracle has no objection/);
  assert.match(bench.said(), /the oracle has no objection/);
  assert.deepEqual(leftIn(bench.directory), []);
});

test("sale says what a sale costs each thread, and all of them together", async (t) => {
  const reports = mkdtempSync(join(tmpdir(), "evently-reports-"));
  t.after(() => rmSync(reports, { recursive: true, force: true }));
  const json = join(reports, "r.json");
  const bench = startBench(t, `sale --duration 2 --connections 8 --json ${json}`);
  assert.equal(await bench.ended, 0, bench.said());
  const { figures, streams, serverFigures } = JSON.parse(readFileSync(json, "utf8")) as Report;
  const costs = figures.filter(({ name }) => name.startsWith("a sale, "));
  const [all, ...threads] = costs.map(({ value, unit }) => (unit === "µs" ? value : 0));
  const sum = threads.reduce((total, each) => total + each, 0);
  assert.ok(sum > 0 && Math.abs(sum - Number(all)) < 1e-6, JSON.stringify(costs));
  assert.ok(costs.some(({ name }) => name === "a sale, gateway"));
  // The sales are those of the time in which the threads were looked at, and of no longer one.
  const sales = streams.find(({ name }) => name === "bookings")?.count ?? 0;
  const cores = serverFigures?.threads.reduce((total, thread) => total + thread.cores, 0) ?? 0;
  const tookUs = cores * Number(serverFigures?.seconds) * 1_000_000;
  assert.ok(sales > 0 && Math.abs(Number(all) * sales - tookUs) < 1, `${all} µs, ${sales} sales`);
});

test("what was not understood ends with 2, a server that is not there with 3", async (t) => {
  const unknown = startBench(t, "no-such-scenario");
  assert.equal(await unknown.ended, 2);
  assert.match(unknown.said(), /on-sale {2}/);
  const anonymous = startBench(t, "hold --url http://127.0.0.1:9");
  assert.equal(await anonymous.ended, 2);
  const nobody = "hold --url http://127.0.0.1:9 --email a@example.org --password p";
  const alone = startBench(t, nobody);
  assert.equal(await alone.ended, 3);
  const told = /could not run: nobody answers at http:\/\/127\.0\.0\.1:9: [^\n]+\n$/;
  assert.match(alone.said(), told);
  const unwritable = startBench(t, `${nobody} --json /nowhere/x.json`);
  assert.equal(await unwritable.ended, 2);
  assert.match(unwritable.said(), /--json can't be written: ENOENT/);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`a bench that hears ${signal} stops its server and removes its files`, async (t) => {
    const bench = startBench(t, "hold --duration 60 --connections 4");
    await until("holds come", () => /holds\/s/.test(bench.said()) || bench.child.exitCode !== null);
    assert.notDeepEqual(leftIn(bench.directory), []);
    bench.child.kill(signal);
    assert.equal(await bench.ended, 130, bench.said());
    assert.deepEqual(leftIn(bench.directory), []);
  });
}

test("a bench whose npm is killed ends by itself", async (t) => {
  // As npm does it: a process between that hands nothing on any more.
  const between = ["sh", "-c", `"$@" & wait`, "sh", ...COMMAND];
  const env = { npm_lifecycle_event: "bench" };
  const bench = startBench(t, "hold --duration 60 --connections 4", env, between);
  await until("holds come", () => /holds\/s/.test(bench.said()) || bench.child.exitCode !== null);
  bench.child.kill("SIGKILL");
  // Its output is closed once the last who has it is gone.
  await bench.ended;
  assert.match(bench.said(), /interrupted: cleaning up/);
  assert.deepEqual(leftIn(bench.directory), []);
});

const SALE = "--duration 2 --connections 8 --seats 2000 --rate 300 --think 50";

/** An on-sale on a server that runs already, while `plant` does something to its database. */
async function sabotaged(t: TestContext, plant: (client: Client) => Promise<void>): Promise<Bench> {
  const node = await TestNode.start();
  t.after(() => node.remove());
  const bench = startBench(t, `on-sale --url ${node.url} ${SALE}`, {
    BENCH_EMAIL: ADMIN.email,
    BENCH_PASSWORD: ADMIN.password,
    BENCH_OPS_TOKEN: OPS_TOKEN,
  });
  const client = new Client({ connectionString: node.databaseUrl });
  await client.connect();
  try {
    // The rehearsal is another event: what is planted has to be in the sale.
    await until("the sale has begun", async () => {
      const { rows } = await client.query<{ events: number }>(
        `SELECT count(*)::integer AS events FROM
           (SELECT event_id FROM bookings GROUP BY event_id HAVING count(*) >= 20) e`,
      );
      return rows[0]?.events === 2 || bench.child.exitCode !== null;
    });
    await plant(client);
  } finally {
    await client.end();
  }
  return bench;
}

const OF_THE_SALE = `event_id = (SELECT event_id FROM bookings ORDER BY id DESC LIMIT 1)`;

test("a sale on a server that runs already is sound, and a planted oversell is found", async (t) => {
  const bench = await sabotaged(t, async (client) => {
    await client.query("DROP INDEX tickets_one_per_seat");
    // The seat of one booking is sold a second time, in another.
    await client.query(`
      INSERT INTO tickets
      SELECT t.event_id, gen_random_uuid(), o.id, 90, t.place, t.category, t.price_minor,
        'PLANTED', 'valid'
      FROM (SELECT * FROM tickets WHERE ${OF_THE_SALE} ORDER BY id LIMIT 1) t
      JOIN bookings o ON o.event_id = t.event_id AND o.id <> t.booking_id LIMIT 1`);
  });
  assert.equal(await bench.ended, 1, bench.said());
  assert.match(bench.said(), /FAILED no seat is in two bookings of the database/);
  assert.match(bench.said(), /FAILED every confirmed booking is in the database, with its places/);
  assert.match(bench.said(), /THE ORACLE OBJECTS/);
  const { said } = bench;
  for (const line of [/, think 50$/m, /^looks \* {2}/m, /^buyers who got seats +\d/m]) {
    assert.match(said(), line);
  }
});

test("a booking that vanishes from the database is found, and one whose total is off", async (t) => {
  const bench = await sabotaged(t, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM bookings WHERE ${OF_THE_SALE} ORDER BY id LIMIT 2`,
    );
    const off = "UPDATE bookings SET total_minor = total_minor + 7 WHERE id = $1";
    await client.query(off, [rows[1]?.id]);
    await client.query("DELETE FROM tickets WHERE booking_id = $1", [rows[0]?.id]);
    await client.query("DELETE FROM bookings WHERE id = $1", [rows[0]?.id]);
  });
  assert.equal(await bench.ended, 1, bench.said());
  assert.match(bench.said(), /FAILED every confirmed booking is in the database[^\n]* is not in/);
  assert.match(bench.said(), /FAILED memory and database agree[^\n]*has a total of \d+7 /);
  assert.match(bench.said(), /ok {4} no seat was confirmed to two buyers/);
});
