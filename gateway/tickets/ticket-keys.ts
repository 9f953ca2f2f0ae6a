import { TICKET_KEYS_MAX } from "../../engine/ticket-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import { ProblemError } from "../http/problem.ts";
import type { Scoped, ScopedRows } from "../tenancy/database.ts";
import { platform } from "../tenancy/scope.ts";
import { isKid, kidOf, type TicketClaims, TicketKey } from "./ticket-token.ts";

/** How long a node goes on with what it has read, ms: another may have made a key. */
const REREAD_AFTER_MS = 30_000;
/** The same where somebody shows a code by a key that is not known: at most so often, ms. */
const LOOK_AGAIN_AFTER_MS = 1_000;

interface Row {
  readonly secret: string;
  readonly signs_from: Date;
}

interface KnownKeys {
  /** By the time from which they sign, oldest first. */
  readonly keys: readonly TicketKey[];
  readonly readAtMs: number;
}

/**
 * The keys that sign tickets, of all nodes of one database.
 *
 * Invariants:
 * - What is printed verifies as long as its key is kept, whichever key signs now.
 * - Where the database does not answer, a node signs and reads with the keys that it knows.
 */
export class TicketKeys {
  readonly #scoped: Scoped;
  readonly #clock: Clock;
  #known: KnownKeys | null = null;
  #reading: Promise<KnownKeys> | null = null;

  constructor(database: ScopedRows, clock: Clock) {
    this.#scoped = database.in(platform("tickets", "keys are the platform's, and nobody's to see"));
    this.#clock = clock;
  }

  /** The one that signs now; the first one is made when it is asked for. */
  async signing(): Promise<TicketKey> {
    const found = this.#signing(await this.#fresh());
    if (found !== null) return found;
    // Two nodes may do so at once: then there are two, and the newer one signs.
    await this.add(this.#clock.wallMs());
    const made = this.#signing(await this.#fresh());
    if (made === null) throw new Error("the key that was just made is not there");
    return made;
  }

  /** Those that verify, by the time from which they sign: the next one, too. */
  async all(): Promise<readonly TicketKey[]> {
    await this.signing();
    return (await this.#fresh()).keys;
  }

  /** What a QR code says; null: it is none that one of our keys has signed. */
  async read(text: string): Promise<TicketClaims | null> {
    const kid = kidOf(text);
    if (kid === null) return null;
    const isKnown = (known: KnownKeys): boolean => known.keys.some((key) => key.kid === kid);
    const lately = await this.#fresh(REREAD_AFTER_MS);
    const { keys } = isKnown(lately) ? lately : await this.#fresh(LOOK_AGAIN_AFTER_MS);
    return keys.find((key) => key.kid === kid)?.read(text) ?? null;
  }

  /** A new key, that signs from then on. Throws `too_many_ticket_keys`. */
  async add(signsFromMs: number): Promise<TicketKey> {
    const { keys } = await this.#read();
    if (keys.length >= TICKET_KEYS_MAX) throw new ProblemError("too_many_ticket_keys");
    const key = TicketKey.fresh(signsFromMs);
    await this.#scoped.query({
      name: "add-ticket-key",
      text: "INSERT INTO ticket_keys (kid, secret, signs_from) VALUES ($1, $2, $3)",
      values: [key.kid, key.secret, new Date(signsFromMs)],
    });
    await this.#readAnew();
    return key;
  }

  /** What the key has signed is nothing any more. False: there is no such key. */
  async remove(kid: string): Promise<boolean> {
    if (!isKid(kid)) return false;
    const { rowCount } = await this.#scoped.query({
      name: "remove-ticket-key",
      text: "DELETE FROM ticket_keys WHERE kid = $1",
      values: [kid],
    });
    await this.#readAnew();
    return rowCount === 1;
  }

  #signing({ keys }: KnownKeys): TicketKey | null {
    const nowMs = this.#clock.wallMs();
    return keys.findLast((key) => key.signsFromMs <= nowMs) ?? null;
  }

  async #fresh(ageMsMax = REREAD_AFTER_MS): Promise<KnownKeys> {
    const known = this.#known;
    if (known === null) return this.#read();
    if (this.#clock.monotonicMs() - known.readAtMs < ageMsMax) return known;
    return this.#read().catch(() => known);
  }

  /** Once, for all who ask meanwhile. */
  #read(): Promise<KnownKeys> {
    this.#reading ??= this.#load().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** Begun from now on: one that is under way may have missed what was just written. */
  async #readAnew(): Promise<KnownKeys> {
    await this.#reading?.catch(() => undefined);
    return this.#read();
  }

  async #load(): Promise<KnownKeys> {
    const readAtMs = this.#clock.monotonicMs();
    const { rows } = await this.#scoped.query<Row>({
      name: "ticket-keys",
      text: "SELECT secret, signs_from FROM ticket_keys ORDER BY signs_from, created_at",
    });
    const keys = rows.map((row) => new TicketKey(row.secret, row.signs_from.getTime()));
    this.#known = { keys, readAtMs };
    return this.#known;
  }
}
