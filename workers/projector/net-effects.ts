/**
 * Folds a run of facts into what it amounts to in the database's rows. Facts cancel out: a hold
 * that was made and booked within the run leaves the booking alone, an area's counters move by
 * their sum, a ticket that moved twice has its last seat. What somebody was told is written all the
 * same: bookings (also those cancelled at once), how a hold ended that did not become one, and the
 * outcome of every request with a key.
 */
import { assert } from "../../engine/assert.ts";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { Booked, BookingChanged, Fact, HoldEnded } from "../../engine/facts.ts";
import type { EndedHold } from "../../engine/hold-book.ts";
import type { EventId } from "../../engine/ids.ts";
import { isOffer } from "../../engine/terms.ts";
import { unreachable } from "../../engine/unreachable.ts";
import { packedAlone } from "../store/fact-bytes.ts";
import { KeyBlockWriter } from "../store/key-blocks.ts";
import type { PlainHold } from "../store/plain-hold.ts";
import { AreaFold } from "./area-fold.ts";
import { BookingFold } from "./booking-fold.ts";
import type { BlockChange, EventAdvance, EventFact, HistoryEntry, NetEffects } from "./effects.ts";
import { isHistory } from "./history-detail.ts";
import { HoldFold } from "./hold-fold.ts";
import { type OutboxRow, outboxRowOf } from "./outbox-rows.ts";
import { WaitlistFold } from "./waitlist-fold.ts";

/** `facts`: in order, each event's without gaps. */
export function netEffectsOf(facts: Iterable<EventFact>): NetEffects {
  const fold = new EffectsFold();
  for (const fact of facts) fold.add(fact);
  return fold.finish();
}

/** One fact after another: of a long run, none is kept longer than it is needed. */
export class EffectsFold {
  readonly #byEvent = new Map<EventId, EventFold>();

  /** In order, each event's without gaps. */
  add(eventFact: EventFact): void {
    this.#of(eventFact.eventId, eventFact.fact.seq).add(eventFact);
  }

  /** The same as `add` with the fact as an object. */
  addPlain(hold: PlainHold): void {
    this.#of(hold.eventId, hold.seq).addPlain(hold);
  }

  #of(eventId: EventId, seq: number): EventFold {
    let fold = this.#byEvent.get(eventId);
    if (fold === undefined) {
      fold = new EventFold(eventId, seq);
      this.#byEvent.set(eventId, fold);
    }
    return fold;
  }

  finish(): NetEffects {
    const folds = [...this.#byEvent.values()];
    return {
      events: folds.map((fold) => fold.advance()),
      areas: folds.flatMap((fold) => fold.areas.changes(fold.eventId)),
      blocks: folds.flatMap((fold) => [...fold.blocks.values()]),
      holdsMade: folds.flatMap((fold) => fold.holds.made()),
      holdChanges: folds.flatMap((fold) => [...fold.holds.changes.values()]),
      holdsBooked: folds.flatMap((fold) => fold.holds.booked()),
      bookingChanges: folds.flatMap((fold) => fold.bookings.changes()),
      bookingsMade: folds.flatMap((fold) => [...fold.bookings.made.values()]),
      entriesEnded: folds.flatMap((fold) => [...fold.waitlist.ended.values()]),
      entriesQueued: folds.flatMap((fold) => [...fold.waitlist.queued.values()]),
      refunds: folds.flatMap((fold) => [...fold.bookings.refunds.values()]),
      history: folds.flatMap((fold) => fold.history),
      outbox: folds.flatMap((fold) => fold.outbox),
      keyBlocks: folds.flatMap((fold) => fold.keyBlocks.finish()),
    };
  }
}

class EventFold {
  readonly eventId: EventId;
  readonly areas = new AreaFold();
  readonly holds: HoldFold;
  readonly bookings: BookingFold;
  readonly waitlist: WaitlistFold;
  readonly blocks = new Map<string, BlockChange>();
  readonly history: HistoryEntry[] = [];
  readonly outbox: OutboxRow[] = [];
  readonly keyBlocks: KeyBlockWriter;
  readonly #firstSeq: number;
  #nextSeq: number;
  #definition: InventoryDefinition | null = null;

  constructor(eventId: EventId, firstSeq: number) {
    this.eventId = eventId;
    this.holds = new HoldFold(eventId);
    this.bookings = new BookingFold(eventId);
    this.waitlist = new WaitlistFold(eventId);
    this.keyBlocks = new KeyBlockWriter(eventId);
    this.#firstSeq = firstSeq;
    this.#nextSeq = firstSeq;
  }

