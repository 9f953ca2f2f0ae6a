import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError, OPTIONS } from "./config.ts";

/** Makes the directory where it is missing. Throws ConfigError where it can't be used. */
export function prepareDataDir(path: string): void {
  try {
    make(path);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { name, accepts } = OPTIONS.dataDir;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${name} accepts ${accepts}: ${reason}`, { cause });
  }
}

/** One directory at a time: told to make all of them under /proc, Node tries for ever. */
function make(path: string): void {
  if (isDirectory(path)) return;
  if (dirname(path) !== path) make(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Made by somebody else meanwhile.
    if (!isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
