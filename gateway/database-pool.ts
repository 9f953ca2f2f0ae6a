import { Pool, type PoolClient } from "pg";
import { DATABASE_WAITS_MAX } from "../engine/limits.ts";
import { ProblemError } from "./http/problem.ts";

type Connected = Parameters<Pool["connect"]>[0];

/**
 * Connections to PostgreSQL for the gateway's services.
 *
 * Invariant: at most DATABASE_WAITS_MAX callers wait for a connection; the next one fails with
 * `busy` at once, instead of waiting in a line that is longer than anybody's patience.
 */
export class DatabasePool extends Pool {
  override connect(): Promise<PoolClient>;
  override connect(connected: Connected): void;
  override connect(connected?: Connected): Promise<PoolClient> | undefined {
    if (this.waitingCount >= DATABASE_WAITS_MAX) {
      const busy = new ProblemError("busy");
      if (connected === undefined) return Promise.reject(busy);
      connected(busy, undefined, () => undefined);
      return undefined;
    }
    if (connected === undefined) return super.connect();
    super.connect(connected);
    return undefined;
  }
}
