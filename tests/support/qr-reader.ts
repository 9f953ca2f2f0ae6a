/** Reads QR codes as a scanner does: from an image, with a decoder that is not ours. */
import { default as decoder } from "jsqr";

// CommonJS, whose default export is a member.
const { default: jsQR } = decoder;

/** Of `data` as a canvas has it: four bytes a pixel. null: there is no code to be seen. */
export function readQr(data: Uint8ClampedArray, width: number, height: number): string | null {
  return jsQR(data, width, height)?.data ?? null;
}

const MODULE_PX = 4;

/** Draws an image that is one path of rectangles `Mx yhLv1h-Lz`, and reads it. */
export function readQrSvg(svg: string): string | null {
  const size = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const px = size * MODULE_PX;
  const data = new Uint8ClampedArray(px * px * 4).fill(255);
  const path = /<path d="([^"]+)"/.exec(svg)?.[1] ?? "";
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let dy = 0; dy < MODULE_PX; dy += 1) {
      const row = (Number(y) * MODULE_PX + dy) * px;
      const from = (row + Number(x) * MODULE_PX) * 4;
      const to = from + Number(length) * MODULE_PX * 4;
      for (let at = from; at < to; at += 4) data.fill(0, at, at + 3);
    }
  }
  return readQr(data, px, px);
}
