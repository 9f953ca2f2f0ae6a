import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ASKED_MAILS_MAX, LOGIN_FAILURES_MAX } from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";
import { AttemptLimits } from "./attempt-limits.ts";
import { networkOf } from "./network-address.ts";

const failing = (code: "invalid_credentials" | "busy") => () =>
  Promise.reject(new ProblemError(code));

describe("AttemptLimits", () => {
  it("counts guesses alone: what could not be tried is given back", async () => {
    const limits = new AttemptLimits(true);
    const attempt = (code: "invalid_credentials" | "busy") =>
      limits.password("a@example.org", "10.0.0.1", failing(code));
    for (let n = 0; n < LOGIN_FAILURES_MAX + 3; n += 1) {
      await assert.rejects(attempt("busy"), { code: "busy" });
    }
    for (let n = 0; n < LOGIN_FAILURES_MAX; n += 1) {
      await assert.rejects(attempt("invalid_credentials"), { code: "invalid_credentials" });
    }
    await assert.rejects(attempt("busy"), { code: "rate_limited" });
  });

  it("lets an account be mailed a few times, whoever asks", async () => {
    const limits = new AttemptLimits(true);
    const may: boolean[] = [];
    for (let n = 0; n <= ASKED_MAILS_MAX; n += 1) may.push(await limits.mayMail("a@example.org"));
    assert.deepEqual(may, [...Array.from({ length: ASKED_MAILS_MAX }, () => true), false]);
    assert.equal(await limits.mayMail("b@example.org"), true);
  });

  it("limits nothing when it is off", async () => {
    const limits = new AttemptLimits(false);
    for (let n = 0; n < 50; n += 1) {
      const attempt = limits.password("a", "10.0.0.1", failing("invalid_credentials"));
      await assert.rejects(attempt, { code: "invalid_credentials" });
      await limits.probe("10.0.0.1");
      assert.equal(await limits.mayMail("a"), true);
    }
  });
});

describe("networkOf", () => {
  it("takes an IPv4 address whole, and what one customer has of IPv6", () => {
    const cases = [
      ["127.0.0.1", "127.0.0.1"],
      ["0000:0000:0000:0000:0000:ffff:7f00:0001", "0000:0000:0000:0000:0000:ffff:7f00:0001"],
      ["2001:0db8:0001:0002:aaaa:bbbb:cccc:dddd", "2001:0db8:0001:0002::/64"],
      ["", ""],
    ];
    for (const [address = "", network] of cases) assert.equal(networkOf(address), network);
  });
});
