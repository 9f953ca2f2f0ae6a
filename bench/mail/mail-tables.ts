import type { ServerFigures, Table } from "../report/report.ts";
import { short } from "../report/text-table.ts";
import { type MailTurn, median } from "./mail-turns.ts";

const UNKNOWN = "";
const percent = (share: number | null | undefined): string =>
  share == null ? UNKNOWN : `${Math.round(share * 100)} %`;

/** Each turn, and then what threads took: with a campaign and without, and by mails alone. */
export function mailTables(turns: readonly MailTurn[], alone: ServerFigures | null): Table[] {
  return [turnTable(turns), threadTable(turns, alone)];
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

function threadTable(turns: readonly MailTurn[], alone: ServerFigures | null): Table {
  const [without, mailing] = [false, true].map((isMailing) =>
    turns.flatMap((turn) =>
      turn.isMailing === isMailing && turn.serverFigures !== null ? [turn.serverFigures] : [],
    ),
  );
  const columns = [without ?? [], mailing ?? [], alone === null ? [] : [alone]];
  const names = new Set(columns.flat().flatMap(({ threads }) => threads.map(({ name }) => name)));
  const row = (name: string, coresIn: (figures: ServerFigures) => number): string[] => [
    name,
    ...columns.map((all) => (all.length === 0 ? UNKNOWN : median(all.map(coresIn)).toFixed(2))),
  ];
  return {
    title: "cores by thread, medians of the turns",
    head: ["", "without", "with a campaign", "mails alone"],
    rows: [
      row("all threads", ({ threads }) => threads.reduce((sum, { cores }) => sum + cores, 0)),
      ...[...names].map((name) =>
        row(name, ({ threads }) => threads.find((thread) => thread.name === name)?.cores ?? 0),
      ),
    ],
  };
}
