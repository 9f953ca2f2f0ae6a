import { existsSync } from "node:fs";

/** Paths of files that are there, from a text with commas between; undefined: one is not. */
export function fontFiles(text: string): string[] | undefined {
  const paths = text.split(",").map((path) => path.trim());
  return paths.every((path) => existsSync(path)) ? paths : undefined;
}
