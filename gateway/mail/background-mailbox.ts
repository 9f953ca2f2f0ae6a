import { setTimeout as delay } from "node:timers/promises";
import { MAIL_CLOSE_MS_MAX, MAILS_IN_FLIGHT_MAX } from "../../engine/limits.ts";
import { Tally } from "../../workers/tally.ts";
import type { Log } from "../log.ts";
import type { Mailbox, MailFigures, MailTransport, OutgoingMail } from "./mailbox.ts";

/**
 * Delivers in the background, each mail once.
 *
 * Invariant: at most MAILS_IN_FLIGHT_MAX mails are on their way. One more is dropped, and so is one
 * that its transport refuses: that is logged, without whom it was for.
 */
export class BackgroundMailbox implements Mailbox {
  readonly #transport: MailTransport;
  readonly #log: Pick<Log, "warn">;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #outcomes = new Tally();
  #isClosed = false;

  constructor(transport: MailTransport, log: Pick<Log, "warn">) {
    this.#transport = transport;
    this.#log = log;
  }

  post(mail: OutgoingMail): void {
    if (this.#isClosed || this.#inFlight.size >= MAILS_IN_FLIGHT_MAX) {
      const reason = this.#isClosed ? "the mailbox is closed" : "too many are on their way";
      this.#outcomes.add("dropped");
      this.#log.warn({ reason, subject: mail.subject }, "a mail was dropped");
      return;
    }
    const delivery = this.#deliver(mail).finally(() => this.#inFlight.delete(delivery));
    this.#inFlight.add(delivery);
  }

  get figures(): MailFigures {
    return { inFlight: this.#inFlight.size, outcomes: this.#outcomes.counts() };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const all = Promise.all(this.#inFlight);
    await Promise.race([all, delay(MAIL_CLOSE_MS_MAX, null, { ref: false })]);
    this.#transport.close();
  }

  async #deliver(mail: OutgoingMail): Promise<void> {
    try {
      await this.#transport.deliver(mail);
      this.#outcomes.add("delivered");
    } catch (error) {
      this.#outcomes.add("failed");
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn({ reason, subject: mail.subject }, "a mail was not delivered");
    }
  }
}
