import { fileURLToPath } from "node:url";

const COMPILED = /node_modules\/\.cache\/evently\/[^/]+\//;

/** The program's folder, also for what runs compiled: that lies in a cache (bin/compile.mjs). */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(COMPILED, "");

/** The source of a module that is named by its path, compiled or not; from the program's folder. */
export function sourceOf(path: string): string {
  const own = path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
  return COMPILED.test(own) ? own.replace(COMPILED, "").replace(/\.js$/, ".ts") : own;
}
