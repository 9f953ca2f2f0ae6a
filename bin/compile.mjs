/**
 * The program as JavaScript, beside its sources: every `.ts` file of the rooms with its types
 * blanked out, so that a place in a stack trace is the place in the source, and all else that lies
 * there as it is. Beside it, packages of very many modules as a few (bundle-packages.mjs).
 *
 *   node_modules/.cache/evently/<digest of the sources>/ { package.json, engine/, sql/, … }
 *
 * Loading 600 modules through a TypeScript loader takes two seconds of every start and a thread
 * beside each thread; compiling them all takes half a second, once.
 *
 * Invariant: a directory under its digest's name is complete; it gets the name when it is.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUNDLED_FROM, bundlePackages } from "./bundle-packages.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache/evently");
const ROOMS = ["engine", "sql", "workers", "gateway", "bench"];
/** Another version may write something else. */
const COMPILER = "node_modules/@swc/wasm-typescript/package.json";
/** What was compiled so long ago goes as soon as something else is. */
const KEPT_MS = 24 * 60 * 60 * 1_000;
/** Where a module is named: imported, or as a URL beside the one that names it. */
const MODULE_NAME = /((?:\bfrom|\bimport\(?|\bnew URL\()\s*"\.{1,2}\/[^"\n]*)\.ts"/g;

/**
 * The directory of the compiled program; compiles it if the sources are others than before. With
 * `tests`, these are compiled as well, into another directory.
 */
export async function compiled({ tests = false } = {}) {
  const sources = tests ? sourcesIn([...ROOMS, "tests"]) : sourcesIn(ROOMS).filter(isOfProgram);
  const target = join(CACHE, digestOf(sources));
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}`;
  try {
    await write(sources, draft);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Somebody else may have compiled the same.
    if (!existsSync(target)) throw error;
  }
  forgetOthers(target);
  return target;
}

/** Paths from the root, and what is in the files; in the order of their names. */
function sourcesIn(rooms) {
  const paths = rooms
    .filter((room) => existsSync(join(ROOT, room)))
    .flatMap((room) => readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));
  return ["package.json", ...paths.sort()].map((path) => ({
    path,
    content: readFileSync(join(ROOT, path)),
  }));
}

function isOfProgram({ path }) {
  return !path.endsWith(".test.ts") && !path.includes("/testing/");
}

function digestOf(sources) {
  const hash = createHash("sha256");
  const own = [COMPILER, "bin/compile.mjs", ...BUNDLED_FROM]
    .filter((path) => existsSync(join(ROOT, path)))
    .map((path) => ({ path, content: readFileSync(join(ROOT, path)) }));
  for (const { path, content } of [...own, ...sources]) {
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

async function write(sources, directory) {
  const [{ transformSync }] = await Promise.all([
    import("@swc/wasm-typescript"),
    bundlePackages(ROOT, directory),
  ]);
  const folders = new Set(sources.map(({ path }) => dirname(join(directory, path))));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  for (const { path, content } of sources) {
    const to = join(directory, path);
    if (path.endsWith(".ts")) {
      const { code } = transformSync(content.toString(), { mode: "strip-only", filename: path });
      writeFileSync(`${to.slice(0, -3)}.js`, withCompiledNames(code));
    } else if (path.endsWith(".mjs")) writeFileSync(to, withCompiledNames(content.toString()));
    else writeFileSync(to, content);
  }
}

const withCompiledNames = (code) => code.replace(MODULE_NAME, '$1.js"');

/** Other starts do the same at this moment, and somebody else's directory stays. */
function forgetOthers(target) {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    try {
      const isOld = Date.now() - statSync(path).mtimeMs > KEPT_MS;
      if (path !== target && isOld) rmSync(path, { recursive: true, force: true });
    } catch {
      // What was compiled is there: a start fails for nothing that is in its way.
    }
  }
}
