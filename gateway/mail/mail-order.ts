/** What each kind of mail is for decides whether its reader may do without it. */
export const MAIL_KINDS = [
  ...(["confirmation", "change", "cancellation", "refund", "waitlist_offer"] as const),
  ...(["reminder", "event_change", "verification", "reset", "invitation", "campaign"] as const),
] as const;
export type MailKind = (typeof MAIL_KINDS)[number];

export interface MailAttachment {
  readonly filename: string;
  readonly contentType: string;
  readonly content: Buffer;
  /** Shown within the HTML as `cid:`; absent: a file beside it. */
  readonly cid?: string;
}

export interface MailContent {
  readonly subject: string;
  /** null: text alone. */
  readonly html: string | null;
  readonly text: string;
  readonly attachments: readonly MailAttachment[];
  /** Shown beside the platform's own address; null: the platform's name. */
  readonly fromName: string | null;
  readonly replyTo: string | null;
}

/** One mail to one person. */
export interface MailOrder {
  /** Of all orders with one key, one mail is sent, ever. */
  readonly key: string;
  readonly kind: MailKind;
  /** As parseEmail gives it. */
  readonly to: string;
  /** null: the platform's own. */
  readonly organizationId: string | null;
}

/** What became of an order. */
export type MailEnd =
  | { readonly end: "sent" }
  /** It was sent before. */
  | { readonly end: "already" }
  /** A process ended between handing it over and hearing the answer: it is not sent again. */
  | { readonly end: "in_doubt" }
  /** Its reader does not want it, or its address is known to bounce. */
  | { readonly end: "suppressed"; readonly reason: string }
  /** Its domain has had its share of this hour, or no transport is up. */
  | { readonly end: "later"; readonly afterMs: number }
  | { readonly end: "again"; readonly reason: string }
  /** The address does not exist, or the last try has failed. */
  | { readonly end: "dead"; readonly reason: string };

/** Sends mails, each key once. */
export interface Mailer {
  /** `compose` is called only for what is to be sent now. */
  send(order: MailOrder, compose: () => Promise<MailContent>): Promise<MailEnd>;
}

/** Addresses in mails, which work without signing in because they are signed themselves. */
export interface MailLinks {
  /** Ends mails of this kind to this address; also takes a POST (RFC 8058). */
  unsubscribe(to: string, kind: MailKind, organizationId: string | null): string;
  /** Shows what the address gets, kind by kind, to be changed there. */
  preferences(to: string): string;
}
