/**
 * Loads a module in a thread, which does not inherit the loader that `--import tsx` gave to the
 * main thread. Compiled (bin/compile.mjs) it is JavaScript, and needs none; where the program runs
 * as TypeScript, as in tests, the thread gets a loader of its own.
 */
export async function loadModule(url) {
  if (url.endsWith(".ts")) {
    const { register } = await import("tsx/esm/api");
    register();
  }
  return import(url);
}
