import Type from "typebox";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, optional, readBody, validationFailed } from "../http/validation.ts";
import type { Accounts } from "./accounts.ts";
import type { AttemptLimits } from "./attempt-limits.ts";
import type { Belongings } from "./belongings-port.ts";
import type { Credentials } from "./credentials.ts";
import { parseEmail } from "./email.ts";
import type { Heirs } from "./heirs.ts";
import { NewPassword, PersonName } from "./identity-routes.ts";
import { type Identity, requireIdentity, type Tokens } from "./tokens.ts";
import type { User, Users } from "./users.ts";

/** Body of PATCH /users/me: what is absent stays as it is. A new password needs the old one. */
export const MeChangesBody = Type.Object({
  firstName: PersonName,
  lastName: PersonName,
  password: Type.Optional(NewPassword),
  currentPassword: optional(Type.String({ maxLength: 200 })),
  email: Type.Optional(Type.String()),
});
const checkChanges = compileSchema(MeChangesBody);

export interface MeRoutesPorts {
  readonly users: Users;
  readonly tokens: Tokens;
  readonly accounts: Accounts;
  readonly credentials: Credentials;
  readonly limits: AttemptLimits;
  readonly belongings: Belongings;
  readonly heirs: Heirs;
}

type MeHandler = (
  ports: MeRoutesPorts,
  identity: Identity,
  request: HttpRequest,
) => Promise<HttpResponse>;

/** What somebody may know and do about themselves. */
export function meRoutes(ports: MeRoutesPorts): Route[] {
  const route = (handle: MeHandler) =>
    asyncRoute(async (request) => handle(ports, requireIdentity(ports.tokens, request), request));
  const path = "/api/v1/users/me";
  return [
    { method: "GET", path, handler: route(show) },
    { method: "PATCH", path, handler: route(change), withAddress: true },
    { method: "DELETE", path, handler: route(remove) },
    { method: "GET", path: `${path}/export`, handler: route(exportAll) },
  ];
}

const privately = (value: unknown): HttpResponse => ({
  ...json(200, value),
  headers: { "Cache-Control": "no-store" },
});

/** The account; a guest has none, and is no more than an id. */
async function accountOf(users: Users, { userId, role }: Identity): Promise<User | null> {
  if (role === "guest") return null;
  const user = await users.find(userId);
  if (user === null) throw new ProblemError("unauthenticated");
  return user;
}

/** A guest who has registered is asked to come as who they are now. */
async function refuseFormerGuest(users: Users, { userId, role }: Identity): Promise<void> {
  if (role === "guest" && (await users.find(userId)) !== null) throw new ProblemError("forbidden");
}

const show: MeHandler = async ({ users }, identity) => {
  const { userId: id, role } = identity;
  return privately((await accountOf(users, identity)) ?? { id, role });
};

const change: MeHandler = async (ports, identity, request) => {
  const user = await accountOf(ports.users, identity);
  if (user === null) throw new ProblemError("forbidden");
  const { email, password, currentPassword, ...names } = readBody(checkChanges, request);
  if (email !== undefined && parseEmail(email) !== user.email) {
    throw validationFailed([{ path: "email", message: "can't be changed" }]);
  }
  if (password !== undefined) {
    const known = currentPassword ?? "";
    const { passwordHash } = await ports.limits.password(user.email, request, () =>
      ports.users.signIn(user.email, known),
    );
    const keptSession = ports.tokens.sessionOf(request.authorization)?.sessionId ?? null;
    const owner = { userId: user.id, passwordHash, keptSession };
    const changed = await ports.credentials.changePassword(owner, password);
    if (changed === null) throw new ProblemError("invalid_credentials");
  }
  const renamed = await ports.accounts.rename(user.id, names);
  if (renamed === null) throw new ProblemError("unauthenticated");
  return privately(renamed);
};

/**
 * The order makes it repeatable: until the account itself goes, its owner can ask again. Their
 * access tokens end last.
 */
const remove: MeHandler = async (ports, identity) => {
  const { users, accounts, belongings, heirs, tokens } = ports;
  const { userId } = identity;
  await refuseFormerGuest(users, identity);
  await accounts.requireNotLastOwner(userId);
  const user = await users.find(userId);
  // What its address was given before belongs to it, too.
  const heirId = user?.emailOwned ? await heirs.find(user.email) : null;
  const forget = async (): Promise<void> => {
    for (const id of heirId === null ? [userId] : [userId, heirId]) {
      await belongings.forget(id);
      await accounts.forgetInHistory(id);
    }
  };
  await forget();
  await accounts.remove(userId);
  tokens.revoke(userId, "all");
  // What they did meanwhile, while their tokens were good. They are gone, whatever comes of this.
  await forget().catch((error: unknown) => {
    if (!(error instanceof ProblemError)) throw error;
  });
  return { status: 204, body: null };
};

const exportAll: MeHandler = async ({ users, accounts, belongings }, identity) => {
  const { userId: id, role } = identity;
  await refuseFormerGuest(users, identity);
  const [user, memberships, sessions, owned] = await Promise.all([
    accountOf(users, identity),
    accounts.membershipsOf(id),
    accounts.sessionsOf(id),
    belongings.exportOf(id),
  ]);
  return privately({ user: user ?? { id, role }, memberships, sessions, ...owned });
};
