import Type from "typebox";
import { CAMPAIGN_BODY_BYTES_MAX } from "../../engine/campaign-limits.ts";
import { isUuidV7, parseOrganizationId } from "../../engine/ids.ts";
import type { Organization, Organizations } from "../catalogue/organizations.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { decodeCursor, encodeCursor, pageOf } from "../http/page.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, optional, readBody, validationFailed } from "../http/validation.ts";
import { type Identity, requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { Campaign } from "./campaign.ts";
import { CampaignBody, CampaignChangesBody, draftOf, requireTexts } from "./campaign-body.ts";
import type { CampaignPreviews } from "./campaign-preview.ts";
import type { StatisticsReader } from "./campaign-statistics.ts";
import type { Campaigns } from "./campaigns.ts";

const checkCampaign = compileSchema(CampaignBody);
const checkChanges = compileSchema(CampaignChangesBody);

/** Body of POST …/schedule. */
export const ScheduleBody = Type.Object({
  at: optional(
    Type.String({ format: "instant", description: "Default: now. Within a year, and not past." }),
  ),
});
const checkSchedule = compileSchema(ScheduleBody);

export interface CampaignPorts {
  readonly campaigns: Campaigns;
  readonly previews: CampaignPreviews;
  readonly statistics: StatisticsReader;
  readonly organizations: Pick<Organizations, "isMember" | "requireOrganizer">;
  readonly tokens: Tokens;
}

/** What a request is about, and who asks: somebody who sells for the organisation. */
interface Asked {
  readonly request: HttpRequest;
  readonly identity: Identity;
  readonly organization: Organization;
}
interface AskedOfOne extends Asked {
  readonly campaign: Campaign;
}

/** Mails of an organisation to its customers, for its owners and organisers. */
export function campaignRoutes(ports: CampaignPorts): Route[] {
  const path = "/api/v1/organizations/:id/campaigns";
  const one = `${path}/:campaignId`;
  const bodyBytesMax = CAMPAIGN_BODY_BYTES_MAX;
  const ofAll = (handle: (ports: CampaignPorts, asked: Asked) => Promise<HttpResponse>) =>
    asyncRoute(async (request) => handle(ports, await asking(ports, request)));
  const ofOne = (handle: (ports: CampaignPorts, asked: AskedOfOne) => Promise<HttpResponse>) =>
    asyncRoute(async (request) => {
      const asked = await asking(ports, request);
      const id = request.params[1] ?? "";
      if (!isUuidV7(id)) throw new ProblemError("campaign_not_found");
      const named = { organizationId: asked.organization.id, id };
      const campaign = await ports.campaigns.find(asked.identity, named);
      return handle(ports, { ...asked, campaign });
    });
  return [
    { method: "POST", path, bodyBytesMax, handler: ofAll(add) },
    { method: "GET", path, handler: ofAll(list) },
    { method: "GET", path: one, handler: ofOne(show) },
    { method: "PATCH", path: one, bodyBytesMax, handler: ofOne(change) },
    { method: "DELETE", path: one, handler: ofAll(remove) },
    { method: "POST", path: `${one}/preview`, handler: ofOne(preview) },
    { method: "POST", path: `${one}/schedule`, handler: ofOne(schedule) },
    { method: "POST", path: `${one}/stop`, handler: ofOne(stop) },
    { method: "GET", path: `${one}/statistics`, handler: ofOne(statistics) },
  ];
}

async function asking(ports: CampaignPorts, request: HttpRequest): Promise<Asked> {
  const { organizations, tokens } = ports;
  const identity = requireIdentity(tokens, request);
  const [id = ""] = request.params;
  // For strangers there is nothing here.
  const isMember = parseOrganizationId(id) !== null && (await organizations.isMember(identity, id));
  if (!isMember) throw new ProblemError("organization_not_found");
  return { request, identity, organization: await organizations.requireOrganizer(identity, id) };
}

async function add({ campaigns }: CampaignPorts, asked: Asked): Promise<HttpResponse> {
  const { request, identity, organization } = asked;
  const draft = draftOf(readBody(checkCampaign, request), null);
  const campaign = await campaigns.add(identity, organization.id, draft);
  const place = `/api/v1/organizations/${organization.id}/campaigns/${campaign.id}`;
  return { ...json(201, campaignView(campaign)), headers: { Location: place } };
}

async function list({ campaigns }: CampaignPorts, asked: Asked): Promise<HttpResponse> {
  const { request, identity, organization } = asked;
  const { limit, cursor } = pageOf(request.query);
  const before = cursor === null ? null : (decodeCursor(cursor)[0] ?? "");
  if (before !== null && !isUuidV7(before)) {
    throw validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);
  }
  const found = await campaigns.list(identity, organization.id, { limit: limit + 1, before });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  const isMore = found.length > limit && last !== undefined;
  return json(200, {
    data: data.map(campaignView),
    nextCursor: isMore ? encodeCursor([last.id]) : null,
  });
}

async function show(_: CampaignPorts, { campaign }: AskedOfOne): Promise<HttpResponse> {
  return json(200, campaignView(campaign));
}

async function change({ campaigns }: CampaignPorts, asked: AskedOfOne): Promise<HttpResponse> {
  const { request, identity, campaign } = asked;
  const body = readBody(checkChanges, request);
  const changed = await campaigns.change(identity, campaign, (now) => draftOf(body, now));
  return json(200, campaignView(changed));
}

/** Once more: there is none. */
async function remove({ campaigns }: CampaignPorts, asked: Asked): Promise<HttpResponse> {
  const { request, identity, organization } = asked;
  const id = request.params[1] ?? "";
  if (!isUuidV7(id)) throw new ProblemError("campaign_not_found");
  await campaigns.remove(identity, { organizationId: organization.id, id });
  return { status: 204, body: null };
}

async function preview({ previews }: CampaignPorts, asked: AskedOfOne): Promise<HttpResponse> {
  const { identity, campaign, organization } = asked;
  return json(200, await previews.of(identity, campaign, organization));
}

async function schedule({ campaigns }: CampaignPorts, asked: AskedOfOne): Promise<HttpResponse> {
  const { request, identity, campaign } = asked;
  const { at = null } = request.body.length === 0 ? {} : readBody(checkSchedule, request);
  const when = at === null ? null : new Date(at);
  requireTexts(campaign.variants, { hasEvent: campaign.eventId !== null });
  return json(200, campaignView(await campaigns.schedule(identity, campaign, when)));
}

async function stop({ campaigns }: CampaignPorts, asked: AskedOfOne): Promise<HttpResponse> {
  const { identity, campaign } = asked;
  return json(200, campaignView(await campaigns.stop(identity, campaign)));
}

async function statistics(ports: CampaignPorts, asked: AskedOfOne): Promise<HttpResponse> {
  return json(200, await ports.statistics.of(asked.identity, asked.campaign));
}

/** A campaign as the contract shows it. */
function campaignView({ organizationId, listedAt, ...campaign }: Campaign): object {
  return campaign;
}
