/**
 * The platform of a simulated node: the supervisor and the code of all its threads run on it as
 * they do in production; threads are turns of the scheduler, channels take a while, and disk and
 * database are virtual.
 */
import type { JournalSource } from "../../workers/journal/journal-service.ts";
import { JournalService } from "../../workers/journal/journal-service.ts";
import type { Platform, ThreadGone, ThreadHandle, ThreadStart } from "../../workers/platform.ts";
import type { Channel } from "../../workers/port.ts";
import type { ProjectionStore } from "../../workers/projector/projection-store.ts";
import { ProjectorService } from "../../workers/projector/projector-service.ts";
import { ShardService } from "../../workers/shard/shard-service.ts";
import type { ShardThreadData } from "../../workers/shard/shard-thread-messages.ts";
import type { ActorLoader } from "../../workers/store/actor-loader.ts";
import type { ShardTable } from "../../workers/store/shard-table.ts";
import type { ThreadContext } from "../../workers/thread-context.ts";
import { UNWATCHED } from "../../workers/thread-vitals.ts";
import { VirtualPort } from "./virtual-port.ts";
import type { VirtualProcess, VirtualThread } from "./virtual-process.ts";

export interface VirtualPlatformParts {
  readonly process: VirtualProcess;
  readonly shardTable: ShardTable;
  readonly store: () => ProjectionStore;
  readonly loader: () => ActorLoader;
  readonly journal: (context: ThreadContext) => JournalSource;
  readonly frameBytesMax: number;
  /** How long one message between threads is under way, ms. */
  readonly messageDelayMs: () => number;
  /** How long a thread takes to start, ms. */
  readonly startDelayMs: () => number;
  /** How long the other threads go on when one ends the process, ms. */
  readonly dyingMs: () => number;
  /** Recovery is done, and no shard worker runs yet. */
  readonly beforeWorkers: () => void;
  /** Sees the ports of a shard worker before it starts. */
  readonly shardsStart: (data: ShardThreadData) => void;
}

export class VirtualPlatform implements Platform {
  readonly #parts: VirtualPlatformParts;

  constructor(parts: VirtualPlatformParts) {
    this.#parts = parts;
  }

  get clock() {
    return this.#parts.process.clock;
  }

  get shardTable(): ShardTable {
    return this.#parts.shardTable;
  }

  die(reason: string, cause: unknown): never {
    return this.#parts.process.die(reason, cause, 0);
  }

  channel(): Channel {
    const { process, messageDelayMs } = this.#parts;
    return VirtualPort.channel({ process, delayMs: messageDelayMs });
  }

  spawn(start: ThreadStart, _ports: readonly object[], _gone: ThreadGone): ThreadHandle {
    const { process, startDelayMs, dyingMs, beforeWorkers } = this.#parts;
    if (start.role === "shards") beforeWorkers();
    const { port1, port2 } = this.channel();
    const thread: VirtualThread = { hasEnded: false, busyUntilMs: 0 };
    const context: ThreadContext = {
      parent: port2,
      clock: process.clockOf(thread),
      take: (port) => (port as VirtualPort).take(),
      die: (reason, cause) => {
        thread.hasEnded = true;
        return process.die(reason, cause, dyingMs());
      },
      utilisation: () => 0,
      vitals: () => UNWATCHED,
    };
    context.clock.after(startDelayMs(), () => this.#run(start, context));
    return {
      postMessage: (message, transferList) => port1.postMessage(message, transferList),
      on: (event, listener) => port1.on(event, listener),
      terminate: async () => {
        thread.hasEnded = true;
        this.#terminated(start);
      },
    };
  }

  #run(start: ThreadStart, context: ThreadContext): void {
    const { store, loader, journal, shardsStart, frameBytesMax } = this.#parts;
    switch (start.role) {
      case "journal":
        new JournalService(journal(context), context, frameBytesMax);
        return;
      case "projector":
        new ProjectorService(start, store(), context);
        return;
      case "shards":
        shardsStart(start);
        new ShardService(start, loader(), context);
        return;
    }
  }

  /** A thread that is gone hears and says nothing more. */
  #terminated(start: ThreadStart): void {
    if (start.role !== "shards") return;
    for (const port of [start.gatewayPort, start.journalPort, start.projectorPort]) port.close();
  }
}
