/** The house rules that a machine can keep. A failure lists every place that breaks the rule. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { ROOT } from "../bench/root.ts";
import { filesEndingIn, linesMatching, readSource } from "./support/source-scan.ts";

const COLUMNS_MAX = 100;
const LINES_MAX = 400;
const TEST_LINES_MAX = 600;
/** A layer may import itself and what stands before it. */
const LAYERS = ["engine", "sql", "workers", "gateway", "bench", "tests"];

const sources = filesEndingIn(".ts", ".mjs").map(readSource);
const byPath = new Map(sources.map((source) => [source.path, source]));

const layerOf = (path: string): string => path.split("/")[0] ?? "";
const isTest = (path: string): boolean => path.endsWith(".test.ts");
/** Where the program runs as TypeScript, as in tests, and needs a loader. */
const SOURCE_LOADER = "workers/load-module.mjs";
/** Tests, and what only tests may use. */
const isForTests = (path: string): boolean =>
  isTest(path) || path.startsWith("tests/") || path.includes("/testing/");
const product = sources.filter(({ path }) => !isForTests(path));
const engine = product.filter(({ path }) => layerOf(path) === "engine");

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Package;
const scripts = Object.values(manifest.scripts).join("\n");

function refuse(violations: readonly string[], rule: string): void {
  const shown = violations.map((violation) => `\n  ${violation}`).join("");
  if (violations.length > 0) assert.fail(`${rule}:${shown}`);
}

test("the engine is pure: no clock, randomness, input, output or waiting", () => {
  const impure = [
    /\b(?:Date|performance|crypto|process|console|globalThis|fetch)\b/,
    /\bMath\.random\b/,
    /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/,
    /\b(?:async|await|Promise)\b/,
  ];
  const uses = engine.flatMap((file) => impure.flatMap((pattern) => linesMatching(file, pattern)));
  const imports = engine.flatMap(({ path, imports }) =>
    imports.filter((name) => !name.startsWith(".")).map((name) => `${path} imports ${name}`),
  );
  refuse([...uses, ...imports], "time and fresh ids reach engine/ in commands, and nothing else");
});

test("imports flow engine, sql, workers, gateway, and never back", () => {
  const violations = sources.flatMap(({ path, references }) =>
    references
      .filter((to) => !isForTests(path) && LAYERS.indexOf(layerOf(to)) > layer(path))
      .map((to) => `${path} imports ${to}`),
  );
  refuse(violations, `a layer imports itself and those before it (${LAYERS.join(", ")})`);
});

function layer(path: string): number {
  return LAYERS.indexOf(layerOf(path));
}

test("only tests import what is for tests", () => {
  const violations = sources
    .filter(({ path }) => !isForTests(path))
    .flatMap(({ path, references }) =>
      references.filter(isForTests).map((to) => `${path} imports ${to}`),
    );
  const ofTests = sources.flatMap(({ path, references }) =>
    references.filter(isTest).map((to) => `${path} imports ${to}`),
  );
  refuse([...violations, ...ofTests], "a test is imported by nobody, its support by tests alone");
});

test("no module imports itself, however far round", () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) cycles.push([...way.slice(at), path].join(" -> "));
    if (at >= 0 || done.has(path)) return;
    for (const specifier of byPath.get(path)?.imports ?? []) {
      if (!specifier.startsWith(".")) continue;
      visit(normalize(join(dirname(path), specifier)), [...way, path]);
    }
    done.add(path);
  };
  for (const { path } of sources) visit(path, []);
  refuse(cycles, "imports have no cycles");
});

test("every import of ours names a file that exists, with its ending", () => {
  const violations = sources.flatMap(({ path, imports }) =>
    imports
      .filter((name) => name.startsWith("."))
      .filter((name) => !existsSync(join(ROOT, dirname(path), name)) || !/\.\w+$/.test(name))
      .map((name) => `${path} imports ${name}`),
  );
  refuse(violations, "an import is the path of a file");
});

test("files are named for their role, in kebab-case", () => {
  const vague = /^(?:index|utils?|helpers?|common|misc|shared|types)\./;
  const name = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*\.(?:ts|mjs)$/;
  const violations = sources
    .map(({ path }) => path)
    .filter((path) => vague.test(basename(path)) || !name.test(basename(path)));
  refuse(violations, "a name says what the file is for: no barrels, no utils, no helpers");
});

test("every file is in use", () => {
  const commands = `${scripts}\n${readFileSync(join(ROOT, "Dockerfile"), "utf8")}`;
  const entries = [...commands.matchAll(/[\w./-]+\.(?:ts|mjs)/g)].map(([path]) => path);
  const used = reachableFrom(entries.filter((path) => !isForTests(path)));
  const dead = product.filter(({ path }) => !used.has(path)).map(({ path }) => path);
  const tests = sources.filter(({ path }) => isTest(path)).map(({ path }) => path);
  const usedByTests = reachableFrom([...entries, ...tests]);
  const support = sources.filter(({ path }) => isForTests(path) && !usedByTests.has(path));
  refuse([...dead, ...support.map(({ path }) => path)], "whatever no script leads to is deleted");
});

function reachableFrom(entries: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    open.push(...(byPath.get(path)?.references ?? []));
  }
  return seen;
}

