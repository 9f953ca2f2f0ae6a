import { setTimeout as delay } from "node:timers/promises";
import { CAPACITY } from "../bench-api.ts";
import { MailSink } from "../mail/mail-sink.ts";
import { mailTables } from "../mail/mail-tables.ts";
import { type MailTurn, takeTurns } from "../mail/mail-turns.ts";
import { consultOracle } from "../oracle/oracle.ts";
import { check } from "../report/checking.ts";
import type { Check } from "../report/report.ts";
import { median } from "../report/thread-table.ts";
import {
  type BenchOptions,
  type Findings,
  type Progress,
  type Scenario,
  UsageError,
} from "../scenario.ts";
import { ServerWatch } from "../server-figures.ts";
import { openStage, type Stage } from "../stage.ts";

const CONNECTIONS_DEFAULT = 256;
const SECONDS_DEFAULT = 10;
const ROUNDS = 3;
const BUYERS = 64;
/** More than can be mailed meanwhile, so that the campaign never runs dry. */
const AUDIENCE = 20_000;
/** Mails alone, when nothing is sold. */
const ALONE_SECONDS = 10;
const HOUR = 3_600;

/** How many mails an hour leave during a sale, and what the sale loses by them. */
export const mail: Scenario = {
  name: "mail",
  summary: "a campaign to a mail server on this machine, while one hot event sells",
  async run(options: BenchOptions, progress: Progress): Promise<Findings> {
    if (options.url !== null) throw new UsageError("mail needs a server of its own: no --url");
    progress("starting a mail server");
    const sink = await MailSink.open();
    try {
      const stage = await openStage(options, progress, { env: { SMTP_URL: sink.url } });
      try {
        return await measure({ stage, sink }, options, progress);
      } finally {
        await stage.close();
      }
    } finally {
      await sink.close();
    }
  },
};

interface Place {
  readonly stage: Stage;
  readonly sink: MailSink;
}

async function measure(
  { stage, sink }: Place,
  options: BenchOptions,
  progress: Progress,
): Promise<Findings> {
  const { api } = stage;
  const connections = options.connections ?? CONNECTIONS_DEFAULT;
  const seconds = options.durationSeconds ?? SECONDS_DEFAULT;
  // What they are told of their own bookings is not what is measured.
  for (const lane of ["transactional", "marketing"]) await api.pauseLane(lane);
  await api.gatherAudience(AUDIENCE, (count) => progress(`${count} people have booked`));
  await api.isProjectedWithin(60);
  await api.sendCampaign();
  const tokens = await api.guestTokens(BUYERS);
  const load = { tokens, connections, seconds, rounds: ROUNDS };
  const taken = await takeTurns({ stage, sink, ...load }, progress);
  const { turns, streams, results, eventIds } = taken;
  progress("mails alone");
  await api.resumeLane("marketing");
  const before = await sink.counted();
  const watch = ServerWatch.start(stage.pid);
  await delay(ALONE_SECONDS * 1_000);
  const after = await sink.counted();
  const aloneFigures = watch?.stop() ?? null;
  await api.pauseLane("marketing");
  const verdicts = new Map<string, Check>();
  for (const [turn, eventId] of eventIds.entries()) {
    const loads = results.slice(turn, turn + 1).map(({ findings }) => findings);
    const events = [{ eventId, capacity: CAPACITY, seatIds: null }];
    const found = await consultOracle({ api, events, loads, holdTtlSeconds: null }, progress);
    // What holds has to hold of every turn.
    for (const one of found) {
      if (verdicts.get(one.name)?.ok !== false) verdicts.set(one.name, one);
    }
  }
  const { twice, count } = await sink.counted();
  const [quiet, mailing] = [false, true].map((isMailing) =>
    turns.filter((turn) => turn.isMailing === isMailing),
  );
  const holds = (chosen: readonly MailTurn[] = []): number =>
    median(chosen.map(({ holdsPerSecond }) => holdsPerSecond));
  const mails = median((mailing ?? []).map(({ mailsPerSecond }) => mailsPerSecond));
  const alone = (after.count - before.count) / ALONE_SECONDS;
  return {
    server: stage.server,
    streams,
    figures: [
      {
        name: "holds with mails, of those without",
        value: holds(mailing) / holds(quiet),
        unit: "",
      },
      { name: "mails an hour during the sale", value: Math.round(mails * HOUR), unit: "" },
      { name: "mails an hour, nothing on sale", value: Math.round(alone * HOUR), unit: "" },
      { name: "size of a mail", value: after.bytes / Math.max(1, after.count), unit: "bytes" },
    ],
    tables: mailTables(turns, aloneFigures),
    serverFigures: null,
    journal: null,
    checks: [
      ...verdicts.values(),
      check("nobody got a mail twice", twice === 0, `${count} mails, ${twice} people got several`),
    ],
    chosen: { connections, durationSeconds: seconds, rounds: ROUNDS, audience: AUDIENCE },
  };
}
