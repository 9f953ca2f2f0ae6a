import { createTransport } from "nodemailer";
import { SMTP_CONNECTIONS_MAX, SMTP_WAIT_MS_MAX } from "../../engine/limits.ts";
import type { MailTransport, OutgoingMail } from "./mailbox.ts";

/** Hands each mail to a mail server, on a few connections that stay open while there is work. */
export class SmtpRelay implements MailTransport {
  readonly #transport;

  /** `url` is smtp:// or smtps://, with the account in it where one is needed. */
  constructor({ url, from }: { readonly url: string; readonly from: string }) {
    const waits = {
      connectionTimeout: SMTP_WAIT_MS_MAX,
      greetingTimeout: SMTP_WAIT_MS_MAX,
      socketTimeout: SMTP_WAIT_MS_MAX,
    };
    const options = { url, pool: true, maxConnections: SMTP_CONNECTIONS_MAX, ...waits } as const;
    this.#transport = createTransport(options, { from });
  }

  async deliver(mail: OutgoingMail): Promise<void> {
    await this.#transport.sendMail({ ...mail });
  }

  close(): void {
    this.#transport.close();
  }
}
