/** Looks at everything once more when the last kill is over. */
import assert from "node:assert/strict";
import { Random } from "../../engine/testing/random.ts";
import { type CheckResult, checkHistory } from "../linearizability/checker.ts";
import { historyOf, type Keyed, type OperationRecord } from "../linearizability/history.ts";
import { until } from "../support/server.ts";
import { auditOf, availabilityOf } from "../support/venue.ts";
import { changed } from "./buyer.ts";
import type { CrashRun } from "./crash-run.ts";
import { compareRows, type RowsReport } from "./ledger.ts";
import { type Asker, clockMs } from "./recorder.ts";

/** Keys that are repeated at the end. */
const KEYS_REPEATED_MAX = 20_000;
const KEYS_REUSED_MAX = 100;
const LISTS_MAX = 1_000;
const AT_ONCE = 32;
/** A guest's token lives a little longer. */
const TOKEN_MS_MAX = 25 * 60_000;

export interface CrashReport {
  readonly seed: number;
  readonly ackMode: string;
  readonly cycles: number;
  readonly kills: number;
  readonly moments: Readonly<Record<string, number>>;
  /** Operations with an outcome that changed something. */
  readonly acknowledged: number;
  readonly refused: number;
  readonly reads: number;
  /** Sends that nobody answered, all of them repeated. */
  readonly unanswered: number;
  readonly busy: number;
  readonly overWebSocket: number;
  /** Answers that called themselves the first outcome of a repeated request. */
  readonly replayed: number;
  /** Of those, asked for at the end about everything that had an outcome. */
  readonly keysRepeatedAtEnd: number;
  readonly rows: RowsReport;
  readonly startMsMax: number;
  readonly checked: Omit<CheckResult, "verdicts"> & { readonly guessed: number };
}

/** Throws what is wrong, or reports what was found right. */
export async function verdictOf(run: CrashRun): Promise<CrashReport> {
  const { recorder, node, api, sales } = run;
  const keysRepeatedAtEnd = await repeatKeys(run);
  await listBookings(run);
  for (const { eventId } of sales) {
    await until("every hold has ended", async () => {
      return (await availabilityOf(api, eventId)).held === 0;
    });
  }
  await look(run);
  for (const { eventId } of sales) await auditOf(api, eventId);
  const { records } = recorder;
  const rows = { bookings: 0, keys: 0, expired: 0, lateMsMax: 0 };
  for (const sale of sales) {
    const report = await compareRows(node.databaseUrl, sale, records);
    rows.bookings += report.bookings;
    rows.keys += report.keys;
    rows.expired += report.expired;
    rows.lateMsMax = Math.max(rows.lateMsMax, report.lateMsMax);
  }
  assert.deepEqual(node.errors, []);
  assert.deepEqual(await node.stop(), { code: 0, signal: null });

  const history = historyOf(records);
  const { verdicts, ...checked } = checkHistory(history, clockMs);
  assert.deepEqual(checked.faults, [], "an order explains every answer");
  const guessed = verdicts.reduce((sum, verdict) => sum + verdict.guessed, 0);
  return {
    ...reportOf(run, history.operations),
    keysRepeatedAtEnd,
    rows,
    checked: { ...checked, guessed },
  };
}

function reportOf(run: CrashRun, operations: readonly OperationRecord[]) {
  const isRead = ({ operation }: OperationRecord): boolean =>
    operation.kind.startsWith("get") ||
    operation.kind === "availability" ||
    operation.kind === "listBookings";
  const changes = operations.filter((record) => !isRead(record));
  const { recorder, options } = run;
  return {
    seed: options.seed,
    ackMode: options.ackMode,
    cycles: options.cycles,
    kills: run.kills,
    moments: Object.fromEntries(run.moments),
    acknowledged: changes.filter(({ answer }) => answer.status < 300 && !answer.replayed).length,
    refused: operations.filter(({ answer }) => answer.status >= 400).length,
    reads: operations.length - changes.length,
    unanswered: recorder.unanswered,
    busy: recorder.busy,
    overWebSocket: recorder.overLive,
    replayed: operations.filter(({ answer }) => answer.replayed).length,
    startMsMax: Math.max(...run.startsMs),
  };
}

/** Those whose token still opens the door, by user. */
function askersOf(run: CrashRun): Map<string, Asker> {
  const sinceMs = clockMs() - TOKEN_MS_MAX;
  const known = run.askers.filter((asker) => asker.sinceMs > sinceMs);
  // Without the sockets: these went with their buyers.
  return new Map(known.map(({ asker }) => [asker.user, { ...asker, prefersLive: false }]));
}

/** Asks everything that had an outcome once more: the answer must be the same, and say so. */
async function repeatKeys(run: CrashRun): Promise<number> {
  const askers = askersOf(run);
  const random = new Random(run.options.seed);
  const accepted = new Map<string, { record: OperationRecord; asker: Asker; operation: Keyed }>();
  for (const record of historyOf(run.recorder.records).operations) {
    const { operation, user, answer } = record;
    const asker = askers.get(user);
    if (asker === undefined || answer.status >= 300 || !("key" in operation)) continue;
    accepted.set(`${user} ${operation.key}`, { record, asker, operation });
  }
  // A booking that was cancelled already is shown to whoever cancels it, under whichever key.
  const all = [...accepted.values()].sort(() => random.next() - 0.5).slice(0, KEYS_REPEATED_MAX);
  await inParallel(all, async ({ record, asker, operation }) => {
    const { body, status } = record.answer;
    const again = await run.recorder.perform(asker, operation);
    assert.deepEqual([again.status, again.body], [status, body], "same key, same outcome");
    if (operation.kind !== "cancel") assert.ok(again.replayed, JSON.stringify(operation));
  });
  await inParallel(all.slice(0, KEYS_REUSED_MAX), async ({ asker, operation }) => {
    const other = changed(operation);
    if (other === null) return;
    const { status } = await run.recorder.perform(asker, other);
    assert.equal(status, 422, `${JSON.stringify(other)} reuses a key`);
  });
  return all.length;
}

/** Whether each list is what it should be is found out with all else that was said. */
async function listBookings(run: CrashRun): Promise<void> {
  const askers = [...askersOf(run).values()].slice(-LISTS_MAX);
  await inParallel(askers, (asker) => run.recorder.perform(asker, { kind: "listBookings" }));
}

async function look(run: CrashRun): Promise<void> {
  const askers = [...askersOf(run).values()];
  for (const { eventId } of run.sales) {
    const asker = askers.find((each) => each.eventId === eventId);
    assert.ok(asker !== undefined, "somebody is left of every crowd");
    await run.recorder.perform(asker, { kind: "availability" });
  }
}

async function inParallel<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  const work = async (): Promise<void> => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
