import type { ServerFigures, Table } from "../report/report.ts";
import { short } from "../report/text-table.ts";
import { threadTable } from "../report/thread-table.ts";
import type { MailTurn } from "./mail-turns.ts";

const UNKNOWN = "";
const percent = (share: number | null | undefined): string =>
  share == null ? UNKNOWN : `${Math.round(share * 100)} %`;

/** Each turn, and then what threads took: with a campaign and without, and by mails alone. */
export function mailTables(turns: readonly MailTurn[], alone: ServerFigures | null): Table[] {
  const threads = threadTable("cores by thread, medians of the turns", [
    { head: "without", runs: takenBy(turns, false) },
    { head: "with a campaign", runs: takenBy(turns, true) },
    { head: "mails alone", runs: alone === null ? [] : [alone] },
  ]);
  return [turnTable(turns), threads];
}

function turnTable(turns: readonly MailTurn[]): Table {
  return {
    title: "In turns",
    head: [
      "turn",
      "holds/s",
      "mails/s",
      "load thread",
      "others took",
      "peak MiB",
      "after",
      "fsyncs",
      "facts each",
    ],
    rows: turns.map((turn) => {
      const { isMailing, holdsPerSecond, mailsPerSecond, loadBusyShare } = turn;
      const { serverFigures, journal } = turn;
      const { peak = UNKNOWN, end = UNKNOWN } = serverFigures?.memoryMib ?? {};
      return [
        isMailing ? "with a campaign" : "without",
        holdsPerSecond.toFixed(0),
        mailsPerSecond.toFixed(1),
        percent(loadBusyShare),
        percent(serverFigures?.othersShare),
        String(peak),
        String(end),
        String(journal?.fsyncs ?? UNKNOWN),
        journal === null ? UNKNOWN : short(journal.factsPerFsync),
      ];
    }),
  };
}

function takenBy(turns: readonly MailTurn[], isMailing: boolean): ServerFigures[] {
  return turns.flatMap((turn) =>
    turn.isMailing === isMailing && turn.serverFigures !== null ? [turn.serverFigures] : [],
  );
}
