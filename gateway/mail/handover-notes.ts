import { randomUUID } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { MAILS_SENDING_MAX } from "../../engine/notifier-limits.ts";

/**
 * Which mails this process has really let go, in a file that outlives it: the ledger says that a
 * mail is being handed over before its last line is sent, and between the two a process may end.
 * One number in the file of a process, written in the instant before, tells the two cases apart:
 *
 *   <DATA_DIR>/mail-handovers/<run>    the machine's boot id, 64 bytes; then a number for each slot
 *   claim in the ledger                <run>.<slot>.<number>
 *
 * The mail was let go if its slot has that number, or a later one. The file is not synced: it has
 * to survive the process, not the machine. After another boot it proves nothing.
 */
export class HandoverNotes {
  readonly run = randomUUID();
  readonly #file: number | null;
  readonly #path: string;
  readonly #free: number[] = Array.from({ length: MAILS_SENDING_MAX }, (_, slot) => slot);
  readonly #number = Buffer.alloc(NUMBER_BYTES);
  #last = 0;

  /** Without a file, when the directory can't be written: then more is in doubt after a crash. */
  constructor(directory: string) {
    this.#path = join(directory, this.run);
    this.#file = this.#open(directory);
  }

  #open(directory: string): number | null {
    const bootId = readBootId();
    if (bootId === null) return null;
    try {
      mkdirSync(directory, { recursive: true });
      const file = openSync(this.#path, "wx", 0o600);
      const head = Buffer.alloc(HEAD_BYTES + MAILS_SENDING_MAX * NUMBER_BYTES);
      head.write(bootId);
      writeSync(file, head);
      return file;
    } catch {
      return null;
    }
  }

  /** For one attempt. Its slot is free for the next one when that is over. */
  claim(): Claim {
    const slot = this.#free.pop();
    if (slot === undefined) throw new Error("more mails are on their way than may be");
    this.#last += 1;
    const number = this.#last;
    return {
      text: `${this.run}.${slot}.${number}`,
      letGo: () => this.#write(slot, number),
      free: () => this.#free.push(slot),
    };
  }

  #write(slot: number, number: number): void {
    if (this.#file === null) return;
    this.#number.writeDoubleLE(number);
    writeSync(this.#file, this.#number, 0, NUMBER_BYTES, HEAD_BYTES + slot * NUMBER_BYTES);
  }

  /** Once nothing is on its way any more. */
  close(): void {
    if (this.#file === null) return;
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}

export interface Claim {
  readonly text: string;
  /** To be called right before the mail goes, when the ledger has it. */
  letGo(): void;
  free(): void;
}

/** What a process left behind. */
export interface LeftNotes {
  readonly run: string;
  /** Whether the mail of this claim was let go; null: nobody knows. */
  wasLetGo(claim: string): boolean | null;
  /** Once the ledger has been told. */
  remove(): void;
}

/** The notes of processes that are gone: whoever has the data directory now is alone in it. */
export function notesLeftIn(directory: string, ownRun: string): LeftNotes[] {
  const bootId = readBootId();
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .filter((name) => name !== ownRun)
    .map((run) => {
      const path = join(directory, run);
      const bytes = readFileSync(path);
      const isOfThisBoot =
        bytes.length === HEAD_BYTES + MAILS_SENDING_MAX * NUMBER_BYTES &&
        bytes.toString("latin1", 0, HEAD_BYTES).replace(/\0+$/, "") === bootId;
      return {
        run,
        wasLetGo: (claim) => (isOfThisBoot ? isNoted(bytes, claim) : null),
        remove: () => rmSync(path, { force: true }),
      };
    });
}

function isNoted(bytes: Buffer, claim: string): boolean | null {
  const [, slot = "", number = ""] = claim.split(".");
  const at = HEAD_BYTES + Number(slot) * NUMBER_BYTES;
  if (!(at >= HEAD_BYTES && at + NUMBER_BYTES <= bytes.length)) return null;
  return bytes.readDoubleLE(at) >= Number(number);
}

const HEAD_BYTES = 64;
const NUMBER_BYTES = 8;

/** null: not on Linux. */
function readBootId(): string | null {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return null;
  }
}
