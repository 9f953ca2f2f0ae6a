import PostalMime from "postal-mime";
import Type, { type Static } from "typebox";
import { BOUNCES_MAX } from "../../engine/notifier-limits.ts";
import { compileSchema, optional } from "../http/validation.ts";
import { parseEmail } from "../identity/email.ts";
import type { SuppressionCause } from "./suppressed-addresses.ts";

/** One mail that came back, or that its reader complained of. */
export interface Bounce {
  readonly type: SuppressionCause;
  /** As parseEmail gives it; null: not said. */
  readonly address: string | null;
  /** Of our mail, without the <>; null: not said. */
  readonly messageId: string | null;
  readonly reason: string;
}

const BounceShape = Type.Object({
  type: Type.Enum(["hard", "soft", "complaint"]),
  address: optional(Type.String({ format: "email" })),
  messageId: optional(Type.String({ minLength: 1, maxLength: 500, format: "line" })),
  reason: optional(Type.String({ maxLength: 2_000, format: "text" })),
});

/** Body of POST /mail/bounces as JSON: one, or several. */
export const BouncesBody = Type.Union([
  BounceShape,
  Type.Object({ events: Type.Array(BounceShape, { minItems: 1, maxItems: BOUNCES_MAX }) }),
]);
export const checkBounces = compileSchema(BouncesBody);

export function bouncesIn(body: Static<typeof BouncesBody>): Bounce[] {
  const events = "events" in body ? body.events : [body];
  return events.map(({ type, address, messageId, reason }) => ({
    type,
    address: parseEmail(address ?? ""),
    messageId: messageIdIn(messageId ?? ""),
    reason: reason ?? "reported as a bounce",
  }));
}

/**
 * Reads a mail that reports bounces: a delivery status (RFC 3464) or a complaint (RFC 5965). In
 * what is neither there is none, nor in one that tells of mails that arrived or are on their way.
 */
export async function bouncesOfReport(message: Buffer): Promise<Bounce[]> {
  let mail: Awaited<ReturnType<PostalMime["parse"]>>;
  try {
    mail = await new PostalMime({ attachmentEncoding: "utf8" }).parse(message);
  } catch {
    return [];
  }
  const parts = mail.attachments.map(({ mimeType, content }) => ({
    type: mimeType.toLowerCase(),
    text: typeof content === "string" ? content : new TextDecoder().decode(content),
  }));
  const textOf = (...types: string[]): string | null =>
    parts.find(({ type }) => types.includes(type))?.text ?? null;
  const original = fieldsOf(textOf("text/rfc822-headers", "message/rfc822") ?? "");
  const messageId = messageIdIn(original.get("message-id") ?? "");
  const complaint = textOf("message/feedback-report");
  if (complaint !== null) return complaintIn(fieldsOf(complaint), original, messageId);
  const status = textOf("message/delivery-status", "message/global-delivery-status");
  return status === null ? [] : failuresIn(status, messageId);
}

/** The fields of the report, then a group for each recipient, with an empty line between. */
function failuresIn(status: string, messageId: string | null): Bounce[] {
  const groups = status
    .replaceAll("\r\n", "\n")
    .split(/\n[ \t]*\n/)
    .map(fieldsOf);
  const failures = groups.flatMap((fields): Bounce[] => {
    if ((fields.get("action") ?? "").toLowerCase() !== "failed") return [];
    const [code = ""] = /\d\.\d{1,3}\.\d{1,3}/.exec(fields.get("status") ?? "") ?? [];
    // To whom we sent it; where it was forwarded to is none of ours.
    const address =
      addressIn(fields.get("original-recipient")) ?? addressIn(fields.get("final-recipient"));
    const said = fields.get("diagnostic-code") ?? "";
    const type = isNoMailbox(code) ? "hard" : "soft";
    return [{ type, address, messageId, reason: `${code} ${said}`.trim() || "it came back" }];
  });
  return failures.slice(0, BOUNCES_MAX);
}

/** RFC 3463: 5.1.x is about addresses, 5.2.1 a mailbox that is disabled; 5.0.0 says no more. */
function isNoMailbox(code: string): boolean {
  return /^5\.1\.\d+$/.test(code) || code === "5.2.1" || code === "5.0.0";
}

function complaintIn(
  report: ReadonlyMap<string, string>,
  original: ReadonlyMap<string, string>,
  messageId: string | null,
): Bounce[] {
  const address = addressIn(report.get("original-rcpt-to")) ?? addressIn(original.get("to"));
  const reason = `complaint: ${report.get("feedback-type") ?? "abuse"}`;
  return [{ type: "complaint", address, messageId, reason }];
}

/** `rfc822; anna@example.org`, `<anna@example.org>` or the address alone. */
function addressIn(field: string | undefined): string | null {
  const [, bare = ""] = /^(?:[\w-]+\s*;)?\s*(?:[^<]*<)?([^<>]*)>?\s*$/.exec(field ?? "") ?? [];
  return parseEmail(bare);
}

/** Without its brackets; null: it is none that we have given. Strangers write these headers. */
function messageIdIn(field: string): string | null {
  const id = field.trim().replace(/^<|>$/g, "");
  return /^[\x21-\x7e]{1,500}$/.test(id) ? id : null;
}

/** Header fields up to the first empty line, by lower-case name, folded lines put together. */
function fieldsOf(text: string): ReadonlyMap<string, string> {
  const [head = ""] = text.replaceAll("\r\n", "\n").replace(/^\n+/, "").split("\n\n");
  const fields = new Map<string, string>();
  for (const line of head.replace(/\n[ \t]+/g, " ").split("\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (name !== "" && !fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}
