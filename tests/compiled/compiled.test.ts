/** The program as it is started: compiled beside its sources, once, and anew when they change. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { ROOT } from "../../bench/root.ts";

const run = promisify(execFile);
const made: string[] = [];
after(() => {
  for (const directory of made) fs.rmSync(directory, { recursive: true, force: true });
});

/** Not where the compiler of this file would take them for its own. */
const [TWICE, LATER] = ["twice", "later"].map((name) => `"./${name}.ts"`);

const MAIN = `import { twice } from ${TWICE};

interface Said {
  readonly text: string;
}
const said: Said = { text: process.argv.slice(2).join(" ") };
if (said.text === "fail") throw new Error("on line 7");
const later = await import(${LATER});
console.log(twice(said.text), later.name, new URL(${TWICE}, import.meta.url).href);
`;

/** A program of three modules, with a compiler of its own. */
function smallProgram(): string {
  const root = fs.mkdtempSync(join(tmpdir(), "evently-compiled-"));
  made.push(root);
  const files: Readonly<Record<string, string>> = {
    "package.json": `{ "type": "module" }`,
    "engine/main.ts": MAIN,
    "engine/twice.ts": "export const twice = (text: string): string => text + text;\n",
    "engine/later.ts": `export const name = "first";\n`,
    "engine/never.test.ts": "this is no program",
  };
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(join(root, dirname(path)), { recursive: true });
    fs.writeFileSync(join(root, path), content);
  }
  fs.cpSync(join(ROOT, "bin"), join(root, "bin"), { recursive: true });
  fs.mkdirSync(join(root, "node_modules"));
  fs.symlinkSync(join(ROOT, "node_modules/@swc"), join(root, "node_modules/@swc"));
  return root;
}

const start = (root: string, ...args: string[]) =>
  run(process.execPath, [join(root, "bin/run.mjs"), join(root, "engine/main.ts"), ...args]);

const cacheOf = (root: string): string => join(root, "node_modules/.cache/evently");

test("a program runs compiled, with its arguments, and is compiled once", async () => {
  const root = smallProgram();
  const all = await Promise.all([start(root, "a", "b"), start(root, "a", "b")]);
  for (const { stdout } of all) assert.match(stdout, /^a ba b first file:.*\/engine\/twice\.js\n$/);
  const [name, ...others] = fs.readdirSync(cacheOf(root));
  assert.ok(name !== undefined && others.length === 0, "two at once leave one, and no drafts");
  const twice = join(cacheOf(root), name, "engine/twice.js");
  const before = fs.statSync(twice).mtimeMs;
  await start(root, "again");
  assert.equal(fs.statSync(twice).mtimeMs, before);
});

test("whatever changes in the sources is compiled anew; what is old goes", async () => {
  const root = smallProgram();
  await start(root);
  const [first = ""] = fs.readdirSync(cacheOf(root));
  const longAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1_000);
  fs.utimesSync(join(cacheOf(root), first), longAgo, longAgo);
  fs.writeFileSync(join(root, "engine/later.ts"), `export const name = "second";\n`);
  const { stdout } = await start(root, "x");
  assert.match(stdout, /^xx second /);
  const left = fs.readdirSync(cacheOf(root));
  assert.equal(left.length, 1);
  assert.ok(!left.includes(first));
});

test("what of the old can't be removed, or went meanwhile, keeps no program from starting", async () => {
  const root = smallProgram();
  fs.mkdirSync(cacheOf(root), { recursive: true });
  // As a directory that another start removes between being listed and being looked at.
  fs.symlinkSync("nowhere", join(cacheOf(root), "gone"));
  const { stdout } = await start(root, "x");
  assert.match(stdout, /^xx first /);
});

test("a stack trace names the line of the source", async () => {
  const root = smallProgram();
  await assert.rejects(start(root, "fail"), ({ stderr }: { stderr: string }) => {
    assert.match(stderr, /Error: on line 7\n\s+at .*\/engine\/main\.js:7:33/);
    return true;
  });
});

test("what can't be compiled, or written, is said in a line", async () => {
  const root = smallProgram();
  fs.writeFileSync(join(root, "node_modules/.cache"), "in the way");
  await assert.rejects(start(root), ({ code, stderr }: { code: number; stderr: string }) => {
    assert.equal(code, 1);
    assert.match(stderr, /^evently: the program could not be compiled: .*node_modules\/\.cache/);
    assert.match(stderr, /npm run build/);
    return true;
  });
  fs.rmSync(join(root, "node_modules/.cache"));
  fs.writeFileSync(join(root, "engine/later.ts"), "export const = 1;\n");
  await assert.rejects(start(root), ({ stderr }: { stderr: string }) => {
    assert.match(stderr, /^evently: the program could not be compiled: /);
    return true;
  });
  const left = fs.existsSync(cacheOf(root)) ? fs.readdirSync(cacheOf(root)) : [];
  assert.deepEqual(left, [], "half of a program is not kept");
});

test("this program: packages of many modules are few files, and each is there once", async () => {
  const module = await import(pathToFileURL(join(ROOT, "bin/compile.mjs")).href);
  const directory: string = await module.compiled();
  const packages = join(directory, "node_modules");
  assert.deepEqual(fs.readdirSync(packages).sort(), ["ipaddr.js", "liquidjs", "stripe", "typebox"]);
  for (const name of fs.readdirSync(packages)) {
    const files = fs.readdirSync(join(packages, name));
    assert.ok(files.length < 20, `${name}: ${files.length} files`);
    const manifest = (root: string): { version: string } =>
      JSON.parse(fs.readFileSync(join(root, name, "package.json"), "utf8"));
    assert.equal(manifest(packages).version, manifest(join(ROOT, "node_modules")).version);
  }
  const script = `
    import Format from "typebox/format";
    import Type from "typebox";
    import { Compile } from "typebox/compile";
    Format.Set("even", (text) => text.length % 2 === 0);
    const schema = Compile(Type.String({ format: "even" }));
    console.log(import.meta.resolve("typebox"), schema.Check("ab"), schema.Check("abc"));`;
  const path = join(directory, "shared-formats.mjs");
  fs.writeFileSync(path, script);
  try {
    const { stdout } = await run(process.execPath, [path]);
    assert.equal(stdout, `${pathToFileURL(join(packages, "typebox/index.mjs"))} true false\n`);
  } finally {
    fs.rmSync(path);
  }
});

test("this program: every line stays where it is, and no module is named as TypeScript", async () => {
  const module = await import(pathToFileURL(join(ROOT, "bin/compile.mjs")).href);
  const directory: string = await module.compiled();
  const paths = fs.readdirSync(directory, { recursive: true, encoding: "utf8" });
  const compiled = paths.filter((path) => /^(?!node_modules\b).*\.js$/.test(path));
  assert.ok(compiled.length > 500, `${compiled.length} modules`);
  for (const path of compiled) {
    const code = fs.readFileSync(join(directory, path), "utf8");
    const source = fs.readFileSync(join(ROOT, `${path.slice(0, -3)}.ts`), "utf8");
    assert.equal(code.split("\n").length, source.split("\n").length, path);
    assert.doesNotMatch(code, /(?:from|import\(?|URL\()\s*["'`]\.[^"'`\n]*\.ts["'`]/, path);
  }
});
