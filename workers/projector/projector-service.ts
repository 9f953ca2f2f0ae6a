/** What the projector thread does: a Projector behind its ports and its timers. */
import {
  OWNERSHIP_CHECK_MS,
  PURGE_INTERVAL_MS,
  UNPROJECTED_BYTES_MAX,
} from "../../engine/limits.ts";
import { PROJECTION_BATCH_FACTS_MAX } from "../../engine/projection-limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { pause } from "../clock.ts";
import type { ProjectMessage } from "../journal/journal-port.ts";
import type { Port } from "../port.ts";
import type { ThreadContext } from "../thread-context.ts";
import type { ProjectionStore } from "./projection-store.ts";
import { Projector } from "./projector.ts";
import type {
  FromProjectorThread,
  OverfullMessage,
  ProjectorFailedMessage,
  ProjectorThreadData,
  ToProjectorThread,
  WatermarkMessage,
} from "./projector-messages.ts";

const REPORT_INTERVAL_MS = 1_000;

/** By code, why not one more answer may leave this process. */
const FATAL: Readonly<Record<string, string>> = {
  // Whoever raised the epoch sells the same places.
  fence_lost: "another process owns this node's shards",
  // Actors would be built from rows that lack sales; a start brings back what the journal has.
  watermark_gap: "the database is not as this node left it, but in an older state",
};

export class ProjectorService {
  readonly #context: ThreadContext;
  readonly #projector: Projector;
  readonly #journals: Port[] = [];
  readonly #listeners: Port[] = [];
  readonly #timers: (() => void)[];
  #lastReport = "";
  #wasOverfull = false;

  constructor(data: ProjectorThreadData, store: ProjectionStore, context: ThreadContext) {
    this.#context = context;
    const { clock, die } = context;
    this.#projector = new Projector(data.epochs, {
      store,
      projected: (watermarks) => this.#projected({ kind: "watermarks", watermarks }),
      failed: (failure) => this.#failed(failure),
      traced: (work) => this.#tell(work),
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      pause: (ms) => pause(clock, ms),
      backlogBytesMax: data.unprojectedBytesMax ?? UNPROJECTED_BYTES_MAX,
      batchFactsMax: data.batchFactsMax ?? PROJECTION_BATCH_FACTS_MAX,
    });
    context.parent.on("message", (message: ToProjectorThread) => this.#receive(message));
    this.#timers = [
      clock.every(REPORT_INTERVAL_MS, () => this.#report()),
      clock.every(OWNERSHIP_CHECK_MS, () => this.#projector.confirmSoon()),
      clock.every(PURGE_INTERVAL_MS, () => this.#projector.purgeWhenIdle()),
    ];
    this.#projector.run().catch((cause: unknown) => die("the projector's loop broke", cause));
  }

  #receive(message: ToProjectorThread): void {
    switch (message.kind) {
      case "connectJournal":
        this.#journals.push(message.port);
        message.port.on("message", (project: ProjectMessage) => this.#offer(project));
        return;
      case "connectListener":
        this.#listeners.push(message.port);
        // The watermark may have moved since the listener was told where it begins.
        message.port.postMessage({ kind: "watermarks", watermarks: this.#projector.watermarks() });
        return;
      case "status":
        return this.#tell({ kind: "status", id: message.id, report: this.#projector.report() });
      case "vitals": {
        const thread = this.#context.vitals();
        const report = this.#projector.report();
        return this.#tell({ kind: "vitals", id: message.id, thread, report });
      }
      case "drain":
        return this.#drain();
      case "stop":
        return this.#stop();
      default:
        return unreachable(message);
    }
  }

  #offer({ entries, traced }: ProjectMessage): void {
    if (traced !== undefined) this.#projector.trace(traced);
    this.#projector.offer(Buffer.from(entries));
  }

  #projected(message: WatermarkMessage): void {
    for (const port of [...this.#journals, ...this.#listeners]) port.postMessage(message);
    this.#tell(message);
  }

  #failed(failure: Omit<ProjectorFailedMessage, "kind">): void {
    const fatal = FATAL[failure.code];
    if (fatal !== undefined) this.#context.die(fatal, failure.reason);
    this.#tell({ kind: "projectorFailed", ...failure });
  }

  #drain(): void {
    // Messages of different ports overtake each other: take what the journal has sent by now.
    for (const port of this.#journals) {
      for (;;) {
        const message = this.#context.take(port);
        if (message === undefined) break;
        this.#offer(message as ProjectMessage);
      }
    }
    this.#projector.drain().then(
      () => this.#tell({ kind: "drained" }),
      (cause: unknown) => this.#context.die("the projector could not be drained", cause),
    );
  }

  #stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#projector.stop().then(
      () => this.#tell({ kind: "stopped" }),
      (cause: unknown) => this.#context.die("the projector could not be stopped", cause),
    );
  }

  #report(): void {
    const report = this.#projector.report();
    if (report.overfull !== this.#wasOverfull) {
      this.#wasOverfull = report.overfull;
      const message: OverfullMessage = { kind: "overfull", overfull: report.overfull };
      for (const port of this.#listeners) port.postMessage(message);
    }
    const text = JSON.stringify(report);
    if (text !== this.#lastReport) this.#tell(report);
    this.#lastReport = text;
  }

  #tell(message: FromProjectorThread): void {
    this.#context.parent.postMessage(message);
  }
}
