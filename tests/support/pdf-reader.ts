/** Reads PDFs as a viewer does. */
import { createCanvas } from "@napi-rs/canvas";
import { getDocument, OPS } from "pdfjs-dist/legacy/build/pdf.mjs";
import { readQr } from "./qr-reader.ts";

export interface PdfPage {
  /** Points. */
  readonly width: number;
  readonly height: number;
  /** Its lines, one below the other. */
  readonly text: string;
  /** What the QR code that is printed on it says; null: nobody can read one. */
  readonly qr: string | null;
}

const SCALE = 2;

export async function readPdf(bytes: Buffer): Promise<PdfPage[]> {
  const loading = getDocument({ data: new Uint8Array(bytes), verbosity: 0 });
  const pdf = await loading.promise;
  const pages: PdfPage[] = [];
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const text = items.map((item) => ("str" in item ? item.str : "")).join("\n");
    const { width, height } = page.getViewport({ scale: 1 });
    const viewport = page.getViewport({ scale: SCALE });
    const canvas = createCanvas(viewport.width, viewport.height);
    const context = canvas.getContext("2d");
    await page.render({ canvas, canvasContext: context, viewport }).promise;
    const image = context.getImageData(0, 0, canvas.width, canvas.height);
    pages.push({ width, height, text, qr: readQr(image.data, canvas.width, canvas.height) });
  }
  await loading.destroy();
  return pages;
}

/** A sign where it stands on the page; points. */
export interface PdfGlyph {
  readonly text: string;
  readonly x: number;
  readonly width: number;
}

/** The glyphs of a PDF's first page, line by line, each from left to right: as they are seen. */
export async function drawnLines(bytes: Buffer): Promise<PdfGlyph[][]> {
  const loading = getDocument({ data: new Uint8Array(bytes), verbosity: 0 });
  const page = await (await loading.promise).getPage(1);
  const { fnArray, argsArray } = await page.getOperatorList();
  const lines = new Map<number, PdfGlyph[]>();
  let size = 0;
  let x = 0;
  let line: PdfGlyph[] | null = null;
  for (const [n, operator] of fnArray.entries()) {
    const args = argsArray[n];
    if (operator === OPS.setFont) size = args[1];
    // The first place of a text is on its line; of the further ones some are a little off it.
    if (operator === OPS.beginText) line = null;
    if (operator === OPS.setTextMatrix) {
      const [, , , , left, baseline] = args[0];
      x = left;
      if (line === null) {
        line = lines.get(baseline) ?? [];
        lines.set(baseline, line);
      }
    }
    if (operator !== OPS.showText) continue;
    for (const part of args[0]) {
      if (typeof part === "number") {
        x -= (part * size) / 1000;
        continue;
      }
      const width = (part.width * size) / 1000;
      line?.push({ text: part.unicode, x, width });
      x += width;
    }
  }
  await loading.destroy();
  return [...lines.values()].map((glyphs) => glyphs.sort((a, b) => a.x - b.x));
}
