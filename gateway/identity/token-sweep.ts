import {
  KEY_TTL_MS,
  REFRESH_TOKEN_SECONDS,
  TOKEN_SWEEP_MS,
  TOKEN_SWEEP_ROWS_MAX,
} from "../../engine/limits.ts";
import type { Clock } from "../../workers/clock.ts";
import type { Log } from "../log.ts";
import type { Database } from "../tenancy/database.ts";
import { platform } from "../tenancy/scope.ts";

/** Which rows nobody can use any more, by table. */
const OVER: Readonly<Record<string, string>> = {
  refresh_families: "expires_at <= now()",
  // It had expired by itself by now: shown again, it is refused without its row, too.
  spent_refresh_tokens: `spent_at <= now() - make_interval(secs => ${REFRESH_TOKEN_SECONDS})`,
  mailed_tokens: "expires_at <= now()",
  organization_invitations: "expires_at <= now()",
  kept_outcomes: `at <= now() - make_interval(secs => ${KEY_TTL_MS / 1000})`,
};

const OVERDUE = platform("identity", "what is over is removed, whoever it belonged to");

/**
 * Removes tokens and keys that are over, a bounded number at a time. A step that fails is only
 * logged.
 */
export class TokenSweep {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Pick<Log, "warn">;
  #cancel: (() => void) | null = null;
  #step: Promise<void> = Promise.resolve();

  constructor(ports: { database: Database; clock: Clock; log: Pick<Log, "warn"> }) {
    this.#database = ports.database;
    this.#clock = ports.clock;
    this.#log = ports.log;
  }

  start(): void {
    this.#cancel = this.#clock.every(TOKEN_SWEEP_MS, () => {
      this.#step = this.#step.then(() => this.sweep());
    });
  }

  /** Waits for the step that runs. */
  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#step;
  }

  async sweep(): Promise<void> {
    try {
      for (const [table, isOver] of Object.entries(OVER)) {
        // Rows in use are somebody else's at this moment, and are met again.
        await this.#database.in(OVERDUE).query(
          `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM ${table} WHERE ${isOver} LIMIT $1 FOR UPDATE SKIP LOCKED))`,
          [TOKEN_SWEEP_ROWS_MAX],
        );
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn({ reason }, "tokens and keys that are over could not be removed");
    }
  }
}
