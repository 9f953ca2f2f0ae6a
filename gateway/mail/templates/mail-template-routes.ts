import type { Static } from "typebox";
import { type OrganizationId, parseBookingId, parseOrganizationId } from "../../../engine/ids.ts";
import { TEMPLATE_BODY_BYTES_MAX } from "../../../engine/notifier-limits.ts";
import type { BookingAccess } from "../../booking/booking-access.ts";
import type { Organization, Organizations } from "../../catalogue/organizations.ts";
import type { HttpRequest, HttpResponse, Route } from "../../http/exchange.ts";
import { ProblemError } from "../../http/problem.ts";
import { asyncRoute, json } from "../../http/routes.ts";
import { compileSchema, readBody, validationFailed } from "../../http/validation.ts";
import { type Identity, requireIdentity, type Tokens } from "../../identity/tokens.ts";
import { bookingWords } from "../../notifier/messages/message-words.ts";
import { qrSvg } from "../../tickets/press/qr-image.ts";
import { BUILT_IN, EDITABLE_KINDS, type EditableKind, isEditable } from "./built-in-templates.ts";
import { renderMail } from "./mail-template.ts";
import { OwnTemplateBody, PreviewBody } from "./mail-template-schemas.ts";
import type { MailTemplates, StoredTemplate } from "./mail-templates.ts";
import { checkOwn, type OwnTemplate, withOwn } from "./own-template.ts";
import { SAMPLES } from "./sample-variables.ts";
import { type MailValue, type MailVariables, TemplateFault } from "./template-engine.ts";

const checkTemplateBody = compileSchema(OwnTemplateBody);
const checkPreview = compileSchema(PreviewBody);

export interface MailTemplateRoutesPorts {
  readonly templates: MailTemplates;
  readonly organizations: Pick<Organizations, "isMember" | "requireOrganizer">;
  readonly access: Pick<BookingAccess, "ofId">;
  readonly tokens: Tokens;
  /** null: mails have no links. */
  readonly publicUrl: string | null;
}

interface Asked {
  readonly identity: Identity;
  readonly organization: Organization;
}

/** The words of an organisation's mails, for those who sell for it. */
export function mailTemplateRoutes(ports: MailTemplateRoutesPorts): Route[] {
  const { templates } = ports;
  const path = "/api/v1/organizations/:id/mail-templates";
  const one = `${path}/:kind`;
  const route = (
    method: Route["method"],
    at: string,
    handle: (asked: Asked, request: HttpRequest) => Promise<HttpResponse>,
  ): Route => ({
    method,
    path: at,
    bodyBytesMax: TEMPLATE_BODY_BYTES_MAX,
    handler: asyncRoute(async (request) => handle(await open(ports, request), request)),
  });
  return [
    route("GET", path, async ({ identity, organization }) => {
      const stored = await templates.list(identity, organization.id);
      const data = EDITABLE_KINDS.map((kind) =>
        view(kind, stored.find((each) => each.kind === kind) ?? null),
      );
      return json(200, { data });
    }),
    route("GET", one, async ({ identity, organization }, request) => {
      const kind = kindOf(request);
      return json(200, view(kind, await templates.find(identity, organization.id, kind)));
    }),
    route("PUT", one, async ({ identity, organization }, request) => {
      const kind = kindOf(request);
      const own = ownOf(readBody(checkTemplateBody, request));
      requireGood(kind, own);
      return json(200, view(kind, await templates.keep(identity, organization.id, { kind, own })));
    }),
    route("DELETE", one, async ({ identity, organization }, request) => {
      await templates.remove(identity, organization.id, kindOf(request));
      return { status: 204, body: null };
    }),
    route("POST", `${one}/preview`, (asked, request) => preview(ports, asked, request)),
  ];
}

/** For strangers there is nothing here. */
async function open(
  { organizations, tokens }: MailTemplateRoutesPorts,
  request: HttpRequest,
): Promise<Asked> {
  const identity = requireIdentity(tokens, request);
  const [id = ""] = request.params;
  const isMember = parseOrganizationId(id) !== null && (await organizations.isMember(identity, id));
  if (!isMember) throw new ProblemError("organization_not_found");
  return { identity, organization: await organizations.requireOrganizer(identity, id) };
}

