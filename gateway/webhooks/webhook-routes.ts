import { randomBytes } from "node:crypto";
import type { Static } from "typebox";
import { type EventId, isUuidV7, parseOrganizationId } from "../../engine/ids.ts";
import { WEBHOOK_TESTS_MAX } from "../../engine/notifier-limits.ts";
import { iso } from "../booking/instant.ts";
import type { Organizations } from "../catalogue/organizations.ts";
import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { decodeCursor, encodeCursor, pageOf } from "../http/page.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute, json } from "../http/routes.ts";
import { compileSchema, readBody, validationFailed } from "../http/validation.ts";
import { requireIdentity, type Tokens } from "../identity/tokens.ts";
import type { AddressGuard } from "./address-guard.ts";
import type { GuardedPost } from "./guarded-post.ts";
import { headersOf, testMessage } from "./webhook-message.ts";
import { NewWebhookBody, ReplayBody, WebhookChangesBody } from "./webhook-schemas.ts";
import { signedBy } from "./webhook-secret.ts";
import type { Attempt, Delivery, Webhook, WebhookKey, Webhooks, WebhookTerms } from "./webhooks.ts";

const checkNew = compileSchema(NewWebhookBody);
const checkChanges = compileSchema(WebhookChangesBody);
const checkReplay = compileSchema(ReplayBody);

export interface WebhookRoutesPorts {
  readonly webhooks: Webhooks;
  readonly organizations: Pick<Organizations, "isMember" | "requireOrganizer">;
  readonly tokens: Tokens;
  readonly guard: AddressGuard;
  readonly post: Pick<GuardedPost, "send">;
}

const PATH = "/api/v1/organizations/:id/webhooks";
const ONE = `${PATH}/:webhookId`;

/** For those who sell for the organisation. */
export function webhookRoutes(ports: WebhookRoutesPorts): Route[] {
  const desk = new WebhookDesk(ports);
  const route = (
    method: Route["method"],
    path: string,
    handle: (request: HttpRequest) => Promise<HttpResponse>,
  ): Route => ({ method, path, handler: asyncRoute(handle) });
  return [
    route("POST", PATH, (request) => desk.add(request)),
    route("GET", PATH, (request) => desk.list(request)),
    route("GET", ONE, (request) => desk.show(request)),
    route("PATCH", ONE, (request) => desk.change(request)),
    route("DELETE", ONE, (request) => desk.remove(request)),
    route("POST", `${ONE}/rotate-secret`, (request) => desk.rotate(request)),
    route("POST", `${ONE}/enable`, (request) => desk.enable(request)),
    route("POST", `${ONE}/test`, (request) => desk.test(request)),
    route("POST", `${ONE}/replay`, (request) => desk.replay(request)),
    route("GET", `${ONE}/deliveries`, (request) => desk.deliveries(request)),
  ];
}

class WebhookDesk {
  readonly #ports: WebhookRoutesPorts;
  #testing = 0;

  constructor(ports: WebhookRoutesPorts) {
    this.#ports = ports;
  }

  async add(request: HttpRequest): Promise<HttpResponse> {
    const { organizationId, webhooks } = await this.#open(request);
    const { url, description = "", types = null, enabled = true } = this.#read(checkNew, request);
    const made = await webhooks.add(organizationId, { url, description, types, enabled });
    const { webhook, secret } = made;
    const place = `/api/v1/organizations/${organizationId}/webhooks/${webhook.id}`;
    const answer = json(201, { ...webhookView(webhook), secret });
    return { ...answer, headers: { Location: place, ...UNKEPT } };
  }

  async list(request: HttpRequest): Promise<HttpResponse> {
    const { limit, cursor } = pageOf(request.query);
    const after = cursor === null ? null : (decodeCursor(cursor)[0] ?? "");
    if (after !== null && !isUuidV7(after)) throw foreignCursor();
    const { organizationId, webhooks } = await this.#open(request);
    const found = await webhooks.list(organizationId, { limit: limit + 1, after });
    return page(found, { limit, view: webhookView });
  }

  async show(request: HttpRequest): Promise<HttpResponse> {
    const { webhook } = await this.#find(request);
    return json(200, webhookView(webhook));
  }

  async change(request: HttpRequest): Promise<HttpResponse> {
    const { webhooks, key } = await this.#find(request);
    const changes = this.#read(checkChanges, request);
    return json(200, webhookView(found(await webhooks.change(key, given(changes)))));
  }

  async remove(request: HttpRequest): Promise<HttpResponse> {
    const { organizationId, webhooks } = await this.#open(request);
    await webhooks.remove({ organizationId, id: idOf(request) });
    return { status: 204, body: null };
  }

  async rotate(request: HttpRequest): Promise<HttpResponse> {
    const { webhooks, key } = await this.#find(request);
    const { webhook, secret } = found(await webhooks.rotate(key));
    return { ...json(200, { ...webhookView(webhook), secret }), headers: UNKEPT };
  }

  async enable(request: HttpRequest): Promise<HttpResponse> {
    const { webhooks, key } = await this.#find(request);
    return json(200, webhookView(found(await webhooks.change(key, { enabled: true }))));
  }

