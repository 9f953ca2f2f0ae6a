/** What a thread of the press does (../ticket-press.ts). It keeps its fonts and its key at hand. */
import { goToBackground } from "../../../workers/thread-priority.ts";
import { processorMsOfThisThread } from "../../../workers/thread-ticks.ts";
import type { CalendarEntry } from "../calendar-entry.ts";
import type { TicketSheet } from "../ticket-sheet.ts";
import { type TicketClaims, TicketKey } from "../ticket-token.ts";
import { calendarFile } from "./calendar-file.ts";
import { Faces } from "./faces.ts";
import { qrPng, qrSvg } from "./qr-image.ts";
import { ticketPdf } from "./ticket-pdf.ts";

export type PressTask =
  | { readonly kind: "begin"; readonly fonts: readonly string[] }
  | {
      readonly kind: "pdf";
      readonly sheet: TicketSheet;
      readonly secret: string;
      /** Paths of an operator's font files. */
      readonly fonts: readonly string[];
    }
  | { readonly kind: "qr"; readonly claims: TicketClaims; readonly secret: string }
  | { readonly kind: "qrPng"; readonly claims: TicketClaims; readonly secret: string }
  | { readonly kind: "calendar"; readonly entry: CalendarEntry };

// Whoever buys goes before whoever has bought.
goToBackground();

let key: TicketKey | null = null;
let faces: { readonly fonts: string; readonly regular: Faces; readonly bold: Faces } | null = null;

export interface Pressed {
  /** Bytes of a PDF or a PNG, or the text of an SVG or a calendar file. */
  readonly result: Uint8Array | string;
  /** What this thread has had of a processor since its start; null: the system does not tell. */
  readonly threadMs: number | null;
}

export async function press(task: PressTask): Promise<Pressed> {
  const result = await resultOf(task);
  return { result, threadMs: processorMsOfThisThread() };
}

function resultOf(task: PressTask): Promise<Uint8Array> | Uint8Array | string {
  switch (task.kind) {
    case "begin":
      facesOf(task.fonts);
      return "";
    case "pdf":
      return ticketPdf(task.sheet, keyOf(task.secret), facesOf(task.fonts));
    case "qr":
      return qrSvg(keyOf(task.secret).sign(task.claims));
    case "qrPng":
      return qrPng(keyOf(task.secret).sign(task.claims));
    case "calendar":
      return calendarFile(task.entry);
  }
}

function keyOf(secret: string): TicketKey {
  if (key?.secret !== secret) key = new TicketKey(secret, 0);
  return key;
}

function facesOf(fonts: readonly string[]) {
  const name = fonts.join("\n");
  if (faces?.fonts !== name) {
    faces = {
      fonts: name,
      regular: new Faces("regular", fonts),
      bold: new Faces("bold", fonts),
    };
  }
  return faces;
}
