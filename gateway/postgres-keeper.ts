import { POSTGRES_RESTART_PAUSE_MS } from "../engine/limits.ts";
import { type Clock, pause } from "../workers/clock.ts";
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from "./embedded-postgres.ts";
import type { Log } from "./log.ts";

export interface PostgresKeeperPorts {
  readonly clock: Clock;
  readonly log: Pick<Log, "warn" | "error">;
}

/**
 * The embedded PostgreSQL, started again when it is gone: who runs one has nobody else to do it.
 *
 * Invariants:
 * - Its address stays the same.
 * - One start at a time; none begins after `stop`, which waits for the one that runs.
 */
export class PostgresKeeper {
  readonly #options: EmbeddedPostgresOptions;
  readonly #ports: PostgresKeeperPorts;
  #server: EmbeddedPostgres;
  #restarting: Promise<void> | null = null;
  #isStopped = false;

  /** `stopping` ends the first start alone: what it has started is ended by `stop`. */
  static async start(
    options: EmbeddedPostgresOptions,
    ports: PostgresKeeperPorts,
    stopping = new AbortController().signal,
  ): Promise<PostgresKeeper> {
    const server = await startEmbeddedPostgres({ ...options, stopping });
    return new PostgresKeeper(options, ports, server);
  }

  private constructor(
    options: EmbeddedPostgresOptions,
    ports: PostgresKeeperPorts,
    server: EmbeddedPostgres,
  ) {
    this.#options = { ...options, port: Number(new URL(server.url).port) };
    this.#ports = ports;
    this.#server = server;
  }

  get url(): string {
    return this.#server.url;
  }

  /**
   * Somebody has found that it does not answer. A server that is there (it recovers, or stands
   * still) is waited for; one that is gone is started again, until that succeeds.
   */
  missed(): void {
    if (this.#isStopped) return;
    this.#restarting ??= this.#restart().finally(() => {
      this.#restarting = null;
    });
  }

  /** Tells the server to stop, and waits for nothing: this process ends now. */
  interrupt(): void {
    this.#server.interrupt();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#restarting;
    await this.#server.stop();
  }

  async #restart(): Promise<void> {
    const { clock, log } = this.#ports;
    while (!this.#isStopped) {
      try {
        const { pid } = this.#server;
        this.#server = await startEmbeddedPostgres(this.#options);
        const isNew = this.#server.pid !== pid;
        if (isNew)
          log.warn({ postgresPid: pid }, "the embedded PostgreSQL was gone: started again");
        return;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const { directory } = this.#options;
        const advice = `see ${directory}/postgres.log; nothing acknowledged is lost meanwhile`;
        log.error({ reason, advice }, "the embedded PostgreSQL can't be started; trying again");
        await pause(clock, POSTGRES_RESTART_PAUSE_MS);
      }
    }
  }
}
