import Type from "typebox";
import type { AnswerBody, Operations } from "../openapi/operation.ts";

const tag = "Campaigns";
const headers = {
  DNT: "`1`: nothing is counted.",
  "Sec-GPC": "`1`: nothing is counted.",
};
const page = (description: string): AnswerBody => ({
  description,
  schema: Type.String(),
  example: "<!doctype html>…",
  contentTypes: ["text/html"],
  headers: ["Cache-Control", "Content-Security-Policy"],
});

export const trackingOperations: Operations = {
  "GET /api/v1/mail/o/:token": {
    id: "openMail",
    tag,
    summary: "The pixel of a mail",
    description: "Whoever shows it has opened the mail; a HEAD has not. `{token}` ends in `.gif`.",
    access: "public",
    headers,
    answers: {
      200: {
        description: "One transparent pixel.",
        schema: Type.String(),
        example: "…",
        contentTypes: ["image/gif"],
        headers: ["Cache-Control"],
      },
    },
  },
  "GET /api/v1/mail/c/:token": {
    id: "followMailLink",
    tag,
    summary: "A link of a mail",
    description:
      "Leads to where it led in the mail, which the token says, signed: nowhere else. Counted " +
      "once it is followed; a HEAD is not.",
    access: "public",
    headers,
    answers: {
      302: { description: "There.", headers: ["Cache-Control", "Location"] },
    },
  },
  "GET /api/v1/mail/t/:token": {
    id: "askNotToBeCounted",
    tag,
    summary: "Where readers object to being counted",
    description: "A page with a button.",
    access: "public",
    headers,
    answers: { 200: page("The page.") },
  },
  "POST /api/v1/mail/t/:token": {
    id: "objectToBeingCounted",
    tag,
    summary: "Object to being counted",
    description: "For the address that the mail went to, and for mails that it has already.",
    access: "public",
    headers,
    answers: { 200: page("What holds from now on.") },
  },
};
