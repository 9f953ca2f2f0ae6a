/** A run as a table: what was asked, what was answered, how long it took, what was checked. */
import type { TortureReport } from "./torture.ts";

const KIND_COLUMNS = 28;
const NUMBER_COLUMNS = 9;

export function tableOf(report: TortureReport): string {
  const { tallies, verdict, loadSeconds, seed, clients, live, holds, replayed } = report;
  const lines = [row("kind", ["asked", "over ws", "p50 ms", "p99 ms", "busy"], "answers")];
  let asked = 0;
  for (const [kind, { latencies, answers, overLive }] of [...tallies].sort(byName)) {
    asked += latencies.count;
    const numbers = [
      latencies.count,
      overLive,
      latencies.percentileMs(0.5).toFixed(1),
      latencies.percentileMs(0.99).toFixed(1),
      answers.get("503 busy") ?? 0,
    ];
    const others = [...answers].filter(([name]) => name !== "503 busy").sort((a, b) => b[1] - a[1]);
    lines.push(row(kind, numbers, others.map(([name, count]) => `${count} × ${name}`).join(", ")));
  }
  lines.push(
    "",
    `seed ${seed}: ${clients} clients asked ${asked} questions in ${loadSeconds.toFixed(0)} s`,
    `${holds} holds, ${replayed} answers replayed; ${live.messages} live messages, ` +
      `${live.resumed} times resumed`,
    JSON.stringify(verdict),
  );
  return lines.join("\n");
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a.localeCompare(b);

function row(kind: string, numbers: readonly (string | number)[], text: string): string {
  const columns = numbers.map((number) => String(number).padStart(NUMBER_COLUMNS));
  return `${kind.padEnd(KIND_COLUMNS)}${columns.join("")}  ${text}`;
}
