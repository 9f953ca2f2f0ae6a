import type { EventId, WaitlistEntryId } from "../../engine/ids.ts";
import type { WaitlistEntry } from "../../engine/waitlist.ts";
import type { EntryEnd, EntryEnded, EntryQueued } from "./effects.ts";

/**
 * What becomes of those who wait for one event in a run of facts.
 *
 * Invariant: an entry is in `queued` or in `ended`, never in both.
 */
export class WaitlistFold {
  readonly queued = new Map<WaitlistEntryId, EntryQueued>();
  readonly ended = new Map<WaitlistEntryId, EntryEnded>();
  readonly #eventId: EventId;

  constructor(eventId: EventId) {
    this.#eventId = eventId;
  }

  add(entry: WaitlistEntry): void {
    this.queued.set(entry.entryId, { eventId: this.#eventId, entry, ended: null });
  }

  end(entryId: WaitlistEntryId, ended: EntryEnd): void {
    const queued = this.queued.get(entryId);
    if (queued !== undefined) this.queued.set(entryId, { ...queued, ended });
    else this.ended.set(entryId, { eventId: this.#eventId, entryId, ended });
  }
}
