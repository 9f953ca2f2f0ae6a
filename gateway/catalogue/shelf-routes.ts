/** What an organisation keeps for its events: venues and seating plans, at the same addresses. */
import Type, { type Static } from "typebox";
import { isUuidV7, type OrganizationId, parseOrganizationId } from "../../engine/ids.ts";
import { BODY_BYTES_MAX, PLAN_BODY_BYTES_MAX, PLAN_DEPTH_MAX } from "../../engine/limits.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { idPageOf, idPageView } from "../http/page.ts";
import { ProblemError } from "../http/problem.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, readBody, validationFailed } from "../http/validation.ts";
import { type Identity, requireIdentity, type Tokens } from "../identity/tokens.ts";
import { Name, VenueBody, venueOf } from "./event-fields.ts";
import type { Organizations } from "./organizations.ts";
import { parseSeatingPlan } from "./seating-plan.ts";
import type { PlanDraft, PlanEntry, SeatingPlans } from "./seating-plans.ts";
import type { KeptVenue, Venues } from "./venues.ts";

/** Body of PATCH …/venues/{id}: what is absent stays, null goes. */
export const VenueChangesBody = Type.Partial(VenueBody);
const checkVenue = compileSchema(VenueBody);
const checkVenueChanges = compileSchema(VenueChangesBody);

/** Body of POST …/seating-plans. */
export const PlanBody = Type.Object({ name: Name, plan: Type.Unknown() });
/** Body of PATCH …/seating-plans/{id}. */
export const PlanChangesBody = Type.Object({
  name: Type.Optional(Name),
  plan: Type.Optional(Type.Unknown()),
});
const checkPlan = compileSchema(PlanBody);
const checkPlanChanges = compileSchema(PlanChangesBody);

export interface ShelfPorts {
  readonly organizations: Organizations;
  readonly venues: Venues;
  readonly plans: SeatingPlans;
  readonly tokens: Tokens;
}

/** One kind of thing, as the routes see it. */
interface Shelf<Entry extends { readonly id: string }> {
  add(organizationId: OrganizationId, request: HttpRequest): Promise<Entry>;
  list(
    organizationId: OrganizationId,
    page: { readonly limit: number; readonly after: string | null },
  ): Promise<Entry[]>;
  find(organizationId: OrganizationId, id: string): Promise<Entry | null>;
  /** null: there is no such thing. */
  change(organizationId: OrganizationId, id: string, request: HttpRequest): Promise<Entry | null>;
  remove(organizationId: OrganizationId, id: string): Promise<void>;
}

/** How one kind of thing is called, and how large it may be. */
interface ShelfNames {
  readonly path: string;
  readonly id: string;
  readonly notFound: ProblemCode;
  /** Of what is sent of it. */
  readonly bodyBytesMax: number;
}

const VENUES: ShelfNames = {
  path: "venues",
  id: "venueId",
  notFound: "venue_not_found",
  bodyBytesMax: BODY_BYTES_MAX,
};
const SEATING_PLANS: ShelfNames = {
  path: "seating-plans",
  id: "planId",
  notFound: "seating_plan_not_found",
  bodyBytesMax: PLAN_BODY_BYTES_MAX,
};

export function shelfRoutes(ports: ShelfPorts): Route[] {
  const { venues, plans } = ports;
  return [
    ...routesOf(ports, VENUES, (identity) => venueShelf(venues.as(identity))),
    ...routesOf(ports, SEATING_PLANS, (identity) => planShelf(plans.as(identity))),
  ];
}

