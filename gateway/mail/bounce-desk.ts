import { MAIL_REASON_CHARS_MAX } from "../../engine/notifier-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import type { Scoped } from "../tenancy/database.ts";
import type { Bounce } from "./bounce-report.ts";
import { digestOf, shownAs, withoutAddresses } from "./mail-address.ts";
import { SuppressedAddresses } from "./suppressed-addresses.ts";

/** Takes in what came back: the ledger gets to know, and the address is suppressed. */
export class BounceDesk {
  readonly #rows: Scoped;
  readonly #suppressed: SuppressedAddresses;
  readonly #clock: Clock;

  constructor(rows: Scoped, clock: Clock) {
    this.#rows = rows;
    this.#suppressed = new SuppressedAddresses(rows);
    this.#clock = clock;
  }

  /** How many said whose they are. `reportId`: the same report again adds nothing. */
  async take(bounces: readonly Bounce[], reportId: string): Promise<number> {
    let count = 0;
    for (const bounce of bounces) {
      // Of several in one report, each is about a mail of its own recipient.
      const known =
        bounces.length > 1 && bounce.address !== null ? null : await this.#mailOf(bounce);
      const whose = known ?? whoseAddress(bounce.address);
      if (whose === null) continue;
      await this.#suppress(bounce, whose, reportId);
      count += 1;
    }
    return count;
  }

  /** Notes it with the mail. A bounce may be of another address than the one we wrote to. */
  async #mailOf({ messageId, type }: Bounce): Promise<Whose | null> {
    if (messageId === null) return null;
    const { rows } = await this.#rows.query<{ recipient: Buffer; domain: string }>(
      "SELECT recipient, domain FROM mails WHERE message_id = $1 LIMIT 1",
      [messageId],
    );
    const [mail] = rows;
    if (mail === undefined) return null;
    await this.#rows.query("UPDATE mails SET bounced = $2 WHERE message_id = $1", [
      messageId,
      type,
    ]);
    return { recipient: mail.recipient, shown: `…@${mail.domain}` };
  }

  async #suppress({ type, address, reason: said }: Bounce, whose: Whose, reportId: string) {
    const { recipient } = whose;
    // As much of it as there is to be seen.
    const own = whoseAddress(address);
    const shown = own?.recipient.equals(recipient) ? own.shown : whose.shown;
    const reason = withoutAddresses(said, MAIL_REASON_CHARS_MAX);
    const bounced = { recipient, shown, reason, atMs: this.#clock.wallMs() };
    switch (type) {
      case "hard":
        return this.#suppressed.hard(bounced);
      case "complaint":
        return this.#suppressed.complaint(bounced);
      case "soft":
        await this.#suppressed.soft(bounced, reportId);
    }
  }
}

interface Whose {
  readonly recipient: Buffer;
  readonly shown: string;
}

function whoseAddress(address: string | null): Whose | null {
  return address === null ? null : { recipient: digestOf(address), shown: shownAs(address) };
}
