import Type, { type Static } from "typebox";
import { BOUNCE_BYTES_MAX, BOUNCES_MAX } from "../../engine/notifier-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { PageQuery, pageFrom } from "../http/page.ts";
import { ProblemError } from "../http/problem.ts";
import { compileQuery, textParameter } from "../http/query.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, readBody, validationFailed } from "../http/validation.ts";
import { parseEmail } from "../identity/email.ts";
import { requireIdentity } from "../identity/tokens.ts";
import type { Users } from "../identity/users.ts";
import { type OperatorPorts, requireOperator } from "../ops/operator.ts";
import { isSigned, SIGNED_HEADERS } from "../payments/signed-message.ts";
import type { BounceDesk } from "./bounce-desk.ts";
import { bouncesIn, bouncesOfReport, checkBounces } from "./bounce-report.ts";
import { digestOf } from "./mail-address.ts";
import type { ChangedWishes, MailPreferences, MailWishes } from "./mail-preferences.ts";
import type { SuppressedAddresses } from "./suppressed-addresses.ts";

export interface MailRoutesPorts extends OperatorPorts {
  readonly users: Pick<Users, "find">;
  readonly preferences: MailPreferences;
  readonly suppressed: SuppressedAddresses;
  readonly bounces: BounceDesk;
  /** null: nobody can report a bounce. */
  readonly bounceSecret: string | null;
  readonly clock: Clock;
}

/** Body of PATCH /users/me/mail-preferences: what is absent stays as it is. */
export const MailPreferencesBody = Type.Object({
  reminder: Type.Optional(Type.Boolean({ description: "Shortly before an event." })),
  campaign: Type.Optional(Type.Boolean({ description: "What organisers write." })),
  refusedOrganizations: Type.Optional(
    Type.Array(Type.String({ format: "id" }), {
      maxItems: BOUNCES_MAX,
      description: "Of those, and no others, no campaigns: takes the place of the list.",
    }),
  ),
});
const checkPreferences = compileSchema(MailPreferencesBody);

/** The query of GET /ops/suppressions. */
export const SuppressionsQuery = Type.Object({
  ...PageQuery.properties,
  address: textParameter(254, "Only this address."),
});
const readSuppressionsQuery = compileQuery(SuppressionsQuery);

type Handle = (ports: MailRoutesPorts, request: HttpRequest) => Promise<HttpResponse>;

export function mailRoutes(ports: MailRoutesPorts): Route[] {
  const route = (method: "GET" | "PATCH" | "DELETE", path: string, handle: Handle): Route => ({
    method,
    path,
    handler: asyncRoute((request) => handle(ports, request)),
  });
  return [
    {
      method: "POST",
      path: "/api/v1/mail/bounces",
      headers: SIGNED_HEADERS,
      bodyBytesMax: BOUNCE_BYTES_MAX,
      limit: "webhook",
      handler: asyncRoute((request) => takeBounces(ports, request)),
    },
    route("GET", "/api/v1/users/me/mail-preferences", showWishes),
    route("PATCH", "/api/v1/users/me/mail-preferences", changeWishes),
    route("GET", "/ops/suppressions", listSuppressions),
    route("DELETE", "/ops/suppressions/:id", removeSuppression),
  ];
}

/** 200 says that it is kept. Replays and reordering are harmless. */
const takeBounces: Handle = async ({ bounces, bounceSecret, clock }, request) => {
  const { body, headers = {}, contentType } = request;
  if (bounceSecret === null) throw new ProblemError("not_found");
  if (!isSigned(bounceSecret, headers, { body, nowMs: clock.wallMs() })) {
    throw new ProblemError("webhook_signature_invalid");
  }
  const isReport = /^(?:message\/rfc822|multipart\/report)\s*(?:;|$)/i.test(contentType);
  const reported = isReport
    ? await bouncesOfReport(reportIn(body, contentType))
    : bouncesIn(readBody(checkBounces, request));
  const known = await bounces.take(reported, headers["webhook-id"] ?? "");
  return json(200, { received: reported.length, known });
};

/** A report that came as a body has its first header field outside of it. */
function reportIn(body: Buffer, contentType: string): Buffer {
  if (/^message\/rfc822/i.test(contentType)) return body;
  const head = `MIME-Version: 1.0\r\nContent-Type: ${contentType.replace(/[\r\n]/g, " ")}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}

/** Who has shown that the mailbox is theirs, says what comes into it. */
async function ownAddress({ users, tokens }: MailRoutesPorts, request: HttpRequest) {
  const { userId, role } = requireIdentity(tokens, request);
  if (role === "guest") throw new ProblemError("forbidden");
  const user = await users.find(userId);
  if (user === null) throw new ProblemError("unauthenticated");
  if (!user.emailOwned) {
    throw new ProblemError("forbidden", { detail: "Show first that this address is yours" });
  }
  return digestOf(user.email);
}

const showWishes: Handle = async (ports, request) =>
  privately(wishesView(await ports.preferences.of(await ownAddress(ports, request))));

const changeWishes: Handle = async (ports, request) => {
  const recipient = await ownAddress(ports, request);
  const changed = changedWishes(readBody(checkPreferences, request));
  return privately(wishesView(await ports.preferences.change(recipient, changed)));
};

function changedWishes(body: Static<typeof MailPreferencesBody>): ChangedWishes {
  const { reminder, campaign, refusedOrganizations } = body;
  return {
    wanted: {
      ...(reminder === undefined ? {} : { reminder }),
      ...(campaign === undefined ? {} : { campaign }),
    },
    ...(refusedOrganizations === undefined ? {} : { refusedOrganizations }),
  };
}

const wishesView = ({ wanted, refusedOrganizations }: MailWishes) => ({
  ...wanted,
  refusedOrganizations,
});

const listSuppressions: Handle = async (ports, request) => {
  requireOperator(ports, request);
  const { address, ...page } = readSuppressionsQuery(request.query);
  const only = address === undefined ? null : parseEmail(address);
  if (only === null && address !== undefined) {
    throw validationFailed([{ path: "address", message: "must be an email address" }]);
  }
  return privately(
    await ports.suppressed.list(pageFrom(page), only === null ? null : digestOf(only)),
  );
};

const removeSuppression: Handle = async (ports, request) => {
  requireOperator(ports, request);
  const id = Buffer.from(request.params[0] ?? "", "base64url");
  const wasThere = await ports.suppressed.remove(id);
  if (!wasThere) throw new ProblemError("not_found");
  return { status: 204, headers: { "Cache-Control": "no-store" }, body: null };
};

const privately = (value: unknown): HttpResponse => ({
  ...json(200, value),
  headers: { "Cache-Control": "no-store" },
});
