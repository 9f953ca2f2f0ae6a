import Type, { type Static } from "typebox";
import type { FeeRule } from "../../engine/charges.ts";
import { parseOrganizationId } from "../../engine/ids.ts";
import { NAME_CHARS_MAX } from "../../engine/limits.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { decodeCursor, encodeCursor, pageOf } from "../http/page.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import {
  compileSchema,
  type FieldError,
  optional,
  readBody,
  validationFailed,
} from "../http/validation.ts";
import { requireIdentity, type Tokens } from "../identity/tokens.ts";
import { chargesView, FeesBody, feesOf, TaxBody, taxOf } from "./charge-rules.ts";
import type { EventDirectory } from "./event-directory.ts";
import type { Organization, Organizations } from "./organizations.ts";

/** Body of POST /organizations. */
export const OrganizationBody = Type.Object({
  name: Type.String({ format: "line", maxLength: NAME_CHARS_MAX }),
  allowInvoices: optional(Type.Boolean()),
  currency: optional(Type.String({ format: "currency" })),
  country: optional(Type.String({ format: "country" })),
  fees: optional(FeesBody),
  tax: optional(TaxBody),
});
const checkOrganization = compileSchema(OrganizationBody);

/** Body of PATCH /organizations/{id}: what is absent stays as it is. */
export const OrganizationChangesBody = Type.Object({
  name: Type.Optional(OrganizationBody.properties.name),
  allowInvoices: Type.Optional(Type.Boolean()),
  fees: Type.Optional(FeesBody),
  tax: optional(TaxBody),
});
const checkChanges = compileSchema(OrganizationChangesBody);

export interface OrganizationPorts {
  readonly organizations: Organizations;
  readonly directory: EventDirectory;
  readonly tokens: Tokens;
}

export function organizationRoutes(ports: OrganizationPorts): Route[] {
  const path = "/api/v1/organizations";
  return [
    { method: "POST", path, handler: asyncRoute((request) => create(ports, request)) },
    { method: "GET", path, handler: asyncRoute((request) => list(ports, request)) },
    {
      method: "PATCH",
      path: `${path}/:id`,
      handler: asyncRoute((request) => change(ports, request)),
    },
  ];
}

async function create(ports: OrganizationPorts, request: HttpRequest): Promise<HttpResponse> {
  const identity = requireIdentity(ports.tokens, request);
  if (identity.role === "guest") throw new ProblemError("forbidden");
  const body = readBody(checkOrganization, request);
  const given = {
    name: body.name.trim(),
    allowInvoices: body.allowInvoices ?? false,
    currency: body.currency ?? "EUR",
    country: body.country ?? "DE",
    charges: { fees: checkedFees(body.fees ?? []), tax: taxOf(body.tax ?? null) },
  };
  return json(201, organizationView(await ports.organizations.create(given, identity)));
}

async function change(ports: OrganizationPorts, request: HttpRequest): Promise<HttpResponse> {
  const identity = requireIdentity(ports.tokens, request);
  const body = readBody(checkChanges, request);
  const changed = await ports.organizations.change(identity, request.params[0] ?? "", {
    name: body.name?.trim(),
    allowInvoices: body.allowInvoices,
    fees: body.fees === undefined ? undefined : checkedFees(body.fees),
    tax: body.tax === undefined ? undefined : taxOf(body.tax),
  });
  // Events say whether their organisation takes invoices.
  ports.directory.forgetOrganization(changed.id);
  return json(200, organizationView(changed));
}

function checkedFees(fees: Static<typeof FeesBody>): FeeRule[] {
  const errors: FieldError[] = [];
  const rules = feesOf(fees, errors);
  if (errors.length > 0) throw validationFailed(errors);
  return rules;
}

/** An organisation as the contract shows it. */
function organizationView({ charges, ...organization }: Organization): object {
  return { ...organization, ...chargesView(charges) };
}

async function list(ports: OrganizationPorts, request: HttpRequest): Promise<HttpResponse> {
  const identity = requireIdentity(ports.tokens, request);
  const { limit, cursor } = pageOf(request.query);
  const before = cursor === null ? null : parseOrganizationId(decodeCursor(cursor)[0]);
  if (cursor !== null && before === null) {
    throw validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);
  }
  const found = await ports.organizations.list(identity, { limit: limit + 1, before });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return json(200, {
    data: data.map(organizationView),
    nextCursor: hasMore ? encodeCursor([last.id]) : null,
  });
}
