import type { Counts } from "../../workers/tally.ts";

/** One mail to one person, in plain text. */
export interface OutgoingMail {
  /** As parseEmail gives it. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface MailFigures {
  readonly inFlight: number;
  /** Mails that were delivered, failed or were dropped. */
  readonly outcomes: Counts;
}

/** Where mails are put in. */
export interface Mailbox {
  /** Returns at once: no request waits for a mail, nor learns what became of it. */
  post(mail: OutgoingMail): void;
  /** Waits for what was posted, within bounds, and takes nothing more. */
  close(): Promise<void>;
}

/** How a mail leaves this process. Rejects when it did not. */
export interface MailTransport {
  deliver(mail: OutgoingMail): Promise<void>;
  close(): void;
}
