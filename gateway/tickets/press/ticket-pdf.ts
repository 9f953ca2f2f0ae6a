/** Tickets as a PDF: one page for each, for paper or as wide as a telephone. */
import PDFDocument from "pdfkit";
import type { LabelledText, SheetFormat, SheetTicket, TicketSheet } from "../ticket-sheet.ts";
import type { TicketKey } from "../ticket-token.ts";
import type { Faces, Weight } from "./faces.ts";
import { darkRuns, qrModules } from "./qr-image.ts";
import { type TextStyle, Typesetter } from "./typesetter.ts";

type Pdf = typeof PDFDocument.prototype;

/** Points: 72 are an inch. */
const PAGES: Readonly<Record<SheetFormat, readonly [width: number, height: number]>> = {
  a4: [595.28, 841.89],
  mobile: [375, 812],
};
const INK = "#1a1a1a";
const QUIET = "#666666";
const style = (size: number, weight: Weight = "regular", color = INK): TextStyle => ({
  size,
  weight,
  color,
});
const TITLE = style(24, "bold");
const SUBTITLE = style(13, "bold");
const BODY = style(11);
const LABEL = style(8.5, "regular", QUIET);
const VALUE = style(15, "bold");
const CODE = style(15, "bold");
const SMALL = style(8.5, "regular", QUIET);
const NOTE =
  "This code lets one person in, once. Whoever shows it first is let in: keep it to yourself.";

interface Frame {
  readonly pdf: Pdf;
  /** Signs what the QR codes say. */
  readonly key: TicketKey;
  readonly setter: Typesetter;
  readonly x: number;
  readonly width: number;
}

/** The bytes of a PDF with a page for each ticket. */
export function ticketPdf(
  sheet: TicketSheet,
  key: TicketKey,
  faces: Readonly<Record<Weight, Faces>>,
): Promise<Buffer> {
  const size = PAGES[sheet.format];
  const pdf = new PDFDocument({
    size: [...size],
    margin: 0,
    autoFirstPage: false,
    // None by default: Helvetica's metrics would be read from their file each time.
    font: "",
    lang: "en",
    info: { Title: sheet.title, Author: sheet.organizer, Subject: sheet.bookingCode },
  });
  const written = collected(pdf);
  const setter = new Typesetter(pdf, faces);
  const margin = sheet.format === "a4" ? 56 : 28;
  const frame = { pdf, key, setter, x: margin, width: size[0] - 2 * margin };
  for (const ticket of sheet.tickets) {
    pdf.addPage({ size: [...size], margin: 0 });
    if (sheet.format === "a4") paperPage(frame, sheet, ticket);
    else telephonePage(frame, sheet, ticket);
  }
  pdf.end();
  return written;
}

function collected(pdf: Pdf): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    pdf.on("data", (chunk: Buffer) => chunks.push(chunk));
    pdf.on("end", () => resolve(Buffer.concat(chunks)));
    pdf.on("error", reject);
  });
}

const QR_ON_PAPER = 190;
const GAP = 24;

function paperPage(frame: Frame, sheet: TicketSheet, ticket: SheetTicket): void {
  const { setter, x, width } = frame;
  let y = heading(frame, sheet, ticket, 56);
  const qrX = x + width - QR_ON_PAPER;
  const codes = qrCode(frame, ticket, { x: qrX, y, size: QR_ON_PAPER });
  const left = { x, width: width - QR_ON_PAPER - GAP };
  y = whenAndWhere({ ...frame, ...left }, sheet, y + 6);
  y = placeGrid({ ...frame, ...left }, placeOf(ticket), y + 18);
  y = rule(frame, Math.max(y, codes) + 20) + 14;
  y = placeGrid(frame, bookingOf(sheet), y);
  setter.write(NOTE, SMALL, { x, y: y + 10, width, linesMax: 3 });
}

function telephonePage(frame: Frame, sheet: TicketSheet, ticket: SheetTicket): void {
  const { setter, x, width } = frame;
  const size = 250;
  let y = heading(frame, sheet, ticket, 32);
  y = whenAndWhere(frame, sheet, y);
  y = qrCode(frame, ticket, { x: x + (width - size) / 2, y: y + 14, size });
  y = placeGrid(frame, placeOf(ticket), y + 14);
  y = rule(frame, y + 8) + 10;
  y = placeGrid(frame, bookingOf(sheet), y);
  setter.write(NOTE, SMALL, { x, y: y + 6, width, linesMax: 3 });
}

function heading(frame: Frame, sheet: TicketSheet, ticket: SheetTicket, top: number): number {
  const { setter, x, width } = frame;
  const position = { x: x + width * 0.7, y: top, width: width * 0.3, align: "right" } as const;
  setter.write(ticket.position, SMALL, position);
  let y = setter.write(sheet.organizer, SMALL, { x, y: top, width: width * 0.68 });
  y = setter.write(sheet.title, TITLE, { x, y: y + 6, width, linesMax: 3 });
  return rule(frame, y + 10) + 16;
}

function whenAndWhere({ setter, x, width }: Frame, sheet: TicketSheet, top: number): number {
  let y = setter.write(sheet.date, SUBTITLE, { x, y: top, width, linesMax: 2 });
  y = setter.write(sheet.time, BODY, { x, y, width, linesMax: 2 });
  const [name, ...where] = sheet.venue;
  if (name === undefined) return y;
  y = setter.write(name, SUBTITLE, { x, y: y + 10, width, linesMax: 2 });
  for (const line of where) y = setter.write(line, BODY, { x, y, width, linesMax: 2 });
  return y;
}

const placeOf = ({ place, category, price }: SheetTicket): LabelledText[] => [
  ...place,
  { label: "Category", text: category },
  { label: "Price", text: price },
];

const bookingOf = ({ bookingCode, bookedFor }: TicketSheet): LabelledText[] => [
  { label: "Booking", text: bookingCode },
  ...(bookedFor === null ? [] : [{ label: "Booked for", text: bookedFor }]),
];

/** Labels with their texts below, two side by side. */
function placeGrid({ setter, x, width }: Frame, texts: readonly LabelledText[], top: number) {
  const column = (width - GAP / 2) / 2;
  let y = top;
  for (let n = 0; n < texts.length; n += 2) {
    const ends = texts.slice(n, n + 2).map(({ label, text }, index) => {
      const left = x + index * (column + GAP / 2);
      const below = setter.write(label, LABEL, { x: left, y, width: column });
      return setter.write(text, VALUE, { x: left, y: below, width: column, linesMax: 3 });
    });
    y = Math.max(...ends) + 8;
  }
  return y;
}

interface Square {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** The QR code with the ticket's code below; returns where that ends. */
function qrCode({ pdf, key, setter }: Frame, ticket: SheetTicket, { x, y, size }: Square): number {
  const modules = qrModules(key.sign(ticket.claims));
  const step = size / modules.length;
  pdf.rect(x, y, size, size).fill("#ffffff");
  for (const run of darkRuns(modules)) {
    pdf.rect(x + run.x * step, y + run.y * step, run.length * step, step);
  }
  pdf.fill("#000000");
  return setter.write(ticket.code, CODE, { x, y: y + size, width: size, align: "center" });
}

function rule({ pdf, x, width }: Frame, y: number): number {
  pdf
    .moveTo(x, y)
    .lineTo(x + width, y)
    .lineWidth(0.7)
    .strokeColor("#bbbbbb")
    .stroke();
  return y;
}
