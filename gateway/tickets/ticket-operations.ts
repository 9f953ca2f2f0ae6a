import Type from "typebox";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { NewTicketKeyBody } from "./ticket-key-routes.ts";
import { SheetQuery } from "./ticket-routes.ts";

const tag = "Tickets";
const KID = "bQ8pK2nYx0A";
const PublishedKeys = Type.Object({
  keys: Type.Array(
    Type.Object({
      kty: Type.Literal("OKP"),
      crv: Type.Literal("Ed25519"),
      alg: Type.Literal("EdDSA"),
      use: Type.Literal("sig"),
      kid: Type.String(),
      x: Type.String(),
    }),
  ),
});
const TicketKeyShape = Type.Object({
  kid: Type.String(),
  signsFrom: Type.String({ format: "date-time" }),
  isSigning: Type.Boolean({ description: "It signs what is printed now." }),
});
const keyExample = { kid: KID, signsFrom: EXAMPLE.now, isSigning: true };

const file = (contentType: string, description: string): AnswerBody => ({
  description,
  schema: Type.String(),
  example: "…",
  contentTypes: [contentType],
  headers: ["Cache-Control", "Content-Disposition"],
});

export const ticketOperations: Operations = {
  "GET /api/v1/bookings/:id/tickets.pdf": {
    id: "getTicketsPdf",
    tag,
    summary: "The tickets of a booking to print",
    description:
      "A page for each ticket that stands, with its place and its QR code. For whose the booking " +
      "is, and for who organises the event.",
    access: "user",
    query: SheetQuery,
    answers: { 200: file("application/pdf", "The file.") },
    codes: ["booking_not_found", "booking_pending", "booking_cancelled"],
  },
  "GET /api/v1/bookings/:id/calendar.ics": {
    id: "getBookingCalendar",
    tag,
    summary: "The event of a booking for a calendar",
    description:
      "An iCalendar file in the event's time zone. Of a cancelled booking or event: one that " +
      "takes the entry out again.",
    access: "user",
    answers: { 200: file("text/calendar", "The file.") },
    codes: ["booking_not_found", "booking_pending"],
  },
  "GET /api/v1/tickets/:id/qr.svg": {
    id: "getTicketQr",
    tag,
    summary: "The QR code of a ticket",
    description:
      "It says a JWS that is signed with EdDSA: with the published keys a scanner verifies it " +
      "without a network. Whether somebody has entered with it is for check-ins to tell.",
    access: "user",
    answers: { 200: file("image/svg+xml", "The image.") },
    codes: ["ticket_not_found", "ticket_cancelled", "booking_pending", "booking_cancelled"],
  },
  "GET /api/v1/ticket-keys": {
    id: "listTicketKeys",
    tag,
    summary: "The keys that verify QR codes",
    description: "A JSON Web Key set (RFC 7517).",
    access: "public",
    answers: {
      200: {
        description: "The keys that sign, have signed, and will sign.",
        schema: PublishedKeys,
        example: {
          keys: [
            {
              kty: "OKP",
              crv: "Ed25519",
              alg: "EdDSA",
              use: "sig",
              kid: KID,
              x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            },
          ],
        },
        headers: ["Cache-Control"],
      },
    },
  },
  "GET /ops/ticket-keys": {
    id: "inspectTicketKeys",
    tag: "Operations",
    summary: "Which keys sign tickets",
    description: "By the time from which they sign.",
    access: "operator",
    answers: {
      200: {
        description: "All keys.",
        schema: Type.Object({ keys: Type.Array(TicketKeyShape) }),
        example: { keys: [keyExample] },
        headers: ["Cache-Control"],
      },
    },
  },
  "POST /ops/ticket-keys": {
    id: "addTicketKey",
    tag: "Operations",
    summary: "Sign tickets with a new key",
    description: "What earlier keys have signed stays good. It is published at once.",
    access: "operator",
    body: {
      name: "NewTicketKey",
      schema: NewTicketKeyBody,
      examples: { later: { signsFrom: EXAMPLE.soon } },
    },
    answers: {
      201: {
        description: "The key.",
        schema: TicketKeyShape,
        example: keyExample,
        headers: ["Cache-Control"],
      },
    },
    codes: ["too_many_ticket_keys"],
  },
  "DELETE /ops/ticket-keys/:kid": {
    id: "removeTicketKey",
    tag: "Operations",
    summary: "Take back a key that signs tickets",
    description:
      "For a key that got into other hands: no QR code that it signed is good any more, within " +
      "half a minute on all nodes. Tickets that are fetched again have codes by another key.",
    access: "operator",
    answers: { 204: { description: "It is gone.", headers: ["Cache-Control"] } },
  },
};
