import pgListen, { type Subscriber } from "pg-listen";
import { DATABASE_WAIT_MS_MAX } from "../../engine/limits.ts";
import { LISTEN_CHECK_MS, LISTEN_RETRY_MS } from "../../engine/search-limits.ts";
import type { Log } from "../log.ts";

/** What may have changed; `all`: anything. */
export type CatalogueChange =
  | { readonly kind: "event" | "organization" | "members"; readonly id: string }
  | { readonly kind: "all" };

export interface FeedListener {
  changed(change: CatalogueChange): void;
  /** From now on changes may go unheard. */
  deaf(): void;
  /** From now on every change is heard; what came before may not have been. */
  hearing(): void;
}

/** As sql/017.do.change-notices.sql names it. */
const CHANNEL = "evently_catalogue";
const NOTICE = /^(event|organization|members) ([0-9a-f-]{36})$/;

/**
 * Hears from PostgreSQL what any node has changed in the catalogue.
 *
 * Invariants: the listener is deaf until told that it hears, and after every loss of the
 * connection; a connection that says nothing is tried every LISTEN_CHECK_MS, so a loss is known
 * within that and DATABASE_WAIT_MS_MAX.
 */
export class ChangeFeed {
  readonly #subscriber: Subscriber<Record<typeof CHANNEL, unknown>>;
  readonly #listener: FeedListener;
  readonly #log: Pick<Log, "warn">;
  #isStopped = false;

  constructor(databaseUrl: string, listener: FeedListener, log: Pick<Log, "warn">) {
    this.#listener = listener;
    this.#log = log;
    this.#subscriber = pgListen.default(
      {
        connectionString: databaseUrl,
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
    const { events, notifications } = this.#subscriber;
    notifications.on(CHANNEL, (payload) => this.#listener.changed(changeOf(payload)));
    events.on("reconnect", () => this.#listener.deaf());
    events.on("connected", () => {
      if (this.#isStopped) this.stop();
      else this.#listener.hearing();
    });
    events.on("error", (error) => {
      this.#listener.deaf();
      if (!this.#isStopped) this.#warn(error);
    });
    try {
      await this.#subscriber.connect();
      await this.#subscriber.listenTo(CHANNEL);
      this.#listener.hearing();
    } catch (error) {
      this.#listener.deaf();
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
    const reason = error instanceof Error ? error.message : String(error);
    this.#log.warn({ reason }, "changes of the catalogue are not heard");
  }
}

function changeOf(payload: unknown): CatalogueChange {
  const [, kind, id] = NOTICE.exec(String(payload)) ?? [];
  const isKnown = kind === "event" || kind === "organization" || kind === "members";
  return isKnown && id !== undefined ? { kind, id } : { kind: "all" };
}
