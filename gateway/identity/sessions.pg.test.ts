import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { UserId } from "../../engine/ids.ts";
import { SESSIONS_PER_USER_MAX } from "../../engine/limits.ts";
import {
  type CatalogueServer,
  startCatalogueServer,
} from "../../tests/support/catalogue-server.ts";
import { Sessions } from "./sessions.ts";

describe("Sessions", () => {
  let server: CatalogueServer;
  let sessions: Sessions;
  const revoked: string[] = [];
  before(async () => {
    server = await startCatalogueServer();
    sessions = new Sessions(server.database, { revoke: (_, ids) => revoked.push(...ids) });
  });
  after(() => server.close());

  let people = 0;
  async function person(): Promise<UserId> {
    people += 1;
    const body = { email: `p${people}@example.com`, password: "long enough" };
    const { user } = (await server.request("POST", "/auth/register", { body })).body;
    return (user as { id: UserId }).id;
  }
  const count = async (table: string, where: string, value: unknown) =>
    (await server.pool.query(`SELECT FROM ${table} WHERE ${where} = $1`, [value])).rowCount;
  const refusal = { code: "unauthenticated" };

  it("exchanges each token once, and keeps none of them", async () => {
    const begun = await sessions.begin(await person());
    const second = await sessions.rotate(begun.refreshToken);
    const third = await sessions.rotate(second.refreshToken);
    const tokens = [begun, second, third].map(({ refreshToken }) => refreshToken);
    assert.equal(new Set(tokens).size, 3);
    assert.deepEqual([third.sessionId, third.userId], [begun.sessionId, begun.userId]);
    const stored = await server.pool.query(
      "SELECT encode(digest, 'base64') AS text FROM refresh_families UNION ALL " +
        "SELECT encode(digest, 'escape') FROM spent_refresh_tokens",
    );
    assert.ok(!tokens.some((token) => JSON.stringify(stored.rows).includes(token)));
  });

  it("ends the family when an old token comes again, however old", async () => {
    const begun = await sessions.begin(await person());
    const second = await sessions.rotate(begun.refreshToken);
    const third = await sessions.rotate(second.refreshToken);
    await assert.rejects(sessions.rotate(begun.refreshToken), refusal);
    assert.ok(revoked.includes(begun.sessionId));
    await assert.rejects(sessions.rotate(third.refreshToken), refusal);
    assert.equal(await count("spent_refresh_tokens", "family_id", begun.sessionId), 0);
  });

  it("lets one of many who race have the next token, and ends the family", async () => {
    const begun = await sessions.begin(await person());
    const race = await Promise.allSettled(
      Array.from({ length: 5 }, () => sessions.rotate(begun.refreshToken)),
    );
    const won = race.filter((outcome) => outcome.status === "fulfilled");
    assert.equal(won.length, 1);
    assert.equal(await count("refresh_families", "id", begun.sessionId), 0);
    const [winner] = won;
    assert.ok(winner?.status === "fulfilled");
    await assert.rejects(sessions.rotate(winner.value.refreshToken), refusal);
  });

  it("takes no token that nobody got, and none past its time", async () => {
    const begun = await sessions.begin(await person());
    await assert.rejects(sessions.rotate("x".repeat(43)), refusal);
    const { rows } = await server.pool.query<{ days: number }>(
      "SELECT extract(epoch FROM expires_at - now()) / 86400 AS days FROM refresh_families " +
        "WHERE id = $1",
      [begun.sessionId],
    );
    assert.equal(Math.round(Number(rows[0]?.days)), 7);
    await server.pool.query("UPDATE refresh_families SET expires_at = now() WHERE id = $1", [
      begun.sessionId,
    ]);
    await assert.rejects(sessions.rotate(begun.refreshToken), refusal);
  });

  it("ends by the good token, by an old one, by its name, and no other one", async () => {
    const userId = await person();
    const [a, b, c, d, e] = [
      await sessions.begin(userId),
      await sessions.begin(userId),
      await sessions.begin(userId),
      await sessions.begin(userId),
      await sessions.begin(userId),
    ];
    await sessions.endByToken(a.refreshToken);
    await sessions.endByToken(a.refreshToken);
    const later = await sessions.rotate(b.refreshToken);
    await sessions.endByToken(b.refreshToken);
    await sessions.end(c.sessionId, userId);
    for (const token of [a.refreshToken, later.refreshToken, c.refreshToken]) {
      await assert.rejects(sessions.rotate(token), refusal);
    }
    await sessions.endByToken(d.refreshToken);
    await assert.rejects(sessions.rotate(d.refreshToken), refusal);
    assert.equal((await sessions.rotate(e.refreshToken)).userId, userId);
    for (const { sessionId } of [a, b, c, d]) assert.ok(revoked.includes(sessionId));
    assert.ok(!revoked.includes(e.sessionId));
  });

  it("lets the oldest go where one person has too many", async () => {
    const userId = await person();
    const begun = [];
    for (let n = 0; n <= SESSIONS_PER_USER_MAX; n += 1) begun.push(await sessions.begin(userId));
    assert.equal(await count("refresh_families", "user_id", userId), SESSIONS_PER_USER_MAX);
    const [first, second] = begun.map(({ refreshToken }) => refreshToken);
    const ended = begun.filter(({ sessionId }) => revoked.includes(sessionId));
    assert.deepEqual(ended, begun.slice(0, 1));
    await assert.rejects(sessions.rotate(first ?? ""), refusal);
    assert.equal((await sessions.rotate(second ?? "")).userId, userId);
  });
});
