/**
 * Which font has a character. Names come in every script: those of the Noto Sans family that are
 * asked first are a few hundred kilobytes together, and what none of them has (Chinese, Japanese,
 * Korean, Armenian …) is Unifont's, coarse, but there. An operator may put fonts of their own in
 * front of that (TICKET_FONTS).
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, type Font } from "fontkit";
import { unpackedFont } from "./woff-file.ts";

export type Weight = "regular" | "bold";

/**
 * A font file, opened when a text needs it, and then kept open: all PDFs of a thread share it, and
 * each has a subset of its own.
 */
export class Face {
  readonly name: string;
  readonly #path: string;
  #font: Font | null = null;

  constructor(path: string) {
    this.name = path;
    this.#path = path;
  }

  has(codePoint: number): boolean {
    return this.font.hasGlyphForCodePoint(codePoint);
  }

  /** Whether fontkit lays a text out from its end, since its script is read from the right. */
  turns(text: string): boolean {
    if (!IS_MAYBE_TURNED.test(text)) return false;
    // In fonts that know nothing of scripts it turns nothing, whatever direction it names.
    const { font } = this;
    const knowsScripts = SCRIPT_TABLES.some((table) => table in font);
    return knowsScripts && font.layout(text).direction === "rtl";
  }

  get font(): Font {
    if (this.#font !== null) return this.#font;
    const font = create(unpackedFont(readFileSync(this.#path)));
    if (!("hasGlyphForCodePoint" in font)) throw new Error(`${this.#path} is not one font`);
    this.#font = font;
    return font;
  }
}

/** From the Hebrew block on; before it there is nothing that is read from the right. */
const IS_MAYBE_TURNED = /[\u0590-\uffff]/;
const SCRIPT_TABLES = ["GSUB", "GPOS", "morx"];

/** Neighbouring characters of a text that one font has. */
export interface FaceRun {
  readonly face: Face;
  readonly text: string;
  /** Where it begins in the text, in UTF-16 units. */
  readonly from: number;
}

const folderOf = (main: string): string => dirname(fileURLToPath(main));
/** The folders of the built-in fonts; their packages' main file is in them. */
const FOLDERS = {
  "noto-sans": folderOf(import.meta.resolve("@fontsource/noto-sans")),
  "noto-sans-arabic": folderOf(import.meta.resolve("@fontsource/noto-sans-arabic")),
  "noto-sans-hebrew": folderOf(import.meta.resolve("@fontsource/noto-sans-hebrew")),
  "noto-sans-thai": folderOf(import.meta.resolve("@fontsource/noto-sans-thai")),
  unifont: folderOf(import.meta.resolve("@fontsource/unifont")),
};
type Family = keyof typeof FOLDERS;

/** Which characters of a family are in a file of their own, those first that are used most. */
const SLICES: readonly (readonly [family: Family, slice: string])[] = [
  ["noto-sans", "latin"],
  ["noto-sans", "latin-ext"],
  ["noto-sans", "cyrillic"],
  ["noto-sans", "greek"],
  ["noto-sans", "vietnamese"],
  ["noto-sans", "cyrillic-ext"],
  ["noto-sans", "greek-ext"],
  ["noto-sans", "devanagari"],
  ["noto-sans-arabic", "arabic"],
  ["noto-sans-hebrew", "hebrew"],
  ["noto-sans-thai", "thai"],
];
/** Stands for what no font has. */
const MISSING = "□";
const fileOf = (family: Family, slice: string, weight: number): string =>
  join(FOLDERS[family], "files", `${family}-${slice}-${weight}-normal.woff`);

/** The fonts of one weight, in the order in which they are asked. */
export class Faces {
  readonly #faces: readonly Face[];
  readonly #known = new Map<number, Face | null>();

  /** `own`: paths of an operator's font files. */
  constructor(weight: Weight, own: readonly string[] = []) {
    const number = weight === "bold" ? 700 : 400;
    this.#faces = [
      ...SLICES.map(([family, slice]) => fileOf(family, slice, number)),
      ...own,
      fileOf("unifont", "latin", 400),
    ].map((path) => new Face(path));
  }

  /** The text as runs of one font each, in its own order; what no font has is replaced. */
  runsOf(text: string): FaceRun[] {
    const runs: { face: Face; text: string; from: number }[] = [];
    let at = 0;
    for (const character of text) {
      const last = runs.at(-1);
      const found = this.#faceOf(character, last?.face ?? null);
      const shown = found === null ? MISSING : character;
      const face = found ?? this.#faceOf(MISSING, null);
      if (face === null) throw new Error("no font has a sign for what is missing");
      // One unit for one, so that positions stay those of the text.
      const padded = shown.padEnd(character.length, "\u200b");
      if (last?.face === face) last.text += padded;
      else runs.push({ face, text: padded, from: at });
      at += character.length;
    }
    return runs;
  }

  /** Signs that scripts share (spaces, digits, accents) stay in the font of what is before them. */
  #faceOf(character: string, before: Face | null): Face | null {
    const codePoint = character.codePointAt(0) ?? 0;
    if (before !== null && IS_SHARED.test(character) && before.has(codePoint)) return before;
    const known = this.#known.get(codePoint);
    if (known !== undefined) return known;
    const face = this.#faces.find((each) => each.has(codePoint)) ?? null;
    if (this.#known.size < KNOWN_MAX) this.#known.set(codePoint, face);
    return face;
  }
}

const IS_SHARED = /^[\p{P}\p{S}\p{N}\p{M}\p{Z}\p{Cf}]$/u;
/** Characters whose font is remembered. */
const KNOWN_MAX = 100_000;
