/** Sets texts of any script into a PDF: fonts, directions and line breaks. */
import { createRequire } from "node:module";
import type * as BidiModule from "bidi-js";
import type { Font } from "fontkit";
import type PDFDocument from "pdfkit";
import type { Face, FaceRun, Faces, Weight } from "./faces.ts";

export interface TextStyle {
  /** Points. */
  readonly size: number;
  readonly weight: Weight;
  /** "#rrggbb" */
  readonly color: string;
}

/** Where a text goes; points from the page's upper left corner. */
export interface TextBox {
  readonly x: number;
  /** Upper edge of the first line. */
  readonly y: number;
  readonly width: number;
  /** What does not fit so many lines ends in an ellipsis. Default: 1. */
  readonly linesMax?: number;
  /** Default: left. */
  readonly align?: "left" | "center" | "right";
}

// CommonJS, whose types speak of a default export that it does not have.
const bidiFactory: typeof BidiModule.default.default = createRequire(import.meta.url)("bidi-js");
const bidi = bidiFactory();
const words = new Intl.Segmenter("en", { granularity: "word" });
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const LINE_HEIGHT = 1.3;
const ASCENT = 1.02;
const ELLIPSIS = "…";
// A word, or a blank: what pdfkit sets one after the other, from the left.
const WORDS = / |[^ ]+/g;
// Line ends, tabs and what else has no width.
const CONTROLS = /[\p{Cc}\u2028\u2029]+/gu;

/** A part of a paragraph. */
interface Line {
  readonly text: string;
  /** Where it begins in the paragraph. */
  readonly from: number;
}

export class Typesetter {
  readonly #pdf: typeof PDFDocument.prototype;
  readonly #faces: Readonly<Record<Weight, Faces>>;
  readonly #registered = new Set<string>();

  constructor(pdf: typeof PDFDocument.prototype, faces: Readonly<Record<Weight, Faces>>) {
    this.#pdf = pdf;
    this.#faces = faces;
  }

  /** Writes a text, and returns where the next one may begin (its `y`). */
  write(text: string, style: TextStyle, { x, y, width, linesMax = 1, align }: TextBox): number {
    const paragraph = text.replace(CONTROLS, " ").trim();
    const lines = this.#linesOf(paragraph, style, width, linesMax);
    const levels = levelsOf(paragraph, lines);
    const height = style.size * LINE_HEIGHT;
    for (const [n, line] of lines.entries()) {
      const spare = width - this.#widthOf(line.text, style);
      const indent = align === "right" ? spare : align === "center" ? spare / 2 : 0;
      this.#writeLine(line, levels, style, x + indent, y + n * height + style.size * ASCENT);
    }
    return y + lines.length * height;
  }

  #linesOf(text: string, style: TextStyle, width: number, linesMax: number): Line[] {
    const lines: Line[] = [];
    let from = 0;
    let to = 0;
    for (const part of this.#partsOf(text, style, width)) {
      const end = to + part.length;
      if (from < to && this.#widthOf(text.slice(from, end).trimEnd(), style) > width) {
        lines.push({ text: text.slice(from, to).trimEnd(), from });
        from = to;
      }
      // No line begins with a blank.
      if (from === to) from = end - part.trimStart().length;
      to = end;
    }
    if (from < to) lines.push({ text: text.slice(from), from });
    if (lines.length <= linesMax) return lines;
    const kept = lines.slice(0, linesMax);
    const last = kept.pop() ?? { text: "", from: 0 };
    return [...kept, { ...last, text: this.#shortened(last.text, style, width) }];
  }

  /** Words and what is between them; of words that are wider than a line, their characters. */
  *#partsOf(text: string, style: TextStyle, width: number): Generator<string> {
    for (const { segment } of words.segment(text)) {
      if (this.#widthOf(segment, style) <= width) yield segment;
      else for (const { segment: character } of graphemes.segment(segment)) yield character;
    }
  }

  #shortened(line: string, style: TextStyle, width: number): string {
    const characters = Array.from(graphemes.segment(line), ({ segment }) => segment);
    const text = (): string => characters.join("").trimEnd() + ELLIPSIS;
    while (characters.length > 0 && this.#widthOf(text(), style) > width) characters.pop();
    return text();
  }

  #widthOf(text: string, { size, weight }: TextStyle): number {
    let sum = 0;
    for (const run of this.#faces[weight].runsOf(text)) {
      this.#use(run, size);
      sum += this.#pdf.widthOfString(run.text);
    }
    return sum;
  }

