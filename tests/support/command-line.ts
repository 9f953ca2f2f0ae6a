/** Command lines of what `npm run` starts: --help, and a line for what is wrong with them. */
import { existsSync } from "node:fs";

/** What was asked for makes no sense; the message is for who asked. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Tool {
  /** Of the script in package.json. */
  readonly name: string;
  /** Everything that it takes, as lines of text. */
  readonly usage: string;
}

/** Where a process ends, and what it says. */
export interface Ending {
  say(stream: "stdout" | "stderr", text: string): void;
  exit(code: number): never;
}

const ours: Ending = {
  say: (stream, text) => process[stream].write(`${text}\n`),
  exit: (code) => process.exit(code),
};

/**
 * What `read` makes of the arguments. Ends the process with 0 where help is asked for, and with 2
 * where `read` throws a UsageError, or parseArgs finds something that it does not know.
 */
export function commandLine<T>(
  { name, usage }: Tool,
  read: (args: string[]) => T,
  args: string[] = process.argv.slice(2),
  ending: Ending = ours,
): T {
  if (args.includes("--help") || args.includes("-h")) {
    ending.say("stdout", usage.trim());
    return ending.exit(0);
  }
  try {
    return read(args);
  } catch (error) {
    if (!isUsage(error)) throw error;
    ending.say("stderr", `${error.message}\nmore: npm run ${name} -- --help`);
    return ending.exit(2);
  }
}

function isUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return (
    error instanceof TypeError && "code" in error && /^ERR_PARSE_ARGS_/.test(String(error.code))
  );
}

/** A whole number from 1 on, or from `min`. */
export function wholeNumber(name: string, text: string, min = 1): number {
  if (/^\d{1,10}$/.test(text) && Number(text) >= min) return Number(text);
  throw new UsageError(`${name} is a whole number from ${min} on, not "${text}"`);
}

export function oneOf<Word extends string>(
  name: string,
  text: string,
  words: readonly Word[],
): Word {
  const word = words.find((one) => one === text);
  if (word === undefined) throw new UsageError(`${name} is ${words.join(" or ")}, not "${text}"`);
  return word;
}

export function readableFile(name: string, path: string): string {
  if (existsSync(path)) return path;
  throw new UsageError(`${name} is a file, and ${path} is not there`);
}
