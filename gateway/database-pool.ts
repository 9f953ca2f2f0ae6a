import { type ClientBase, Pool, type PoolClient, type PoolConfig } from "pg";
import { DATABASE_WAITS_MAX } from "../engine/limits.ts";
import { GATEWAY_ROLE } from "../sql/gateway-role.ts";
import { READ_COMMITTED } from "../sql/isolation.ts";
import { ProblemError } from "./http/problem.ts";
import { PREPARE_SCOPE } from "./tenancy/scoped-query.ts";

type Connected = NonNullable<Parameters<Pool["connect"]>[0]>;

/**
 * Connections to PostgreSQL for the gateway's services.
 *
 * Invariants:
 * - Nobody is given a connection before it works as GATEWAY_ROLE, for which the policies hold.
 * - At most DATABASE_WAITS_MAX callers wait for a connection; the next one fails with `busy` at
 *   once, instead of waiting in a line that is longer than anybody's patience.
 * - While PostgreSQL is away, nobody waits for it: whoever has no connection yet fails with `busy`.
 *   A query that is under way is given up after its own time, as nobody knows what becomes of it.
 */
export class DatabasePool extends Pool {
  #isAway = false;
  #refusedCount = 0;
  readonly #waiting = new Set<() => void>();

  constructor(config: PoolConfig) {
    super({ ...config, onConnect: becomeGateway });
    // One that is lost between two statements of a transaction says so to the second one. The pool
    // itself listens only to those that are nobody's, and what nobody hears ends the process.
    this.on("connect", (client) => client.on("error", () => undefined));
  }

  /** Callers that were told `busy`. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** What the heartbeat has found. */
  setAway(isAway: boolean): void {
    this.#isAway = isAway;
    if (isAway) for (const refuse of [...this.#waiting]) refuse();
  }

  /** As `work` ends, which waits for PostgreSQL elsewhere; `busy` as soon as that is away. */
  whileThere<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => {
        this.#waiting.delete(refuse);
        this.#refusedCount += 1;
        reject(new ProblemError("busy"));
      };
      if (this.#isAway) return refuse();
      this.#waiting.add(refuse);
      work()
        .finally(() => this.#waiting.delete(refuse))
        .then(resolve, reject);
    });
  }

  override connect(): Promise<PoolClient>;
  override connect(connected: Connected): void;
  override connect(connected?: Connected): Promise<PoolClient> | undefined {
    if (connected !== undefined) {
      this.#connect(connected);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#connect((error, client) => {
        if (client === undefined) reject(error ?? new ProblemError("busy"));
        else resolve(client);
      });
    });
  }

  #connect(connected: Connected): void {
    if (this.#isAway || this.waitingCount >= DATABASE_WAITS_MAX) return this.#refuse(connected);
    let isRefused = false;
    const refuse = (): void => {
      isRefused = true;
      this.#waiting.delete(refuse);
      this.#refuse(connected);
    };
    this.#waiting.add(refuse);
    super.connect((error, client, release) => {
      // Refused meanwhile: the connection that came after all is for somebody else.
      if (isRefused) return client === undefined ? undefined : release();
      this.#waiting.delete(refuse);
      connected(error, client, release);
    });
  }

  #refuse(connected: Connected): void {
    this.#refusedCount += 1;
    connected(new ProblemError("busy"), undefined, () => undefined);
  }
}

async function becomeGateway(client: ClientBase): Promise<void> {
  await client.query(`SET ROLE ${GATEWAY_ROLE}; ${READ_COMMITTED}`);
  await client.query(PREPARE_SCOPE);
}
