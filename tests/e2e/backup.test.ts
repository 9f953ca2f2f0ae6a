/** Backups of a node that sells meanwhile, and what comes back. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { runBackup } from "../support/backup-command.ts";
import { ApiClient } from "../support/client.ts";
import { InstalledPostgres, POSTGRES_PROGRAMS } from "../support/postgres-tools.ts";
import { StartFailed, TestNode, until } from "../support/server.ts";
import type { BookingShape, EventShape, HoldShape, SignedIn } from "../support/shapes.ts";
import { auditOf, guestToken, ok, openStudio, openTheatre, seatIds } from "../support/venue.ts";

const BUYERS = 8;
const BEFORE = 40;

const place = fs.mkdtempSync(join(tmpdir(), "evently-backup-"));
// The embedded server's user differs from ours when we are root.
fs.chmodSync(place, 0o755);
after(() => fs.rmSync(place, { recursive: true, force: true }));

interface Sold {
  readonly token: string;
  readonly key: string;
  readonly holdId: string;
  readonly booking: BookingShape;
}

/** Buyers who book one seat after the other, until they are stopped or all is sold. */
class Crowd {
  readonly sold: Sold[] = [];
  readonly #api: ApiClient;
  readonly #event: EventShape;
  readonly #seats: string[];
  readonly #bought: Promise<unknown>;
  #isStopped = false;

