import { crc32, deflateSync } from "node:zlib";
import encodeQR from "qr";

/** Light modules around the code, as its standard asks for. */
export const QUIET_ZONE = 4;

/** Dark modules of a QR code, row by row, with its quiet zone; of up to some 1,000 characters. */
export function qrModules(text: string): boolean[][] {
  return encodeQR(text, "raw", { ecc: "medium", border: QUIET_ZONE });
}

/** The QR code as an image of any size: one path of dark rectangles on white. */
export function qrSvg(text: string): string {
  const modules = qrModules(text);
  const size = modules.length;
  const path = darkRuns(modules)
    .map(({ x, y, length }) => `M${x} ${y}h${length}v1h-${length}z`)
    .join("");
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" ` +
    `shape-rendering="crispEdges" role="img" aria-label="QR code of the ticket">` +
    `<path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`
  );
}

/** Pixels of a module in a PNG: some 300 pixels across, as sharp as a telephone shows it. */
const MODULE_PX = 5;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * The QR code as a PNG (ISO 15948) of one bit a pixel:
 *
 *   signature, IHDR: width, height, depth 1, grey; IDAT: per line a filter byte (0) and its bits,
 *   deflated; IEND. A chunk is length, name, data, CRC-32 of name and data.
 */
export function qrPng(text: string): Buffer {
  const modules = qrModules(text);
  const px = modules.length * MODULE_PX;
  const lineBytes = 1 + Math.ceil(px / 8);
  const lines = Buffer.alloc(lineBytes * px);
  for (let y = 0; y < px; y += 1) {
    const row = modules[Math.floor(y / MODULE_PX)] ?? [];
    for (let x = 0; x < px; x += 1) {
      // A light pixel is a 1.
      if (row[Math.floor(x / MODULE_PX)] === true) continue;
      const at = y * lineBytes + 1 + (x >> 3);
      lines[at] = (lines[at] ?? 0) | (0x80 >> (x & 7));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(px, 0);
  header.writeUInt32BE(px, 4);
  header[8] = 1;
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(lines))];
  return Buffer.concat([PNG_SIGNATURE, ...chunks, chunk("IEND", Buffer.alloc(0))]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, "ascii"), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)]);
}

interface DarkRun {
  readonly x: number;
  readonly y: number;
  readonly length: number;
}

/** Dark modules that are side by side in a row, as one. */
export function darkRuns(modules: readonly (readonly boolean[])[]): DarkRun[] {
  const runs: DarkRun[] = [];
  for (const [y, row] of modules.entries()) {
    let from = 0;
    for (let x = 0; x <= row.length; x += 1) {
      if (row[x] === true) continue;
      if (x > from) runs.push({ x: from, y, length: x - from });
      from = x + 1;
    }
  }
  return runs;
}
