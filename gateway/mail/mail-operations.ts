import Type from "typebox";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { MailPreferencesBody, SuppressionsQuery } from "./mail-routes.ts";

const tag = "Mails";

const Wishes = Type.Object({
  reminder: Type.Boolean(),
  campaign: Type.Boolean(),
  refusedOrganizations: Type.Array(Type.String()),
});
const wishes = { reminder: true, campaign: true, refusedOrganizations: [EXAMPLE.organization] };

const SuppressionShape = Type.Object({
  id: Type.String(),
  address: Type.String({ description: "But for most of what stands before the @." }),
  cause: Type.Union([Type.Literal("hard"), Type.Literal("soft"), Type.Literal("complaint")]),
  reason: Type.String(),
  suppressedAt: Type.String({ format: "date-time" }),
  until: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
});

const page = (description: string): AnswerBody => ({
  description,
  schema: Type.String(),
  example: "<!doctype html>…",
  contentTypes: ["text/html"],
  headers: ["Cache-Control", "Content-Security-Policy"],
});
const pages = {
  200: page("The page."),
  404: page("The link is none that was signed here."),
};
const FORM = "application/x-www-form-urlencoded";

export const mailOperations: Operations = {
  "GET /api/v1/mail/unsubscribe/:token": {
    id: "askToUnsubscribe",
    tag,
    summary: "The page behind a link to unsubscribe",
    description: "It asks, and changes nothing: mail programs look at links by themselves.",
    access: "public",
    answers: pages,
  },
  "POST /api/v1/mail/unsubscribe/:token": {
    id: "unsubscribe",
    tag,
    summary: "Unsubscribe in one click",
    description:
      "For the page, and for mail programs as RFC 8058 has it. Without an account: the link is " +
      "signed. Repeated: the same.",
    access: "public",
    foreignBody: "As RFC 8058 has it; it is not looked at.",
    foreignTypes: { [FORM]: "List-Unsubscribe=One-Click" },
    answers: pages,
  },
  "GET /api/v1/mail/preferences/:token": {
    id: "showMailPreferencesPage",
    tag,
    summary: "The page on which a reader chooses",
    description: "What the address of the link gets, kind by kind.",
    access: "public",
    answers: pages,
  },
  "POST /api/v1/mail/preferences/:token": {
    id: "saveMailPreferencesPage",
    tag,
    summary: "Save what a reader has chosen",
    description: "For the form of the page: a box that is not checked is refused.",
    access: "public",
    foreignBody: "As a browser sends the form.",
    foreignTypes: { [FORM]: "reminder=on&campaign=on" },
    answers: pages,
  },
  "GET /api/v1/users/me/mail-preferences": {
    id: "getMailPreferences",
    tag,
    summary: "Which mails I get",
    description: "Of what one can do without. For an address that is shown to be one's own.",
    access: "user",
    answers: {
      200: {
        description: "The preferences.",
        schema: Wishes,
        example: wishes,
        headers: ["Cache-Control"],
      },
    },
    codes: ["forbidden"],
  },
  "PATCH /api/v1/users/me/mail-preferences": {
    id: "changeMailPreferences",
    tag,
    summary: "Choose which mails I get",
    description: "What is absent stays as it is.",
    access: "user",
    body: {
      name: "MailPreferencesChange",
      schema: MailPreferencesBody,
      examples: { noNews: { campaign: false }, newsOfAll: { refusedOrganizations: [] } },
    },
    answers: {
      200: {
        description: "The preferences.",
        schema: Wishes,
        example: wishes,
        headers: ["Cache-Control"],
      },
    },
    codes: ["forbidden"],
  },
  "POST /api/v1/mail/bounces": {
    id: "reportBounces",
    tag,
    summary: "Report mails that came back",
    description:
      "For mail servers and mailing services: signed with MAIL_BOUNCE_SECRET as " +
      "standardwebhooks.com has it. Either JSON, `{type: hard|soft|complaint, address?, " +
      "messageId?, reason?}` or `{events: […]}` of these, or the report itself as a mail " +
      "(`message/rfc822`): a delivery status (RFC 3464) or a complaint (RFC 5965).",
    access: "public",
    foreignBody: "One of these.",
    foreignTypes: {
      "application/json": { type: "hard", address: "anna@example.org", reason: "no such user" },
      "message/rfc822": "Content-Type: multipart/report; …",
      "multipart/report": "--boundary…",
    },
    headers: {
      "webhook-id": "The report's id: what comes twice counts once.",
      "webhook-timestamp": "Unix seconds.",
      "webhook-signature": "`v1,` and the HMAC.",
    },
    answers: {
      200: {
        description: "Kept.",
        schema: Type.Object({
          received: Type.Integer({ description: "Bounces in it." }),
          known: Type.Integer({ description: "Of those, how many say whose." }),
        }),
        example: { received: 1, known: 1 },
      },
    },
    codes: [
      "not_found",
      "webhook_signature_invalid",
      "malformed_json",
      "unsupported_media_type",
      "validation_failed",
    ],
  },
  "GET /ops/suppressions": {
    id: "listSuppressions",
    tag: "Operations",
    summary: "Addresses that mails come back from",
    description: "Oldest first. Addresses are kept as digests: ask for one by its whole text.",
    access: "operator",
    query: SuppressionsQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: Type.Object({
          data: Type.Array(SuppressionShape),
          nextCursor: Type.Union([Type.String(), Type.Null()]),
        }),
        example: {
          data: [
            {
              id: "0VZ7pYx1v8KqkqY2xH2dJmJb0b6m1kqv4Qm0l8u0t5E",
              address: "a…@example.org",
              cause: "hard",
              reason: "550 5.1.1 no such user",
              suppressedAt: EXAMPLE.now,
              until: null,
            },
          ],
          nextCursor: null,
        },
        headers: ["Cache-Control"],
      },
    },
  },
  "DELETE /ops/suppressions/:id": {
    id: "removeSuppression",
    tag: "Operations",
    summary: "Send mails to an address again",
    description: "For a mailbox that is there again.",
    access: "operator",
    answers: { 204: { description: "It is off the list.", headers: ["Cache-Control"] } },
  },
};
