/** What the journal thread does: a JournalLoop behind its ports, over the journal it is given. */
import { assert } from "../../engine/assert.ts";
import { JOURNAL_ROOM_RETRY_MS } from "../../engine/limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { Port } from "../port.ts";
import type { WatermarkMessage } from "../projector/projector-messages.ts";
import type { OwnedShard } from "../store/shard-table.ts";
import type { ThreadContext } from "../thread-context.ts";
import type { OpenedJournal } from "./frame-journal.ts";
import { JournalLoop, type WorkerLink } from "./journal-loop.ts";
import type { AppendMessage, FromJournalThread, ToJournalThread } from "./journal-port.ts";

/** Where the thread's one journal comes from. */
export interface JournalSource {
  /** Recovers what is there. Throws what says why it must not be written to. */
  open(shards: readonly OwnedShard[]): Promise<OpenedJournal>;
  /** Lets go of all that the journal uses, after it was closed or never opened. */
  release(): Promise<void>;
}

export class JournalService {
  readonly #source: JournalSource;
  readonly #context: ThreadContext;
  readonly #frameBytesMax: number | undefined;
  readonly #ports: Port[] = [];
  #loop: JournalLoop | null = null;
  #projector: Port | null = null;
  #cancelRetries: () => void = () => undefined;

  /** `frameBytesMax`: see JournalLoop. */
  constructor(source: JournalSource, context: ThreadContext, frameBytesMax?: number) {
    this.#source = source;
    this.#frameBytesMax = frameBytesMax;
    this.#context = context;
    context.parent.on("message", (message: ToJournalThread) => this.#receive(message));
  }

  #receive(message: ToJournalThread): void {
    switch (message.kind) {
      case "open":
        return this.#open(message.shards);
      case "connect":
        return this.#connect(message.port);
      case "connectProjector":
        return this.#connectProjector(message.port);
      case "status":
        return this.#tell({ kind: "status", id: message.id, status: this.#opened().status() });
      case "vitals": {
        const thread = this.#context.vitals();
        const status = this.#opened().status();
        return this.#tell({ kind: "vitals", id: message.id, thread, status });
      }
      case "close":
        return this.#close();
      default:
        return unreachable(message);
    }
  }

  #open(shards: readonly OwnedShard[]): void {
    const opened = ({ journal, recovered, report }: OpenedJournal): void => {
      const { last } = journal;
      const loop = new JournalLoop(journal, recovered, this.#frameBytesMax, {
        monotonicMs: () => this.#context.clock.monotonicMs(),
        tell: (work) => this.#tell(work),
      });
      this.#loop = loop;
      this.#cancelRetries = this.#context.clock.every(JOURNAL_ROOM_RETRY_MS, () => loop.tick());
      this.#tell({ kind: "opened", recovered: report.entriesRecovered, last, report });
    };
    this.#source.open(shards).then(opened, (error: unknown) => {
      this.#tell({ kind: "refused", ...refusalOf(error) });
    });
  }

  #opened(): JournalLoop {
    assert(this.#loop !== null, "the journal is open");
    return this.#loop;
  }

  #connect(port: Port): void {
    const loop = this.#opened();
    const link: WorkerLink = {
      take: () => (this.#context.take(port) as AppendMessage | undefined) ?? null,
      post: (message) => port.postMessage(message),
    };
    this.#ports.push(port);
    loop.connect(link);
    port.on("message", (message: AppendMessage) => {
      loop.accept(link, message);
      loop.run();
    });
  }

  #connectProjector(port: Port): void {
    const loop = this.#opened();
    this.#ports.push(port);
    this.#projector = port;
    loop.connectProjector({ post: (message) => port.postMessage(message, [message.entries]) });
    port.on("message", ({ watermarks }: WatermarkMessage) => loop.retire(watermarks));
  }

  #close(): void {
    this.#cancelRetries();
    const loop = this.#loop;
    this.#loop = null;
    if (loop !== null) {
      // What the projector said before now counts: by it the journal may be needed no longer.
      for (let said = this.#said(); said !== null; said = this.#said()) {
        loop.retire(said.watermarks);
      }
      loop.close();
    }
    for (const port of this.#ports) port.close();
    this.#source.release().then(
      () => {
        this.#tell({ kind: "closed" });
        this.#context.parent.close();
      },
      (cause: unknown) => this.#context.die("the journal could not be closed", cause),
    );
  }

  #said(): WatermarkMessage | null {
    if (this.#projector === null) return null;
    return (this.#context.take(this.#projector) as WatermarkMessage | undefined) ?? null;
  }

  #tell(message: FromJournalThread): void {
    this.#context.parent.postMessage(message);
  }
}

/** A journal that is corrupt, has no room, or cannot be read: nothing was acknowledged yet. */
function refusalOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "journal_unreadable", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return {
    code: code.startsWith("journal_") ? code : "journal_unreadable",
    message: error.message,
  };
}
