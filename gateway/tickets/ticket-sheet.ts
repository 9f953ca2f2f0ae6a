import type { TicketClaims } from "./ticket-token.ts";

/** What is printed on the tickets of a booking: plain values, ready to be read. */

/** Sizes of a page: of paper, or as wide as a telephone. */
export type SheetFormat = "a4" | "mobile";

export interface TicketSheet {
  readonly format: SheetFormat;
  readonly organizer: string;
  readonly title: string;
  /** "Saturday, 14 November 2026" */
  readonly date: string;
  /** "19:30 – 22:00 CET" */
  readonly time: string;
  /** Its name and where it is; empty: the event names none. */
  readonly venue: readonly string[];
  /** As it is read out. */
  readonly bookingCode: string;
  /** null: the booking has no address. */
  readonly bookedFor: string | null;
  readonly tickets: readonly SheetTicket[];
}

export interface SheetTicket {
  /** "2 of 3" */
  readonly position: string;
  /** "Row" and "F", "Seat" and "12" … */
  readonly place: readonly LabelledText[];
  readonly category: string;
  readonly price: string;
  /** As it is read out. */
  readonly code: string;
  /** What its QR code says, once it is signed. */
  readonly claims: TicketClaims;
}

export interface LabelledText {
  readonly label: string;
  readonly text: string;
}
