import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { UserId } from "../../engine/ids.ts";
import {
  type CatalogueServer,
  startCatalogueServer,
} from "../../tests/support/catalogue-server.ts";
import { systemClock } from "../../workers/clock.ts";
import { Credentials } from "./credentials.ts";
import { MailedTokens } from "./mailed-tokens.ts";
import { Passwords } from "./passwords.ts";
import { Sessions } from "./sessions.ts";
import { TokenSweep } from "./token-sweep.ts";

describe("credentials", () => {
  let server: CatalogueServer;
  before(async () => {
    server = await startCatalogueServer();
  });
  after(() => server.close());

  const post = (path: string, body: unknown) => server.request("POST", path, { body });
  const rowsOf = async (table: string) =>
    Number((await server.pool.query(`SELECT FROM ${table}`)).rowCount);

  async function register(email: string): Promise<UserId> {
    const { body } = await post("/auth/register", { email, password: "long enough" });
    return (body.user as { id: UserId }).id;
  }

  async function mailedTo(email: string, nth: number): Promise<string> {
    for (;;) {
      const mine = (await server.mails()).filter(({ to }) => to === email);
      const token = mine[nth - 1]?.token;
      if (token === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      else return token;
    }
  }

  async function forgotten(email: string, nth: number): Promise<string> {
    assert.equal((await post("/auth/forgot-password", { email })).status, 202);
    return mailedTo(email, nth);
  }

  it("mails tokens that the database does not have, nor whom they are for", async () => {
    await register("anna@example.com");
    const token = await mailedTo("anna@example.com", 1);
    assert.match(token, /^[\w-]{43}$/);
    for (const table of ["mailed_tokens", "outbox"]) {
      const { rows } = await server.pool.query(`SELECT * FROM ${table}`);
      const all = JSON.stringify(rows);
      assert.ok(rows.length > 0 && !all.includes(token) && !all.includes("anna@"), table);
    }
  });

  it("takes no token past its time, and with one the others of its purpose", async () => {
    const email = "ben@example.com";
    await register(email);
    const [late, second, third] = [
      await forgotten(email, 2),
      await forgotten(email, 3),
      await forgotten(email, 4),
    ];
    await server.pool.query(
      "UPDATE mailed_tokens SET expires_at = now() WHERE digest = sha256($1::text::bytea)",
      [late],
    );
    const reset = (token: string) => post("/auth/reset-password", { token, password: "new one 1" });
    assert.equal((await reset(late)).body.code, "token_invalid");
    assert.equal((await reset(second)).status, 204);
    assert.equal((await reset(third)).body.code, "token_invalid");
    assert.equal((await post("/auth/login", { email, password: "new one 1" })).status, 200);
    const proof = { token: await mailedTo(email, 1) };
    assert.equal((await post("/auth/verify-email", proof)).status, 200);
  });

  it("mails one account no more than a few times, and says so to nobody", async () => {
    const email = "cleo@example.com";
    await register(email);
    for (let nth = 2; nth <= 4; nth += 1) await forgotten(email, nth);
    const answer = await post("/auth/forgot-password", { email });
    // Asked for later, it comes later.
    await register("cora@example.com");
    await forgotten("cora@example.com", 2);
    assert.equal(answer.status, 202);
    assert.equal((await server.mails()).filter(({ to }) => to === email).length, 4);
  });

  it("begins no sign-in with a password that is not the account's any more", async () => {
    const email = "dora@example.com";
    const id = await register(email);
    const sessions = new Sessions(server.database, { revoke: () => undefined });
    const signIn = await server.users.signIn(email, "long enough");
    const token = await forgotten(email, 2);
    await post("/auth/reset-password", { token, password: "another one" });
    await assert.rejects(sessions.begin(id, signIn.passwordHash), { code: "invalid_credentials" });
    const { passwordHash } = await server.users.signIn(email, "another one");
    assert.equal((await sessions.begin(id, passwordHash)).userId, id);
  });

  it("changes no password by one that is not the account's any more", async (t) => {
    const email = "dina@example.com";
    const userId = await register(email);
    const passwords = new Passwords();
    t.after(() => passwords.close());
    const { database, users } = server;
    const mailedTokens = new MailedTokens(database, { post: () => Promise.resolve() });
    const tokens = { revoke: () => undefined };
    const credentials = new Credentials({ database, passwords, mailedTokens, tokens });
    const known = await users.signIn(email, "long enough");
    await post("/auth/reset-password", { token: await forgotten(email, 2), password: "hers 1234" });
    const stranger = { userId, passwordHash: known.passwordHash, keptSession: null };
    assert.equal(await credentials.changePassword(stranger, "a stranger's"), null);
    const { passwordHash } = await users.signIn(email, "hers 1234");
    const owner = { ...stranger, passwordHash };
    assert.equal((await credentials.changePassword(owner, "another 1"))?.id, userId);
  });

  it("sweeps what is over, and nothing else", async () => {
    const id = await register("eve@example.com");
    const sessions = new Sessions(server.database, { revoke: () => undefined });
    const [over, old, fresh] = [
      await sessions.begin(id),
      await sessions.begin(id),
      await sessions.begin(id),
    ];
    await sessions.rotate(old.refreshToken);
    await sessions.rotate(fresh.refreshToken);
    const families = await rowsOf("refresh_families");
    const [spent, mailed] = [await rowsOf("spent_refresh_tokens"), await rowsOf("mailed_tokens")];
    await server.pool.query("UPDATE refresh_families SET expires_at = now() WHERE id = $1", [
      over.sessionId,
    ]);
    await server.pool.query(
      "UPDATE spent_refresh_tokens SET spent_at = now() - interval '7 days' WHERE family_id = $1",
      [old.sessionId],
    );
    await server.pool.query("UPDATE mailed_tokens SET expires_at = now() WHERE user_id = $1", [id]);
    const log = { warn: assert.fail };
    await new TokenSweep({ database: server.database, clock: systemClock, log }).sweep();
    assert.equal(await rowsOf("refresh_families"), families - 1);
    assert.equal(await rowsOf("spent_refresh_tokens"), spent - 1);
    assert.equal(await rowsOf("mailed_tokens"), mailed - 1);
  });
});
