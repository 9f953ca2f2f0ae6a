import type { Static } from "typebox";
import { isUuidV7, type UserId } from "../../engine/ids.ts";
import { PUSH_ENDPOINT_CHARS_MAX } from "../../engine/push-limits.ts";
import { iso } from "../booking/instant.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, type FieldError, readBody, validationFailed } from "../http/validation.ts";
import { requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { AddressGuard } from "../webhooks/address-guard.ts";
import { bytesOf, isPublicKey } from "./p256-keys.ts";
import { NewSubscriptionBody } from "./push-schemas.ts";
import type { NewSubscription, PushSubscription, PushSubscriptions } from "./push-subscriptions.ts";

const checkNew = compileSchema(NewSubscriptionBody);
type NewBody = Static<typeof NewSubscriptionBody>;

export interface PushRoutesPorts {
  readonly subscriptions: PushSubscriptions;
  readonly tokens: Tokens;
  readonly guard: AddressGuard;
  /** Of this installation. */
  readonly publicKey: string;
}

const PATH = "/api/v1/users/me/push-subscriptions";
const AUTH_BYTES = 16;
/** The last year that RFC 3339 can write, Unix ms. */
const EXPIRES_MS_MAX = Date.parse("9999-12-31T23:59:59.999Z");
/** Chrome's before 2018, which knows no VAPID. */
const OLD_SERVICE = "https://android.googleapis.com/gcm/";

/** For people with an account, in each of their browsers. */
export function pushRoutes(ports: PushRoutesPorts): Route[] {
  const { subscriptions, tokens, guard, publicKey } = ports;
  const own = (
    method: Route["method"],
    path: string,
    handle: (userId: UserId, request: HttpRequest) => Promise<HttpResponse>,
  ): Route => ({
    method,
    path,
    handler: asyncRoute(async (request) => handle(ownerOf(tokens, request), request)),
  });
  return [
    {
      method: "GET",
      path: "/api/v1/push/vapid-key",
      handler: asyncRoute(async () => json(200, { publicKey })),
    },
    own("POST", PATH, async (userId, request) => {
      const given = subscriptionIn(readBody(checkNew, request), guard);
      const { subscription, isNew } = await subscriptions.add(userId, given);
      return json(isNew ? 201 : 200, subscriptionView(subscription));
    }),
    own("GET", PATH, async (userId) => {
      const data = (await subscriptions.list(userId)).map(subscriptionView);
      return json(200, { data, nextCursor: null });
    }),
    own("DELETE", `${PATH}/:subscriptionId`, async (userId, { params: [id = ""] }) => {
      const isGone = isUuidV7(id) && (await subscriptions.remove(userId, id));
      if (!isGone) throw new ProblemError("push_subscription_not_found");
      return { status: 204, body: null };
    }),
  ];
}

/** A guest's id ends with their browser's token: nobody could take the subscription back. */
function ownerOf(tokens: Tokens, request: HttpRequest): UserId {
  const { userId, role } = requireIdentity(tokens, request);
  if (role === "guest") throw new ProblemError("forbidden");
  return userId;
}

function subscriptionIn(body: NewBody, guard: AddressGuard): NewSubscription {
  const { endpoint: text, keys, expirationTime = null } = body;
  const errors: FieldError[] = [];
  const must = (path: string, message: string | null): void => {
    if (message !== null) errors.push({ path, message });
  };
  must("endpoint", refusalOf(text, guard));
  must(
    "keys.p256dh",
    isPublicKey(keys.p256dh) ? null : "must be an uncompressed point of P-256: 65 bytes, base64url",
  );
  const isAuth = bytesOf(keys.auth)?.length === AUTH_BYTES;
  must("keys.auth", isAuth ? null : `must be ${AUTH_BYTES} bytes, base64url`);
  must("expirationTime", whyNotUntil(expirationTime));
  if (errors.length > 0) throw validationFailed(errors);
  const { href } = new URL(text);
  const expiresMs = expirationTime === null ? null : Math.trunc(expirationTime);
  return { endpoint: href, p256dh: keys.p256dh, auth: keys.auth, expiresMs };
}

function refusalOf(endpoint: string, guard: AddressGuard): string | null {
  const refusal = guard.refusalOf(endpoint);
  if (refusal !== null) return refusal;
  const { href } = new URL(endpoint);
  if (href.startsWith(OLD_SERVICE)) return "must be of a push service that knows VAPID";
  // Written in ASCII, it may be longer than it was.
  if (href.length <= PUSH_ENDPOINT_CHARS_MAX) return null;
  return `must have at most ${PUSH_ENDPOINT_CHARS_MAX} characters`;
}

function whyNotUntil(ms: number | null): string | null {
  if (ms === null) return null;
  if (ms <= Date.now()) return "must be a time to come, Unix ms: this subscription is over";
  return ms > EXPIRES_MS_MAX ? "must be a time before the year 10000, Unix ms" : null;
}

function subscriptionView({ id, endpoint, ...at }: PushSubscription): object {
  return {
    id,
    endpoint,
    expiresAt: at.expiresMs === null ? null : iso(at.expiresMs),
    createdAt: iso(at.createdMs),
    subscribedAt: iso(at.subscribedMs),
  };
}
