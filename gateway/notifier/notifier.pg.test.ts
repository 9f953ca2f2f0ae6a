import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Pool } from "pg";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { until } from "../../tests/support/server.ts";
import { systemClock } from "../../workers/clock.ts";
import { UNWATCHED } from "../../workers/thread-vitals.ts";
import { readConfig } from "../config.ts";
import { DONE, handlerOf, type Job, type JobEnd, type JobQueue } from "./job.ts";
import { Notifier } from "./notifier.ts";
import type { NotifierPart } from "./notifier-part.ts";
import type { OutboxEntry } from "./outbox-entry.ts";

let database: TestDatabase;
let pool: Pool;
before(async () => {
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url, max: 3 });
});
after(async () => {
  await pool.end();
  await database.drop();
});

interface Note {
  readonly word: string;
}

/** A part that does one kind of job, `note`, and follows entries of the outbox by it. */
class Notes {
  readonly done: string[] = [];
  readonly begun: string[] = [];
  queue: JobQueue | null = null;
  answer: (job: Job<Note>) => Promise<JobEnd> = () => Promise.resolve(DONE);
  refuses = "";

  part(): NotifierPart {
    const handle = async (job: Job<Note>): Promise<JobEnd> => {
      this.begun.push(job.data.word);
      const end = await this.answer(job);
      if (end.end === "done") this.done.push(job.data.word);
      return end;
    };
    return {
      handlers: [handlerOf<Note>("note", "urgent", handle)],
      follow: (entries) => Promise.resolve(entries.map((entry) => this.#jobOf(entry))),
      figures: () => ({ notes: this.done.length }),
    };
  }

  #jobOf(entry: OutboxEntry) {
    const word = entry.kind === "mail" ? entry.detail.key : entry.kind;
    if (word === this.refuses) throw new Error(`nobody can follow ${word}`);
    return { kind: "note", key: word, data: { word } };
  }
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

function notifierOf(notes: Notes): Notifier {
  return new Notifier({
    config: readConfig({ DATABASE_URL: database.url }),
    databaseUrl: database.url,
    jwtSecret: "x".repeat(32),
    apiUrl: "http://127.0.0.1",
    parts: ({ queue }) => {
      notes.queue = queue;
      return [notes.part()];
    },
    whenTold: () => Promise.resolve(true),
    clock: systemClock,
    log: silent,
    vitals: () => UNWATCHED,
  });
}

async function running(t: { after(run: () => Promise<void>): void }, notes = new Notes()) {
  const notifier = notifierOf(notes);
  await notifier.start();
  t.after(() => notifier.stop());
  return { notes, notifier };
}

const tell = (...words: string[]) =>
  pool.query(
    `INSERT INTO outbox (kind, at_ms, detail)
     SELECT 'mail', 1, json_build_object('key', word) FROM unnest($1::text[]) AS word`,
    [words],
  );
const counted = async (table: string): Promise<number> =>
  (await pool.query(`SELECT count(*)::integer AS count FROM ${table}`)).rows[0].count;

test("what was told before it began, and while it runs, is done once and leaves nothing", async (t) => {
  await tell("early");
  const { notes, notifier } = await running(t);
  await tell("a", "b", "a");
  await until("three are done", () => notes.done.length >= 3);
  assert.deepEqual([...notes.done].sort(), ["a", "b", "early"]);
  await until("the queue is empty", async () => (await counted("jobs.job")) === 0);
  assert.equal(await counted("outbox"), 0);
  const { lanes, parts, outbox } = await notifier.figures();
  assert.equal(parts.notes, 3);
  assert.equal(outbox.waiting, 0);
  assert.deepEqual(lanes.find(({ name }) => name === "urgent")?.ended, {
    done: 3,
    later: 0,
    again: 0,
    dead: 0,
  });
});

test("a job comes again later, or after a failure, and with its data", async (t) => {
  const { notes } = await running(t);
  const ends: JobEnd[] = [
    { end: "later", afterMs: 0 },
    { end: "again", reason: "not now", afterMs: 0 },
  ];
  notes.answer = () => Promise.resolve(ends.shift() ?? DONE);
  await tell("patience");
  await until("it is done", () => notes.done.length === 1);
  assert.deepEqual(notes.begun, ["patience", "patience", "patience"]);
});

test("what fails for good is kept, shown, sent again or dropped", async (t) => {
  const { notes, notifier } = await running(t);
  notes.answer = () => Promise.resolve({ end: "dead", reason: "no such\0 thing" });
  await tell("x", "y");
  await until("both are dead", async () => (await counted("dead_letters")) === 2);
  const page = { ask: "letters", lane: null, after: null, limit: 10 } as const;
  const letters = await notifier.answer(page);
  assert.ok(Array.isArray(letters));
  const [first, second] = letters;
  assert.deepEqual(
    { ...first, id: "", diedAt: "", key: "", data: {} },
    {
      ...{ id: "", diedAt: "", key: "", data: {}, lane: "urgent", kind: "note" },
      reason: "no such\uFFFD thing",
    },
  );
  assert.deepEqual(await notifier.answer({ ...page, after: first.id }), [second]);
  assert.deepEqual(await notifier.answer({ ...page, lane: "marketing" }), []);
  assert.deepEqual((await notifier.figures()).deadLetters, { urgent: 2 });
  notes.answer = () => Promise.resolve(DONE);
  assert.equal(await notifier.answer({ ask: "resend", letterId: first.id }), true);
  assert.equal(await notifier.answer({ ask: "resend", letterId: first.id }), false);
  await until("it is done", () => notes.done.length === 1);
  assert.equal(await notifier.answer({ ask: "drop", letterId: second.id }), true);
  assert.equal(await notifier.answer({ ask: "letter", letterId: second.id }), null);
  assert.equal(await counted("dead_letters"), 0);
});

test("a paused lane keeps its jobs, also over a restart, until it is resumed", async (t) => {
  const { notes, notifier } = await running(t);
  await notifier.answer({ ask: "pause", lane: "urgent" });
  await tell("held");
  await until("it waits in the queue", async () => (await counted("jobs.job")) === 1);
  const next = await running(t);
  assert.equal((await next.notifier.figures()).lanes[0]?.isPaused, true);
  await next.notifier.answer({ ask: "resume", lane: "urgent" });
  await until("one of them has done it", () => notes.done.length + next.notes.done.length === 1);
});

test("what a process had begun when it died is begun again by the next one", async (t) => {
  const dying = new Notes();
  let release: (end: JobEnd) => void = () => undefined;
  dying.answer = () =>
    new Promise((resolve) => {
      release = resolve;
    });
  const dead = notifierOf(dying);
  await dead.start();
  await tell("orphan");
  await until("it is begun", () => dying.begun.length === 1);
  // As good as dead: it begins nothing more, and never ends what it has begun.
  const stopped = dead.stop();
  const { notes } = await running(t);
  await until("it is done", () => notes.done.length === 1);
  assert.deepEqual(dying.done, []);
  release(DONE);
  await stopped;
});

test("an entry that nobody can follow lets those behind it past, and is kept", async (t) => {
  const notes = new Notes();
  notes.refuses = "poison";
  const { notifier } = await running(t, notes);
  await tell("before", "poison", "behind");
  await until("the last one is done", () => notes.done.includes("behind"));
  assert.deepEqual([...notes.done].sort(), ["before", "behind"]);
  const letters = await notifier.answer({ ask: "letters", lane: null, after: null, limit: 10 });
  assert.ok(Array.isArray(letters));
  assert.deepEqual([letters[0]?.kind, letters[0]?.data?.detail], ["outbox", { key: "poison" }]);
  notes.refuses = "";
  assert.equal(await notifier.answer({ ask: "resendLane", lane: "urgent" }), 1);
  await until("it is followed after all", () => notes.done.includes("poison"));
});

test("jobs that were added in a transaction that failed do not exist", async (t) => {
  const { notes } = await running(t);
  const job = { kind: "note", key: "never", data: { word: "never" } };
  const client = await pool.connect();
  await client.query("BEGIN");
  await notes.queue?.add([job], {
    query: (statement, values) => client.query(statement as string, values as unknown[]),
  });
  await client.query("ROLLBACK");
  client.release();
  await tell("after");
  await until("it is done", () => notes.done.length === 1);
  assert.deepEqual(notes.begun, ["after"]);
});
