import { Pool } from "pg";
import { type BaselineKind, CONNECTIONS } from "./baseline-kinds.ts";
import { ConditionalUpdate } from "./conditional-update.ts";
import { RedisLock } from "./redis-lock.ts";
import { RedisLocks } from "./redis-locks.ts";
import { startRedis } from "./redis-process.ts";
import { RowLock } from "./row-lock.ts";
import { RowLockPipelined } from "./row-lock-pipelined.ts";
import type { SaleDesign } from "./sale-design.ts";

export type SqlKind = Exclude<BaselineKind, "echo">;

export interface RunningDesign {
  readonly design: SaleDesign;
  readonly pool: Pool;
  stop(): Promise<void>;
}

/**
 * A design on a database that has the baselines' schema. `connections`: default, see CONNECTIONS.
 */
export async function startDesign(
  kind: SqlKind,
  connectionString: string,
  connections: number = CONNECTIONS[kind].area,
): Promise<RunningDesign> {
  const pool = new Pool({
    connectionString,
    max: connections,
    // Idle connections stay: opening one costs more than a sale.
    idleTimeoutMillis: 0,
    keepAlive: true,
    // A statement with a list of seats would be planned anew each time.
    options: "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off",
    pipeline: kind === "row-lock-pipelined",
  });
  // Whoever uses the connection hears of its loss, too.
  pool.on("error", () => undefined);
  switch (kind) {
    case "row-lock":
      return { design: new RowLock(pool), pool, stop: () => pool.end() };
    case "row-lock-pipelined":
      return { design: new RowLockPipelined(pool), pool, stop: () => pool.end() };
    case "conditional-update":
      return { design: new ConditionalUpdate(pool), pool, stop: () => pool.end() };
    case "redis-lock": {
      const redis = await startRedis();
      const locks = new RedisLocks(redis.url);
      const stop = async (): Promise<void> => {
        await locks.stop();
        await redis.stop();
        await pool.end();
      };
      return { design: new RedisLock(pool, locks), pool, stop };
    }
  }
}
