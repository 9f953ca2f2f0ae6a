import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PASSWORD_HASHES_IN_FLIGHT_MAX, PASSWORD_HASHES_WAITING_MAX } from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";
import { Passwords } from "./passwords.ts";

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("Passwords", () => {
  it("hashes with argon2id and knows the right one again", async () => {
    const passwords = new Passwords();
    const hash = await passwords.hash("corréct horse");
    assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.equal(await passwords.isRight("corréct horse", hash), true);
    assert.equal(await passwords.isRight("correct horse", hash), false);
    assert.equal(await passwords.isRight("corréct horse", null), false);
    await passwords.close();
  });

  it("leaves the thread that asks free meanwhile", async () => {
    const passwords = new Passwords();
    let turns = 0;
    const hash = passwords.hash("a password");
    const isDone = hash.then(() => true);
    while ((await Promise.race([isDone, nextTurn()])) !== true) turns += 1;
    assert.ok(turns > 1, `${turns} turns of the event loop`);
    assert.equal(await passwords.isRight("a password", await hash), true);
    await passwords.close();
  });

  it("does as many at once as allowed, lets as many wait, and is busy for the next", async () => {
    const passwords = new Passwords();
    const most = PASSWORD_HASHES_IN_FLIGHT_MAX + PASSWORD_HASHES_WAITING_MAX;
    const accepted = Array.from({ length: most }, (_, n) => passwords.hash(`password ${n}`));
    await assert.rejects(
      passwords.hash("one more"),
      (error) => error instanceof ProblemError && error.code === "busy",
    );
    assert.equal(new Set(await Promise.all(accepted)).size, most);
    assert.match(await passwords.hash("afterwards"), /^\$argon2id/);
    await passwords.close();
  });
});
