/** Sets texts of any script into a PDF: fonts, directions and line breaks. */
import { createRequire } from "node:module";
import type * as BidiModule from "bidi-js";
import type { Font } from "fontkit";
import type PDFDocument from "pdfkit";
import type { FaceRun, Faces, Weight } from "./faces.ts";

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
const IS_FROM_THE_RIGHT =
  /\p{Script=Hebrew}|\p{Script=Arabic}|\p{Script=Syriac}|\p{Script=Thaana}|\p{Script=Nko}/u;
// Line ends, tabs and what else has no width.
const CONTROLS = /[\p{Cc}\u2028\u2029]+/gu;

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
    const lines = this.#linesOf(text.replace(CONTROLS, " ").trim(), style, width, linesMax);
    const height = style.size * LINE_HEIGHT;
    for (const [n, line] of lines.entries()) {
      const spare = width - this.#widthOf(line, style);
      const indent = align === "right" ? spare : align === "center" ? spare / 2 : 0;
      this.#writeLine(line, style, x + indent, y + n * height + style.size * ASCENT);
    }
    return y + lines.length * height;
  }

  #linesOf(text: string, style: TextStyle, width: number, linesMax: number): string[] {
    const lines: string[] = [];
    let line = "";
    for (const part of this.#partsOf(text, style, width)) {
      if (line === "" && part.trim() === "") continue;
      if (this.#widthOf((line + part).trimEnd(), style) <= width) {
        line += part;
        continue;
      }
      lines.push(line.trimEnd());
      line = part.trimStart();
    }
    if (line !== "") lines.push(line.trimEnd());
    if (lines.length <= linesMax) return lines;
    const kept = lines.slice(0, linesMax);
    const last = kept.pop() ?? "";
    return [...kept, this.#shortened(last, style, width)];
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

  /** `y` is the baseline's. */
  #writeLine(line: string, { size, weight, color }: TextStyle, x: number, y: number): void {
    let at = x;
    this.#pdf.fillColor(color);
    for (const run of inSight(line, this.#faces[weight].runsOf(line))) {
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

/** The runs of a line from left to right, each of one font and one direction (UAX #9, rule L2). */
function inSight(line: string, runs: readonly FaceRun[]): FaceRun[] {
  const { levels } = bidi.getEmbeddingLevels(line);
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
      // A font turns what its script reads from the right, and nothing else.
      const isTurned = level % 2 === 0 || IS_FROM_THE_RIGHT.test(text);
      const shown = isTurned ? text : Array.from(text).reverse().join("");
      pieces.push({ run: { face: run.face, text: shown, from: start }, level });
      from = n;
    }
  }
  const highest = pieces.reduce((max, { level }) => Math.max(max, level), 0);
  for (let level = highest; level > 0; level -= 1) turnAround(pieces, level);
  return pieces.map(({ run }) => run);
}

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