test(`lines have at most ${COLUMNS_MAX} columns`, () => {
  const violations = [...sources, ...filesEndingIn(".sql").map(readSource)].flatMap((file) =>
    file.text.split("\n").flatMap((line, index) => {
      // The name of a test is one sentence, and a sentence is not broken.
      const isName = /^\s*test\(["`]/.test(line);
      const canBreak = /\S\s+\S/.test(line) && !line.includes("http") && !isName;
      const isLong = [...line].length > COLUMNS_MAX && canBreak;
      return isLong ? [`${file.path}:${index + 1} has ${[...line].length}`] : [];
    }),
  );
  refuse(violations, "a line fits beside another (addresses and what has no gap may be longer)");
});

test(`files have at most ${LINES_MAX} lines, tests ${TEST_LINES_MAX}`, () => {
  const violations = sources.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - 1;
    return lines > (isForTests(path) ? TEST_LINES_MAX : LINES_MAX) ? [`${path} has ${lines}`] : [];
  });
  refuse(violations, "a long file has more than one role");
});

test("one file knows the HTTP library", () => {
  const knowing = sources
    .filter(({ imports }) => imports.some((name) => /uwebsockets/i.test(name)))
    .map(({ path }) => path)
    // The ceiling of the benchmarks is that library, bare.
    .filter((path) => path !== "bench/baselines/echo.ts");
  assert.deepEqual(knowing, ["gateway/http/server.ts"], "who imports uWebSockets.js");
});

test("types are not escaped from", () => {
  const escapes = [
    /\bas any\b|[:<,|&(]\s*any\b|\bany\[\]/,
    /\bas unknown as\b|\bas never\b/,
    // A value, an exclamation mark, and no comparison after it.
    /[\w)\]]!(?:[.,;)\]}[]|$|\s(?!=))/,
    /^\s*(?:export\s+)?(?:const\s+)?(?:enum|namespace)\s/,
  ];
  const violations = sources.flatMap((file) =>
    escapes.flatMap((pattern) => linesMatching(file, pattern)),
  );
  refuse(violations, "no any, no double cast, no non-null assertion, only erasable syntax");
});

test("nothing is switched off or left for later", () => {
  const marks =
    /@ts-(?:ignore|nocheck|expect-error)|biome-ignore|eslint-disable|\b(?:TODO|FIXME)\b/;
  const self = "tests/tidy.test.ts";
  const inText = sources
    .filter(({ path }) => path !== self)
    .flatMap(({ path, text }) =>
      text
        .split("\n")
        .flatMap((line, n) => (marks.test(line) ? [`${path}:${n + 1}: ${line}`] : [])),
    );
  const skipped = sources
    .filter(({ path }) => isTest(path))
    .flatMap((file) => linesMatching(file, /\.(?:only|skip|todo)\b\s*[(=]|\b(?:only|skip|todo):/));
  refuse([...inText, ...skipped], "every check and every test runs");
});

test("every dependency is imported", () => {
  const namesOf = (path: string, imports: readonly string[]): string[] =>
    imports.map((name) => `${isForTests(path) || layerOf(path) === "bench" ? "dev" : ""} ${name}`);
  const imported = sources.flatMap(({ path, imports }) => namesOf(path, imports));
  const isImported = (name: string, kinds: readonly string[]): boolean =>
    kinds.some((kind) =>
      imported.some((i) => i === `${kind} ${name}` || i.startsWith(`${kind} ${name}/`)),
    );
  const unused = Object.keys(manifest.dependencies).filter(
    (name) => !isImported(name, [""]) && !scripts.includes(`--import ${name}`),
  );
  const tools: Readonly<Record<string, string>> = {
    "@biomejs/biome": "biome ",
    typescript: "tsc ",
  };
  const unusedDev = Object.keys(manifest.devDependencies).filter((name) => {
    const tool = tools[name];
    if (tool !== undefined) return !scripts.includes(tool);
    const typed = name.startsWith("@types/") ? name.slice("@types/".length) : name;
    return typed !== "node" && !isImported(typed, ["", "dev"]);
  });
  refuse([...unused, ...unusedDev], "what nothing imports is not depended on");
});

test("what the product imports is a dependency, not a tool of development", () => {
  const violations = product
    .filter(({ path }) => layerOf(path) !== "bench" && path !== SOURCE_LOADER)
    .flatMap(({ path, imports }) =>
      imports
        .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
        .filter((name) => !(packageOf(name) in manifest.dependencies))
        .map((name) => `${path} imports ${name}`),
    );
  refuse(violations, "npm ci --omit=dev installs everything that npm start needs");
});

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

test("relative links in the documents point to files", () => {
  const violations = filesEndingIn(".md").flatMap((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target.replace(/#.*$/, ""))
      .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(ROOT, dirname(path), target)))
      .map((target) => `${path} links to ${target}`);
  });
  refuse(violations, "a document's links lead somewhere");
});

test("files that the documents name in code exist", () => {
  const folders = new RegExp(`^(?:${LAYERS.join("|")})/[\\w./-]+\\.(?:ts|mjs|sql|json)$`);
  const violations = filesEndingIn(".md").flatMap((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    return [...text.matchAll(/`([^`\n]+)`/g)]
      .map(([, named = ""]) => named)
      .filter((named) => folders.test(named) && !existsSync(join(ROOT, named)))
      .map((named) => `${path} names ${named}`);
  });
  refuse(violations, "a document names files as they are");
});