/** For those who sell for the organisation. */
function routesOf<Entry extends { readonly id: string }>(
  { organizations, tokens }: ShelfPorts,
  names: ShelfNames,
  shelfOf: (identity: Identity) => Shelf<Entry>,
): Route[] {
  const open = async (request: HttpRequest) => {
    const identity = requireIdentity(tokens, request);
    const [id = ""] = request.params;
    // For strangers there is nothing here.
    const isMember =
      parseOrganizationId(id) !== null && (await organizations.isMember(identity, id));
    if (!isMember) throw new ProblemError("organization_not_found");
    const { id: organizationId } = await organizations.requireOrganizer(identity, id);
    return { organizationId, shelf: shelfOf(identity) };
  };
  const route = (handle: (request: HttpRequest) => Promise<HttpResponse>) => asyncRoute(handle);
  const path = `/api/v1/organizations/:id/${names.path}`;
  const one = `${path}/:${names.id}`;
  const { bodyBytesMax } = names;
  const found = <T>(entry: T | null): T => {
    if (entry === null) throw new ProblemError(names.notFound);
    return entry;
  };
  const idOf = ({ params: [, id = ""] }: HttpRequest): string => found(isUuidV7(id) ? id : null);
  return [
    {
      method: "POST",
      path,
      bodyBytesMax,
      handler: route(async (request) => {
        const { organizationId, shelf } = await open(request);
        const entry = await shelf.add(organizationId, request);
        const place = `/api/v1/organizations/${organizationId}/${names.path}/${entry.id}`;
        return { ...json(201, entry), headers: { Location: place } };
      }),
    },
    {
      method: "GET",
      path,
      handler: route(async (request) => {
        const page = idPageOf(request.query);
        const { limit, after } = page;
        const { organizationId, shelf } = await open(request);
        const entries = await shelf.list(organizationId, { limit: limit + 1, after });
        return json(200, idPageView(entries, page));
      }),
    },
    {
      method: "GET",
      path: one,
      handler: route(async (request) => {
        const { organizationId, shelf } = await open(request);
        return json(200, found(await shelf.find(organizationId, idOf(request))));
      }),
    },
    {
      method: "PATCH",
      path: one,
      bodyBytesMax,
      handler: route(async (request) => {
        const { organizationId, shelf } = await open(request);
        return json(200, found(await shelf.change(organizationId, idOf(request), request)));
      }),
    },
    {
      method: "DELETE",
      path: one,
      handler: route(async (request) => {
        const { organizationId, shelf } = await open(request);
        await shelf.remove(organizationId, idOf(request));
        return { status: 204, body: null };
      }),
    },
  ];
}

function venueShelf(venues: Venues): Shelf<KeptVenue> {
  return {
    add: (organizationId, request) =>
      venues.add(organizationId, venueOf(readBody(checkVenue, request))),
    list: (organizationId, page) => venues.list(organizationId, page),
    find: (organizationId, id) => venues.find(organizationId, id),
    async change(organizationId, id, request) {
      const changes = readBody(checkVenueChanges, request);
      return venues.change(organizationId, id, (now) => venueOf({ ...now, ...changes }));
    },
    remove: (organizationId, id) => venues.remove(organizationId, id),
  };
}

function planShelf(plans: SeatingPlans): Shelf<PlanEntry> {
  return {
    add: (organizationId, request) =>
      plans.add(organizationId, planDraft(readBody(checkPlan, request))),
    list: (organizationId, page) => plans.list(organizationId, page),
    find: (organizationId, id) => plans.find(organizationId, id),
    async change(organizationId, id, request) {
      const changes = readBody(checkPlanChanges, request);
      return plans.change(organizationId, id, (now) => planDraft({ ...now, ...changes }));
    },
    remove: (organizationId, id) => plans.remove(organizationId, id),
  };
}

/** Throws validation_failed naming the place. */
function planDraft({ name, plan }: Static<typeof PlanBody>): PlanDraft {
  const read = parseSeatingPlan(plan, "plan");
  if (!read.ok) throw validationFailed(read.errors);
  if (isDeeper(plan, PLAN_DEPTH_MAX)) {
    const message = `is nested too deeply: ${PLAN_DEPTH_MAX} levels are enough`;
    throw validationFailed([{ path: "plan", message }]);
  }
  const { seats, categories } = read.value;
  return { name: name.trim(), summary: { seatCount: seats.length, categories }, plan };
}

/**
 * Whether objects and lists lie within one another more than `levels` deep. A plan is kept with
 * what is not read of it, and neither we nor PostgreSQL can write and read any depth.
 */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}
