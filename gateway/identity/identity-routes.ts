import Type from "typebox";
import type { UserId } from "../../engine/ids.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, optional, readBody, validationFailed } from "../http/validation.ts";
import type { AttemptLimits } from "./attempt-limits.ts";
import type { Belongings, HandedOver } from "./belongings-port.ts";
import { parseEmail } from "./email.ts";
import { freshSessionId, type Sessions } from "./sessions.ts";
import type { Tokens } from "./tokens.ts";
import { freshUserId, type SignIn, type User, type Users } from "./users.ts";

export const PersonName = optional(Type.String({ format: "line", maxLength: 100 }));

export const NewPassword = Type.String({ minLength: 8, maxLength: 200 });

/** Body of POST /auth/register. */
export const RegisterBody = Type.Object({
  email: Type.String({ format: "email", maxLength: 254 }),
  password: NewPassword,
  firstName: PersonName,
  lastName: PersonName,
});
const checkRegister = compileSchema(RegisterBody);

/** Body of POST /auth/login. */
export const LoginBody = Type.Object({
  email: Type.String({ maxLength: 254 }),
  password: Type.String({ maxLength: 200 }),
});
const checkLogin = compileSchema(LoginBody);

/** Any text: one that is no token of ours is a wrong token, not a wrong field. */
const RefreshToken = Type.String();
/** Body of POST /auth/refresh. */
export const RefreshBody = Type.Object({ refreshToken: RefreshToken });
const checkRefresh = compileSchema(RefreshBody);

/** Body of POST /auth/logout, which may also be empty: the access token names the session, too. */
export const LogoutBody = Type.Object({ refreshToken: optional(RefreshToken) });
const checkLogout = compileSchema(LogoutBody);

export interface IdentityPorts {
  readonly users: Users;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly limits: AttemptLimits;
  readonly belongings: Belongings;
  /** Mails a new account what shows that its address is read. */
  readonly sendVerification: (user: User) => Promise<void>;
  /** Hands over what waits for who owns the address, as far as it can be done now. */
  readonly inherit: (user: User) => Promise<void>;
}

type IdentityHandler = (ports: IdentityPorts, request: HttpRequest) => Promise<HttpResponse>;

/** Who somebody is: coming in, staying in, going out. */
export function identityRoutes(ports: IdentityPorts): Route[] {
  const route = (handle: IdentityHandler) => asyncRoute((request) => handle(ports, request));
  const entering = { method: "POST", withAddress: true, limit: "auth" } as const;
  const staying = { method: "POST", limit: "session" } as const;
  return [
    { ...entering, path: "/api/v1/auth/register", handler: route(register) },
    { ...entering, path: "/api/v1/auth/login", handler: route(login) },
    { ...staying, path: "/api/v1/auth/refresh", handler: route(refresh) },
    { ...staying, path: "/api/v1/auth/logout", handler: route(logout) },
    { ...staying, path: "/api/v1/auth/guest", handler: route(guest) },
  ];
}

const register: IdentityHandler = async (ports, request) => {
  const {
    password,
    firstName = null,
    lastName = null,
    ...given
  } = readBody(checkRegister, request);
  const email = parseEmail(given.email);
  if (email === null) {
    throw validationFailed([{ path: "email", message: "must be an email address" }]);
  }
  const guestId = guestIdOf(ports.tokens, request);
  const registration = { email, password, firstName, lastName, guestId };
  const { user, passwordHash } = await ports.limits.registration(request, () =>
    ports.users.register(registration),
  );
  if (user.id === guestId) endGuest(ports.tokens, request);
  await ports.sendVerification(user);
  return signedIn(ports, 201, { user, passwordHash, handedOver: null });
};

/** The guest whose access token came with a request that needs none. */
function guestIdOf(tokens: Tokens, { authorization }: HttpRequest): UserId | null {
  const identity = authorization === "" ? null : tokens.verify(authorization);
  return identity !== null && identity.role === "guest" ? identity.userId : null;
}

/** The guest's id is an account's from now on, which opens to its owner's sign-ins alone. */
function endGuest(tokens: Tokens, { authorization }: HttpRequest): void {
  const session = tokens.sessionOf(authorization);
  if (session !== null) tokens.revoke(session.userId, [session.sessionId]);
}

/** What the guest booked becomes the account's; null: there is nothing to hand over. */
async function takeFromGuest(
  { users, belongings }: IdentityPorts,
  guestId: UserId | null,
  user: User,
): Promise<HandedOver | null> {
  if (guestId === null || guestId === user.id) return null;
  // An old token of a guest who is somebody by now.
  if ((await users.find(guestId)) !== null) return null;
  return belongings.handOver(guestId, user);
}

const login: IdentityHandler = async (ports, request) => {
  const { password, ...given } = readBody(checkLogin, request);
  // What is no address has no account: it is tried all the same, and takes as long.
  const email = parseEmail(given.email) ?? "";
  const signIn = await ports.limits.password(email, request, () =>
    ports.users.signIn(email, password),
  );
  const handedOver = await takeFromGuest(ports, guestIdOf(ports.tokens, request), signIn.user);
  await ports.inherit(signIn.user);
  return signedIn(ports, 200, { ...signIn, handedOver });
};

interface SignedIn extends SignIn {
  /** null: nobody came as a guest. */
  readonly handedOver: HandedOver | null;
}

async function signedIn(
  { tokens, sessions }: IdentityPorts,
  status: number,
  { user, passwordHash, handedOver }: SignedIn,
): Promise<HttpResponse> {
  const { sessionId, refreshToken } = await sessions.begin(user.id, passwordHash);
  const access = tokens.issue({ userId: user.id, role: user.role }, sessionId);
  const body = { user, ...access, refreshToken };
  return unstored(json(status, handedOver === null ? body : { ...body, handedOver }));
}

const refresh: IdentityHandler = async ({ users, tokens, sessions }, request) => {
  const { sessionId, userId, refreshToken } = await sessions.rotate(
    readBody(checkRefresh, request).refreshToken,
  );
  // What the account is now, not what it was at the sign-in.
  const user = await users.find(userId);
  if (user === null) throw new ProblemError("unauthenticated");
  const access = tokens.issue({ userId, role: user.role }, sessionId);
  return unstored(json(200, { user, ...access, refreshToken }));
};

/** Ends what the tokens name. That it has ended before is no reason for another answer. */
const logout: IdentityHandler = async ({ tokens, sessions }, request) => {
  const { refreshToken } = request.body.length === 0 ? {} : readBody(checkLogout, request);
  const session = tokens.sessionOf(request.authorization);
  const named = refreshToken ?? null;
  if (session === null && named === null) throw new ProblemError("unauthenticated");
  if (named !== null) await sessions.endByToken(named);
  if (session !== null) await sessions.end(session.sessionId, session.userId);
  return { status: 204, body: null };
};

/**
 * A guest is nothing but a token: an id that may hold places until it expires. Its session has no
 * row, and ends when the guest becomes an account.
 */
const guest: IdentityHandler = async ({ tokens }) => {
  const userId = freshUserId();
  const token = tokens.issue({ userId, role: "guest" }, freshSessionId());
  return unstored(json(201, { user: { id: userId, role: "guest" }, ...token }));
};

function unstored(response: HttpResponse): HttpResponse {
  return { ...response, headers: { "Cache-Control": "no-store" } };
}
