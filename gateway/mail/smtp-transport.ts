import { createTransport } from "nodemailer";
import DKIM from "nodemailer/lib/dkim";
import {
  MAIL_ATTEMPT_MS_MAX,
  SMTP_CONNECTION_MAILS_MAX,
  SMTP_IDLE_MS_MAX,
} from "../../engine/notifier-limits.ts";
import type { DkimConfig } from "../notifier-config.ts";
import { gated, Handover } from "./handover.ts";
import type { MailTransport, MailWay, WrittenMail } from "./mail-transport.ts";

export interface SmtpTransportOptions {
  /** For the ledger, figures and logs. */
  readonly name: string;
  /** smtp:// or smtps://, with the account in it where one is needed. */
  readonly url: string;
  /** Connections to the server; a part of them is for what comes in thousands. At least 2. */
  readonly connections: number;
  /** How long the server may leave a connection without an answer. More: slower to give up. */
  readonly waitMs: number;
  /** null: mails are not signed. */
  readonly dkim: DkimConfig | null;
}

/** A mail server, on connections that stay open while there is work. */
export class SmtpTransport implements MailTransport {
  readonly name: string;
  readonly #pools: Readonly<Record<MailWay, ReturnType<typeof poolOf>>>;

  constructor(options: SmtpTransportOptions) {
    this.name = options.name;
    const connections = Math.max(2, options.connections);
    const bulk = Math.ceil(connections / 2);
    this.#pools = { bulk: poolOf(options, bulk), prompt: poolOf(options, connections - bulk) };
  }

  async deliver(mail: WrittenMail, handover: Handover, way: MailWay): Promise<void> {
    const signal = AbortSignal.timeout(MAIL_ATTEMPT_MS_MAX);
    const data = { ...mail, signal, handover };
    await this.#pools[way].sendMail(data);
  }

  close(): void {
    for (const pool of Object.values(this.#pools)) pool.close({ force: true });
  }
}

function poolOf({ url, waitMs, dkim }: SmtpTransportOptions, maxConnections: number) {
  const pool = createTransport({
    url,
    pool: true,
    maxConnections,
    maxMessages: SMTP_CONNECTION_MAILS_MAX,
    idleTimeout: SMTP_IDLE_MS_MAX,
    // A connection that the server closed while it was idle is a matter of course: once more.
    maxRequeues: 1,
    connectionTimeout: waitMs,
    greetingTimeout: waitMs,
    socketTimeout: waitMs,
    dnsTimeout: waitMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const signer = dkim === null ? null : signerOf(dkim);
  pool.use("stream", (mail, done) => {
    const { message, data } = mail;
    const handover = "handover" in data ? data.handover : null;
    if (!(handover instanceof Handover) || message === undefined) {
      return done(new Error("a mail came without its handover"));
    }
    if (signer !== null) message.processFunc((text) => signer.sign(text));
    // The last one before the socket: whatever comes after it would come after the note, too.
    message.processFunc((text) => gated(text, handover));
    done();
  });
  return pool;
}

/** RFC 8058 wants both headers of one-click unsubscribing signed. */
const SIGNED_HEADERS =
  "From:Sender:Reply-To:Subject:Date:Message-ID:To:MIME-Version:Content-Type:" +
  "Content-Transfer-Encoding:List-Unsubscribe:List-Unsubscribe-Post:Auto-Submitted:Feedback-ID";

export function signerOf({ domain, selector, privateKey }: DkimConfig): DKIM {
  return new DKIM({
    domainName: domain,
    keySelector: selector,
    privateKey,
    headerFieldNames: SIGNED_HEADERS,
  });
}
