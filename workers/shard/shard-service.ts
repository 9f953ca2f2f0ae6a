/** What a shard worker thread does: a ShardHost behind its ports and its timer. */
import type { EventId } from "../../engine/ids.ts";
import { EXPIRY_TICK_MS, WAKE_RETRY_MS } from "../../engine/limits.ts";
import { shardOf } from "../../engine/shard-of.ts";
import { postWritten } from "../batch-port.ts";
import { writeBatch } from "../batch-wire.ts";
import { Turns } from "../in-turns.ts";
import type { AppendMessage, JournalToShardMessage } from "../journal/journal-port.ts";
import { MessageReader, MessageWriter } from "../packed-message.ts";
import type { OverfullMessage, WatermarkMessage } from "../projector/projector-messages.ts";
import { readRequests } from "../request-wire.ts";
import type { WorkerBatch } from "../shard-messages.ts";
import type { ActorLoader } from "../store/actor-loader.ts";
import type { ThreadContext } from "../thread-context.ts";
import type { ShardWorkerVitals } from "./host-meter.ts";
import { ShardHost } from "./shard-host.ts";
import type { WarningAbout } from "./shard-host-ports.ts";
import type { FromShardThread, ShardThreadData, ToShardThread } from "./shard-thread-messages.ts";

export class ShardService {
  readonly #data: ShardThreadData;
  readonly #context: ThreadContext;
  readonly #host: ShardHost;

  constructor(data: ShardThreadData, loader: ActorLoader, context: ThreadContext) {
    this.#data = data;
    this.#context = context;
    const { gatewayPort, journalPort } = data;
    const { clock, die } = context;
    const toGateway = new MessageWriter();
    this.#host = new ShardHost(data, {
      journal: {
        append: (ticket, { buffer: entries }, traced) => {
          const message: AppendMessage =
            traced.length === 0
              ? { kind: "append", ticket, entries }
              : { kind: "append", ticket, entries, traced };
          journalPort.postMessage(message, [entries]);
        },
      },
      loader,
      release: ({ changes, notices, answers, decisions }) => {
        const batch: WorkerBatch = { sentMs: clock.monotonicMs(), changes, notices, answers };
        const traced = decisions.length === 0 ? batch : { ...batch, decisions };
        writeBatch(toGateway, traced);
        postWritten(gatewayPort, toGateway);
      },
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      turns: new Turns(clock),
      die,
      warn: (message, cause, about) => this.#warn(message, cause, about),
    });
    this.#listen();
    clock.every(EXPIRY_TICK_MS, () => this.#host.tick());
    this.#tell({ kind: "ready" });
  }

  #listen(): void {
    const { gatewayPort, journalPort, projectorPort } = this.#data;
    gatewayPort.on("message", (batch: ArrayBuffer) => {
      this.#host.receive(readRequests(new MessageReader(batch)));
    });
    journalPort.on("message", (message: JournalToShardMessage) => {
      if (message.kind === "durable") this.#host.durable(message.ticket);
      else this.#host.setJournalFull(message.full);
    });
    projectorPort.on("message", (message: WatermarkMessage | OverfullMessage) => {
      if (message.kind === "watermarks") this.#host.projected(message.watermarks);
      else this.#host.setProjectorFull(message.overfull);
    });
    this.#context.parent.on("message", (message: ToShardThread) => {
      if (message.kind === "wake") return this.#wake();
      const { id } = message;
      if (message.kind === "vitals")
        return this.#tell({ kind: "vitals", id, vitals: this.#vitals() });
      const reports = this.#host.reports(this.#context.utilisation());
      this.#tell({ kind: "report", id, reports });
    });
  }

  #vitals(): ShardWorkerVitals {
    const { worker } = this.#data;
    return { ...this.#host.vitals(), worker, thread: this.#context.vitals() };
  }

  #wake(): void {
    const shardOfEvent = (eventId: EventId): number => shardOf(eventId, this.#data.shardCount);
    const woken = this.#host.wake(shardOfEvent).then((list) => list.whenDone());
    const tell = (): void => this.#tell({ kind: "woken" });
    woken.then(tell, (cause: unknown) => {
      this.#warn("events to wake could not be listed; trying again", cause);
      this.#context.clock.after(WAKE_RETRY_MS, () => this.#wake());
    });
  }

  #tell(message: FromShardThread): void {
    this.#context.parent.postMessage(message);
  }

  #warn(message: string, cause: unknown, about: WarningAbout = {}): void {
    const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.#tell({ kind: "warning", worker: this.#data.worker, message, detail, about });
  }
}
