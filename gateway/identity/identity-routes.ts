import Type from "typebox";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, optional, readBody, validationFailed } from "../http/validation.ts";
import { parseEmail } from "./email.ts";
import { requireIdentity, type Tokens } from "./tokens.ts";
import { freshUserId, type User, type Users } from "./users.ts";

const PersonName = optional(Type.String({ format: "line", maxLength: 100 }));

export const RegisterBody = Type.Object({
  email: Type.String({ format: "email", maxLength: 254 }),
  password: Type.String({ minLength: 8, maxLength: 200 }),
  firstName: PersonName,
  lastName: PersonName,
});
const checkRegister = compileSchema(RegisterBody);

export const LoginBody = Type.Object({
  email: Type.String({ maxLength: 254 }),
  password: Type.String({ maxLength: 200 }),
});
const checkLogin = compileSchema(LoginBody);

export interface IdentityPorts {
  readonly users: Users;
  readonly tokens: Tokens;
}

export function identityRoutes(ports: IdentityPorts): Route[] {
  const route = (handle: (ports: IdentityPorts, request: HttpRequest) => Promise<HttpResponse>) =>
    asyncRoute((request) => handle(ports, request));
  return [
    { method: "POST", path: "/api/v1/auth/register", handler: route(register) },
    { method: "POST", path: "/api/v1/auth/login", handler: route(login) },
    { method: "POST", path: "/api/v1/auth/guest", handler: route(guest) },
    { method: "GET", path: "/api/v1/users/me", handler: route(me) },
  ];
}

async function register({ users, tokens }: IdentityPorts, request: HttpRequest) {
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
  const user = await users.register({ email, password, firstName, lastName });
  return signedIn(tokens, 201, user);
}

async function login({ users, tokens }: IdentityPorts, request: HttpRequest) {
  const { email, password } = readBody(checkLogin, request);
  const user = await users.login(parseEmail(email) ?? "", password);
  return signedIn(tokens, 200, user);
}

function signedIn(tokens: Tokens, status: number, user: User): HttpResponse {
  const token = tokens.issue({ userId: user.id, role: user.role });
  return unstored(json(status, { user, ...token }));
}

/** A guest is nothing but a token: an id that may hold places until it expires. */
async function guest({ tokens }: IdentityPorts) {
  const userId = freshUserId();
  const token = tokens.issue({ userId, role: "guest" });
  return unstored(json(201, { user: { id: userId, role: "guest" }, ...token }));
}

async function me({ users, tokens }: IdentityPorts, request: HttpRequest) {
  const { userId, role } = requireIdentity(tokens, request);
  if (role === "guest") return unstored(json(200, { id: userId, role }));
  const user = await users.find(userId);
  if (user === null) throw new ProblemError("unauthenticated");
  return unstored(json(200, user));
}

function unstored(response: HttpResponse): HttpResponse {
  return { ...response, headers: { "Cache-Control": "no-store" } };
}
