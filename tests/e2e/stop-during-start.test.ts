/** A stop that is asked for while the node still comes up, at several moments of its way. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../../bench/root.ts";
import { systemClock } from "../../workers/clock.ts";
import { lockDataDir } from "../../workers/data-dir-lock.ts";
import { until } from "../support/server.ts";

const parent = fs.mkdtempSync(join(tmpdir(), "evently-stopping-"));
fs.chmodSync(parent, 0o755);
after(() => fs.rmSync(parent, { recursive: true, force: true }));

type Env = Readonly<Record<string, string>>;

type Command = readonly [program: string, ...args: string[]];
const WITHOUT_NPM: Command = [process.execPath, "bin/run.mjs", "gateway/main.ts"];

/** A start of a node that may never come to its end. */
class Start {
  readonly dataDir: string;
  readonly #child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  said = "";

  constructor(dataDir: string, env: Env = {}, command: Command = WITHOUT_NPM) {
    this.dataDir = dataDir;
    const { PATH, HOME, TMPDIR } = process.env;
    const [program, ...args] = command;
    this.#child = spawn(program, args, {
      cwd: ROOT,
      env: { PATH, HOME, TMPDIR, PORT: "0", DATA_DIR: dataDir, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.said += text;
      });
    }
    this.ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  has(path: string): boolean {
    return fs.existsSync(join(this.dataDir, path));
  }
}

/** Ids of the processes with the directory in their command line. */
function processesOn(directory: string): string[] {
  return fs.readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory)
      );
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

async function requireFree(dataDir: string): Promise<void> {
  await until("its processes are gone", () => processesOn(dataDir).length === 0, 5_000);
  const lock = await lockDataDir(dataDir);
  await lock.release();
}

/** In the order in which they come, each on what the one before has left. */
const MOMENTS: readonly (readonly [what: string, isNow: (start: Start) => boolean])[] = [
  ["the database is made", (start) => start.has("postgres/cluster.new")],
  ["the database comes up", (start) => start.has("postgres/cluster/postmaster.pid")],
  ["the journal is opened", (start) => start.has("journal")],
  ["the node is ready", ({ said }) => said.includes("Evently is ready at")],
];

test("a start that is told to stop ends with 0, and its database with it, whatever it was at", async () => {
  const dataDir = join(parent, "embedded");
  for (const [what, isNow] of MOMENTS) {
    const start = new Start(dataDir);
    await until(what, () => isNow(start) || start.isOver);
    start.signal("SIGTERM");
    const end = await start.ended;
    assert.deepEqual(end, { code: 0, signal: null }, `${what}: ${start.said}`);
    await requireFree(dataDir);
  }
});

test("a start whose database never answers ends with 0 as soon as it is told to", async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  let isAsked = false;
  silent.on("connection", (socket) => {
    isAsked = true;
    socket.on("error", () => undefined);
  });
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const dataDir = join(parent, "silent");
  const start = new Start(dataDir, { DATABASE_URL: `postgres://nobody@127.0.0.1:${port}/none` });
  await until("it asks the database", () => isAsked || start.isOver);
  start.signal("SIGINT");
  assert.deepEqual(await start.ended, { code: 0, signal: null }, start.said);
  await requireFree(dataDir);
  silent.close();
});

test("signals in quick succession are one; a later one ends the process where it stands", async () => {
  const dataDir = join(parent, "frozen");
  const start = new Start(dataDir);
  await until("it is ready", () => start.said.includes("Evently is ready at") || start.isOver);
  const lock = fs.readFileSync(join(dataDir, "postgres/cluster/postmaster.pid"), "utf8");
  const postgresPid = Number(lock.split("\n")[0]);
  // A server that stands still can't stop, so the node waits for it.
  process.kill(postgresPid, "SIGSTOP");
  try {
    start.signal("SIGTERM");
    const askedMs = systemClock.monotonicMs();
    await until("it has ended", () => {
      if (!start.isOver) start.signal("SIGTERM");
      return start.isOver;
    });
    assert.deepEqual(await start.ended, { code: 143, signal: null }, start.said);
    assert.ok(systemClock.monotonicMs() - askedMs >= 1_000, "the first repetitions change nothing");
  } finally {
    process.kill(postgresPid, "SIGCONT");
  }
  await requireFree(dataDir);
});

test("npm that is told to stop takes the node with it, and ends as it does", async () => {
  const dataDir = join(parent, "npm");
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const start = new Start(dataDir, {}, ["npm", "start"]);
    await until("it is ready", () => start.said.includes("Evently is ready at") || start.isOver);
    const pid = Number(/"pid":(\d+)/.exec(start.said)?.[1]);
    start.signal(signal);
    try {
      await until("npm has ended", () => start.isOver);
      // What outlives npm has its ends of the pipes, too.
      await until("the node has ended", () => !fs.existsSync(`/proc/${pid}`), 10_000);
    } catch (error) {
      process.kill(pid, "SIGTERM");
      throw error;
    }
    assert.deepEqual(await start.ended, { code: 0, signal: null }, start.said);
    await requireFree(dataDir);
  }
});
