import assert from "node:assert/strict";
import { test } from "node:test";
import Type from "typebox";
import { ProblemError } from "./problem.ts";
import { compileQuery, textParameter, timeParameter } from "./query.ts";

const read = compileQuery(
  Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    radius: Type.Optional(Type.Number({ minimum: 0 })),
    seats: Type.Optional(Type.Boolean()),
    q: textParameter(5, "Words."),
    from: timeParameter("Then or later."),
  }),
  (given) => (given.has("near") ? [{ path: "near", message: "is not available" }] : []),
);

function faultsOf(query: string): unknown {
  try {
    return read(query);
  } catch (error) {
    assert.ok(error instanceof ProblemError);
    return error.members.errors;
  }
}

test("parameters have the types of their schemas", () => {
  assert.deepEqual(read("limit=7&radius=2.5&seats=true&q=%20jazz%20&from=2030-05-04"), {
    limit: 7,
    radius: 2.5,
    seats: true,
    q: "jazz",
    from: "2030-05-04",
  });
  assert.deepEqual(read("seats=false"), { seats: false });
});

test("absent, empty and unknown parameters are absent; of two the first one counts", () => {
  assert.deepEqual(read(""), {});
  assert.deepEqual(read("limit=&q=%20&utm=x&__proto__=1"), {});
  assert.deepEqual(read("limit=1&limit=2"), { limit: 1 });
});

const NO_TIME =
  "must be an RFC 3339 time, such as 2030-05-04T19:30:00Z (the + of an offset is %2B in a query)," +
  " or a day, such as 2030-05-04";

test("a time says of which zone it is, and a day exists", () => {
  const times = [
    ...["2026-12-20", "2026-12-20T18:30:00Z", "2026-12-20t18:30:00.25z"],
    ...["2026-12-20T18:30:00%2B02:00", "2028-02-29"],
  ];
  for (const from of times)
    assert.deepEqual(read(`from=${from}`), { from: decodeURIComponent(from) });
  const none = [
    ...[
      "2026-12-20T18:30:00.000",
      "2026-12-20T18:30",
      "2026-12-20 (hello)",
      "2026-12-20 18:30 PST",
    ],
    ...["2026-02-30", "2026-02-30T10:00:00Z", "2027-02-29", "2026-12-20T24:00:00Z", "2026-12"],
    ...["2026-12-20T18:30:00+02:00", "2026-12-20T18:30:00Z2026-12-20", "2026-12-20T"],
  ];
  for (const from of none) {
    assert.deepEqual(faultsOf(`from=${from}`), [{ path: "from", message: NO_TIME }], from);
  }
});

test("everything that is wrong is said at once, each parameter once", () => {
  const faults = faultsOf("limit=0&radius=x&seats=1&q=too-long&from=2030-13-01&near=1,2");
  assert.deepEqual(faults, [
    { path: "near", message: "is not available" },
    { path: "limit", message: "must be at least 1" },
    { path: "radius", message: "must be a number" },
    { path: "seats", message: "must be true or false" },
    { path: "q", message: "must have at most 5 characters" },
    { path: "from", message: NO_TIME },
  ]);
});

test("what is no whole number, and what PostgreSQL does not keep, is refused", () => {
  for (const limit of ["1.5", "1e2", "0x10", "9".repeat(400), "１", "-", "NaN"]) {
    const [fault] = faultsOf(`limit=${limit}`) as [{ message: string }];
    assert.equal(fault.message, "must be a whole number", limit);
  }
  assert.deepEqual(faultsOf("q=a%00b"), [
    { path: "q", message: "must be text without NUL characters" },
  ]);
});
