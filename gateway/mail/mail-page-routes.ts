import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { asyncRoute } from "../http/routes.ts";
import {
  askPage,
  pageAnswer,
  preferencesPage,
  strangeLinkPage,
  unsubscribedPage,
} from "./mail-pages.ts";
import type { MailPreferences } from "./mail-preferences.ts";
import { ALL_ORGANIZATIONS } from "./optional-kinds.ts";
import type { SignedLinks, Unsubscription } from "./signed-links.ts";

export interface MailPageRoutesPorts {
  readonly links: SignedLinks;
  readonly preferences: MailPreferences;
}

type Handle = (ports: MailPageRoutesPorts, request: HttpRequest) => Promise<HttpResponse>;

/** Where links in mails lead: who has one needs no account, and no cookie. */
export function mailPageRoutes(ports: MailPageRoutesPorts): Route[] {
  const route = (method: "GET" | "POST", path: string, handle: Handle): Route => ({
    method,
    path: `/api/v1/mail/${path}`,
    handler: asyncRoute((request) => handle(ports, request)),
  });
  return [
    route("GET", "unsubscribe/:token", ask),
    route("POST", "unsubscribe/:token", unsubscribe),
    route("GET", "preferences/:token", showPreferences),
    route("POST", "preferences/:token", savePreferences),
  ];
}

const ask: Handle = async ({ links }, request) => {
  const asked = links.readUnsubscribe(request.params[0] ?? "");
  return asked === null ? strangeLink() : pageAnswer(askPage(shown(links, asked)));
};

/** One click (RFC 8058): whatever its body says, and however often. */
const unsubscribe: Handle = async ({ links, preferences }, request) => {
  const asked = links.readUnsubscribe(request.params[0] ?? "");
  if (asked === null) return strangeLink();
  await preferences.refuse(asked.recipient, asked.kind, asked.organizationId);
  return pageAnswer(unsubscribedPage(shown(links, asked)));
};

const showPreferences: Handle = async ({ links, preferences }, request) => {
  const recipient = links.readPreferences(request.params[0] ?? "");
  if (recipient === null) return strangeLink();
  return pageAnswer(preferencesPage(await preferences.of(recipient), false));
};

/** A box that is not checked is not in a form: what is absent is refused. */
const savePreferences: Handle = async ({ links, preferences }, request) => {
  const recipient = links.readPreferences(request.params[0] ?? "");
  if (recipient === null) return strangeLink();
  const form = new URLSearchParams(request.body.toString("utf8"));
  const wishes = await preferences.change(recipient, {
    wanted: { reminder: form.has("reminder"), campaign: form.has("campaign") },
    ...(form.has("refused") ? {} : { refusedOrganizations: [] }),
  });
  return pageAnswer(preferencesPage(wishes, true));
};

function shown(links: SignedLinks, { recipient, kind, organizationId }: Unsubscription) {
  const isOfOne = organizationId !== ALL_ORGANIZATIONS;
  return { kind, isOfOne, preferences: links.preferencesOf(recipient) };
}

const strangeLink = (): HttpResponse => ({ ...pageAnswer(strangeLinkPage()), status: 404 });
