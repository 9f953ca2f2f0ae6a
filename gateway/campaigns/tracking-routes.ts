import type { HttpRequest, HttpResponse, Route } from "../http/exchange.ts";
import { ProblemError } from "../http/problem.ts";
import { asyncRoute } from "../http/routes.ts";
import { page, pageAnswer } from "../mail/mail-pages.ts";
import { isTrackable } from "./campaign-mail.ts";
import type { TrackedCounts } from "./tracked-counts.ts";
import type { TrackingObjections } from "./tracking-objections.ts";
import type { TrackedClick, TrackingKind, TrackingTokens } from "./tracking-token.ts";

export interface TrackingPorts {
  readonly tokens: TrackingTokens;
  readonly counts: Pick<TrackedCounts, "add">;
  readonly objections: Pick<TrackingObjections, "add">;
}

/** One transparent pixel. */
const GIF = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const PIXEL = Buffer.from(GIF, "base64");

/** Do Not Track and Global Privacy Control; and what browsers say of fetching ahead. */
const OBJECTIONS = ["dnt", "sec-gpc"] as const;
const AHEAD = ["sec-purpose", "purpose", "x-moz"] as const;
const HEADERS = [...OBJECTIONS, ...AHEAD];

/**
 * What is in the mails of campaigns. No token of a person, no cookie: an address is signed, and
 * leads nowhere but where it led when it was mailed. Nothing here waits for the database but who
 * objects.
 */
export function trackingRoutes(ports: TrackingPorts): Route[] {
  const route = (
    method: "GET" | "POST",
    letter: string,
    handle: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>,
  ): Route => ({
    method,
    path: `/api/v1/mail/${letter}/:token`,
    headers: HEADERS,
    // Mail programs fetch for all of their users from a few addresses.
    limit: "none",
    handler: asyncRoute(async (request) => handle(request)),
  });
  return [
    route("GET", "o", (request) => {
      const token = /^(.+)\.gif$/.exec(request.params[0] ?? "")?.[1] ?? "";
      count(ports, request, "open", token);
      return {
        status: 200,
        headers: { "Cache-Control": "no-store" },
        contentType: "image/gif",
        body: PIXEL,
      };
    }),
    route("GET", "c", (request) => {
      const { url } = count(ports, request, "click", request.params[0] ?? "");
      // Signed by us, and looked at once more: what leads away from here is HTTP.
      if (!isTrackable(url)) throw new ProblemError("not_found");
      const headers = { "Cache-Control": "no-store", Location: new URL(url).href };
      return { status: 302, headers, body: null };
    }),
    // Whoever looks through mails for what is dangerous follows links, too: it takes a button.
    route("GET", "t", (request) => {
      read(ports, "objection", request.params[0] ?? "");
      return pageAnswer(ASKING);
    }),
    route("POST", "t", async (request) => {
      await ports.objections.add(read(ports, "objection", request.params[0] ?? ""));
      return pageAnswer(DONE);
    }),
  ];
}

function read({ tokens }: TrackingPorts, kind: TrackingKind, token: string): TrackedClick {
  const found = tokens.read(kind, token);
  if (found === null) throw new ProblemError("not_found");
  return found;
}

function count(
  ports: TrackingPorts,
  { method, headers = {} }: HttpRequest,
  kind: "open" | "click",
  token: string,
): TrackedClick {
  const found = read(ports, kind, token);
  const objects = OBJECTIONS.some((name) => headers[name] === "1");
  const isAhead = AHEAD.some((name) => /prefetch|preview|prerender/i.test(headers[name] ?? ""));
  if (method !== "HEAD" && !objects && !isAhead) ports.counts.add(found, kind);
  return found;
}

const ASKING = page(
  "Do not count me",
  `<p>It is counted whether this address opens mails of organisers and follows their links. From now
on it will not be, in any of them.</p>
<form method="post"><button>Do not count me any more</button></form>`,
);
const DONE = page(
  "You are not counted any more",
  `<p class="done" role="status">Not in mails that you already have, either. Links in them lead
where they led.</p>`,
);
