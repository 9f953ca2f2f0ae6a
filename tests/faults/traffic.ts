/**
 * Buyers who hold and book places on a floor, at a steady pace, and keep every answer; and the
 * reckoning with the database at the end.
 *
 * Each request has a key. What was answered 201 must be there; what was refused must not; what was
 * never answered is asked again under its key, and then it is one of the two.
 */

import assert from "node:assert/strict";
import { Client } from "pg";
import type { ApiClient, Ask, Reply } from "../support/client.ts";
import { unlessUndocumented } from "../support/documented-answers.ts";
import { OPS_TOKEN, until } from "../support/server.ts";
import type { BookingShape, EventShape, HoldShape, Problem } from "../support/shapes.ts";
import { auditOf, guestToken, ok, openStudio } from "../support/venue.ts";
import { sleep } from "./scenario.ts";

const PLACES = 1_000_000;
const FLOORS = ["floor", "balcony", "gallery", "lawn"];
/** What one hold may have at most, in this event and in any. */
export const PLACES_PER_HOLD = 100;

export interface Observation {
  readonly atMs: number;
  readonly tookMs: number;
  /** "201", "409 seat_unavailable", or "lost": no answer came. */
  readonly outcome: string;
  readonly retryAfter: string | undefined;
}

interface Request {
  readonly path: string;
  readonly ask: Ask & { readonly token: string };
}

interface Lane {
  readonly token: string;
  readonly area: string;
  readonly restMs: number;
}

type Kept = HoldShape & BookingShape;

/** An event whose floors have room for everyone, and whose holds end only when they shall. */
export function openFloor(api: ApiClient, changes: object = {}): Promise<EventShape> {
  return openStudio(api, {
    areas: FLOORS.map((key) => {
      return { key, name: key, capacity: PLACES, priceCategory: "standing" };
    }),
    limits: { perOrder: PLACES_PER_HOLD, perUser: 100_000 },
    holdTtlSeconds: 3_600,
    ...changes,
  });
}

export class Traffic {
  readonly event: EventShape;
  readonly seen: Observation[] = [];
  /** Acknowledged and not booked. */
  readonly held = new Map<string, HoldShape>();
  readonly booked = new Map<string, BookingShape>();
  readonly #api: ApiClient;
  readonly #acknowledged: { request: Request; body: Kept }[] = [];
  readonly #unknown: Request[] = [];
  /** Places in each hold: many of them make long facts. */
  #quantity = 1;
  #places = { held: 0, sold: 0 };
  #isOn = false;
  #lanes: Promise<void>[] = [];
  #keys = 0;

  constructor(api: ApiClient, event: EventShape) {
    this.#api = api;
    this.event = event;
  }

  /** `lanes` buyers, each with a request under way or resting for `restMs`. */
  async start(lanes = 8, restMs = 4): Promise<void> {
    const tokens = await Promise.all(Array.from({ length: lanes }, () => guestToken(this.#api)));
    this.#isOn = true;
    this.#lanes = tokens.map((token, lane) => {
      return this.#lane({ token, area: FLOORS[lane % FLOORS.length] ?? "floor", restMs });
    });
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#lanes);
  }

  /** From now on holds are as large as they may be, and nobody books: the journal fills fast. */
  holdMuch(): void {
    this.#quantity = PLACES_PER_HOLD;
  }

  /** How often each outcome was seen since then. */
  outcomes(fromMs = 0, toMs = Number.POSITIVE_INFINITY): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { atMs, outcome } of this.seen) {
      if (atMs >= fromMs && atMs < toMs) counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
    return counts;
  }

  /** Resolves once `count` requests that began after now were answered like this. */
  async sees(outcome: string, count: number, waitMsMax?: number): Promise<void> {
    const fromMs = Date.now();
    const isSeen = (): boolean => (this.outcomes(fromMs)[outcome] ?? 0) >= count;
    await until(`${count} × ${outcome}`, isSeen, waitMsMax);
  }

  /** Of answers with this outcome to requests that began in the interval. */
  latency(outcome: string, fromMs = 0, toMs = Number.POSITIVE_INFINITY): string {
    const took = this.seen
      .filter((seen) => seen.outcome === outcome && seen.atMs >= fromMs && seen.atMs < toMs)
      .map(({ tookMs }) => tookMs)
      .sort((a, b) => a - b);
    const at = (share: number): string => `${(took[Math.floor(share * took.length)] ?? 0) | 0}`;
    return `${took.length} (p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(0.999_999)} ms)`;
  }

