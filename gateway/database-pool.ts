import { type ClientBase, Pool, type PoolClient, type PoolConfig } from "pg";
import { DATABASE_WAITS_MAX } from "../engine/limits.ts";
import { GATEWAY_ROLE } from "../sql/gateway-role.ts";
import { ProblemError } from "./http/problem.ts";
import { PREPARE_SCOPE } from "./tenancy/scoped-query.ts";

type Connected = Parameters<Pool["connect"]>[0];

/**
 * Connections to PostgreSQL for the gateway's services.
 *
 * Invariants:
 * - Nobody is given a connection before it works as GATEWAY_ROLE, for which the policies hold.
 * - At most DATABASE_WAITS_MAX callers wait for a connection; the next one fails with
 *   `busy` at once, instead of waiting in a line that is longer than anybody's patience.
 */
export class DatabasePool extends Pool {
  constructor(config: PoolConfig) {
    super({ ...config, onConnect: becomeGateway });
  }

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

async function becomeGateway(client: ClientBase): Promise<void> {
  await client.query(`SET ROLE ${GATEWAY_ROLE}`);
  await client.query(PREPARE_SCOPE);
}
