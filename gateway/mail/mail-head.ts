import { createHash } from "node:crypto";
import type { MailContent, MailLinks, MailOrder } from "./mail-order.ts";
import type { WrittenMail } from "./mail-transport.ts";
import { isOptional } from "./optional-kinds.ts";

/** The platform's own address: MAIL_FROM. */
export interface MailSender {
  readonly name: string;
  readonly address: string;
}

/** `Name <address>`, or an address alone. */
export function senderOf(mailFrom: string): MailSender {
  const [, name = "", address = mailFrom] = /^(.*)<([^<>]+)>$/.exec(mailFrom) ?? [];
  return { name: name.trim(), address };
}

/** Made from the key: whoever gets a mail twice sees by it that it is the same. Without the <>. */
export function messageIdOf({ key, kind }: MailOrder, { address }: MailSender): string {
  const digest = createHash("sha256").update(key).digest("hex").slice(0, 32);
  return `${digest}.${kind}@${address.slice(address.lastIndexOf("@") + 1)}`;
}

interface Writing {
  readonly order: MailOrder;
  readonly content: MailContent;
  readonly sender: MailSender;
  readonly messageId: string;
  readonly links: MailLinks;
  readonly nowMs: number;
}

export function writtenMail(writing: Writing): WrittenMail {
  const { order, content, sender, messageId, links, nowMs } = writing;
  const { subject, html, text, attachments, fromName, replyTo } = content;
  const { address } = sender;
  return {
    // What is shown may say another name; the address is always ours, as DKIM and SPF know it.
    from: { name: fromName ?? sender.name, address },
    envelope: { from: address, to: order.to },
    to: { name: "", address: order.to },
    ...(replyTo === null ? {} : { replyTo }),
    subject,
    text,
    ...(html === null ? {} : { html }),
    attachments: attachments.map(({ filename, contentType, content: bytes, cid }) => ({
      filename,
      contentType,
      content: bytes,
      ...(cid === undefined ? {} : { cid, contentDisposition: "inline" as const }),
    })),
    messageId: `<${messageId}>`,
    date: new Date(nowMs),
    headers: { ...unsubscribing(order, links), ...ofMachines(order) },
    xMailer: false,
    // A content never names a file or an address to be fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** RFC 2369, and RFC 8058 for one click. */
function unsubscribing({ kind, to, organizationId }: MailOrder, links: MailLinks) {
  if (!isOptional(kind)) return {};
  return {
    "List-Unsubscribe": `<${links.unsubscribe(to, kind, organizationId)}>`,
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
  };
}

/** RFC 3834: no vacation program answers. Feedback-ID: by it mailbox providers count complaints. */
function ofMachines({ kind, organizationId }: MailOrder) {
  return {
    "Auto-Submitted": "auto-generated",
    "Feedback-ID": `${kind}:${organizationId ?? "platform"}:evently`,
  };
}
