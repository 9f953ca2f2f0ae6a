import { PageQuery } from "../http/page.ts";
import { EXAMPLE } from "../openapi/example-values.ts";
import type { AnswerBody, Operations } from "../openapi/operation.ts";
import { CampaignBody, CampaignChangesBody } from "./campaign-body.ts";
import { ScheduleBody } from "./campaign-routes.ts";
import {
  CampaignPage,
  CampaignPreviewSchema,
  CampaignSchema,
  CampaignStatisticsSchema,
} from "./campaign-schemas.ts";

const tag = "Campaigns";
const PATH = "/api/v1/organizations/:id/campaigns";
const ONE = `${PATH}/:campaignId`;

const text = (words: string) => ({
  subject: `${words}, {{ firstName | default: "hello" }}`,
  blocks: { main: '<p>{{ event.title }}</p><p><a href="https://example.org">Tickets</a></p>' },
});
const plain = {
  name: "Come again",
  eventId: EXAMPLE.event,
  segment: {
    kind: "all",
    of: [
      { kind: "attended", atLeast: 2, how: "checked_in", from: EXAMPLE.past, categories: ["jazz"] },
      { kind: "not_bought", eventId: EXAMPLE.event },
    ],
  },
  variants: [text("Soon")],
};
const tried = {
  ...plain,
  variants: [text("Soon"), text("Again")],
  abTest: { samplePercent: 20, waitMinutes: 240, winnerBy: "opens" },
};
const campaign = {
  ...plain,
  id: EXAMPLE.campaign,
  abTest: null,
  tracking: true,
  state: "draft",
  stopReason: null,
  scheduledAt: null,
  startedAt: null,
  endedAt: null,
  recipients: 0,
  sampleEndsAt: null,
  result: null,
  createdAt: EXAMPLE.past,
  updatedAt: EXAMPLE.past,
};
const counts = {
  recipients: 1000,
  sent: 940,
  inDoubt: 0,
  failed: 20,
  suppressed: 40,
  opens: { unique: 310, total: 402 },
  clicks: { unique: 47, total: 51 },
  unsubscribes: 3,
  openRate: 0.33,
  clickRate: 0.05,
};

const one = (description: string): AnswerBody => ({
  description,
  schema: CampaignSchema,
  example: campaign,
});
const strangers = ["organization_not_found", "forbidden"] as const;
const ofOne = [...strangers, "campaign_not_found"] as const;

export const campaignOperations: Operations = {
  [`POST ${PATH}`]: {
    id: "addCampaign",
    tag,
    summary: "Write a campaign",
    description:
      "For owners and organisers: a mail to people who have booked at the organisation. It is a " +
      "draft until it is scheduled. Texts are Liquid with `firstName`, `lastName`, " +
      "`organisation`, `event` (title, startsAt, venue, city), `unsubscribeUrl` and " +
      "`preferencesUrl`.",
    access: "user",
    body: { name: "NewCampaign", schema: CampaignBody, examples: { plain, tried } },
    answers: { 201: { ...one("The draft."), headers: ["Location"] } },
    codes: [...strangers, "too_many"],
  },
  [`GET ${PATH}`]: {
    id: "listCampaigns",
    tag,
    summary: "The campaigns of an organisation",
    description: "For owners and organisers; newest first.",
    access: "user",
    query: PageQuery,
    answers: {
      200: {
        description: "A page of them.",
        schema: CampaignPage,
        example: { data: [campaign], nextCursor: null },
      },
    },
    codes: strangers,
  },
  [`GET ${ONE}`]: {
    id: "getCampaign",
    tag,
    summary: "One campaign",
    description: "For owners and organisers.",
    access: "user",
    answers: { 200: one("The campaign.") },
    codes: ofOne,
  },
  [`PATCH ${ONE}`]: {
    id: "changeCampaign",
    tag,
    summary: "Change a campaign",
    description: "Until it begins. What is absent stays, null goes.",
    access: "user",
    body: {
      name: "CampaignChanges",
      schema: CampaignChangesBody,
      examples: { plain: { name: "Come again soon" } },
    },
    answers: { 200: one("As it is now.") },
    codes: [...ofOne, "campaign_begun"],
  },
  [`DELETE ${ONE}`]: {
    id: "removeCampaign",
    tag,
    summary: "Remove a campaign",
    description: "With its statistics; while it is under way, stop it first. Repeated: the same.",
    access: "user",
    answers: { 204: { description: "It is gone." } },
    codes: [...ofOne, "campaign_under_way"],
  },
  [`POST ${ONE}/preview`]: {
    id: "previewCampaign",
    tag,
    summary: "See whom it would reach, and with what",
    description:
      "How many people fit its segment now, ten of them with their addresses masked, and each " +
      "variant as somebody called Ada Lovelace would get it. Who wants no such mails is counted, " +
      "and is left out when it is sent. Texts that speak of an event that has been removed are " +
      "`validation_failed`, here and when it is scheduled.",
    access: "user",
    answers: {
      200: {
        description: "The preview.",
        schema: CampaignPreviewSchema,
        example: {
          size: 1000,
          sample: ["a…@example.org"],
          variants: [{ subject: "Soon, Ada", html: "<p>…</p>", text: "…" }],
        },
      },
    },
    codes: [...ofOne, "validation_failed"],
  },
  [`POST ${ONE}/schedule`]: {
    id: "scheduleCampaign",
    tag,
    summary: "Send a campaign, now or later",
    description: "Scheduled again, until it begins, it has the new time.",
    access: "user",
    body: {
      name: "CampaignSchedule",
      schema: ScheduleBody,
      examples: { now: {}, later: { at: EXAMPLE.soon } },
      isOptional: true,
    },
    answers: { 200: one("Scheduled.") },
    codes: [...ofOne, "campaign_begun"],
  },
  [`POST ${ONE}/stop`]: {
    id: "stopCampaign",
    tag,
    summary: "Stop a campaign at once",
    description:
      "Once this is answered no mail is handed to a mail server that was not under way. It is " +
      "stopped for good. Of a draft, or after its end, nothing changes.",
    access: "user",
    answers: { 200: one("As it is now.") },
    codes: ofOne,
  },
  [`GET ${ONE}/statistics`]: {
    id: "getCampaignStatistics",
    tag,
    summary: "What became of a campaign",
    description: "Counted at that moment.",
    access: "user",
    answers: {
      200: {
        description: "The figures.",
        schema: CampaignStatisticsSchema,
        example: {
          ...counts,
          state: "sent",
          isListed: true,
          waiting: 0,
          progress: 1,
          variants: [counts],
          abResult: null,
        },
      },
    },
    codes: ofOne,
  },
};
