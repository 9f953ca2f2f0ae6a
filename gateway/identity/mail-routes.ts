import Type from "typebox";
import type { UserId } from "../../engine/ids.ts";
import { RESETS_IN_FLIGHT_MAX } from "../../engine/limits.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, optional, readBody, validationFailed } from "../http/validation.ts";
import type { Log } from "../log.ts";
import type { AttemptLimits } from "./attempt-limits.ts";
import type { Credentials } from "./credentials.ts";
import { parseEmail } from "./email.ts";
import { NewPassword } from "./identity-routes.ts";
import type { MailedTokens } from "./mailed-tokens.ts";
import { requireIdentity, type Tokens } from "./tokens.ts";
import type { User, Users } from "./users.ts";

const MailedToken = Type.String({ minLength: 1, maxLength: 200 });

/** Body of POST /auth/verify-email; without a token, whoever is signed in is sent another one. */
export const VerifyEmailBody = Type.Object({ token: optional(MailedToken) });
const checkVerifyEmail = compileSchema(VerifyEmailBody);

/** Body of POST /auth/forgot-password. */
export const ForgotPasswordBody = Type.Object({
  email: Type.String({ format: "email", maxLength: 254 }),
});
const checkForgotPassword = compileSchema(ForgotPasswordBody);

/** Body of POST /auth/reset-password. */
export const ResetPasswordBody = Type.Object({ token: MailedToken, password: NewPassword });
const checkResetPassword = compileSchema(ResetPasswordBody);

export interface MailRoutesPorts {
  readonly users: Users;
  readonly tokens: Tokens;
  readonly credentials: Credentials;
  readonly mailedTokens: MailedTokens;
  readonly limits: AttemptLimits;
  /** Hands over what waits for who owns the address, as far as it can be done now. */
  readonly inherit: (user: User) => Promise<void>;
  readonly log: Pick<Log, "warn">;
}

/** What goes by way of somebody's mail: showing that an address is theirs, and a new password. */
export function mailRoutes(ports: MailRoutesPorts): Route[] {
  const desk = new MailDesk(ports);
  const path = "/api/v1/auth";
  const limited = { method: "POST", withAddress: true, limit: "auth" } as const;
  return [
    {
      ...limited,
      path: `${path}/verify-email`,
      handler: asyncRoute((request) => desk.verifyEmail(request)),
    },
    {
      ...limited,
      path: `${path}/forgot-password`,
      handler: asyncRoute((request) => desk.forgotPassword(request)),
    },
    {
      ...limited,
      path: `${path}/reset-password`,
      handler: asyncRoute((request) => desk.resetPassword(request)),
    },
  ];
}

const ACCEPTED = { status: "accepted" };

class MailDesk {
  readonly #ports: MailRoutesPorts;
  #resetsInFlight = 0;

  constructor(ports: MailRoutesPorts) {
    this.#ports = ports;
  }

  async verifyEmail(request: HttpRequest): Promise<HttpResponse> {
    const { token } = request.body.length === 0 ? {} : readBody(checkVerifyEmail, request);
    if (token === undefined || token === null) return this.#sendAnother(request);
    const user = await this.#ports.credentials.verifyEmail(token, signedInAs(this.#ports, request));
    if (user === null) throw new ProblemError("token_invalid");
    await this.#ports.inherit(user);
    return json(200, { user });
  }

  async #sendAnother(request: HttpRequest): Promise<HttpResponse> {
    const { users, tokens, limits } = this.#ports;
    const { userId, role } = requireIdentity(tokens, request);
    const user = role === "guest" ? null : await users.find(userId);
    if (user === null) throw new ProblemError("forbidden");
    if (!user.emailOwned && (await limits.mayMail(user.email))) {
      await this.#ports.mailedTokens.mail(user, "verify_email");
    }
    return json(202, ACCEPTED);
  }

  /**
   * The answer is the same and leaves at the same time whether or not there is such an account:
   * nobody has looked yet.
   */
  async forgotPassword(request: HttpRequest): Promise<HttpResponse> {
    const { limits, log } = this.#ports;
    const email = parseEmail(readBody(checkForgotPassword, request).email);
    if (email === null) {
      throw validationFailed([{ path: "email", message: "must be an email address" }]);
    }
    await limits.probe(request);
    if (this.#resetsInFlight >= RESETS_IN_FLIGHT_MAX) throw new ProblemError("busy");
    this.#resetsInFlight += 1;
    setImmediate(() => {
      this.#sendReset(email)
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          log.warn({ reason }, "a forgotten password could not be looked into");
        })
        .finally(() => {
          this.#resetsInFlight -= 1;
        });
    });
    return json(202, ACCEPTED);
  }

  async #sendReset(email: string): Promise<void> {
    const { users, mailedTokens, limits } = this.#ports;
    const user = await users.findByEmail(email);
    if (user === null || !(await limits.mayMail(email))) return;
    await mailedTokens.mail(user, "reset_password");
  }

  async resetPassword(request: HttpRequest): Promise<HttpResponse> {
    const { token, password } = readBody(checkResetPassword, request);
    await this.#ports.limits.probe(request);
    const user = await this.#ports.credentials.resetPassword(token, password);
    if (user === null) throw new ProblemError("token_invalid");
    await this.#ports.inherit(user);
    return { status: 204, body: null };
  }
}

/**
 * The account that a request comes from which needs none; null: it comes without a token. Throws
 * `unauthenticated`: who shows an old one means to be somebody.
 */
export function signedInAs(
  { tokens }: Pick<MailRoutesPorts, "tokens">,
  request: HttpRequest,
): UserId | null {
  if (request.authorization === "") return null;
  const { userId, role } = requireIdentity(tokens, request);
  // A guest's id may be an account's by now, which it does not open.
  return role === "guest" ? null : userId;
}
