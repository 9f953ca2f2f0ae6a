/** Reads the repository's own files for the tests that keep the house rules. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";
import { ROOT } from "../../bench/root.ts";

const NOT_OURS = new Set(["node_modules", ".git", ".data", "plans"]);

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments, and what is inside quotes, blanked out: same lines, same columns. */
  readonly code: string;
  /** Module specifiers of every import and re-export, static or dynamic. */
  readonly imports: readonly string[];
  /** Paths, from the root, of files of ours that are imported, or named in quotes as `./x.ts`. */
  readonly references: readonly string[];
}

/** Paths of all files of ours with one of these endings, from the root. */
export function filesEndingIn(...endings: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!NOT_OURS.has(entry.name)) visit(path);
      } else if (endings.some((ending) => entry.name.endsWith(ending))) {
        found.push(relative(ROOT, path).split(sep).join("/"));
      }
    }
  };
  visit(ROOT);
  return found.sort();
}

export function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), "utf8");
  const code = blank(text);
  const imports: string[] = [];
  const references = new Set<string>();
  // A specifier is looked for where the code has its keyword: a commented-out import is none.
  const importing = /\b(?:from|import(?:\.meta\.resolve)?)\s*\(?\s*"([^"]+)"/g;
  for (const match of text.matchAll(importing)) {
    const keyword = match[0].startsWith("from") ? "from" : "import";
    const specifier = match[1];
    if (specifier === undefined || !code.startsWith(keyword, match.index)) continue;
    imports.push(specifier);
    if (specifier.startsWith(".")) references.add(resolved(path, specifier));
  }
  for (const match of text.matchAll(/"(\.{1,2}\/[^"\s]+\.(?:ts|mjs))"/g)) {
    const named = match[1];
    if (named !== undefined && code[match.index] === '"') references.add(resolved(path, named));
  }
  return { path, text, code, imports, references: [...references] };
}

function resolved(from: string, specifier: string): string {
  return normalize(join(dirname(from), specifier))
    .split(sep)
    .join("/");
}

/**
 * Blanks out comments and the insides of quotes and of regular expressions. A template's
 * expressions stay, since they are code. Not a parser: a slash begins an expression after whatever
 * can't end a value.
 */
function blank(text: string): string {
  const out = text.split("");
  const templates: number[] = [];
  let braces = 0;
  const clear = (from: number, to: number): void => {
    for (let i = from; i < to; i += 1) if (out[i] !== "\n") out[i] = " ";
  };
  /** Blanks out a template's text from `start` on; returns where code goes on. */
  const template = (start: number): number => {
    let end = start;
    while (end < text.length && text[end] !== "`") {
      if (text.startsWith("${", end)) {
        templates.push(braces);
        clear(start, end);
        return end + 2;
      }
      end += text[end] === "\\" ? 2 : 1;
    }
    clear(start, end);
    return end + 1;
  };
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    const end = endOfOpaque(text, at);
    if (end !== null) {
      const isComment = text.startsWith("//", at) || text.startsWith("/*", at);
      clear(isComment ? at : at + 1, isComment ? end : end - 1);
      at = end;
    } else if (char === "`") {
      at = template(at + 1);
    } else if (char === "}" && templates.at(-1) === braces) {
      templates.pop();
      at = template(at + 1);
    } else {
      if (char === "{") braces += 1;
      if (char === "}") braces -= 1;
      at += 1;
    }
  }
  return out.join("");
}

/** Where the comment, text or regular expression that begins at `at` ends; null: none begins. */
function endOfOpaque(text: string, at: number): number | null {
  const rest = text.slice(at, at + 4_000);
  const match =
    /^\/\/[^\n]*/.exec(rest) ??
    /^\/\*[\s\S]*?\*\//.exec(rest) ??
    /^"(?:[^"\\\n]|\\.)*"/.exec(rest) ??
    /^'(?:[^'\\\n]|\\.)*'/.exec(rest);
  if (match !== null) return at + match[0].length;
  if (rest[0] !== "/" || !/(?:^|[=(,:;!&|?{}[\n>]|return)\s*$/.test(text.slice(0, at).slice(-40))) {
    return null;
  }
  const regex = /^\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//.exec(rest);
  return regex === null ? null : at + regex[0].length;
}

/** Line (from 1) and text of every line of `code` that the pattern matches. */
export function linesMatching(file: SourceFile, pattern: RegExp): string[] {
  const lines = file.text.split("\n");
  return file.code.split("\n").flatMap((line, index) => {
    return pattern.test(line) ? [`${file.path}:${index + 1}: ${lines[index]?.trim()}`] : [];
  });
}
