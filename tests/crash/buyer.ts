/** One buyer of one event, of changeable mood: what it does next depends on its seed and luck. */
import assert from "node:assert/strict";
import type { Random } from "../../engine/testing/random.ts";
import type {
  AskedItem,
  CancelOperation,
  HistoryAnswer,
  Keyed,
  Operation,
} from "../linearizability/history.ts";
import type { BookingShape, HoldShape } from "../support/shapes.ts";
import type { Asker, Recorder } from "./recorder.ts";

/** What is for sale. */
export interface Sale {
  readonly eventId: string;
  readonly seats: readonly string[];
  readonly areas: readonly string[];
  /** Holds and bookings of everyone, for those who meddle. */
  readonly holdIds: string[];
  readonly bookingIds: string[];
}

const KNOWN_IDS_MAX = 200;

export class Buyer {
  readonly asker: Asker;
  readonly #sale: Sale;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #holds: HoldShape[] = [];
  readonly #bookings: BookingShape[] = [];
  /** Requests that had an outcome. */
  readonly #accepted: { readonly operation: Keyed; readonly answer: HistoryAnswer }[] = [];
  /** Every cancellation that was asked for, by whatever mood. */
  readonly #cancels: CancelOperation[] = [];
  readonly #released: string[] = [];
  #keys = 0;

  constructor(asker: Asker, sale: Sale, recorder: Recorder, random: Random) {
    this.asker = asker;
    this.#sale = sale;
    this.#recorder = recorder;
    this.#random = random;
  }

  async act(): Promise<void> {
    const random = this.#random;
    const mood = random.next();
    const hold = this.#holds[random.below(this.#holds.length)];
    if (mood < 0.05) return this.#look({ kind: "availability" });
    if (mood < 0.08) return this.#look({ kind: "listBookings" });
    if (mood < 0.12) return this.#lookAtOne();
    if (mood < 0.15) return this.#meddle();
    if (mood < 0.21) return this.#repeat();
    if (mood < 0.24) return this.#reuseKey();
    if (mood < 0.26) return this.#releaseAgain();
    if (hold !== undefined && mood < 0.65) return this.#goOnWith(hold);
    const booking = this.#bookings[random.below(this.#bookings.length)];
    if (booking !== undefined && mood < 0.72) return this.#cancel(booking);
    await this.#ask({ kind: "hold", key: this.#freshKey(), items: this.#choose() });
  }

