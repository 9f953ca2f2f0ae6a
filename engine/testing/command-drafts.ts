/** Commands about one event as a gateway makes them, with ids that are fresh each time. */
import type { Book } from "../commands/book.ts";
import type { Hold } from "../commands/hold.ts";
import type { Pay } from "../commands/pay.ts";
import type { Transfer } from "../commands/transfer.ts";
import type { JoinWaitlist } from "../commands/waitlist.ts";
import type { CommandKey } from "../facts.ts";
import type { EventTag, HoldId, IdMinter, UserId } from "../ids.ts";
import { ITEM_IDS_PER_HOLD } from "../limits.ts";
import type { Place } from "../place.ts";

export interface DraftsOptions {
  readonly tag: EventTag;
  readonly minter: IdMinter;
  /** Unix ms, as fresh ids show it. */
  readonly nowMs: () => number;
}

export class CommandDrafts {
  readonly #options: DraftsOptions;

  constructor(options: DraftsOptions) {
    this.#options = options;
  }

  hold(places: readonly Place[], userId: UserId, key: CommandKey | null): Hold {
    const { tag, minter, nowMs } = this.#options;
    const holdId = minter.mintHold(nowMs(), tag, ITEM_IDS_PER_HOLD);
    const plain = { best: [], promoCode: null, channel: null };
    return { kind: "hold", holdId, userId, places, ...plain, key };
  }

  /** Of a hold of at most so many places as an order may have. */
  book(holdId: HoldId, userId: UserId, key: CommandKey | null): Book {
    const { tag, minter, nowMs } = this.#options;
    const bookingId = minter.mintBooking(nowMs(), tag);
    const fresh = { bookingId, code: bookingId.slice(-10), ticketCodes: ticketCodes(bookingId) };
    return { kind: "book", holdId, userId, ...fresh, email: null, invoiceAllowed: true, key };
  }

  pay(holdId: HoldId, userId: UserId, key: CommandKey | null): Pay {
    const { tag, minter, nowMs } = this.#options;
    const { invoiceAllowed: _, ...booking } = this.book(holdId, userId, key);
    const intentId = minter.mintIntent(nowMs(), tag);
    return { ...booking, kind: "pay", provider: "sandbox", intentId };
  }

  /** Of a booking of at most so many tickets as an order may have. */
  transfer(asked: Omit<Transfer, "kind" | "ticketCodes">): Transfer {
    const { tag, minter, nowMs } = this.#options;
    const fresh = ticketCodes(minter.mintBooking(nowMs(), tag));
    return { kind: "transfer", ...asked, ticketCodes: fresh };
  }

  join(quantity: number, userId: UserId, key: CommandKey | null): JoinWaitlist {
    const { tag, minter, nowMs } = this.#options;
    const entryId = minter.mintEntry(nowMs(), tag);
    return { kind: "joinWaitlist", entryId, userId, quantity, categories: null, priority: 0, key };
  }
}

const ticketCodes = (unique: string): string[] =>
  Array.from({ length: 10 }, (_, n) => `${unique}/${n}`);
