import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_ID } from "../../../engine/testing/fixtures.ts";
import { parseToolArguments } from "./tool-arguments.ts";
import { ToolError } from "./tool-errors.ts";

const parse = (line: string) => parseToolArguments(line.split(" ").filter((word) => word !== ""));

test("a command is its directory and what was asked", () => {
  const common = { dir: ".data", json: false };
  assert.deepEqual(parse("inspect .data --segment 3 --entries --shard 0 --json"), {
    ...common,
    kind: "inspect",
    json: true,
    segment: 3,
    shard: 0,
    eventId: null,
    entries: true,
  });
  assert.deepEqual(parse("verify .data --watermarks 0:12,3:4"), {
    ...common,
    kind: "verify",
    databaseUrl: null,
    watermarks: new Map([
      [0, 12],
      [3, 4],
    ]),
  });
  const at = "--at 2026-03-05T12:00:00+01:00";
  assert.deepEqual(parse(`replay .data --event ${EVENT_ID} --until-seq 7 ${at} --facts`), {
    ...common,
    kind: "replay",
    eventId: EVENT_ID,
    untilSeq: 7,
    atMs: Date.UTC(2026, 2, 5, 11),
    facts: true,
    databaseUrl: null,
  });
});

test("no words, or a call for help, ask for the usage", () => {
  assert.deepEqual([parse(""), parse("inspect --help")], [{ kind: "help" }, { kind: "help" }]);
});

const refused: readonly (readonly [line: string, message: RegExp])[] = [
  ["dump .data", /"dump" is none of inspect, verify and replay/],
  ["toString .data", /"toString" is none of/],
  ["inspect", /inspect needs a directory/],
  ["inspect a b", /"b" is one word too many/],
  ["inspect a --facts", /inspect does not take --facts/],
  ["inspect a --nonsense", /--nonsense/],
  ["inspect a --segment x", /--segment takes a whole number, not "x"/],
  ["inspect a --shard", /--shard/],
  ["inspect a --event 7", /--event takes an event's id, not "7"/],
  ["verify a --watermarks 0:1,2", /--watermarks takes pairs as 0:120,1:7, not "2"/],
  ["verify a --watermarks 0:1 --database postgres://h/d", /give one of them/],
  ["verify a --database mysql://u:secret@h/d", /--database takes a URL that starts with postgres/],
  ["replay a", /replay needs --event ID/],
  [`replay a --event ${EVENT_ID} --until-seq -1`, /until-seq/],
  [`replay a --event ${EVENT_ID} --at yesterday`, /--at takes a time as/],
  [`replay a --event ${EVENT_ID} --at 2026-13-05T12:00:00Z`, /--at takes a time as/],
];

for (const [line, message] of refused) {
  test(`"${line}" is refused with the reason`, () => {
    assert.throws(
      () => parse(line),
      (error) => {
        assert(error instanceof ToolError && error.code === "usage");
        assert.match(error.message, message);
        assert(!error.message.includes("secret"));
        return true;
      },
    );
  });
}
