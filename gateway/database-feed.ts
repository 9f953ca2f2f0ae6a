import pgListen, { type Subscriber } from "pg-listen";
import { DATABASE_WAIT_MS_MAX } from "../engine/limits.ts";
import { LISTEN_CHECK_MS, LISTEN_RETRY_MS } from "../engine/search-limits.ts";
import type { Log } from "./log.ts";

export interface FeedEar {
  heard(payload: string): void;
  /** From now on notices may go unheard. */
  deaf(): void;
  /** From now on every notice is heard; what came before may not have been. */
  hearing(): void;
}

export interface DatabaseFeedOptions {
  readonly databaseUrl: string;
  readonly channel: string;
  readonly ear: FeedEar;
  readonly log: Pick<Log, "warn">;
  /** What to say when the channel is not heard. */
  readonly loss: string;
}

/**
 * Hears a channel of PostgreSQL's NOTIFY.
 *
 * Invariants: the ear is deaf until told that it hears, and after every loss of the connection; a
 * connection that says nothing is tried every LISTEN_CHECK_MS, so a loss is known within that and
 * DATABASE_WAIT_MS_MAX.
 */
export class DatabaseFeed {
  readonly #subscriber: Subscriber<Record<string, unknown>>;
  readonly #options: DatabaseFeedOptions;
  #isStopped = false;

  constructor(options: DatabaseFeedOptions) {
    this.#options = options;
    this.#subscriber = pgListen.default(
      {
        connectionString: options.databaseUrl,
        application_name: "evently listener",
        connectionTimeoutMillis: DATABASE_WAIT_MS_MAX,
        query_timeout: DATABASE_WAIT_MS_MAX,
      },
      {
        paranoidChecking: LISTEN_CHECK_MS,
        retryTimeout: Number.POSITIVE_INFINITY,
        retryInterval: () => this.#retryMs(),
        parse: (text) => text,
      },
    );
  }

  /** Resolves once it hears, or tries to. */
  async start(): Promise<void> {
    const { channel, ear } = this.#options;
    const { events, notifications } = this.#subscriber;
    notifications.on(channel, (payload) => ear.heard(String(payload)));
    events.on("reconnect", () => ear.deaf());
    events.on("connected", () => {
      if (this.#isStopped) this.stop();
      else ear.hearing();
    });
    events.on("error", (error) => {
      ear.deaf();
      if (!this.#isStopped) this.#warn(error);
    });
    try {
      await this.#subscriber.connect();
      await this.#subscriber.listenTo(channel);
      ear.hearing();
    } catch (error) {
      ear.deaf();
      this.#warn(error);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#subscriber.close().catch((error: unknown) => this.#warn(error));
  }

  /** Asked after each try that failed. */
  #retryMs(): number {
    if (this.#isStopped) throw new Error("nobody listens any more");
    return LISTEN_RETRY_MS;
  }

  #warn(error: unknown): void {
    const { log, loss } = this.#options;
    log.warn({ reason: error instanceof Error ? error.message : String(error) }, loss);
  }
}