  /** The answer tells how the receiver's was. Also of one that is disabled. */
  async test(request: HttpRequest): Promise<HttpResponse> {
    const { webhooks, webhook, key } = await this.#find(request);
    const secrets = found(await webhooks.secrets(key));
    if (this.#testing >= WEBHOOK_TESTS_MAX) throw new ProblemError("busy");
    const atMs = Date.now();
    const { id, body } = testMessage(webhook.id, atMs, randomBytes(18).toString("base64url"));
    const headers = headersOf(signedBy(secrets, { id, atMs, body }));
    this.#testing += 1;
    try {
      const stopping = new AbortController().signal;
      const posted = await this.#ports.post.send(webhook.url, { headers, body, stopping });
      const { status } = posted;
      const delivered = status !== null && status >= 200 && status < 300;
      return json(200, { messageId: id, delivered, ...tryView(posted) });
    } finally {
      this.#testing -= 1;
    }
  }

  async replay(request: HttpRequest): Promise<HttpResponse> {
    const { webhooks, key } = await this.#find(request);
    const { eventId, fromSeq } = readBody(checkReplay, request);
    // Events' ids have a form of their own that the schema has checked.
    const asked = { eventId: eventId as EventId, fromSeq };
    if (!(await webhooks.replay(key, asked))) throw new ProblemError("event_not_found");
    return json(202, asked);
  }

  async deliveries(request: HttpRequest): Promise<HttpResponse> {
    const { limit, cursor } = pageOf(request.query);
    const before = cursor === null ? null : (decodeCursor(cursor)[0] ?? "");
    if (before !== null && !/^\d{1,18}$/.test(before)) throw foreignCursor();
    const { webhooks, key } = await this.#find(request);
    const log = await webhooks.deliveries(key, { limit: limit + 1, before });
    return page(log, { limit, view: deliveryView });
  }

  /** For strangers there is nothing here. */
  async #open(request: HttpRequest) {
    const { organizations, tokens, webhooks } = this.#ports;
    const identity = requireIdentity(tokens, request);
    const [id = ""] = request.params;
    const isMember =
      parseOrganizationId(id) !== null && (await organizations.isMember(identity, id));
    if (!isMember) throw new ProblemError("organization_not_found");
    const { id: organizationId } = await organizations.requireOrganizer(identity, id);
    return { organizationId, webhooks: webhooks.as(identity) };
  }

  async #find(request: HttpRequest) {
    const { organizationId, webhooks } = await this.#open(request);
    const key: WebhookKey = { organizationId, id: idOf(request) };
    return { webhooks, key, webhook: found(await webhooks.find(key)) };
  }

  #read<Body extends { readonly url?: string }>(
    check: Parameters<typeof readBody<Body>>[0],
    request: HttpRequest,
  ): Body {
    const body = readBody(check, request);
    const refusal = body.url === undefined ? null : this.#ports.guard.refusalOf(body.url);
    if (refusal !== null) throw validationFailed([{ path: "url", message: refusal }]);
    return body;
  }
}

/** A secret is nobody's to keep on the way. */
const UNKEPT = { "Cache-Control": "no-store" };

const foreignCursor = (): ProblemError =>
  validationFailed([{ path: "cursor", message: "must be a nextCursor of this list" }]);

function found<T>(one: T | null): T {
  if (one === null) throw new ProblemError("webhook_not_found");
  return one;
}

const idOf = ({ params: [, id = ""] }: HttpRequest): string => found(isUuidV7(id) ? id : null);

/** Without what is absent. */
function given(changes: Static<typeof WebhookChangesBody>): Partial<WebhookTerms> {
  const { url, description, types, enabled } = changes;
  return {
    ...(url === undefined ? {} : { url }),
    ...(description === undefined ? {} : { description }),
    ...(types === undefined ? {} : { types }),
    ...(enabled === undefined ? {} : { enabled }),
  };
}

function page<T extends { readonly id: string }>(
  entries: readonly T[],
  { limit, view }: { readonly limit: number; readonly view: (entry: T) => object },
): HttpResponse {
  const data = entries.slice(0, limit);
  const last = data.at(-1);
  const isMore = entries.length > limit && last !== undefined;
  return json(200, {
    data: data.map(view),
    nextCursor: isMore ? encodeCursor([last.id]) : null,
  });
}

function webhookView(webhook: Webhook): object {
  const { disabledMs, oldSecretUntilMs, createdMs, ...rest } = webhook;
  return {
    ...rest,
    disabledAt: isoOrNull(disabledMs),
    oldSecretUntil: isoOrNull(oldSecretUntilMs),
    createdAt: iso(createdMs),
  };
}

function deliveryView({ id: _, nextTryMs, attempts, ...rest }: Delivery): object {
  return {
    ...rest,
    attempts: attempts.map((attempt) => ({ at: iso(attempt.atMs), ...tryView(attempt) })),
    nextTryAt: isoOrNull(nextTryMs),
  };
}

const tryView = ({ durationMs, status, error, answer }: Omit<Attempt, "atMs">): object => ({
  durationMs,
  status,
  error,
  answer,
});

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));
