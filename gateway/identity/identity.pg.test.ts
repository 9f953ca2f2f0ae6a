import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type CatalogueServer,
  startCatalogueServer,
} from "../../tests/support/catalogue-server.ts";
import { Heirs } from "./heirs.ts";

describe("identity", () => {
  let server: CatalogueServer;
  before(async () => {
    server = await startCatalogueServer();
  });
  after(() => server.close());

  const register = (body: unknown) => server.request("POST", "/auth/register", { body });
  const login = (body: unknown) => server.request("POST", "/auth/login", { body });
  const me = (token?: string) =>
    server.request("GET", "/users/me", token === undefined ? {} : { token });

  it("registers a customer, who is signed in at once", async () => {
    const registered = await register({
      email: "  Anna@Example.COM ",
      password: "correct horse",
      firstName: "Anna",
      role: "admin",
    });
    assert.equal(registered.status, 201);
    assert.equal(registered.headers.get("cache-control"), "no-store");
    assert.equal(registered.body.expiresIn, 1800);
    assert.match(String(registered.body.refreshToken), /^[\w-]{43}$/);
    assert.doesNotMatch(registered.text, /password|argon2/);
    const shown = await me(String(registered.body.accessToken));
    assert.equal(shown.status, 200);
    assert.deepEqual(shown.body, registered.body.user);
    const { id, createdAt, ...user } = shown.body;
    assert.match(String(id), /^[0-9a-f-]{36}$/);
    assert.match(String(createdAt), /Z$/);
    assert.deepEqual(user, {
      email: "anna@example.com",
      firstName: "Anna",
      lastName: null,
      role: "customer",
      emailVerified: false,
      emailOwned: false,
    });
  });

  it("lets one of many who register an address at once have it", async () => {
    const body = { email: "popular@example.com", password: "long enough" };
    const answers = await Promise.all(Array.from({ length: 6 }, () => register(body)));
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, 409, 409, 409, 409, 409]);
    const again = await register({ ...body, email: "POPULAR@example.com" });
    assert.equal(again.body.code, "email_taken");
  });

  it("names what is wrong with a registration", async () => {
    const { status, body } = await register({ email: "anna", password: "short", firstName: "a\0" });
    assert.equal(status, 400);
    assert.equal(body.code, "validation_failed");
    assert.deepEqual(body.errors, [
      { path: "email", message: "must be an email address" },
      { path: "password", message: "must not have fewer than 8 characters" },
      { path: "firstName", message: "must be a line of text" },
    ]);
  });

  it("logs in with the right password, and says the same to every wrong pair", async () => {
    await register({ email: "ben@example.com", password: "correct horse" });
    const right = await login({ email: "BEN@example.com", password: "correct horse" });
    assert.equal(right.status, 200);
    assert.equal((await me(String(right.body.accessToken))).status, 200);
    for (const pair of [
      { email: "ben@example.com", password: "wrong horse" },
      { email: "nobody@example.com", password: "correct horse" },
      { email: "no address\0", password: "\0" },
    ]) {
      const wrong = await login(pair);
      assert.equal(wrong.status, 401);
      assert.equal(wrong.body.code, "invalid_credentials");
    }
  });

  it("makes a guest out of nothing", async () => {
    const guest = await server.request("POST", "/auth/guest");
    assert.equal(guest.status, 201);
    const shown = await me(String(guest.body.accessToken));
    assert.deepEqual(shown.body, guest.body.user);
    assert.equal(shown.body.role, "guest");
    const other = await server.request("POST", "/auth/guest");
    assert.notDeepEqual(other.body.user, guest.body.user);
  });

  it("forgets whom it deletes once more when they are gone: what they did until then", async () => {
    const { belongings } = server;
    for (const [email, forgets] of [
      ["gone@example.com", 2],
      ["away@example.com", 1],
    ] as const) {
      const { body } = await register({ email, password: "correct horse" });
      const { id } = body.user as { id: string };
      Object.assign(belongings, { forgets });
      belongings.forgotten.length = 0;
      const token = String(body.accessToken);
      const asked = await server.request("DELETE", "/users/me", { token });
      assert.equal(asked.status, 204);
      assert.deepEqual(
        belongings.forgotten,
        Array.from({ length: forgets }, () => id),
      );
      assert.equal((await me(token)).status, 401);
    }
    belongings.forgets = Number.POSITIVE_INFINITY;
  });

  it("shows nobody to nobody", async () => {
    for (const token of [undefined, "x.y.z"]) {
      const { status, body } = await me(token);
      assert.equal(status, 401);
      assert.equal(body.code, "unauthenticated");
    }
  });

  it("creates the administrator once, or raises an account to it", async () => {
    const admin = await server.users.ensureAdmin("root@example.com", "first password");
    assert.equal(admin.role, "admin");
    assert.deepEqual(await server.users.ensureAdmin("root@example.com", "first password"), admin);
    const before = await login({ email: "root@example.com", password: "first password" });
    await server.users.ensureAdmin("root@example.com", "second password");
    const { refreshToken } = before.body;
    const refreshed = await server.request("POST", "/auth/refresh", { body: { refreshToken } });
    assert.equal(refreshed.status, 401);
    await assert.rejects(server.users.signIn("root@example.com", "first password"), {
      code: "invalid_credentials",
    });
    const { user } = await server.users.signIn("root@example.com", "second password");
    assert.deepEqual(user, admin);
    await register({ email: "later@example.com", password: "long enough" });
    const raised = await server.users.ensureAdmin("later@example.com", "long enough");
    assert.equal(raised.role, "admin");
  });

  it("gives what is for an address to its heir until an account owns the address", async () => {
    const heirs = new Heirs(server.database);
    const email = "heir@example.com";
    const [heirId, other] = await Promise.all([heirs.userIdOf(email), heirs.userIdOf(email)]);
    assert.equal(other, heirId);
    const registered = await register({ email, password: "long enough" });
    const user = registered.body.user as { id: string };
    assert.notEqual(user.id, heirId);
    assert.equal(await heirs.userIdOf(email), heirId);
    const body = { token: (await server.mails()).findLast(({ to }) => to === email)?.token };
    const token = String(registered.body.accessToken);
    const shown = await server.request("POST", "/auth/verify-email", { token, body });
    assert.equal(shown.status, 200, shown.text);
    assert.equal(await heirs.userIdOf(email), user.id);
    assert.equal(await heirs.find(email), heirId, "who was just being given something");
    assert.equal(await heirs.find("anna@example.com"), null);
  });
});
