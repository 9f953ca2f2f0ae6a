/**
 * Packages of hundreds of modules as a few files. Node.js takes half a millisecond of processor
 * time for each module that it loads, in every thread that does. And before it imports a CommonJS
 * module it looks through all of its text for names: for a large one V8 compiles what looks, for
 * 0.08 s of a processor, and again whenever that turns out not to fit.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a node loads of them at its start, as their `exports` name it. */
const BUNDLED = {
  typebox: [".", "./compile", "./error", "./format", "./system"],
  stripe: ["."],
  liquidjs: ["."],
  "ipaddr.js": ["."],
};

/** Files that say which versions the bundles are made of, and by what. */
export const BUNDLED_FROM = [
  "bin/bundle-packages.mjs",
  ...["esbuild", ...Object.keys(BUNDLED)].map((name) => `node_modules/${name}/package.json`),
];

/**
 * Writes them below `node_modules` in the directory: modules there find these before those of the
 * program's root. What two names of a package share is there once.
 */
export async function bundlePackages(root, directory) {
  const names = Object.keys(BUNDLED).filter((name) => existsSync(join(root, "node_modules", name)));
  if (names.length === 0) return;
  const esbuild = await import("esbuild");
  try {
    await Promise.all(names.map((name) => bundle(esbuild, name, { root, directory })));
  } finally {
    // Otherwise its process stays for as long as ours.
    await esbuild.stop();
  }
}

async function bundle({ build }, name, { root, directory }) {
  const to = join(directory, "node_modules", name);
  const files = BUNDLED[name].map((path) => [path, path === "." ? "index" : path.slice(2)]);
  await build({
    entryPoints: files.map(([path, file]) => ({ in: join(name, path), out: file })),
    absWorkingDir: root,
    outdir: to,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    mainFields: ["module", "main"],
    logLevel: "silent",
  });
  const path = join(root, "node_modules", name, "package.json");
  const { version, license } = JSON.parse(readFileSync(path, "utf8"));
  const exports = Object.fromEntries(files.map(([from, file]) => [from, `./${file}.mjs`]));
  writeFileSync(join(to, "package.json"), JSON.stringify({ name, version, license, exports }));
}
