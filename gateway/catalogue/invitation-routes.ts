import Type from "typebox";
import { parseUserId } from "../../engine/ids.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, readBody } from "../http/validation.ts";
import { signedInAs } from "../identity/mail-routes.ts";
import { type Identity, requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { Invitations } from "./invitations.ts";
import { pageById } from "./member-routes.ts";

/** Body of POST /invitations/accept. */
export const AcceptBody = Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) });
const checkAccept = compileSchema(AcceptBody);

export interface InvitationPorts {
  readonly invitations: Invitations;
  readonly tokens: Tokens;
}

type Handler = (
  invitations: Invitations,
  identity: Identity,
  request: HttpRequest,
) => Promise<HttpResponse>;

/** Who was invited to act for an organisation. Inviting is adding a member (member-routes.ts). */
export function invitationRoutes({ invitations, tokens }: InvitationPorts): Route[] {
  const route = (handle: Handler) =>
    asyncRoute(async (request) => handle(invitations, requireIdentity(tokens, request), request));
  const path = "/api/v1/organizations/:id/invitations";
  return [
    { method: "GET", path, handler: route(list) },
    { method: "DELETE", path: `${path}/:invitationId`, handler: route(revoke) },
    {
      method: "POST",
      path: "/api/v1/invitations/accept",
      handler: asyncRoute((request) => accept({ invitations, tokens }, request)),
    },
  ];
}

const list: Handler = (invitations, identity, request) =>
  pageById(request, (page) => invitations.list(identity, request.params[0] ?? "", page));

const revoke: Handler = async (invitations, identity, request) => {
  const [id = "", invitationId] = request.params;
  await invitations.revoke(identity, id, parseUserId(invitationId));
  return { status: 204, body: null };
};

/** Open to whoever has the token: it was mailed to them. */
async function accept(ports: InvitationPorts, request: HttpRequest): Promise<HttpResponse> {
  const { token } = readBody(checkAccept, request);
  return json(200, await ports.invitations.accept(token, signedInAs(ports, request)));
}
