import { Client } from "pg";
import { DATABASE_HEARTBEAT_MS, DATABASE_HEARTBEAT_MS_MAX } from "../engine/limits.ts";
import type { Clock } from "../workers/clock.ts";

export interface HeartbeatOptions {
  readonly connectionString: string;
  readonly clock: Clock;
  /** Told when that changes, with the reason why PostgreSQL is taken to be away. */
  readonly changed: (isUp: boolean, reason: string) => void;
}

/**
 * Asks PostgreSQL twice a second, on a connection of its own, whether it is there.
 *
 * It is the circuit breaker of whatever needs the database: while PostgreSQL does not answer,
 * nobody else tries. A breaker that watches the requests themselves would open only after some of
 * them had waited in vain, and send others ahead to see whether all is well again.
 *
 * Invariants:
 * - One question is open at a time. A connection on which one was not answered is not used again.
 * - An answer that has arrived counts, however late this thread came to read it.
 */
export class DatabaseHeartbeat {
  readonly #options: HeartbeatOptions;
  #client: Client | null = null;
  #isConnected: Promise<unknown> = Promise.resolve();
  #isUp = true;
  #reason = "";
  #answerMs = 0;
  #isStopped = false;
  #cancel: () => void = () => undefined;
  #beating: Promise<void> = Promise.resolve();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Why it is taken to be away; "" when it is not. */
  get reason(): string {
    return this.#reason;
  }

  /** How long the last answer took. */
  get answerMs(): number {
    return this.#answerMs;
  }

  start(): void {
    this.#beating = this.#beat();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    const client = this.#client;
    this.#client = null;
    await Promise.race([this.#beating, client?.end()]);
  }

  async #beat(): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      await this.#ask();
      this.#answerMs = clock.monotonicMs() - startedMs;
      this.#note(true, "");
    } catch (error) {
      this.#letGo();
      this.#note(false, error instanceof Error ? error.message : String(error));
    }
    if (this.#isStopped) return;
    this.#cancel = clock.after(DATABASE_HEARTBEAT_MS, () => {
      this.#beating = this.#beat();
    });
  }

  async #ask(): Promise<void> {
    const { clock } = this.#options;
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      const isLate = (): void =>
        reject(new Error(`no answer within ${DATABASE_HEARTBEAT_MS_MAX} ms`));
      // Timers come before what has arrived: a thread that was held up looks at that first.
      cancel = clock.after(DATABASE_HEARTBEAT_MS_MAX, () => clock.soon(() => clock.soon(isLate)));
    });
    try {
      await Promise.race([this.#query(), late]);
    } finally {
      cancel();
    }
  }

  async #query(): Promise<void> {
    const client = this.#client ?? this.#connected();
    this.#client = client;
    await this.#isConnected;
    await client.query("SELECT 1");
  }

  #connected(): Client {
    const { connectionString } = this.#options;
    const client = new Client({
      connectionString,
      application_name: "evently heartbeat",
      connectionTimeoutMillis: DATABASE_HEARTBEAT_MS_MAX,
      keepAlive: true,
    });
    // Lost between two questions: the next one finds out.
    client.on("error", () => {
      if (this.#client === client) this.#client = null;
    });
    this.#isConnected = client.connect();
    return client;
  }

  /** Without a word to the other end, which does not listen. */
  #letGo(): void {
    const client = this.#client;
    this.#client = null;
    client?.end().catch(() => undefined);
    this.#isConnected.catch(() => undefined);
  }

  #note(isUp: boolean, reason: string): void {
    const hasChanged = this.#isUp !== isUp;
    this.#isUp = isUp;
    this.#reason = reason;
    if (hasChanged && !this.#isStopped) this.#options.changed(isUp, reason);
  }
}
