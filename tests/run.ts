/**
 * Runs the tests: `npm test`, or `npm test -- journal sql/` for the files whose path contains one
 * of the words. They run compiled, as the program itself does: a loader takes a second for each.
 * All files share one PostgreSQL, in which each makes a database of its own.
 */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../bench/root.ts";
import { startTestServer, TEST_DATABASE_URL } from "./support/database.ts";

const FOLDERS = ["engine", "workers", "gateway", "sql", "bench", "tests"];
/** Files at once: more would compete for the two cores that the slowest of them need. */
const CONCURRENCY = 2;

/** What node prints without being told, and what failed once more at the end. */
const REPORTERS = [
  `--test-reporter=${process.stdout.isTTY ? "spec" : "tap"}`,
  "--test-reporter-destination=stdout",
  `--test-reporter=${new URL("./support/failure-list.mjs", import.meta.url).href}`,
  "--test-reporter-destination=stderr",
];

function testFiles(words: readonly string[]): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }),
  )
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort();
}

/** Paths of the compiled files. */
async function compiledFiles(paths: readonly string[]): Promise<string[]> {
  const { compiled } = await import(pathToFileURL(join(ROOT, "bin/compile.mjs")).href);
  const directory: string = await compiled({ tests: true });
  return paths.map((path) => join(directory, path.replace(/\.ts$/, ".js")));
}

function runNode(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: "inherit" });
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    // Our end waits for the child's, so that the server is stopped after its last user.
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

const files = testFiles(process.argv.slice(2));
if (files.length === 0) {
  console.error("no test file matches");
  process.exitCode = 1;
} else {
  const server = await startTestServer();
  try {
    process.exitCode = await runNode(
      [
        "--test",
        `--test-concurrency=${CONCURRENCY}`,
        ...REPORTERS,
        ...(await compiledFiles(files)),
      ],
      { ...process.env, [TEST_DATABASE_URL]: server.url },
    );
  } finally {
    await server.stop();
  }
}
