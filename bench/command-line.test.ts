import assert from "node:assert/strict";
import { test } from "node:test";
import { helpText, parseCommand, reportedOptions, wantsHelp } from "./command-line.ts";
import { allScenarios } from "./registry.ts";
import { type ListedScenario, UsageError } from "./scenario.ts";
import { NO_OPTIONS } from "./testing/no-options.ts";

const scenario: ListedScenario = {
  name: "sale",
  summary: "sells",
  takes: ["url", "connections", "duration", "seats", "rate"],
  durationMax: 1_500,
  extras: [{ name: "rounds", value: "N", help: "how often" }],
  run: () => Promise.reject(new Error("is not run here")),
};
const parse = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  parseCommand(scenario, args, env);

test("what is not given is left to the scenario", () => {
  const { options, json, html } = parse([]);
  assert.deepEqual(options, NO_OPTIONS);
  assert.deepEqual([json, html], [null, null]);
});

test("options are read, the scenario's own among them", () => {
  const args = "--url http://localhost:3000/ --duration 2.5 --seats 100 --rounds 3 --json a.json";
  const { options, json } = parse(args.split(" "));
  assert.equal(options.url, "http://localhost:3000");
  assert.equal(options.durationSeconds, 2.5);
  assert.equal(options.seats, 100);
  assert.deepEqual(options.extra, { rounds: "3" });
  assert.equal(json, "a.json");
});

test("who the bench is comes from options or the environment, and is never half of it", () => {
  const env = { BENCH_EMAIL: "a@example.org", BENCH_PASSWORD: "p", BENCH_OPS_TOKEN: "t" };
  const url = ["--url", "http://localhost:3000"];
  const { access } = parse([...url, "--password", "other"], env).options;
  assert.deepEqual(access, { email: "a@example.org", password: "other", opsToken: "t" });
  assert.throws(() => parse([...url, "--email", "a@example.org"]), UsageError);
});

test("what cannot be meant is refused with a sentence that names the option", () => {
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [["--connections", "0"], /--connections is a whole number from 1/],
    [["--connections", "1e3"], /--connections/],
    [["--connections=999999999"], /--connections/],
    [["--duration", "-1"], /duration/],
    [["--duration", "0"], /--duration is a number above 0/],
    [["--rate", "NaN"], /--rate/],
    [["--url", "localhost"], /--url is like/],
    [["--url", "http://h/path"], /--url is like/],
    [["--url", "ftp://h"], /--url is like/],
    [["--axis", "shards"], /--axis/],
    [["hold"], /hold/],
    [["--json", ""], /--json is empty/],
    [["--password", "p"], /--password is for a server of --url/],
    [["--duration", "1501"], /--duration is at most 1500 here.* access tokens end after 1800 s/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(
      () => parse(args),
      (error) => error instanceof UsageError && message.test(error.message),
      args.join(" "),
    );
  }
});

test("what a scenario would ignore is refused, with what it takes", () => {
  const takes = "--url --connections --duration --seats --rate --email --password --ops-token";
  for (const ignored of ["events", "seed", "axis"]) {
    assert.throws(
      () => parse([`--${ignored}`, "7"]),
      (error) =>
        error instanceof UsageError &&
        error.message.includes(`--${ignored}`) &&
        error.message.includes(`sale takes ${takes} --rounds --json --html`),
    );
  }
  const alone: ListedScenario = { ...scenario, takes: [], durationMax: null };
  for (const one of ["url", "email", "duration", "seats", "rate", "connections"]) {
    assert.throws(() => parseCommand(alone, [`--${one}`, "7"], {}), {
      message: `sale takes no --${one}\nsale takes --rounds --json --html`,
    });
  }
});

test("a report names what was given, and nothing that the scenario does not take", () => {
  const args = "--duration 2.5 --rate 7 --rounds 3".split(" ");
  assert.deepEqual(reportedOptions(parse(args)), {
    url: null,
    connections: null,
    durationSeconds: 2.5,
    seats: null,
    ratePerSecond: 7,
    rounds: "3",
  });
});

test("whoever takes a duration and is not in process has tokens for it, or renews them", async () => {
  const known = await allScenarios();
  const most = known.flatMap(({ name, takes, durationMax }) =>
    takes.includes("duration") ? [[name, durationMax] as const] : [],
  );
  const unbounded = most.filter(([, durationMax]) => durationMax === null).map(([name]) => name);
  assert.deepEqual(unbounded, ["soak", "engine", "machine"]);
  for (const [name, durationMax] of most) {
    assert.ok(durationMax === null || (durationMax >= 200 && durationMax <= 1_500), name);
  }
});

test("help lists scenarios and every option, those of one scenario apart", () => {
  assert.ok(wantsHelp(["--help"]) && wantsHelp(["sale", "-h"]) && wantsHelp(["help"]));
  assert.ok(!wantsHelp(["sale"]));
  const help = helpText([scenario]);
  assert.match(help, /^ {2}sale {2}sells$/m);
  assert.match(help, /options of sale:\n {2}--rounds N/);
  assert.match(help, /--ops-token/);
});
