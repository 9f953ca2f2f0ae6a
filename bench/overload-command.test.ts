import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCESS_TOKEN_SECONDS } from "../engine/limits.ts";
import { parseOverload } from "./overload-command.ts";
import { UsageError } from "./scenario.ts";

test("seconds and factor have defaults, and are read in this order", () => {
  assert.deepEqual(parseOverload([]), { seconds: 10, factor: 10 });
  assert.deepEqual(parseOverload(["30"]), { seconds: 30, factor: 10 });
  assert.deepEqual(parseOverload(["2.5", "5"]), { seconds: 2.5, factor: 5 });
});

test("stretches that outlast the buyers' tokens are refused, and what cannot be meant", () => {
  assert.equal(parseOverload(["300"]).seconds, 300);
  assert.ok(5 * 300 < ACCESS_TOKEN_SECONDS);
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [["301"], /seconds: a number from 1 to 300, not "301"/],
    [["0"], /seconds/],
    [["ten"], /seconds/],
    [["--seconds"], /seconds/],
    [["10", "1"], /the factor: a number from 2 to 100, not "1"/],
    [["10", "1e3"], /the factor/],
    [["10", "5", "x"], /not "x"/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(
      () => parseOverload(args),
      (error) => error instanceof UsageError && message.test(error.message),
      args.join(" "),
    );
  }
});
