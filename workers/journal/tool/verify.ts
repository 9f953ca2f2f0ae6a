/** What a start would say of a journal, by the very code that a start runs. */
import { type Disk, isGone } from "../disk.ts";
import { type LastLsns, type Recovery, readJournal, verdictOf } from "../recovery.ts";
import { type CorruptionCode, JournalCorrupt } from "../recovery-errors.ts";
import { segmentName } from "../segment.ts";

/** A journal in use changes while it is read; what is wrong with a file stays wrong. */
const ATTEMPTS = 3;

export interface ShardVerdict {
  readonly shard: number;
  readonly lastLsn: number;
  /** What PostgreSQL has; null: not known. */
  readonly watermark: number | null;
}

export type Verdict = {
  /** Whether PostgreSQL's side was checked, too. */
  readonly watermarksKnown: boolean;
} & (
  | {
      readonly verdict: "empty" | "clean" | "torn tail";
      readonly used: readonly string[];
      readonly unused: readonly string[];
      readonly frames: number;
      readonly entries: number;
      /** Entries that PostgreSQL lacks; without watermarks, all. */
      readonly entriesRecovered: number;
      readonly shards: readonly ShardVerdict[];
      readonly tornTail: {
        readonly file: string;
        readonly offset: number;
        readonly bytes: number;
      } | null;
    }
  | {
      readonly verdict: "corrupt";
      readonly code: CorruptionCode;
      readonly file: string;
      readonly offset: number;
      readonly reason: string;
    }
);

/**
 * Reads the whole journal; a finding is looked for again, because the journal may be in use. A disk
 * that can't be read throws its own error. `watermarks` is asked each time before the files are
 * read: so PostgreSQL never seems to have more than the journal had.
 */
export async function verify(
  disk: Disk,
  watermarks: () => Promise<LastLsns | null>,
): Promise<Verdict> {
  for (let attempt = 1; ; attempt += 1) {
    const known = await watermarks();
    try {
      return soundVerdict(readJournal(disk, known), known);
    } catch (error) {
      const isFinding = error instanceof JournalCorrupt;
      if (attempt < ATTEMPTS && (isFinding || isGone(error))) continue;
      if (!isFinding) throw error;
      const { code, file, offset, reason } = error;
      const watermarksKnown = known !== null;
      return { verdict: "corrupt", watermarksKnown, code, file, offset, reason };
    }
  }
}

function soundVerdict(recovery: Recovery, watermarks: LastLsns | null): Verdict {
  const { used, unused, frames, entries, entriesRecovered, last, tornTail } = recovery;
  const shards = [...last]
    .sort(([a], [b]) => a - b)
    .map(([shard, lastLsn]) => {
      const watermark = watermarks === null ? null : (watermarks.get(shard) ?? 0);
      return { shard, lastLsn, watermark };
    });
  return {
    verdict: verdictOf(recovery),
    watermarksKnown: watermarks !== null,
    used: used.map(segmentName),
    unused: unused.map(segmentName),
    frames,
    entries,
    entriesRecovered,
    shards,
    tornTail:
      tornTail === null
        ? null
        : {
            file: segmentName(tornTail.sequence),
            offset: tornTail.offset,
            bytes: tornTail.end - tornTail.offset,
          },
  };
}

/** The verdict as lines of text: what was found, then what a start would do. */
export function verdictLines(verdict: Verdict): string[] {
  const unknown = verdict.watermarksKnown
    ? []
    : [
        "not checked  whether PostgreSQL fits (lost_tail, ahead_of_database): give --watermarks or",
        "             --database",
      ];
  if (verdict.verdict === "corrupt") {
    const { code, file, offset, reason } = verdict;
    return [
      `verdict      corrupt: ${code}`,
      `where        ${file} at offset ${offset}`,
      `reason       ${reason}`,
      ...unknown,
      "a start      would refuse, and change nothing: something acknowledged may be missing",
    ];
  }
  const { used, unused, frames, entries, entriesRecovered, shards } = verdict;
  return [
    `verdict      ${verdict.verdict}`,
    `segments     ${used.length} used${rangeOf(used)}, ${unused.length} prepared`,
    `frames       ${frames}, with ${entries} entries`,
    ...shards.flatMap(({ shard, lastLsn, watermark }) => {
      if (lastLsn === 0) return [];
      const database = watermark === null ? "" : `, PostgreSQL has it to ${watermark}`;
      return `shard ${String(shard).padEnd(7)}the journal reaches lsn ${lastLsn}${database}`;
    }),
    ...unknown,
    ...tornLines(verdict.tornTail),
    used.length === 0
      ? "a start      would begin a new journal"
      : `a start      would ${recoveryOf(entriesRecovered, verdict.watermarksKnown)}`,
  ];
}

function recoveryOf(entries: number, isKnown: boolean): string {
  if (entries === 0) return "find everything in PostgreSQL, and begin a segment of its own";
  const which = isKnown ? `the ${entries} entries that PostgreSQL lacks` : "what PostgreSQL lacks";
  return `write ${which} into a segment of its own, then project them`;
}

function tornLines(tail: { file: string; offset: number; bytes: number } | null): string[] {
  if (tail === null) return [];
  const { file, offset, bytes } = tail;
  return [
    `torn tail    ${file}, ${bytes} bytes from offset ${offset}: never acknowledged, unless the`,
    "             disk damaged them later; in a journal in use, the frame that is being written",
    "a start      would keep a copy of them (.broken) and cut them off",
  ];
}

function rangeOf(names: readonly string[]): string {
  const [first] = names;
  const last = names.at(-1);
  if (first === undefined || last === undefined) return "";
  return first === last ? ` (${first})` : ` (${first} to ${last})`;
}