function kindOf({ params: [, kind = ""] }: HttpRequest): EditableKind {
  if (!isEditable(kind)) throw new ProblemError("mail_template_not_found");
  return kind;
}

/** What is in the body and not something else that came along. */
function ownOf({ subject, blocks }: Static<typeof OwnTemplateBody>): OwnTemplate {
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(blocks === undefined ? {} : { blocks }),
  };
}

function requireGood(kind: EditableKind, own: OwnTemplate): void {
  const errors = checkOwn(kind, own);
  if (errors.length > 0) throw validationFailed(errors);
}

async function preview(
  ports: MailTemplateRoutesPorts,
  { identity, organization }: Asked,
  request: HttpRequest,
): Promise<HttpResponse> {
  const kind = kindOf(request);
  const body = request.body.length === 0 ? {} : readBody(checkPreview, request);
  const given = ownOf(body);
  const isGiven = given.subject !== undefined || given.blocks !== undefined;
  const stored = isGiven ? null : await ports.templates.find(identity, organization.id, kind);
  const own = stored?.own ?? given;
  requireGood(kind, own);
  const { bookingId } = body;
  const variables =
    bookingId === undefined || bookingId === null
      ? { ...SAMPLES[kind], organizer: { name: organization.name } }
      : await variablesOf(ports, { identity, organization }, kind, bookingId);
  const frame = { sender: organization.name, footnotes: [], pixel: null };
  try {
    const { html, ...mail } = renderMail(withOwn(kind, own), variables, { frame });
    return json(200, { ...mail, html: withShownCodes(html) });
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    const message = `can't be filled in with this booking: line ${error.line}: ${error.message}`;
    throw validationFailed([{ path: "blocks", message }]);
  }
}

/** What is so of the booking; what else the mail tells of is made up. */
async function variablesOf(
  { access, publicUrl }: MailTemplateRoutesPorts,
  { identity, organization }: Asked,
  kind: EditableKind,
  bookingId: string,
): Promise<MailVariables> {
  const { booking, event } = await access.ofId(identity, parseBookingId(bookingId));
  if (!isOf(organization.id, event)) throw new ProblemError("booking_not_found");
  const { record } = booking;
  const qrs = new Map(record.items.map((_, index) => [index, `ticket-${index + 1}@evently`]));
  const reader = { firstName: null, publicUrl: publicUrl?.replace(/\/+$/, "") ?? null };
  const told = { event, organizer: organization.name };
  return { ...SAMPLES[kind], ...bookingWords(told, record, { ...reader, qrs, withCodes: true }) };
}

const isOf = (id: OrganizationId, event: { readonly organizationId: OrganizationId }): boolean =>
  event.organizationId === id;

/** A browser has no attachments: a code that opens nothing stands for those of the tickets. */
function withShownCodes(html: string): string {
  const shown = () => `src="data:image/svg+xml;base64,${codeShown()}"`;
  return html.replace(/src="cid:[^"]*"/g, shown);
}

let shownCode: string | null = null;
function codeShown(): string {
  shownCode ??= Buffer.from(qrSvg("EXAMPLE")).toString("base64");
  return shownCode;
}

function view(kind: EditableKind, stored: StoredTemplate | null): object {
  const own = stored?.own ?? null;
  return {
    kind,
    ...withOwn(kind, own ?? {}),
    own,
    builtIn: BUILT_IN[kind],
    variables: pathsOf(SAMPLES[kind]),
    updatedAt: stored?.updatedAt ?? null,
  };
}

/** Every path of the data that leads to a text, a number or a yes or no. */
function pathsOf(value: MailValue, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [path];
  if (Array.isArray(value)) return pathsOf(value[0] ?? "", `${path}[]`);
  return Object.entries(value).flatMap(([name, inner]) =>
    pathsOf(inner, path === "" ? name : `${path}.${name}`),
  );
}
