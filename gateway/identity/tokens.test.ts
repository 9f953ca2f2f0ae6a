import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSigner } from "fast-jwt";
import { TOKENS_CACHED_MAX } from "../../engine/limits.ts";
import { requestLike } from "../../tests/support/requests.ts";
import { ProblemError } from "../http/problem.ts";
import { type Identity, requireIdentity, Tokens } from "./tokens.ts";
import { freshUserId } from "./users.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const NOW_MS = 1_900_000_000_000;
const MINUTE_MS = 60_000;

describe("Tokens", () => {
  const someone = (): Identity => ({ userId: freshUserId(), role: "customer" });

  it("verifies what it issued, again and again, until 30 minutes are over", () => {
    let nowMs = NOW_MS;
    const tokens = new Tokens(SECRET, () => nowMs);
    const identity = someone();
    const { accessToken, expiresIn } = tokens.issue(identity, "one");
    assert.equal(expiresIn, 1800);
    const claims = JSON.parse(atob(accessToken.split(".")[1] ?? "")) as Record<string, unknown>;
    const { iat, exp, sub } = claims;
    assert.deepEqual([iat, exp, sub], [NOW_MS / 1000, NOW_MS / 1000 + 1800, identity.userId]);
    const header = `Bearer ${accessToken}`;
    assert.deepEqual(tokens.verify(header), identity);
    nowMs += 30 * MINUTE_MS - 1;
    assert.deepEqual(tokens.verify(header), identity);
    assert.equal(tokens.cachedCount, 1);
    nowMs += 1;
    assert.equal(tokens.verify(header), null);
    assert.equal(tokens.cachedCount, 0);
    assert.equal(new Tokens(SECRET, () => nowMs).verify(header), null);
  });

  it("takes the scheme in any case", () => {
    const tokens = new Tokens(SECRET);
    const { accessToken } = tokens.issue(someone(), "one");
    assert.notEqual(tokens.verify(`bearer ${accessToken}`), null);
  });

  it("takes nothing else, and remembers none of it", () => {
    const tokens = new Tokens(SECRET, () => NOW_MS);
    const { accessToken } = tokens.issue(someone(), "one");
    const [head, payload, signature = ""] = accessToken.split(".");
    const otherEnd = signature.endsWith("AA") ? "BA" : "AA";
    const times = { iat: NOW_MS / 1000, exp: NOW_MS / 1000 + 60 };
    const claims = { iss: "evently", sub: freshUserId(), role: "admin", sid: "one", ...times };
    const sign = (payload: object, options: object = { key: SECRET, algorithm: "HS256" }): string =>
      createSigner(options)({ ...payload });
    const unsigned = createSigner({ algorithm: "none" })({ ...claims });
    assert.notEqual(tokens.verify(`Bearer ${sign(claims)}`), null);
    for (const header of [
      "",
      "Bearer",
      "Bearer ",
      accessToken,
      `Basic ${accessToken}`,
      `Bearer  ${accessToken}`,
      `Bearer ${accessToken} x`,
      `Bearer ${head}.${payload}.${signature.slice(0, -2)}${otherEnd}`,
      `Bearer ${head}.${payload}`,
      `Bearer ${unsigned}`,
      `Bearer ${sign(claims, { key: SECRET, algorithm: "HS512" })}`,
      `Bearer ${sign(claims, { key: `${SECRET}!`, algorithm: "HS256" })}`,
      `Bearer ${sign({ ...claims, iss: "someone" })}`,
      `Bearer ${sign({ ...claims, role: "root" })}`,
      `Bearer ${sign({ ...claims, sub: "me" })}`,
      `Bearer ${sign({ ...claims, sid: undefined })}`,
      `Bearer ${sign({ ...claims, exp: undefined })}`,
      `Bearer ${sign({ ...claims, exp: NOW_MS / 1000 })}`,
      `Bearer ${"x".repeat(5_000)}`,
    ]) {
      assert.equal(tokens.verify(header), null, header);
    }
    assert.equal(tokens.cachedCount, 1);
  });

  it("keeps a bounded number of verified tokens", () => {
    const tokens = new Tokens(SECRET);
    for (let n = 0; n < TOKENS_CACHED_MAX + 10; n += 1) {
      assert.notEqual(tokens.verify(`Bearer ${tokens.issue(someone(), "one").accessToken}`), null);
    }
    assert.equal(tokens.cachedCount, TOKENS_CACHED_MAX);
  });

  it("ends the tokens of a session or of a person, the later ones too, and nobody else's", () => {
    let nowMs = NOW_MS;
    const tokens = new Tokens(SECRET, () => nowMs);
    const identity = someone();
    const header = (session: string) => `Bearer ${tokens.issue(identity, session).accessToken}`;
    const [one, other] = [header("one"), header("other")];
    assert.deepEqual([tokens.verify(one), tokens.verify(other)], [identity, identity]);
    const told: unknown[] = [];
    tokens.listen((userId) => told.push([userId, tokens.verify(one), tokens.verify(other)]));
    tokens.revoke(identity.userId, ["one", "unheard-of"]);
    assert.deepEqual(told, [[identity.userId, null, identity]]);
    assert.equal(tokens.verify(one), null);
    assert.deepEqual(tokens.verify(other), identity);
    nowMs += 10_000;
    assert.equal(tokens.verify(header("one")), null);
    tokens.revoke(identity.userId, "all");
    assert.equal(tokens.verify(other), null);
    assert.equal(tokens.verify(header("new")), null);
    assert.equal(tokens.cachedCount, 0);
    nowMs += 30 * MINUTE_MS;
    tokens.revoke(identity.userId, ["two"]);
    assert.deepEqual(tokens.verify(header("one")), identity);
  });

  it("tells of what session a token came, also when it is over", () => {
    let nowMs = NOW_MS;
    const tokens = new Tokens(SECRET, () => nowMs);
    const { userId } = someone();
    const { accessToken } = tokens.issue({ userId, role: "customer" }, "one");
    nowMs += 60 * MINUTE_MS;
    assert.deepEqual(tokens.sessionOf(`Bearer ${accessToken}`), { userId, sessionId: "one" });
    assert.equal(tokens.sessionOf(`Bearer ${accessToken}x`), null);
    assert.equal(tokens.sessionOf(""), null);
  });

  it("lets nobody through who needs to be somebody", () => {
    assert.throws(
      () => requireIdentity(new Tokens(SECRET), requestLike({})),
      (error) => error instanceof ProblemError && error.code === "unauthenticated",
    );
  });
});
