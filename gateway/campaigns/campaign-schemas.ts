import Type from "typebox";
import { Count, Id, Instant, listSchema, nullable } from "../http/answer-schemas.ts";
import { AbTestBody, VariantBody } from "./campaign-body.ts";
import { SegmentBody } from "./segment.ts";

const Reason = Type.Enum(["rate", "tie", "too_few"]);
const SampleCount = Type.Object({ delivered: Count, opens: Count, clicks: Count });
const AbResult = Type.Object(
  {
    winner: Type.Integer({ minimum: 0, description: "Index of the variant that won." }),
    because: Reason,
    sample: Type.Array(SampleCount, { description: "People, by variant." }),
  },
  { $id: "CampaignAbResult" },
);
const State = Type.Enum(["draft", "scheduled", "sending", "sampling", "sent", "stopped"]);

export const CampaignSchema = Type.Object(
  {
    id: Id,
    name: Type.String(),
    eventId: nullable(Id),
    segment: SegmentBody,
    variants: Type.Array(VariantBody),
    abTest: nullable(AbTestBody),
    tracking: Type.Boolean(),
    state: State,
    stopReason: nullable(Type.Enum(["asked", "too_many_recipients"])),
    scheduledAt: nullable(Instant),
    startedAt: nullable(Instant),
    endedAt: nullable(Instant),
    recipients: Count,
    sampleEndsAt: nullable(Instant),
    result: nullable(AbResult),
    createdAt: Instant,
    updatedAt: Instant,
  },
  { $id: "Campaign" },
);
export const CampaignPage = listSchema("CampaignPage", CampaignSchema);

export const CampaignPreviewSchema = Type.Object(
  {
    size: Type.Integer({
      minimum: 0,
      description: "People who fit now; who wants no such mails is among them.",
    }),
    sample: Type.Array(Type.String({ description: "A masked address." })),
    variants: Type.Array(
      Type.Object({ subject: Type.String(), html: Type.String(), text: Type.String() }),
      { description: "What somebody called Ada Lovelace would get." },
    ),
  },
  { $id: "CampaignPreview" },
);

const Reaction = Type.Object({
  unique: Type.Integer({ minimum: 0, description: "People." }),
  total: Count,
});
const rate = nullable(Type.Number({ minimum: 0, maximum: 1 }));
const counts = {
  recipients: Count,
  sent: Count,
  inDoubt: Type.Integer({
    minimum: 0,
    description: "Handed over by a process that ended before it heard the answer.",
  }),
  failed: Count,
  suppressed: Type.Integer({
    minimum: 0,
    description: "Who wants no such mails, or whose address is known to bounce.",
  }),
  opens: Reaction,
  clicks: Reaction,
  unsubscribes: Count,
  openRate: rate,
  clickRate: rate,
};

export const CampaignStatisticsSchema = Type.Object(
  {
    ...counts,
    state: State,
    isListed: Type.Boolean({ description: "Whether all recipients are known." }),
    waiting: Count,
    progress: Type.Number({ minimum: 0, maximum: 1 }),
    variants: Type.Array(Type.Object(counts), { description: "Of those who had their turn." }),
    abResult: nullable(AbResult),
  },
  { $id: "CampaignStatistics" },
);