  /**
   * Memory, database and what the buyers were told are one. Repeats what was never answered, and
   * some of what was, under their keys.
   */
  async reckon(databaseUrl: string): Promise<void> {
    for (const request of this.#unknown.splice(0)) {
      const reply = await this.#ask(request);
      // A hold that nobody booked may have ended meanwhile.
      if (reply.status !== 410) this.#keep(request, ok(reply, 201));
    }
    const { length } = this.#acknowledged;
    const step = Math.max(1, Math.floor(length / 200));
    for (let index = 0; index < length; index += step) {
      const known = this.#acknowledged[index];
      if (known === undefined) break;
      const reply = await this.#ask(known.request);
      assert.deepEqual(ok(reply, 201), known.body, "same key, same outcome");
      assert.equal(reply.headers["idempotent-replayed"], "true");
    }
    // An event with millions of held places is audited for longer than the gateway waits.
    const path = `/ops/events/${this.event.id}/audit`;
    await until("the audit is answered", async () => {
      return (await this.#api.get(path, { token: OPS_TOKEN })).status !== 503;
    });
    const audit = await auditOf(this.#api, this.event.id);
    assert.deepEqual(
      [audit.memory.held, audit.memory.sold, audit.memory.bookings],
      [this.#places.held, this.#places.sold, this.booked.size],
    );
    assert.deepEqual(await storedIn(databaseUrl, this.event.id), {
      bookings: [...this.booked.keys()].sort(),
      codes: [...this.booked.values()].flatMap((each) => each.tickets.map((t) => t.code)).sort(),
      holds: [...this.held.keys()].sort(),
    });
  }

  async #lane({ token, area, restMs }: Lane): Promise<void> {
    const at = `/api/v1/events/${this.event.id}`;
    while (this.#isOn) {
      const items = [{ area, quantity: this.#quantity }];
      const hold = await this.#try({
        path: `${at}/holds`,
        ask: { token, key: this.#freshKey(), body: { items } },
      });
      await sleep(restMs);
      if (hold === null || this.#quantity > 1 || this.#keys % 4 === 0) continue;
      const payment = { provider: "none" };
      const body = { holdId: hold.id, payment, email: "a@example.org" };
      await this.#try({ path: `${at}/bookings`, ask: { token, key: this.#freshKey(), body } });
      await sleep(restMs);
    }
  }

  #freshKey(): string {
    this.#keys += 1;
    return `request-${this.#keys}`;
  }

  /** null: it was refused, or nobody knows. */
  async #try(request: Request): Promise<Kept | null> {
    const atMs = Date.now();
    const reply = await this.#ask(request).catch(unlessUndocumented);
    const outcome = reply === null ? "lost" : outcomeOf(reply);
    const retryAfter = reply?.headers["retry-after"];
    this.seen.push({ atMs, tookMs: Date.now() - atMs, outcome, retryAfter });
    if (reply?.status === 201) return this.#keep(request, reply.body);
    if (reply === null || reply.status === 504) this.#unknown.push(request);
    return null;
  }

  #ask({ path, ask }: Request): Promise<Reply<Kept>> {
    return this.#api.post<Kept>(path, ask);
  }

  #keep(request: Request, body: Kept): Kept {
    this.#acknowledged.push({ request, body });
    if (request.path.endsWith("/holds")) {
      assert.ok(!this.held.has(body.id), "a hold is told once");
      this.held.set(body.id, body);
      this.#places.held += body.items.length;
    } else {
      assert.ok(!this.booked.has(body.id), "a booking is told once");
      this.held.delete(body.holdId);
      this.#places.held -= body.tickets.length;
      this.#places.sold += body.tickets.length;
      this.booked.set(body.id, body);
    }
    return body;
  }
}

function outcomeOf({ status, body }: Reply<unknown>): string {
  // Whatever is no success is a problem document.
  return status < 400 ? `${status}` : `${status} ${(body as Problem).code}`;
}

async function storedIn(databaseUrl: string, eventId: string): Promise<object> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const column = async (text: string): Promise<string[]> => {
      const { rows } = await client.query<{ value: string }>(text, [eventId]);
      return rows.map(({ value }) => value).sort();
    };
    return {
      bookings: await column("SELECT id AS value FROM bookings WHERE event_id = $1"),
      codes: await column("SELECT code AS value FROM tickets WHERE event_id = $1"),
      holds: await column(
        "SELECT id AS value FROM holds WHERE event_id = $1 AND status = 'active'",
      ),
    };
  } finally {
    await client.end();
  }
}
