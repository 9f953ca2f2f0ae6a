/** Reads PDFs as a viewer does. */
import { createCanvas } from "@napi-rs/canvas";
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";
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
