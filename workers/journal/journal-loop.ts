import { assert } from "../../engine/assert.ts";
import { FRAME_PAYLOAD_BYTES_MAX } from "../../engine/limits.ts";
import type { TracedFact, TracedWork } from "../traced.ts";
import { entryEnd } from "./entry.ts";
import type { FrameJournal } from "./frame-journal.ts";
import type {
  AppendMessage,
  JournalStatus,
  JournalToShardMessage,
  ProjectMessage,
  Watermarks,
} from "./journal-port.ts";
import { concatenated } from "./recovery.ts";

/** A shard worker, as the loop sees it. */
export interface WorkerLink {
  /** The next append that has arrived; null: none has. */
  take(): AppendMessage | null;
  post(message: JournalToShardMessage): void;
}

export interface ProjectorLink {
  post(message: ProjectMessage): void;
}

interface Waiting {
  readonly link: WorkerLink;
  readonly ticket: number;
  /** What is not yet in a frame. */
  entries: Uint8Array;
  readonly traced: readonly TracedFact[];
}

/** Who is told how long the frames with traced facts took. */
export interface FrameTracing {
  readonly monotonicMs: () => number;
  readonly tell: (work: TracedWork) => void;
}

const NOT_TRACED: readonly TracedFact[] = [];

/** Entries that are to become durable together. */
interface NextFrame {
  readonly chunks: readonly Uint8Array[];
  /** Appends whose last entry is in `chunks`. */
  readonly whole: number;
  /** Of those appends. */
  readonly traced: readonly TracedFact[];
}

/**
 * Group commit: whatever arrived while the last frame was made durable goes into the next one.
 *
 * Invariants:
 *  - `durable(ticket)` is posted only after every entry of that ticket, and of all before it on the
 *    same link, is durable; per link only the highest ticket of a frame is posted.
 *  - the projector gets every durable entry exactly once, in the order of the journal, recovered
 *    ones first; what is durable before it is there waits for it.
 *  - an append leaves `#waiting` only when it is durable. The queue is bounded by what workers may
 *    have in flight: they admit nothing new while the journal is full, nor past their own bounds.
 */
export class JournalLoop {
  readonly #journal: FrameJournal;
  readonly #frameBytesMax: number;
  readonly #links: WorkerLink[] = [];
  #waiting: Waiting[] = [];
  #projector: ProjectorLink | null = null;
  #unsent: ArrayBuffer[];
  #wasFull: boolean;
  /** A frame is on its way to the journal; the next one waits for it. */
  #isCommitting = false;
  readonly #tracing: FrameTracing | null;

