import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueryResult } from "pg";
import { systemClock } from "../../workers/clock.ts";
import type { Scoped } from "../tenancy/database.ts";
import { TicketKeys } from "./ticket-keys.ts";
import { TicketKey } from "./ticket-token.ts";

test("keys are read anew in time, though the machine's clock is set back", async () => {
  let [wallMs, monotonicMs, reads] = [1e12, 0, 0];
  const { secret } = TicketKey.fresh(0);
  const query = <Row extends object>(): Promise<QueryResult<Row>> => {
    reads += 1;
    const rows: object[] = [{ secret, signs_from: new Date(0) }];
    const result = { rows: rows as Row[], rowCount: 1, command: "", oid: 0, fields: [] };
    return Promise.resolve(result);
  };
  const scoped: Scoped = { query, transaction: (work) => work({ query }) };
  const clock = { ...systemClock, wallMs: () => wallMs, monotonicMs: () => monotonicMs };
  const keys = new TicketKeys({ in: () => scoped }, clock);
  await keys.signing();
  await keys.signing();
  assert.equal(reads, 1);
  wallMs -= 3_600_000;
  monotonicMs += 3_600_000;
  await keys.signing();
  assert.equal(reads, 2);
});
