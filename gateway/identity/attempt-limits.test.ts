import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProblemError } from "../http/problem.ts";
import { DEFAULT_LIMITS } from "../limits/limit-classes.ts";
import type { Quota } from "../limits/quota.ts";
import { AttemptLimits } from "./attempt-limits.ts";

const failing = (code: "invalid_credentials" | "busy") => () =>
  Promise.reject(new ProblemError(code));

describe("AttemptLimits", () => {
  it("counts guesses alone: what could not be tried is given back", async () => {
    const limits = new AttemptLimits(DEFAULT_LIMITS, null);
    const attempt = (code: "invalid_credentials" | "busy") =>
      limits.password("a@example.org", { address: "10.0.0.1" }, failing(code));
    for (let n = 0; n < 8; n += 1) {
      await assert.rejects(attempt("busy"), { code: "busy" });
    }
    for (let n = 0; n < 5; n += 1) {
      await assert.rejects(attempt("invalid_credentials"), { code: "invalid_credentials" });
    }
    await assert.rejects(attempt("busy"), { code: "rate_limited" });
  });

  it("lets an account be mailed a few times, whoever asks", async () => {
    const limits = new AttemptLimits(DEFAULT_LIMITS, null);
    const may: boolean[] = [];
    for (let n = 0; n < 4; n += 1) may.push(await limits.mayMail("a@example.org"));
    assert.deepEqual(may, [true, true, true, false]);
    assert.equal(await limits.mayMail("b@example.org"), true);
  });

  it("tells no more often that an address is taken, when many ask at once", async () => {
    const limits = new AttemptLimits(DEFAULT_LIMITS, null);
    const from = { address: "10.0.0.1" };
    const ask = (attempt: () => Promise<unknown>) =>
      limits.registration(from, attempt).then(
        () => "registered",
        (error: unknown) => (error instanceof ProblemError ? error.code : "other"),
      );
    const taken = () => Promise.reject(new ProblemError("email_taken"));
    const burst = await Promise.all(Array.from({ length: 400 }, () => ask(taken)));
    assert.equal(burst.filter((answer) => answer === "email_taken").length, 20);
    assert.equal(burst.filter((answer) => answer === "busy").length, 380);
    assert.equal(await ask(() => Promise.resolve()), "rate_limited");
  });

  it("lets as many register as like to, and has nobody wait because others do", async () => {
    const limits = new AttemptLimits(DEFAULT_LIMITS, null);
    const from = { address: "10.0.0.1" };
    for (let n = 0; n < 100; n += 1) await limits.registration(from, () => Promise.resolve());
    const free: (() => void)[] = [];
    const slow = () => new Promise<void>((resolve) => free.push(resolve));
    const running = Array.from({ length: 20 }, () => limits.registration(from, slow));
    await new Promise((resolve) => setImmediate(resolve));
    const late = limits.registration(from, () => Promise.resolve());
    await assert.rejects(late, { code: "busy" });
    for (const resolve of free) resolve();
    await Promise.all(running);
    await limits.registration(from, () => Promise.resolve());
  });

  it("shows what is left of the tries", async () => {
    const limits = new AttemptLimits(DEFAULT_LIMITS, null);
    const shown: Quota[] = [];
    const from = { address: "10.0.0.1", showQuota: (quota: Quota) => shown.push(quota) };
    const guess = (attempt: () => Promise<unknown>) =>
      limits.password("a@example.org", from, attempt).catch(() => undefined);
    for (let n = 0; n < 3; n += 1) await guess(failing("invalid_credentials"));
    await guess(failing("busy"));
    await guess(() => Promise.resolve());
    for (let n = 0; n < 6; n += 1) await guess(failing("invalid_credentials"));
    const left = shown.map(({ isAllowed, remaining }) => (isAllowed ? remaining : "refused"));
    assert.deepEqual(left, [4, 3, 2, 2, 5, 4, 3, 2, 1, 0, "refused"]);
    assert.deepEqual(new Set(shown.map(({ bound }) => bound.count)), new Set([5]));
  });

  it("limits nothing when it is off", async () => {
    const limits = new AttemptLimits(null, null);
    const from = { address: "10.0.0.1" };
    for (let n = 0; n < 50; n += 1) {
      const attempt = limits.password("a", from, failing("invalid_credentials"));
      await assert.rejects(attempt, { code: "invalid_credentials" });
      await limits.probe(from);
      assert.equal(await limits.mayMail("a"), true);
    }
  });
});
