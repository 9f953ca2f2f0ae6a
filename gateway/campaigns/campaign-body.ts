/** What organisers say of a campaign, read and checked. */
import Type, { type Static } from "typebox";
import { CAMPAIGN_VARIANTS_MAX } from "../../engine/campaign-limits.ts";
import { Name } from "../catalogue/event-fields.ts";
import { type FieldError, optional, validationFailed } from "../http/validation.ts";
import { checkTemplate } from "../mail/templates/mail-template.ts";
import type { CampaignDraft } from "./campaign.ts";
import { exampleVariables } from "./campaign-mail.ts";
import { parseSegment, SegmentBody } from "./segment.ts";

export const VariantBody = Type.Object({
  subject: Type.String({ description: "Liquid, one line.", examples: ["Soon: {{event.title}}"] }),
  blocks: Type.Record(Type.String(), Type.String(), {
    description: "Liquid in limited HTML, by name, in the order in which they are shown.",
  }),
});

export const AbTestBody = Type.Object({
  samplePercent: Type.Integer({
    minimum: 1,
    maximum: 90,
    description: "Part of the recipients that the variants are tried on, evenly.",
  }),
  waitMinutes: Type.Integer({
    minimum: 1,
    maximum: 7 * 24 * 60,
    description: "From the last mail of the sample to the decision.",
  }),
  winnerBy: Type.Enum(["opens", "clicks"]),
});

/** Body of POST /organizations/{id}/campaigns. */
export const CampaignBody = Type.Object({
  name: Name,
  eventId: optional(Type.String({ format: "id", description: "What it is about: `event`." })),
  segment: SegmentBody,
  variants: Type.Array(VariantBody, { minItems: 1, maxItems: CAMPAIGN_VARIANTS_MAX }),
  abTest: optional(AbTestBody),
  tracking: optional(Type.Boolean({ description: "Default: opens and clicks are counted." })),
});

/** Body of PATCH …/campaigns/{campaignId}: what is absent stays, null goes. */
export const CampaignChangesBody = Type.Partial(CampaignBody);

/**
 * The draft that a body says, on top of what there is already. What is wrong with it is thrown, all
 * at once. Whether the events and campaigns that it names are there is asked elsewhere.
 */
export function draftOf(
  body: Static<typeof CampaignChangesBody>,
  now: CampaignDraft | null,
): CampaignDraft {
  const errors: FieldError[] = [];
  const given = body.segment === undefined ? null : parseSegment(body.segment, "segment");
  if (given !== null && "errors" in given) errors.push(...given.errors);
  const segment = given !== null && "segment" in given ? given.segment : now?.segment;
  const draft = {
    name: body.name?.trim() ?? now?.name ?? "",
    eventId: body.eventId === undefined ? (now?.eventId ?? null) : body.eventId,
    // Of one that is wrong the errors are thrown.
    segment: segment ?? { kind: "all" as const, of: [] },
    variants:
      body.variants?.map(({ subject, blocks }) => ({ subject, blocks })) ?? now?.variants ?? [],
    abTest: body.abTest === undefined ? (now?.abTest ?? null) : abTestOf(body.abTest),
    tracking: body.tracking === undefined ? (now?.tracking ?? true) : (body.tracking ?? true),
  };
  errors.push(...faultsOf(draft));
  if (errors.length > 0) throw validationFailed(errors);
  return draft;
}

/** Only members that it has: others would be kept for nothing. */
function abTestOf(body: Static<typeof AbTestBody> | null): CampaignDraft["abTest"] {
  if (body === null) return null;
  const { samplePercent, waitMinutes, winnerBy } = body;
  return { samplePercent, waitMinutes, winnerBy };
}

/**
 * Whether its texts can be filled in: of an event that there is no longer, nothing can be told.
 * Throws `validation_failed`.
 */
export function requireTexts(
  variants: CampaignDraft["variants"],
  given: { readonly hasEvent: boolean },
): void {
  const errors = [...textFaults(variants, given)];
  if (errors.length > 0) throw validationFailed(errors);
}

function* textFaults(
  variants: CampaignDraft["variants"],
  given: { readonly hasEvent: boolean },
): Generator<FieldError> {
  const sample = exampleVariables(given);
  for (const [index, variant] of variants.entries()) {
    for (const { path, message } of checkTemplate(variant, sample)) {
      yield { path: `variants[${index}].${path}`, message };
    }
  }
}

function* faultsOf({ eventId, variants, abTest, tracking }: CampaignDraft): Generator<FieldError> {
  yield* textFaults(variants, { hasEvent: eventId !== null });
  if (variants.length > 1 && abTest === null) {
    yield { path: "abTest", message: "is missing: it says how one of the variants is chosen" };
  }
  if (variants.length === 1 && abTest !== null) {
    yield { path: "abTest", message: "needs at least two variants" };
  }
  if (abTest !== null && !tracking) {
    yield {
      path: "abTest",
      message: "needs tracking: without it nobody knows who opens or clicks",
    };
  }
}
