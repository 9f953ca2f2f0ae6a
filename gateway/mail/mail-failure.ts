import { MAIL_REASON_CHARS_MAX } from "../../engine/notifier-limits.ts";
import type { Handover } from "./handover.ts";
import { withoutAddresses } from "./mail-address.ts";

/** Why a transport did not take a mail. */
export type FailureKind =
  /** No server was there to be asked about it. */
  | "unreachable"
  /** The line broke in the middle of it, or after all of it: whether it was taken is not known. */
  | "broken_off"
  /** The server will not take it now (4xx). */
  | "deferred"
  /** The server will never take it (5xx). */
  | "refused"
  /** There is no such mailbox. */
  | "no_mailbox"
  /** The ledger did not let it go, or could not be asked. */
  | "not_let_go"
  /** It could not even be written. */
  | "unwritable";

export interface MailFailure {
  readonly kind: FailureKind;
  /** Without addresses. */
  readonly reason: string;
}

/** What nodemailer's errors have. */
interface SmtpError {
  readonly message: string;
  readonly code: string;
  readonly responseCode: number | null;
  readonly command: string;
  readonly response: string;
}

/**
 * Sources: RFC 5321, 4.2.1 (4yz passes, 5yz does not) and 4.2.4.2 (421 and what ends the session
 * say nothing of the mail); RFC 3463 for the enhanced codes behind them.
 */
export function failureOf(error: unknown, handover: Handover): MailFailure {
  const smtp = smtpErrorOf(error);
  const reason = withoutAddresses(smtp.message, MAIL_REASON_CHARS_MAX);
  return { kind: handover.error === null ? kindOf(smtp, handover) : "not_let_go", reason };
}

function kindOf({ code, responseCode, command, response }: SmtpError, handover: Handover) {
  const isAboutMail = code === "EENVELOPE" || code === "EMESSAGE";
  // 503: the session is confused, not the mail.
  const isPermanent = responseCode !== null && responseCode >= 500 && responseCode !== 503;
  if (isAboutMail && responseCode !== null && responseCode !== 421) {
    if (!isPermanent) return "deferred";
    return command === "RCPT TO" && saysNoMailbox(response) ? "no_mailbox" : "refused";
  }
  if (isAboutMail && responseCode === null) return "unwritable";
  if (handover.isBegun) return "broken_off";
  return code === "" ? "unwritable" : "unreachable";
}

/**
 * 550, 551 and 553 without more say that there is no such mailbox. With an enhanced code: 5.1.x
 * (addresses), 5.2.1 (disabled) and 5.0.0; others are about a full mailbox, policies, or us.
 */
function saysNoMailbox(response: string): boolean {
  const [, basic = "", subject = "", detail = ""] =
    /^(5\d\d)[ -](?:5\.(\d{1,3})\.(\d{1,3})\s)?/.exec(response) ?? [];
  if (subject === "") return basic === "550" || basic === "551" || basic === "553";
  return (
    subject === "1" || (subject === "2" && detail === "1") || (subject === "0" && detail === "0")
  );
}

function smtpErrorOf(error: unknown): SmtpError {
  const members: object = error instanceof Error ? error : {};
  const text = (name: string): string => {
    const value: unknown = Reflect.get(members, name);
    return typeof value === "string" ? value : "";
  };
  const responseCode: unknown = Reflect.get(members, "responseCode");
  return {
    message: error instanceof Error ? error.message : String(error),
    code: text("code"),
    responseCode: typeof responseCode === "number" ? responseCode : null,
    command: text("command"),
    response: text("response"),
  };
}

/** Whether it is the server that fails, and not this one mail. */
export function isServersFailure(kind: FailureKind): boolean {
  return kind === "unreachable" || kind === "broken_off";
}
