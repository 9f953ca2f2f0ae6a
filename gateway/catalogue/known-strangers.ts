import { FifoMap } from "../../engine/fifo-map.ts";
import type { OrganizationId } from "../../engine/ids.ts";
import * as limits from "../../engine/limits.ts";
import { systemClock } from "../../workers/clock.ts";
import type { Identity } from "../identity/tokens.ts";

/** Who sells for an organisation: the organisations in the database. */
export interface OrganizerSource {
  isOrganizer(identity: Identity, organizationId: OrganizationId): Promise<boolean>;
}

/**
 * Remembers for a while who sells nothing, so that a crowd of signed-in buyers does not ask the
 * database at every look at an event. Organisers are not remembered: they are few.
 *
 * Invariant: at most KNOWN_STRANGERS_MAX are remembered, the oldest goes first.
 */
export class KnownStrangers {
  readonly #source: OrganizerSource;
  /** Until when it is believed. */
  readonly #untilMs = new FifoMap<string, number>();
  readonly #now: () => number;

  /** `now`: ms since any moment, which never run backwards. */
  constructor(source: OrganizerSource, now: () => number = systemClock.monotonicMs) {
    this.#source = source;
    this.#now = now;
  }

  /** Somebody has become something. */
  clear(): void {
    for (let key = this.#untilMs.oldestKey(); key !== undefined; key = this.#untilMs.oldestKey()) {
      this.#untilMs.delete(key);
    }
  }

  /** A new organiser of whom nobody has told may hear `false` for KNOWN_STRANGERS_TTL_MS. */
  async isOrganizer(identity: Identity, organizationId: OrganizationId): Promise<boolean> {
    const key = `${identity.userId} ${organizationId}`;
    if ((this.#untilMs.get(key) ?? 0) > this.#now()) return false;
    if (await this.#source.isOrganizer(identity, organizationId)) return true;
    this.#untilMs.set(key, this.#now() + limits.KNOWN_STRANGERS_TTL_MS);
    if (this.#untilMs.size > limits.KNOWN_STRANGERS_MAX) {
      const oldest = this.#untilMs.oldestKey();
      if (oldest !== undefined) this.#untilMs.delete(oldest);
    }
    return false;
  }
}