  #goOnWith({ id: holdId }: HoldShape): Promise<void> {
    const mood = this.#random.next();
    const key = this.#freshKey();
    if (mood < 0.25) return this.#ask({ kind: "extend", key, holdId });
    this.#holds.splice(
      this.#holds.findIndex(({ id }) => id === holdId),
      1,
    );
    if (mood < 0.45) {
      this.#released.push(holdId);
      return this.#look({ kind: "release", holdId });
    }
    // Some never come back: their holds expire.
    if (mood < 0.6) return Promise.resolve();
    return this.#ask({ kind: "book", key, holdId, email: this.#email });
  }

  #cancel({ id: bookingId }: BookingShape): Promise<void> {
    this.#bookings.splice(
      this.#bookings.findIndex(({ id }) => id === bookingId),
      1,
    );
    return this.#ask(this.#cancelOf(bookingId));
  }

  async #ask(operation: Keyed): Promise<void> {
    const mood = this.#random.next();
    if (mood < 0.03) return this.#recorder.drop(this.asker, operation);
    const answers =
      mood < 0.07
        ? await Promise.all([this.#perform(operation), this.#perform(operation)])
        : [await this.#perform(operation)];
    const answer = answers.find(({ status }) => status < 300);
    if (answer === undefined) return;
    this.#accepted.push({ operation, answer });
    this.#remember(operation, answer);
  }

  #remember(operation: Keyed, { body }: HistoryAnswer): void {
    const { holdIds, bookingIds } = this.#sale;
    if (operation.kind === "hold") {
      const hold = body as HoldShape;
      this.#holds.push(hold);
      holdIds.push(hold.id);
      if (holdIds.length > KNOWN_IDS_MAX) holdIds.shift();
    } else if (operation.kind === "book") {
      const booking = body as BookingShape;
      this.#bookings.push(booking);
      bookingIds.push(booking.id);
      if (bookingIds.length > KNOWN_IDS_MAX) bookingIds.shift();
    }
  }

  async #repeat(): Promise<void> {
    if (this.#accepted.length === 0) return;
    const { operation, answer } = this.#random.pick(this.#accepted);
    const again = await this.#perform(operation);
    // A booking that another key has cancelled is shown as it is: no outcome, so no repeated one.
    const isShown = operation.kind === "cancel" && this.#hasOtherCancel(operation);
    const replayed = isShown ? again.replayed : true;
    assert.deepEqual(again, { ...answer, replayed }, "same key, same outcome");
  }

  #cancelOf(bookingId: string, key = this.#freshKey()): CancelOperation {
    const cancel: CancelOperation = { kind: "cancel", key, bookingId };
    this.#cancels.push(cancel);
    return cancel;
  }

  #hasOtherCancel({ bookingId, key }: CancelOperation): boolean {
    return this.#cancels.some((other) => other.bookingId === bookingId && other.key !== key);
  }

  async #reuseKey(): Promise<void> {
    if (this.#accepted.length === 0) return;
    const { operation } = this.#random.pick(this.#accepted);
    const other = changed(operation);
    if (other === null) return;
    const { status } = await this.#perform(other);
    assert.equal(status, 422, `${JSON.stringify(other)} reuses a key`);
  }

  async #releaseAgain(): Promise<void> {
    const holdId = this.#released[this.#random.below(this.#released.length)];
    if (holdId !== undefined) await this.#look({ kind: "release", holdId });
  }

  /** Asks about, or for, what may be another's. */
  #meddle(): Promise<void> {
    const { holdIds, bookingIds } = this.#sale;
    const mood = this.#random.next();
    const key = this.#freshKey();
    const holdId = holdIds[this.#random.below(holdIds.length)];
    const bookingId = bookingIds[this.#random.below(bookingIds.length)];
    if (holdId === undefined || bookingId === undefined) return Promise.resolve();
    if (mood < 0.2) return this.#look({ kind: "getHold", holdId });
    if (mood < 0.4) return this.#look({ kind: "release", holdId });
    if (mood < 0.6) return this.#look({ kind: "extend", key, holdId });
    if (mood < 0.8) return this.#look({ kind: "book", key, holdId, email: this.#email });
    if (mood < 0.9) return this.#look({ kind: "getBooking", bookingId });
    return this.#look(this.#cancelOf(bookingId, key));
  }

  #lookAtOne(): Promise<void> {
    const accepted = this.#accepted[this.#random.below(this.#accepted.length)];
    if (accepted === undefined) return Promise.resolve();
    const { operation, answer } = accepted;
    if (operation.kind === "hold") {
      return this.#look({ kind: "getHold", holdId: (answer.body as HoldShape).id });
    }
    if (operation.kind !== "book") return Promise.resolve();
    return this.#look({ kind: "getBooking", bookingId: (answer.body as BookingShape).id });
  }

  async #look(operation: Operation): Promise<void> {
    await this.#perform(operation);
  }

  #perform(operation: Operation): Promise<HistoryAnswer> {
    return this.#recorder.perform(this.asker, operation);
  }

  /** One to three places, seldom more than one may have or the same seat twice. */
  #choose(): AskedItem[] {
    const random = this.#random;
    const count = random.next() < 0.03 ? 5 : 1 + random.below(3);
    const seats = new Set(Array.from({ length: count }, () => random.pick(this.#sale.seats)));
    const items: AskedItem[] = [...seats].map((seat) => ({ seat }));
    const quantity = 1 + random.below(3);
    const area = { area: random.pick(this.#sale.areas), quantity };
    const mood = random.next();
    if (mood < 0.3) return [area];
    return mood < 0.4 ? [...items.slice(0, 1), area] : items;
  }

  get #email(): string {
    return `${this.asker.user}@example.org`;
  }

  #freshKey(): string {
    this.#keys += 1;
    return `k${this.#keys}`;
  }
}

/** Another request under the same key; null: there is nothing to change. */
export function changed(operation: Keyed): Keyed | null {
  if (operation.kind === "book") return { ...operation, email: `other-${operation.email}` };
  if (operation.kind !== "hold") return null;
  const [first] = operation.items;
  if (first !== undefined && "quantity" in first) {
    return { ...operation, items: [{ ...first, quantity: first.quantity + 1 }] };
  }
  return operation.items.length > 1 ? { ...operation, items: operation.items.slice(1) } : null;
}
