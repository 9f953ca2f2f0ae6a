import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { failureResponse, ProblemError, problem } from "./problem.ts";
import { PROBLEMS } from "./problem-codes.ts";

describe("problem", () => {
  it("has the members of RFC 9457, the code, the request and those of its own", () => {
    const response = problem("limit_exceeded", "r-1", { limit: 10, current: 9 });
    assert.equal(response.status, 409);
    assert.equal(response.contentType, "application/problem+json; charset=utf-8");
    assert.deepEqual(JSON.parse(String(response.body)), {
      type: "/problems/limit_exceeded",
      title: PROBLEMS.limit_exceeded[1],
      status: 409,
      code: "limit_exceeded",
      detail: PROBLEMS.limit_exceeded[1],
      requestId: "r-1",
      limit: 10,
      current: 9,
    });
  });

  it("lets no member of its own replace a standard one", () => {
    const response = problem("forbidden", "r-1", { status: 200, code: "fine", detail: "no" });
    const body = JSON.parse(String(response.body));
    assert.deepEqual([body.status, body.code, body.detail], [403, "forbidden", "no"]);
  });

  it("tells when to come back with busy", () => {
    assert.deepEqual(problem("busy", "r-1").headers, { "Retry-After": "1" });
  });
});

describe("failureResponse", () => {
  const coded = (code: string) => Object.assign(new Error("from the driver"), { code });

  it("answers a thrown problem as itself, with its cause for the log", () => {
    const cause = new Error("why");
    const thrown = new ProblemError("busy", { detail: "later" }, { cause });
    const response = failureResponse(thrown, "r-1");
    assert.equal(response.status, 503);
    assert.equal(response.cause, cause);
    assert.equal(failureResponse(new ProblemError("forbidden"), "r-1").cause, undefined);
  });

  for (const error of [
    coded("ECONNREFUSED"),
    coded("57P01"),
    coded("08006"),
    coded("57014"),
    coded("53300"),
    new Error("timeout exceeded when trying to connect"),
    new Error("Connection terminated unexpectedly"),
    new Error("Query read timeout"),
  ]) {
    const code = "code" in error ? error.code : error.message;
    it(`answers busy when the database can't be asked (${code})`, () => {
      assert.equal(failureResponse(error, "r-1").status, 503);
    });
  }

  for (const [code, text, constraint, expected] of [
    ["23503", "…", "organization_members_user_id_fkey", "unauthenticated"],
    ["23503", "…", "webhook_feeds_webhook_id_fkey", "webhook_not_found"],
    ["23503", "…", "bookings_hold_id_fkey", "internal"],
    ["42501", 'new row violates row-level security policy for table "venues"', null, "forbidden"],
    ["42501", "permission denied for table venues", null, "internal"],
  ] as const) {
    it(`answers ${expected} to ${code} of ${constraint}: ${text}`, () => {
      const response = failureResponse(Object.assign(new Error(text), { code, constraint }), "r-1");
      assert.equal(response.code, expected);
      assert.ok(response.cause !== undefined);
    });
  }

  for (const error of [coded("23505"), coded("42P01"), new Error("x"), null, "text", undefined]) {
    it(`answers internal to anything else (${String(error)}), without telling it`, () => {
      const response = failureResponse(error, "r-1");
      assert.equal(response.status, 500);
      assert.ok(response.cause !== undefined);
      assert.doesNotMatch(String(response.body), /from the driver/);
    });
  }
});