  /** `y` is the baseline's, `levels` are the paragraph's. */
  #writeLine(line: Line, levels: Uint8Array, style: TextStyle, x: number, y: number): void {
    const { size, weight, color } = style;
    let at = x;
    this.#pdf.fillColor(color);
    const own = levels.subarray(line.from);
    for (const run of inSight(line.text, own, this.#faces[weight].runsOf(line.text))) {
      this.#use(run, size);
      this.#pdf.text(run.text, at, y, { lineBreak: false, baseline: "alphabetic" });
      at += this.#pdf.widthOfString(run.text);
    }
  }

  #use({ face }: FaceRun, size: number): void {
    const { name } = face;
    if (!this.#registered.has(name)) {
      // It takes a font that is open already, too, of which its types know nothing.
      this.#pdf.registerFont(name, face.font as Font & Buffer);
      this.#registered.add(name);
    }
    this.#pdf.font(name).fontSize(size);
  }
}

/** Which way each unit of a paragraph is read: whole, since its lines have its direction. */
function levelsOf(paragraph: string, lines: readonly Line[]): Uint8Array {
  const last = lines.at(-1);
  // The last line may end earlier, in an ellipsis.
  const shown = last === undefined ? "" : paragraph.slice(0, last.from) + last.text;
  return bidi.getEmbeddingLevels(shown).levels;
}

/** The runs of a line from left to right, each of one font and one direction (UAX #9, rule L2). */
function inSight(line: string, levels: Uint8Array, runs: readonly FaceRun[]): FaceRun[] {
  const mirrored = bidi.getMirroredCharactersMap(line, levels);
  const pieces: { run: FaceRun; level: number }[] = [];
  for (const run of runs) {
    let from = 0;
    for (let n = 1; n <= run.text.length; n += 1) {
      const level = levels[run.from + from] ?? 0;
      if (n < run.text.length && levels[run.from + n] === level) continue;
      const start = run.from + from;
      // Unit by unit, as positions count them.
      const text = run.text
        .slice(from, n)
        .replace(/[\s\S]/g, (unit, index: number) => mirrored.get(start + index) ?? unit);
      for (const shown of shownParts(text, run.face, level % 2 === 1)) {
        pieces.push({ run: { face: run.face, text: shown, from: start }, level });
      }
      from = n;
    }
  }
  const highest = pieces.reduce((max, { level }) => Math.max(max, level), 0);
  for (let level = highest; level > 0; level -= 1) turnAround(pieces, level);
  return pieces.map(({ run }) => run);
}

/**
 * A text of one font and one direction in parts that come out as they are read: whole, or word by
 * word where fontkit turns some around (which it does with Arabic digits, too) or ought to.
 */
function shownParts(text: string, face: Face, isFromRight: boolean): string[] {
  const parts = text.match(WORDS) ?? [];
  const turned = parts.map((part) => face.turns(part));
  if (!isFromRight && !turned.includes(true)) return [text];
  return parts.map((part, n) => (turned[n] === isFromRight ? part : backwards(part)));
}

const backwards = (text: string): string => Array.from(text).reverse().join("");

/** Turns every sequence of pieces that are at `level` or deeper. */
function turnAround(pieces: { level: number }[], level: number): void {
  let from = 0;
  while (from < pieces.length) {
    let to = from;
    while (to < pieces.length && (pieces[to]?.level ?? 0) >= level) to += 1;
    const turned = pieces.slice(from, to).reverse();
    pieces.splice(from, turned.length, ...turned);
    from = to + 1;
  }
}
