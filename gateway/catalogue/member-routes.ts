import Type from "typebox";
import { parseUserId } from "../../engine/ids.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { decodeCursor, encodeCursor, pageOf } from "../http/page.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, readBody, validationFailed } from "../http/validation.ts";
import { parseEmail } from "../identity/email.ts";
import { type Identity, requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { Members } from "./members.ts";

const Role = Type.Enum(["owner", "organizer", "staff"]);

/** Body of POST /organizations/{id}/members. */
export const MemberBody = Type.Object({
  email: Type.String({ format: "email", maxLength: 254 }),
  role: Role,
});
const checkMember = compileSchema(MemberBody);

/** Body of PATCH /organizations/{id}/members/{userId}. */
export const MemberChangesBody = Type.Object({ role: Role });
const checkChanges = compileSchema(MemberChangesBody);

export interface MemberPorts {
  readonly members: Members;
  readonly tokens: Tokens;
}

type MemberHandler = (
  members: Members,
  identity: Identity,
  request: HttpRequest,
) => Promise<HttpResponse>;

/** Who acts for an organisation. */
export function memberRoutes({ members, tokens }: MemberPorts): Route[] {
  const route = (handle: MemberHandler) =>
    asyncRoute(async (request) => handle(members, requireIdentity(tokens, request), request));
  const path = "/api/v1/organizations/:id/members";
  return [
    { method: "GET", path, handler: route(list) },
    { method: "POST", path, handler: route(add) },
    { method: "PATCH", path: `${path}/:memberId`, handler: route(change) },
    { method: "DELETE", path: `${path}/:memberId`, handler: route(remove) },
  ];
}

const list: MemberHandler = (members, identity, request) =>
  pageById(request, (page) => members.list(identity, request.params[0] ?? "", page));

/** A page of a list that is ordered by its ids. */
export async function pageById(
  request: HttpRequest,
  read: (page: { limit: number; after: string | null }) => Promise<{ readonly id: string }[]>,
): Promise<HttpResponse> {
  const { limit, cursor } = pageOf(request.query);
  const after = cursor === null ? null : parseUserId(decodeCursor(cursor)[0]);
  if (cursor !== null && after === null) {
    throw validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);
  }
  const found = await read({ limit: limit + 1, after });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return json(200, { data, nextCursor: hasMore ? encodeCursor([last.id]) : null });
}

const add: MemberHandler = async (members, identity, request) => {
  const { role, ...given } = readBody(checkMember, request);
  const email = parseEmail(given.email);
  if (email === null) {
    throw validationFailed([{ path: "email", message: "must be an email address" }]);
  }
  return json(201, await members.add(identity, request.params[0] ?? "", { email, role }));
};

const change: MemberHandler = async (members, identity, request) => {
  const { role } = readBody(checkChanges, request);
  const [id = "", memberId] = request.params;
  return json(200, await members.setRole(identity, id, parseUserId(memberId), role));
};

const remove: MemberHandler = async (members, identity, request) => {
  const [id = "", memberId] = request.params;
  await members.remove(identity, id, parseUserId(memberId));
  return { status: 204, body: null };
};
