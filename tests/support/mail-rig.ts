/** A mailer on a database of its own, with the servers that a test gives it. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DomainShares } from "../../gateway/mail/domain-shares.ts";
import { HandoverNotes } from "../../gateway/mail/handover-notes.ts";
import { LedgerMailer } from "../../gateway/mail/ledger-mailer.ts";
import { senderOf } from "../../gateway/mail/mail-head.ts";
import { MailLedger } from "../../gateway/mail/mail-ledger.ts";
import type { MailContent, MailEnd, MailKind } from "../../gateway/mail/mail-order.ts";
import type { MailTransport } from "../../gateway/mail/mail-transport.ts";
import { SignedLinks } from "../../gateway/mail/signed-links.ts";
import { SmtpTransport } from "../../gateway/mail/smtp-transport.ts";
import { SuppressedAddresses } from "../../gateway/mail/suppressed-addresses.ts";
import { TransportLine } from "../../gateway/mail/transport-line.ts";
import type { DkimConfig } from "../../gateway/notifier-config.ts";
import { type Clock, systemClock } from "../../workers/clock.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { type OwnerRows, openOwnerRows } from "./owner-rows.ts";

export const MAIL_FROM = "Evently <no-reply@tickets.example>";
const JWT_SECRET = "a secret of tests that is long enough";

export interface MailRigOptions {
  readonly transports: readonly MailTransport[];
  readonly perHour?: number;
  readonly breakerPauseMs?: number;
}

/** Time stands still between a test's steps, unless it lets some pass. */
export class StillClock implements Clock {
  nowMs = Date.UTC(2030, 4, 4);
  readonly monotonicMs = systemClock.monotonicMs;
  readonly every = systemClock.every;
  readonly after = systemClock.after;
  readonly soon = systemClock.soon;

  wallMs(): number {
    return this.nowMs;
  }
}

export interface Row {
  readonly key: string;
  readonly state: string;
  readonly tries: number;
  readonly reason: string | null;
  readonly transport: string | null;
  readonly message_id: string;
  readonly not_before_ms: string;
}

export class MailRig {
  readonly clock = new StillClock();
  readonly logged: string[] = [];
  readonly links = new SignedLinks({ jwtSecret: JWT_SECRET, apiUrl: "https://api.example" });
  readonly dataDir = mkdtempSync(join(tmpdir(), "evently-mails-"));
  readonly #database: TestDatabase;
  readonly rows: OwnerRows;
  readonly ledger: MailLedger;
  readonly suppressed: SuppressedAddresses;
  readonly #lines: TransportLine[] = [];

  private constructor(database: TestDatabase) {
    this.#database = database;
    this.rows = openOwnerRows(database.url);
    this.ledger = new MailLedger(this.rows);
    this.suppressed = new SuppressedAddresses(this.rows);
  }

  static async open(): Promise<MailRig> {
    return new MailRig(await createTestDatabase());
  }

  mailer({ transports, perHour = 100_000, breakerPauseMs = 15_000 }: MailRigOptions) {
    const line = new TransportLine(transports, breakerPauseMs);
    this.#lines.push(line);
    const mailer = new LedgerMailer({
      // One of each process: within it no key is asked for twice at a time.
      ledger: new MailLedger(this.rows),
      line,
      shares: new DomainShares(perHour),
      suppressed: this.suppressed,
      notes: new HandoverNotes(join(this.dataDir, "mail-handovers")),
      links: this.links,
      sender: senderOf(MAIL_FROM),
      clock: this.clock,
      log: { error: (fields: unknown) => this.logged.push(JSON.stringify(fields)) },
      random: () => 0.5,
    });
    return { mailer, line };
  }

  async row(key: string): Promise<Row | undefined> {
    const { rows } = await this.rows.query<Row>("SELECT * FROM mails WHERE key = $1", [key]);
    return rows[0];
  }

  async close(): Promise<void> {
    for (const line of this.#lines) line.close();
    await this.rows.end();
    await this.#database.drop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export function smtp(
  url: string,
  options: { name?: string; waitMs?: number; dkim?: DkimConfig; connections?: number } = {},
): SmtpTransport {
  const { name = "primary", waitMs = 2_000, dkim = null, connections = 10 } = options;
  return new SmtpTransport({ url, name, waitMs, dkim, connections });
}

export const orderTo = (to: string, kind: MailKind = "confirmation") => ({
  key: `${kind}:${randomUUID()}`,
  kind,
  to,
  organizationId: null,
});

export const content = async (): Promise<MailContent> => ({
  subject: "Grüße aus Jena",
  html: "<p>Hello</p>",
  text: "Hello\n.\n..\nTwo dots were there.\n",
  attachments: [],
  fromName: null,
  replyTo: null,
});

export const ended = ({ end }: MailEnd): string => end;
