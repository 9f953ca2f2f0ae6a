import { type Frame, findFrame, readFrame } from "./frame.ts";
import {
  contentEnd,
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "./segment.ts";

/** What the bytes of one segment are, whatever its neighbours are. */
export type SegmentReading =
  /** All zero, or a header and nothing behind it: prepared, and never used. */
  | { readonly kind: "unused" }
  | { readonly kind: "badHeader"; readonly reason: string }
  | Written<"clean">
  /** A bad frame at `badAt`, and nothing valid behind it up to `contentEnd`. */
  | (Written<"torn"> & BadFrame)
  /** A bad frame at `badAt`, and a valid one at `validAt` behind it. */
  | (Written<"frameAfterBad"> & BadFrame & { readonly validAt: number });

interface Written<Kind extends string> {
  readonly kind: Kind;
  readonly header: SegmentHeader;
  readonly frames: readonly Frame[];
}

interface BadFrame {
  readonly badAt: number;
  readonly contentEnd: number;
}

/** Reads one segment. Frames are windows into `bytes`. */
export function readSegment(bytes: Buffer): SegmentReading {
  const end = contentEnd(bytes);
  if (end === 0) return { kind: "unused" };
  const header = parseSegmentHeader(bytes);
  if (typeof header === "string") return { kind: "badHeader", reason: header };
  if (end <= SEGMENT_HEADER_BYTES) return { kind: "unused" };

  const frames: Frame[] = [];
  let offset = SEGMENT_HEADER_BYTES;
  for (;;) {
    const frame = readFrame(bytes, offset, header.salt);
    if (frame === null) break;
    frames.push(frame);
    offset = frame.end;
  }
  // A frame may itself end in zeros, so the content can end before the last frame does.
  if (end <= offset) return { kind: "clean", header, frames };
  const bad = { header, frames, badAt: offset, contentEnd: end };
  const valid = findFrame(bytes, offset, header.salt);
  if (valid === null) return { kind: "torn", ...bad };
  return { kind: "frameAfterBad", ...bad, validAt: valid.offset };
}