  constructor(api: ApiClient, event: EventShape, seats: readonly string[]) {
    this.#api = api;
    this.#event = event;
    this.#seats = [...seats];
    const buyers = Promise.all(Array.from({ length: BUYERS }, () => this.#buy()));
    this.#bought = buyers.then(
      () => null,
      (error: unknown) => error,
    );
  }

  async reached(count: number): Promise<void> {
    const enough = until(`${count} are sold`, () => this.sold.length >= count || this.#isStopped);
    const error = await Promise.race([enough, this.#bought]);
    if (this.sold.length < count) assert.fail(`too few were sold: ${String(error)}`);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    assert.equal(await this.#bought, null);
  }

  async #buy(): Promise<void> {
    const token = await guestToken(this.#api);
    for (;;) {
      const seat = this.#seats.pop();
      if (seat === undefined || this.#isStopped) return;
      const path = `/api/v1/events/${this.#event.id}`;
      const held = await this.#api.post<HoldShape>(`${path}/holds`, {
        token,
        body: { items: [{ seat }] },
      });
      const { id: holdId } = ok(held, 201);
      const key = `book-${seat}`;
      const booked = await this.#api.post<BookingShape>(`${path}/bookings`, {
        token,
        key,
        body: bookBody(holdId),
      });
      this.sold.push({ token, key, holdId, booking: ok(booked, 201) });
      await delay(2);
    }
  }
}

const bookBody = (holdId: string) => ({
  holdId,
  payment: { provider: "none" },
  email: "a@example.org",
});

/** Everything that these were told still holds. */
async function requireKept(api: ApiClient, event: EventShape, sold: readonly Sold[]) {
  for (const { token, key, holdId, booking } of sold) {
    assert.deepEqual(ok(await api.get(`/api/v1/bookings/${booking.id}`, { token })), booking);
    const path = `/api/v1/events/${event.id}/bookings`;
    const again = await api.post(path, { token, key, body: bookBody(holdId) });
    assert.deepEqual(ok(again, 201), booking, "the same key, the same outcome");
    assert.equal(again.headers["idempotent-replayed"], "true");
  }
  await auditOf(api, event.id);
}

/** Sells, backs up meanwhile, kills the node; returns what had been sold before. */
async function sellAndBackUp(
  node: TestNode,
  env: Readonly<Record<string, string>>,
  target: string,
): Promise<{ event: EventShape; sold: Sold[]; text: string }> {
  const api = new ApiClient(() => node.url);
  try {
    // Many price categories and 1,100 seats.
    const event = await openTheatre(api, { limits: { perOrder: 10, perUser: 1_000 } });
    const crowd = new Crowd(api, event, await seatIds(api, event.id));
    await crowd.reached(BEFORE);
    const sold = [...crowd.sold];
    const { code, text } = await runBackup("backup", target, env);
    assert.equal(code, 0, text);
    await crowd.stop();
    assert.ok(crowd.sold.length > sold.length, "it was selling meanwhile");
    await node.kill9();
    return { event, sold, text };
  } finally {
    api.close();
  }
}

test("an embedded database is backed up while it sells, and is a node again elsewhere", async (t) => {
  const [dataDir, other, target] = ["embedded", "other", "embedded-backup"].map((name) =>
    join(place, name),
  ) as [string, string, string];
  const env = { DATABASE_URL: "", DATA_DIR: dataDir };
  const node = await TestNode.start(env);
  t.after(() => node.remove());
  const { event, sold } = await sellAndBackUp(node, env, target);
  const there = await runBackup("backup", target, env);
  assert.equal(there.code, 1);
  assert.match(there.text, /is there already/);
  const inUse = await runBackup("restore", target, env);
  assert.equal(inUse.code, 1);
  assert.match(inUse.text, /journal is in use: move it away first/);
  // One that is not running: its database is started for it. (A killed node leaves it running.)
  await node.start();
  assert.equal((await node.stop()).code, 0);
  const cold = await runBackup("backup", `${target}-cold`, env);
  assert.equal(cold.code, 0, cold.text);
  const restored = await runBackup("restore", target, { ...env, DATA_DIR: other });
  assert.equal(restored.code, 0, restored.text);
  await node.start({ DATA_DIR: other });
  const api = new ApiClient(() => node.url);
  await requireKept(api, event, sold);
  api.close();
  assert.equal((await node.stop()).code, 0);
});

test("what is not as it was written is not restored, and half a restore is no node", async () => {
  const source = join(place, "embedded-backup-cold");
  const damaged = join(place, "damaged");
  fs.cpSync(source, damaged, { recursive: true });
  const segment = join(damaged, "journal", fs.readdirSync(join(damaged, "journal"))[0] ?? "");
  const file = fs.openSync(segment, "r+");
  fs.writeSync(file, Buffer.from([1]), 0, 1, 5_000_000);
  fs.closeSync(file);
  const dataDir = join(place, "of-damaged");
  const env = { DATABASE_URL: "", DATA_DIR: dataDir };
  const refused = await runBackup("restore", damaged, env);
  assert.equal(refused.code, 1);
  assert.match(refused.text, /\.seg is not as it was written/);
  assert.equal(fs.existsSync(dataDir), false, "nothing was touched");
  const none = await runBackup("restore", place, env);
  assert.match(none.text, /has no manifest\.json/);
  assert.equal((await runBackup("backup", join(place, "x"), env)).code, 2, "no database there");

  fs.mkdirSync(dataDir);
  fs.writeFileSync(join(dataDir, "restore.unfinished"), "");
  await assert.rejects(TestNode.start({ DATA_DIR: dataDir }), (error: unknown) => {
    assert.ok(error instanceof StartFailed);
    assert.match(error.stderr, /a restore into .* was not finished/);
    return true;
  });
});

if (POSTGRES_PROGRAMS === null) {
  test("without PostgreSQL's client programs a backup of its database says what is missing", async (t) => {
    const node = await TestNode.start();
    t.after(() => node.remove());
    const env = { DATABASE_URL: node.databaseUrl, DATA_DIR: node.dataDir };
    const { code, text } = await runBackup("backup", join(place, "missing"), env);
    assert.equal(code, 1);
    assert.match(text, /pg_dump .* is not on the PATH/);
  });
} else {
  test("a dump of a database and the journal's tail are a node again elsewhere", dumpAndRestore);
  test("a database goes back to a point in time, and sells on from there", pointInTime);
}

async function dumpAndRestore(t: TestContext): Promise<void> {
  const server = await InstalledPostgres.start();
  t.after(() => server.remove());
  for (const name of ["one", "two"]) await server.query("postgres", `CREATE DATABASE ${name}`);
  const dataDir = join(place, "dumped");
  const env = { DATABASE_URL: server.url("one"), DATA_DIR: dataDir };
  const target = join(place, "dump");
  const node = await TestNode.start(env);
  t.after(() => node.remove());
  const api = new ApiClient(() => node.url);
  const studio = await openStudio(api);
  // The projector waits here, and pg_dump does not: what is sold now is in the journal alone.
  const blocker = new Client({ connectionString: server.url("one") });
  await blocker.connect();
  await blocker.query("BEGIN; LOCK TABLE bookings IN SHARE ROW EXCLUSIVE MODE");
  const small = new Crowd(api, studio, ["A-1", "A-2", "A-3"]);
  await small.reached(3);
  await small.stop();
  const tail = await runBackup("backup", target, env);
  assert.equal(tail.code, 0, tail.text);
  const facts = Number(/only the journal has: (\d+)/.exec(tail.text)?.[1]);
  assert.ok(facts >= 3, `${facts} facts are in the journal alone`);
  await blocker.end();
  const restored = { DATABASE_URL: server.url("two"), DATA_DIR: join(place, "dump-restored") };
  const done = await runBackup("restore", target, restored);
  assert.equal(done.code, 0, done.text);
  const twice = { ...restored, DATA_DIR: join(place, "dump-twice") };
  assert.match((await runBackup("restore", target, twice)).text, /is not empty/);
  assert.deepEqual(fs.readdirSync(twice.DATA_DIR), [], "a refused restore has changed nothing");
  api.close();
  await node.kill9();

  await node.start(restored);
  const again = new ApiClient(() => node.url);
  await requireKept(again, studio, small.sold);
  again.close();
  assert.equal((await node.stop()).code, 0);
}

async function pointInTime(t: TestContext): Promise<void> {
  const server = await InstalledPostgres.start({
    archive_mode: "on",
    archive_command: "test ! -f ../archive/%f && cp %p ../archive/%f",
  });
  t.after(() => server.remove());
  fs.mkdirSync(join(server.directory, "archive"));
  fs.chmodSync(join(server.directory, "archive"), 0o777);
  await server.query("postgres", "CREATE DATABASE one");
  const env = { DATABASE_URL: server.url("one"), DATA_DIR: join(place, "until-then") };
  const node = await TestNode.start({
    ...env,
    JWT_SECRET: "a secret of thirty-two bytes, or more",
  });
  t.after(() => node.remove());
  const api = new ApiClient(() => node.url);
  const studio = await openStudio(api);
  const base = join(server.directory, "base");
  // By itself it waits for minutes, until a checkpoint has been made at leisure.
  const from = ["-d", server.url("postgres"), "-D", base, "-X", "fetch"];
  await server.run("pg_basebackup", [...from, "--checkpoint=fast"]);

  const kept = new Crowd(api, studio, ["A-1", "A-2"]);
  await kept.reached(2);
  await auditOf(api, studio.id);
  const [then] = await server.query<{ at: string }>("one", "SELECT clock_timestamp()::text AS at");
  const undone = new Crowd(api, studio, ["A-3"]);
  await undone.reached(1);
  await auditOf(api, studio.id);
  await server.query("one", "SELECT pg_switch_wal()");
  await Promise.all([kept.stop(), undone.stop()]);
  assert.equal((await node.stop()).code, 0);
  await server.stop();

  fs.writeFileSync(join(base, "recovery.signal"), "");
  await server.serve("base", {
    restore_command: "cp ../archive/%f %p",
    recovery_target_time: then?.at ?? "",
    recovery_target_action: "promote",
  });
  // A new DATA_DIR: the old one's journal knows what is to be undone.
  await node.start({ DATA_DIR: join(place, "from-then") });
  await requireKept(api, studio, kept.sold);
  const [lost] = undone.sold;
  assert.ok(lost !== undefined);
  const path = `/api/v1/bookings/${lost.booking.id}`;
  assert.equal((await api.get(path, { token: lost.token })).status, 404);
  const other = ok(await api.post<SignedIn>("/api/v1/auth/guest"), 201).accessToken;
  const free = { token: other, body: { items: [{ seat: "A-3" }] } };
  ok(await api.post(`/api/v1/events/${studio.id}/holds`, free), 201);
  await auditOf(api, studio.id);
  api.close();
}
