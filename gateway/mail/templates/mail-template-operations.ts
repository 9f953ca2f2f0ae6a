import { EXAMPLE } from "../../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../../openapi/operation.ts";
import { BUILT_IN } from "./built-in-templates.ts";
import {
  MailPreview,
  MailTemplateList,
  MailTemplateShape,
  OwnTemplateBody,
  PreviewBody,
} from "./mail-template-schemas.ts";

const tag = "Organizations";
const own = { subject: "Until {{ event.date }}!", blocks: { intro: "<p>See you soon.</p>" } };
const template = {
  kind: "reminder",
  ...BUILT_IN.reminder,
  own: null,
  builtIn: BUILT_IN.reminder,
  variables: ["event.title", "event.date", "tickets[].place"],
  updatedAt: null,
};
const preview = { subject: "Tomorrow: Gala", html: "<!doctype html>…", text: "Hello Anna, …" };
const one: AnswerBody = {
  description: "The words that are used, the built-in ones, and what may be named in them.",
  schema: MailTemplateShape,
  example: template,
};
const strangers = ["organization_not_found", "forbidden"] as const;
const codes = [...strangers, "mail_template_not_found"] as const;

export const mailTemplateOperations: Operations = {
  "GET /api/v1/organizations/:id/mail-templates": {
    id: "listMailTemplates",
    tag,
    summary: "The words of all mails",
    description: "For organisers: those of each kind of mail that buyers get.",
    access: "user",
    answers: {
      200: {
        description: "All kinds.",
        schema: MailTemplateList,
        example: { data: [template] },
      },
    },
    codes: strangers,
  },
  "GET /api/v1/organizations/:id/mail-templates/:kind": {
    id: "getMailTemplate",
    tag,
    summary: "The words of one kind of mail",
    description: "For organisers.",
    access: "user",
    answers: { 200: one },
    codes,
  },
  "PUT /api/v1/organizations/:id/mail-templates/:kind": {
    id: "putMailTemplate",
    tag,
    summary: "Put own words in place",
    description:
      "For organisers. What is absent is built-in. A template that could not be filled in, or " +
      "whose HTML does more than show, is refused: `400 validation_failed` names block and line.",
    access: "user",
    body: { name: "OwnMailTemplate", schema: OwnTemplateBody, examples: { plain: own } },
    answers: { 200: { ...one, example: { ...template, own } } },
    codes,
  },
  "DELETE /api/v1/organizations/:id/mail-templates/:kind": {
    id: "removeMailTemplate",
    tag,
    summary: "Use the built-in words again",
    description: "For organisers. Repeated, it is the same.",
    access: "user",
    answers: { 204: { description: "The built-in ones are used." } },
    codes,
  },
  "POST /api/v1/organizations/:id/mail-templates/:kind/preview": {
    id: "previewMailTemplate",
    tag,
    summary: "See a mail before it is sent",
    description:
      "For organisers. Without words: those that are used. With a booking of the organisation " +
      "its mail, otherwise one with made-up data.",
    access: "user",
    body: {
      name: "MailPreviewRequest",
      schema: PreviewBody,
      examples: { plain: { ...own, bookingId: EXAMPLE.booking } },
      isOptional: true,
    },
    answers: {
      200: { description: "As it would be sent.", schema: MailPreview, example: preview },
    },
    codes: [...codes, "booking_not_found"],
  },
};