  /** `frameBytesMax`: entries in one frame, bytes; every entry must fit. */
  constructor(
    journal: FrameJournal,
    recovered: readonly Uint8Array<ArrayBuffer>[],
    frameBytesMax = FRAME_PAYLOAD_BYTES_MAX,
    tracing: FrameTracing | null = null,
  ) {
    this.#journal = journal;
    this.#tracing = tracing;
    this.#frameBytesMax = frameBytesMax;
    this.#unsent = recovered.map((chunk) => chunk.buffer);
    this.#wasFull = journal.isFull;
    journal.listenForRoom(() => this.#roomChanged());
  }

  connect(link: WorkerLink): void {
    this.#links.push(link);
    if (this.#journal.isFull) link.post({ kind: "full", full: true });
  }

  connectProjector(projector: ProjectorLink): void {
    this.#projector = projector;
    for (const entries of this.#unsent) projector.post({ kind: "project", entries });
    this.#unsent = [];
  }

  /**
   * An append that was taken from its link by somebody else, in the link's order. Then call `run`.
   */
  accept(link: WorkerLink, { ticket, entries, traced = NOT_TRACED }: AppendMessage): void {
    this.#waiting.push({ link, ticket, entries: new Uint8Array(entries), traced });
  }

  /** Takes all that has arrived and makes it durable: one frame, unless it is too much for one. */
  run(): void {
    for (const link of this.#links) {
      for (let message = link.take(); message !== null; message = link.take()) {
        this.accept(link, message);
      }
    }
    while (!this.#isCommitting && this.#waiting.length > 0) {
      if (!this.#commit()) return;
    }
  }

  retire(watermarks: Watermarks): void {
    this.#journal.retire(watermarks);
  }

  /** To be called every JOURNAL_ROOM_RETRY_MS. */
  tick(): void {
    this.#journal.retryRoom();
  }

  status(): JournalStatus {
    return this.#journal.status();
  }

  /** Finishes what has arrived. What finds no room stays unanswered, as after a crash. */
  close(): void {
    this.run();
    this.#journal.close();
  }

  /** False: there is no room. */
  #commit(): boolean {
    const frame = this.#nextFrame();
    const startMs = frame.traced.length === 0 ? 0 : (this.#tracing?.monotonicMs() ?? 0);
    let isInside = true;
    this.#isCommitting = true;
    const isBegun = this.#journal.append(frame.chunks, () => {
      this.#isCommitting = false;
      if (frame.traced.length > 0) this.#tell(frame, startMs);
      this.#committed(frame);
      // A journal that answers at once goes on in `run`, without a call within a call.
      if (!isInside) this.run();
    });
    isInside = false;
    if (!isBegun) this.#isCommitting = false;
    return isBegun;
  }

  #tell({ chunks, traced }: NextFrame, startMs: number): void {
    const tracing = this.#tracing;
    if (tracing === null) return;
    tracing.tell({
      kind: "traced",
      name: "journal.commit",
      startMs,
      endMs: tracing.monotonicMs(),
      traces: traced.map(({ trace }) => trace),
      attributes: {
        "evently.frame.bytes": chunks.reduce((sum, chunk) => sum + chunk.length, 0),
        "evently.frame.appends": chunks.length,
        "evently.shards": [...new Set(traced.map(({ shard }) => shard))].join(","),
      },
    });
  }

  #committed({ chunks, whole, traced }: NextFrame): void {
    const durable = new Map<WorkerLink, number>();
    for (const { link, ticket } of this.#waiting.slice(0, whole)) durable.set(link, ticket);
    this.#waiting = this.#waiting.slice(whole);
    const [partly] = this.#waiting;
    if (partly !== undefined && chunks.length > whole) {
      partly.entries = partly.entries.subarray(chunks.at(-1)?.length ?? 0);
    }
    for (const [link, ticket] of durable) link.post({ kind: "durable", ticket });
    this.#project(concatenated(chunks).buffer, traced);
  }

  /** The entries of the first `whole` appends; or, if the very first is too long, a part of it. */
  #nextFrame(): NextFrame {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for (const { entries } of this.#waiting) {
      bytes += entries.length;
      if (bytes > this.#frameBytesMax) break;
      chunks.push(entries);
    }
    const whole = chunks.length;
    const [first] = this.#waiting;
    if (whole === 0 && first !== undefined) {
      chunks.push(framefulOf(first.entries, this.#frameBytesMax));
    }
    let traced = NOT_TRACED;
    for (const waiting of this.#waiting.slice(0, whole)) {
      if (waiting.traced.length > 0) traced = [...traced, ...waiting.traced];
    }
    return { chunks, whole, traced };
  }

  #project(entries: ArrayBuffer, traced: readonly TracedFact[]): void {
    if (entries.byteLength === 0) return;
    if (this.#projector === null) this.#unsent.push(entries);
    else if (traced.length === 0) this.#projector.post({ kind: "project", entries });
    else this.#projector.post({ kind: "project", entries, traced });
  }

  #roomChanged(): void {
    const full = this.#journal.isFull;
    if (full !== this.#wasFull) {
      this.#wasFull = full;
      for (const link of this.#links) link.post({ kind: "full", full });
    }
    this.run();
  }
}

/** As many of the first entries as fit into a frame. */
function framefulOf(entries: Uint8Array, bytesMax: number): Uint8Array {
  const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength);
  let end = 0;
  while (end < bytes.length) {
    const next = entryEnd(bytes, end);
    if (next > bytesMax) break;
    end = next;
  }
  assert(end > 0, "an entry fits into a frame");
  return entries.subarray(0, end);
}
