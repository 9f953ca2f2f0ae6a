import { BROKEN_COPIES_MAX } from "../../engine/limits.ts";
import type { Disk } from "./disk.ts";
import type { TornTail } from "./journal-port.ts";
import type { LastFrame, TailPlace } from "./recovery.ts";
import { segmentName } from "./segment.ts";

/**
 * Keeps the bytes of a torn tail for whoever wants to look, under a name that no other tail has.
 */
export function copyTornTail(disk: Disk, tail: TailPlace): TornTail {
  const file = segmentName(tail.sequence);
  const found = { file, offset: tail.offset, bytes: tail.end - tail.offset };
  const salt = Buffer.from(tail.salt).toString("hex");
  const copy = `${file}.${tail.offset}.${salt}.broken`;
  const kept = disk.list().filter((name) => name.endsWith(".broken"));
  // A start that was cut short may have copied it already, and have cut some of it off since.
  if (kept.includes(copy)) return { ...found, copy };
  if (kept.length >= BROKEN_COPIES_MAX) return { ...found, copy: null };
  const source = disk.open(file, "update");
  const target = disk.open(`${copy}.tmp`, "create");
  try {
    target.write(source.read(tail.offset, found.bytes), 0);
    target.datasync();
  } finally {
    target.close();
    source.close();
  }
  disk.rename(`${copy}.tmp`, copy);
  disk.syncDirectory();
  return { ...found, copy };
}

/**
 * Makes the end of the journal what recovery took it for, durably: no torn tail, and a last frame
 * that is on the disk. The latter is written again, as recovery saw it, because after an fdatasync
 * that failed the page cache shows what the disk never got, and the next one would not mention it.
 */
export function settleEnd(disk: Disk, last: LastFrame | null, torn: TailPlace | null): void {
  if (torn !== null) {
    const file = disk.open(segmentName(torn.sequence), "update");
    try {
      file.truncate(torn.offset);
      file.datasync();
    } finally {
      file.close();
    }
  }
  if (last === null) return;
  const file = disk.open(segmentName(last.sequence), "update");
  try {
    file.write(last.bytes, last.offset);
    file.datasync();
  } finally {
    file.close();
  }
}
