import { TRACKED_URL_BYTES_MAX } from "../../engine/campaign-limits.ts";
import type { MailContent, MailLinks } from "../mail/mail-order.ts";
import {
  type MailTemplate,
  type RenderedMail,
  renderMail,
} from "../mail/templates/mail-template.ts";
import type { MailVariables } from "../mail/templates/template-engine.ts";
import type { TrackedRecipient, TrackingTokens } from "./tracking-token.ts";

/** The event that a campaign is about, as its texts see it. */
export interface CampaignEvent {
  readonly title: string;
  readonly startsAt: Date;
  /** IANA */
  readonly timezone: string;
  /** "": none is known. */
  readonly venue: string;
  readonly city: string;
}

export interface CampaignReader {
  readonly address: string;
  /** "": not known. */
  readonly firstName: string;
  readonly lastName: string;
}

export interface CampaignMailOptions {
  readonly template: MailTemplate;
  readonly organization: { readonly id: string; readonly name: string };
  readonly event: CampaignEvent | null;
  readonly reader: CampaignReader;
  readonly links: MailLinks;
  /** null: nothing of this mail is counted. */
  readonly tracking: {
    readonly tokens: TrackingTokens;
    readonly recipient: TrackedRecipient;
    readonly apiUrl: string;
  } | null;
}

/** What its reader gets. @throws TemplateFault */
export function campaignMail(options: CampaignMailOptions): MailContent {
  const { organization } = options;
  const { subject, html, text } = rendered(options);
  return { subject, html, text, attachments: [], fromName: organization.name, replyTo: null };
}

function rendered(options: CampaignMailOptions): RenderedMail {
  const { template, organization, event, reader, links, tracking } = options;
  const unsubscribeUrl = links.unsubscribe(reader.address, "campaign", organization.id);
  const preferencesUrl = links.preferences(reader.address);
  const variables = variablesOf({
    reader,
    event,
    organisation: organization.name,
    unsubscribeUrl,
    preferencesUrl,
  });
  const footnotes = [
    { text: `You get this because you have booked at ${organization.name}.` },
    { text: "No more such mails", href: unsubscribeUrl },
    { text: "All that you are sent", href: preferencesUrl },
  ];
  const frame = { sender: organization.name, footnotes, pixel: null };
  if (tracking === null) return renderMail(template, variables, { frame });
  const { tokens, recipient, apiUrl } = tracking;
  const base = `${apiUrl}/api/v1/mail`;
  const objectUrl = `${base}/t/${tokens.objection(recipient)}`;
  return renderMail(template, variables, {
    frame: {
      ...frame,
      footnotes: [...footnotes, { text: "Do not count what I open and follow", href: objectUrl }],
      pixel: `${base}/o/${tokens.open(recipient)}.gif`,
    },
    linkOf: (href) => {
      // Who wants to go must be able to, whatever becomes of these addresses.
      const isOurs = href === unsubscribeUrl || href === preferencesUrl;
      if (isOurs || !isTrackable(href)) return href;
      return `${base}/c/${tokens.click(recipient, href)}`;
    },
  });
}

/** Where a click may lead, and short enough to be carried along. */
export function isTrackable(href: string): boolean {
  if (Buffer.byteLength(href) > TRACKED_URL_BYTES_MAX || !URL.canParse(href)) return false;
  return /^https?:$/.test(new URL(href).protocol);
}

interface Given {
  readonly reader: CampaignReader;
  readonly event: CampaignEvent | null;
  readonly organisation: string;
  readonly unsubscribeUrl: string;
  readonly preferencesUrl: string;
}

function variablesOf({ reader, event, ...others }: Given): MailVariables {
  const { firstName, lastName } = reader;
  const common = { firstName, lastName, ...others };
  if (event === null) return common;
  const { title, venue, city, startsAt, timezone } = event;
  return { ...common, event: { title, venue, city, startsAt: localTime(startsAt, timezone) } };
}

function localTime(at: Date, timeZone: string): string {
  const form = { dateStyle: "full", timeStyle: "short", timeZone } as const;
  return new Intl.DateTimeFormat("en-GB", form).format(at);
}

const EXAMPLE_EVENT: CampaignEvent = {
  title: "An evening",
  startsAt: new Date("2030-05-04T17:30:00Z"),
  timezone: "Europe/Berlin",
  venue: "City Theatre",
  city: "Berlin",
};

/** Somebody whom nobody knows: what real readers are called is not for organisers to see. */
export const EXAMPLE_READER: CampaignReader = {
  address: "ada@example.org",
  firstName: "Ada",
  lastName: "Lovelace",
};

/** Links of mails that nobody is sent. */
export const EXAMPLE_LINKS: MailLinks = {
  unsubscribe: () => "https://example.org/unsubscribe",
  preferences: () => "https://example.org/preferences",
};

/** Every variable that a text may have. */
export function exampleVariables({ hasEvent }: { readonly hasEvent: boolean }): MailVariables {
  return variablesOf({
    reader: EXAMPLE_READER,
    event: hasEvent ? EXAMPLE_EVENT : null,
    organisation: "City Theatre",
    unsubscribeUrl: EXAMPLE_LINKS.unsubscribe(EXAMPLE_READER.address, "campaign", null),
    preferencesUrl: EXAMPLE_LINKS.preferences(EXAMPLE_READER.address),
  });
}
