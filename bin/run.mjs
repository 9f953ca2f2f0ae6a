/**
 * Runs a TypeScript module of this program, compiled:
 *
 *   node bin/run.mjs gateway/main.ts [argument …]
 *
 * Without a module it compiles and is done, for where nobody may write later (`npm run build`).
 */
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { compiled } from "./compile.mjs";

// V8 makes objects among the old ones where it has seen much survive its collections, as it may in
// a rush. Nothing of a request lives long: made there, it stays until the whole heap is collected,
// and keeps all that it refers to.
setFlagsFromString("--no-allocation-site-pretenuring");

const [node, , entry, ...args] = process.argv;
const directory = await compiled().catch(({ message }) => {
  console.error(`evently: the program could not be compiled: ${message}`);
  console.error("Where it may not be written, compile it beforehand: npm run build");
  process.exit(1);
});
if (entry !== undefined) {
  const path = relative(fileURLToPath(new URL("..", import.meta.url)), resolve(entry));
  const main = join(directory, path.replace(/\.ts$/, ".js"));
  process.argv = [node, main, ...args];
  await import(pathToFileURL(main).href);
}
