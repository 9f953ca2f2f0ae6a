/** Headers, security schemes and tags: what many operations of the document share. */

import type { JsonObject } from "./json.ts";
import type { TagName } from "./operation.ts";

const header = (description: string, schema: JsonObject): JsonObject => ({ description, schema });
const text: JsonObject = { type: "string" };
const count: JsonObject = { type: "integer", minimum: 0 };

export const HEADERS: Readonly<Record<string, JsonObject>> = {
  "X-Request-Id": header("The request's own, or one that was made for it.", text),
  "Idempotent-Replayed": header("`true`: this is the first outcome of a repeated request.", {
    type: "string",
    enum: ["true"],
  }),
  "Retry-After": header("Seconds after which to try again.", { type: "integer", minimum: 1 }),
  "WWW-Authenticate": header("What kind of token is asked for.", {
    type: "string",
    enum: ["Bearer"],
  }),
  "X-RateLimit-Limit": header("On limited routes: requests that may come at once.", count),
  "X-RateLimit-Remaining": header("On limited routes: how many of them are there now.", count),
  "X-RateLimit-Reset": header("On limited routes: seconds until all are back.", count),
  ETag: header("Send it as `If-None-Match` to hear only of changes.", text),
  "Cache-Control": header("How long the answer may be kept, and by whom.", text),
  Location: header("Where the new thing is.", text),
  "Content-Disposition": header("A name for the file, and that it may be shown at once.", text),
  "Content-Security-Policy": header("What the page may load: nothing from elsewhere.", text),
};

export const RATE_LIMIT_HEADERS = [
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
];

export const SECURITY_SCHEMES: JsonObject = {
  accessToken: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "Of a sign-in or of a guest; good for 30 minutes.",
  },
  opsToken: {
    type: "http",
    scheme: "bearer",
    description: "The node's `OPS_TOKEN`; an administrator's access token will do, too.",
  },
};

export const IDEMPOTENCY_KEY: JsonObject = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "Makes a repetition harmless: the same key with the same request is answered with the first " +
    "outcome, for 24 hours at least and across restarts; with another request it is " +
    "`422 idempotency_key_reused`. 1 to 128 visible ASCII characters.",
  schema: { type: "string", minLength: 1, maxLength: 128, pattern: "^[\\x21-\\x7e]+$" },
  example: "order-1",
};

export const REQUEST_ID: JsonObject = {
  name: "X-Request-Id",
  in: "header",
  description: "Echoed, and in the node's log.",
  schema: { type: "string", maxLength: 128 },
};

export const IF_NONE_MATCH: JsonObject = {
  name: "If-None-Match",
  in: "header",
  description: "The `ETag` of what the client has: 304 if that is still so.",
  schema: text,
};

export const TAGS: Readonly<Record<TagName, string>> = {
  Accounts: "Coming in, staying in, going out; what somebody may know and do about themselves.",
  Organizations: "Who sells, and who acts for them.",
  Events: "What is sold, its seats, and what is free of them.",
  Holds: "Places that are somebody's for a few minutes.",
  Bookings: "Places that are somebody's.",
  Waitlist: "Waiting for places to come free.",
  "Front of house": "Letting people in, and what organisers do while an event sells.",
  Tickets: "What buyers take along: paper, QR codes, a line in their calendar.",
  Campaigns: "Mails of organisers to those who have booked with them, and what came of them.",
  Payments: "What providers tell, and play money.",
  Mails: "What their readers want of them, and what comes back.",
  Webhooks: "Where organisations' own programs are told what happens, in order.",
  "Web push": "What people are shown in their browsers, also when the shop is not open there.",
  Operations: "Probes, and what operators see of the engine.",
  Documentation: "This document, and a page to read it.",
};

export const INTRODUCTION = `
An event-booking engine: holds, bookings, waitlists, live availability.

* **Errors** are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problems; \`code\` is stable and
  made for machines. Every operation lists the codes it has. Besides, any path may be
  \`404 not_found\`, and any other method on a known path \`405 method_not_allowed\` with \`Allow\`.
* **Money** is in integer minor units, **times** are RFC 3339 in UTC, **ids** are UUIDv7.
* **Retries**: \`503 busy\` changed nothing, and comes at once with \`Retry-After\`: within
  milliseconds, as long as fewer ask than the node can refuse. After \`504 timeout\` the outcome is
  not known yet: repeat the request with the same \`Idempotency-Key\`.
* **Lists** come in pages: \`limit\`, \`cursor\`, \`nextCursor\`.
* \`GET\` routes answer \`HEAD\`, too, and every path \`OPTIONS\`, for pages of allowed origins.
  Unknown members and parameters are let pass.
`.trim();
