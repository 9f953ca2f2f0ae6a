import { accessSync, constants, existsSync, statSync } from "node:fs";

const pathsIn = (text: string): string[] => text.split(",").map((path) => path.trim());

/** Paths of files that can be read, from a text with commas between; undefined: one is not. */
export function fontFiles(text: string): string[] | undefined {
  const paths = pathsIn(text);
  return paths.every((path) => faultOf(path) === null) ? paths : undefined;
}

/** Which of these paths leads to no font, and why. */
export function unreadableFont(text: string): string {
  const faults = pathsIn(text).flatMap((path) => {
    const fault = faultOf(path);
    return fault === null ? [] : [`${JSON.stringify(path)} ${fault}`];
  });
  return faults.join(", ");
}

function faultOf(path: string): string | null {
  if (!existsSync(path)) return "is not there";
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile() ? null : "is no file";
  } catch {
    return "can't be read";
  }
}
