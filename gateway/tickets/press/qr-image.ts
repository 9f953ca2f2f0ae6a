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