  advance(): EventAdvance {
    return {
      eventId: this.eventId,
      firstSeq: this.#firstSeq,
      lastSeq: this.#nextSeq - 1,
      seatsFreed: this.areas.seatsFree,
      definition: this.#definition,
    };
  }

  add({ fact, packed }: EventFact): void {
    this.#follow(fact);
    const { eventId } = this;
    this.areas.count(fact);
    this.#addRecords(fact);
    if (isHistory(fact)) this.history.push({ eventId, fact });
    const told = outboxRowOf(eventId, fact);
    if (told !== null) this.outbox.push(told);
    if (fact.key !== null) this.keyBlocks.add(fact, packed ?? packedAlone(fact));
  }

  /** No history, nobody to be told, nothing but the hold. */
  addPlain(hold: PlainHold): void {
    this.#follow(hold);
    this.areas.countPlain(hold);
    this.holds.makePlain(hold);
    if (hold.hasKey) this.keyBlocks.add(hold, hold);
  }

  #follow({ seq }: { readonly seq: number }): void {
    assert(seq === this.#nextSeq, "an event's facts come in order, without gaps");
    this.#nextSeq += 1;
  }

  #addRecords(fact: Fact): void {
    const { seq, atMs } = fact;
    switch (fact.kind) {
      case "configured":
        this.#definition = fact.definition;
        return;
      case "held": {
        this.holds.make(fact);
        const { holdId, terms } = fact;
        if (terms === null || terms.entryId === null) return;
        return this.waitlist.end(terms.entryId, { status: "offered", seq, atMs, holdId });
      }
      case "extended": {
        const { holdId, expiresAtMs } = fact;
        return this.holds.change(holdId, seq, { expiresAtMs, extended: true });
      }
      case "holdChanged": {
        const { holdId, items, ordinals, terms, expiresAtMs } = fact;
        return this.holds.change(holdId, seq, { items, ordinals, terms, expiresAtMs });
      }
      case "holdEnded":
        return this.holds.end(endOf(fact, fact.reason), seq);
      case "paymentStarted": {
        const { booking, expiresAtMs } = fact;
        const paying = booking.bookingId;
        this.holds.change(booking.holdId, seq, { expiresAtMs, paying });
        return this.bookings.make(fact);
      }
      case "booked":
        return this.#book(fact);
      case "bookingChanged":
        return this.#changeBooking(fact);
      case "placesChanged": {
        const { eventId } = this;
        this.areas.resize(fact);
        for (const block of fact.blocks) {
          this.blocks.set(`${block.place} ${block.channel}`, { eventId, ...block });
        }
        return;
      }
      case "queued":
        return this.waitlist.add(fact.entry);
      case "unqueued": {
        const ended = { status: fact.reason, seq, atMs, holdId: null };
        return this.waitlist.end(fact.entryId, ended);
      }
      default:
        return unreachable(fact);
    }
  }

  /** One that was paid for was made by the fact that started the payment. */
  #book(fact: Booked): void {
    const { booking, seq, atMs } = fact;
    const { bookingId, holdId } = booking;
    if (booking.later === null) {
      this.bookings.make(fact);
      return this.holds.endBooked(holdId);
    }
    this.bookings.confirm(fact);
    const end = { ...endOf({ ...booking, atMs }, "booked"), bookingId };
    this.holds.endPaid(end, seq, bookingId);
  }

  #changeBooking(fact: BookingChanged): void {
    const { booking, holdEnd, seq, atMs } = fact;
    this.bookings.change(fact);
    if (holdEnd !== null) this.holds.end(endOf({ ...booking, atMs }, holdEnd), seq);
    else if (endsPayment(fact)) this.holds.change(booking.holdId, seq, { paying: null });
  }
}

/**
 * Whether the booking waited for its money until this fact, and its hold goes on without it: the
 * money did not come, or came when the event had just been cancelled.
 */
function endsPayment({ change, booking: { later } }: BookingChanged): boolean {
  const by = later?.cancelled ?? null;
  const isInVain = change === "paid_in_vain" && by?.by === null && by.reason === "paid_too_late";
  return change === "payment_failed" || isInVain;
}

function endOf(
  { holdId, userId, terms, atMs }: Pick<HoldEnded, "holdId" | "userId" | "terms" | "atMs">,
  end: EndedHold["end"],
): EndedHold {
  return { holdId, userId, end, bookingId: null, atMs, isOffer: isOffer(terms) };
}
