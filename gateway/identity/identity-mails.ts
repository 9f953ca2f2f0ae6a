import type { OutgoingMail } from "../mail/mailbox.ts";

/**
 * The mails of the identity service. Each has the token on a line of its own; with `publicUrl`, the
 * address of the shop that people see, a link to the page that takes it, too.
 */
export class IdentityMails {
  readonly #publicUrl: string | null;

  constructor(publicUrl: string | null) {
    this.#publicUrl = publicUrl;
  }

  verifyEmail(to: string, token: string): OutgoingMail {
    return {
      to,
      subject: "Please confirm your email address",
      text: this.#text(
        "Welcome to Evently. Please confirm, signed in, that this address is yours:",
        "verify-email",
        token,
        "It works once, within 48 hours. If you did not register, somebody else did: ignore it,\n" +
          "or ask for a new password, and the account is yours.",
      ),
    };
  }

  resetPassword(to: string, token: string): OutgoingMail {
    return {
      to,
      subject: "Set a new password",
      text: this.#text(
        "Somebody, we hope you, asked for a new password for this address:",
        "reset-password",
        token,
        "It works once, within an hour. If it was not you, ignore this mail: nothing has changed.",
      ),
    };
  }

  #text(before: string, page: string, token: string, after: string): string {
    const base = this.#publicUrl?.replace(/\/+$/, "");
    const link = base === undefined ? [] : [`${base}/${page}?token=${token}`, ""];
    return [before, "", ...link, `Token: ${token}`, "", after, ""].join("\n");
  }
}
