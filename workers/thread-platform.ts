import { MessageChannel, type MessagePort } from "node:worker_threads";
import { systemClock } from "./clock.ts";
import { die } from "./die.ts";
import type { JournalThreadData } from "./journal/journal-thread-data.ts";
import type { Platform, ThreadGone, ThreadHandle, ThreadStart } from "./platform.ts";
import type { Channel, Port } from "./port.ts";
import { spawnThread } from "./spawn-thread.ts";
import { PgShardTable } from "./store/shard-table.ts";

const ENTRIES = {
  journal: new URL("./journal/journal-thread.ts", import.meta.url),
  projector: new URL("./projector/projector-thread.ts", import.meta.url),
  shards: new URL("./shard/shard-thread.ts", import.meta.url),
};

/** The real platform: worker threads of this process, and PostgreSQL. */
export class ThreadPlatform implements Platform {
  readonly clock = systemClock;
  readonly shardTable: PgShardTable;
  readonly die = die;
  readonly #settings: JournalThreadData;

  constructor(settings: JournalThreadData) {
    this.#settings = settings;
    this.shardTable = new PgShardTable(settings.databaseUrl);
  }

  channel(): Channel {
    return new MessageChannel();
  }

  spawn(start: ThreadStart, ports: readonly Port[], gone: ThreadGone): ThreadHandle {
    const name = start.role === "shards" ? `shards-${start.worker}` : start.role;
    // Every Port here is a MessagePort: they all come from `channel`.
    const transferList = ports as readonly MessagePort[];
    const data = { ...this.#settings, ...start };
    const worker = spawnThread(ENTRIES[start.role], data, { name, transferList });
    worker.on("error", (error) => gone(`the ${name} thread failed`, error));
    worker.on("exit", (code) => gone(`the ${name} thread ended with code ${code}`, null));
    return worker;
  }
}
