import type { OutgoingMail } from "../mail/mailbox.ts";
import type { MemberRole } from "./organizations.ts";

export interface Invitation {
  readonly to: string;
  readonly organization: string;
  readonly role: MemberRole;
  readonly token: string;
}

/**
 * Tells somebody that they were invited: the same words whether or not they have an account.
 * `publicUrl` null: the mail has no link.
 */
export function invitationMail(
  { to, organization, role, token }: Invitation,
  publicUrl: string | null,
): OutgoingMail {
  const base = publicUrl?.replace(/\/+$/, "");
  const link = base === undefined ? [] : [`${base}/accept-invitation?token=${token}`, ""];
  const text = [
    `You were made ${role} of "${organization}" on Evently.`,
    "",
    "If you have an account with this address and have confirmed that it is yours, you have the",
    "role already. Otherwise register with this address, or sign in, and then accept:",
    "",
    ...link,
    `Token: ${token}`,
    "",
    "It works once, within 7 days. If you do not want this, ignore this mail; with an account, you",
    "can leave at any time.",
    "",
  ].join("\n");
  return { to, subject: `You were invited to "${organization}"`, text };
}
