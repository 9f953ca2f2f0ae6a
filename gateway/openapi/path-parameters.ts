import { EXAMPLE } from "./example-values.ts";
import type { JsonObject } from "./json.ts";

/** A thing's id is wrong when it leads nowhere: the schema is a promise, not a check. */
const id = (description: string, example: string): JsonObject => ({
  description,
  schema: { type: "string" },
  example,
});

/** By the segment before and the parameter: what stands there. */
const KNOWN: Readonly<Record<string, JsonObject>> = {
  "organizations/:id": id("Of the organisation.", EXAMPLE.organization),
  "members/:memberId": id("Of the member, as lists show it.", EXAMPLE.otherUser),
  "invitations/:invitationId": id("Of the invitation.", EXAMPLE.invitation),
  "venues/:venueId": id("Of the venue.", EXAMPLE.venue),
  "seating-plans/:planId": id("Of the seating plan.", EXAMPLE.plan),
  "webhooks/:webhookId": id("Of the webhook.", EXAMPLE.webhook),
  "push-subscriptions/:subscriptionId": id("Of the subscription.", EXAMPLE.subscription),
  "campaigns/:campaignId": id("Of the campaign.", EXAMPLE.campaign),
  "o/:token": id("Of the mail, and `.gif`.", "…"),
  "c/:token": id("Of the link.", "…"),
  "t/:token": id("Of the mail.", "…"),
  "events/:id": id("Of the event.", EXAMPLE.event),
  "holds/:id": id("Of the hold.", EXAMPLE.hold),
  "bookings/:id": id("Of the booking.", EXAMPLE.booking),
  "tickets/:ticketId": id("Of the ticket.", EXAMPLE.item),
  "webhooks/:provider": id("Name of the provider.", "sandbox"),
  "sandbox/:intentId": id("Of the payment.", EXAMPLE.intent),
  "shards/:n": id("Number of the shard, from 0.", "0"),
  "lanes/:lane": id("Its name.", "transactional"),
  "dead-letters/:id": id("Of the dead letter.", EXAMPLE.booking),
  "docs/:file": id("Name of a file of the page.", "page.js"),
};

/** The parameters of a route's path, in their order. */
export function pathParameters(path: string): JsonObject[] {
  const segments = path.split("/");
  return segments.flatMap((segment, index) => {
    if (!segment.startsWith(":")) return [];
    const name = segment.slice(1);
    const known = KNOWN[`${segments[index - 1]}/${segment}`] ?? id(`The ${name}.`, name);
    return [{ name, in: "path", required: true, ...known }];
  });
}

/** /events/:id → /events/{id} */
export const templateOf = (path: string): string => path.replace(/:(\w+)/g, "{$1}");
