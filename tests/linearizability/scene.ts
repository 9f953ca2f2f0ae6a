/** Hand-made histories of a small event, in whole milliseconds after noon. */
import type { BookingShape, HoldShape } from "../support/shapes.ts";
import type {
  AskedItem,
  EventRecord,
  History,
  Operation,
  OperationRecord,
  OutageRecord,
} from "./history.ts";

const NOON_MS = Date.UTC(2040, 0, 1, 12);
const iso = (ms: number): string => new Date(NOON_MS + ms).toISOString();

export const SCENE: EventRecord = {
  kind: "event",
  eventId: "e",
  seq: 1,
  seats: ["A-1", "A-2", "A-3"],
  areas: [{ key: "floor", capacity: 3 }],
  holdTtlMs: 2_000,
  perOrderMax: 3,
  perUserMax: 4,
};

/** From the question to the answer. */
type When = readonly [invokedMs: number, answeredMs: number];

interface Said {
  readonly status?: number;
  readonly replayed?: boolean;
  readonly body?: object | null;
  readonly attempts?: number;
}

/** Each method notes one operation that was answered so, and returns what the answer showed. */
export class Scene {
  readonly operations: OperationRecord[] = [];
  readonly outages: OutageRecord[] = [];

  get history(): History {
    return {
      events: [SCENE],
      operations: this.operations,
      outages: this.outages,
      slackMs: 2,
    };
  }

  outage(fromMs: number, toMs: number): void {
    const window = { fromMs: NOON_MS + fromMs, toMs: NOON_MS + toMs };
    this.outages.push({ kind: "outage", cause: "restart", ...window });
  }

  say(user: string, [invokedMs, answeredMs]: When, operation: Operation, said: Said): void {
    this.operations.push({
      kind: "operation",
      n: this.operations.length,
      eventId: "e",
      user,
      operation,
      invokedMs: NOON_MS + invokedMs,
      answeredMs: NOON_MS + answeredMs,
      attempts: said.attempts ?? 1,
      answer: {
        status: said.status ?? 200,
        replayed: said.replayed ?? false,
        body: said.body ?? null,
      },
    });
  }

  refuse(user: string, when: When, operation: Operation, [status, body]: [number, object]): void {
    this.say(user, when, operation, { status, body });
  }

  /** Held in the middle of the window. `id` is the key, too. */
  hold(user: string, when: When, id: string, items: readonly AskedItem[], seq: number): HoldShape {
    const hold: HoldShape = {
      id,
      eventId: "e",
      items: items.map((item, index) => ({ id: `${id}-${index}`, ...named(item), ...PRICED })),
      total: { amount: 10 * items.length, currency: "EUR" },
      expiresAt: iso(Math.floor((when[0] + when[1]) / 2) + SCENE.holdTtlMs),
      status: "active",
      seq,
    };
    this.say(user, when, { kind: "hold", key: id, items }, { status: 201, body: hold });
    return hold;
  }

  extend(user: string, when: When, hold: HoldShape, seq: number): HoldShape {
    const expiresAt = new Date(Date.parse(hold.expiresAt) + SCENE.holdTtlMs).toISOString();
    const body = { ...hold, expiresAt, seq };
    const operation = { kind: "extend", key: `extend ${hold.id}`, holdId: hold.id } as const;
    this.say(user, when, operation, { body });
    return body;
  }

  book(user: string, when: When, hold: HoldShape, seq: number): BookingShape {
    const { id: holdId, items, total, eventId } = hold;
    const booking: BookingShape = {
      id: `b-${holdId}`,
      code: "CODE",
      eventId,
      holdId,
      status: "confirmed",
      email: EMAIL,
      tickets: items.map((item) => ({ ...item, code: `T-${item.id}`, status: "valid" })),
      total,
      createdAt: iso(Math.floor((when[0] + when[1]) / 2)),
      seq,
    };
    this.say(user, when, bookingOf(holdId), { status: 201, body: booking });
    return booking;
  }

  cancel(user: string, when: When, booking: BookingShape, seq: number): BookingShape {
    const body = {
      ...booking,
      status: "cancelled",
      tickets: booking.tickets.map((ticket) => ({ ...ticket, status: "cancelled" })),
      cancelledAt: iso(Math.floor((when[0] + when[1]) / 2)),
      cancelReason: null,
      seq,
    };
    const key = `cancel ${booking.id}`;
    this.say(user, when, { kind: "cancel", key, bookingId: booking.id }, { body });
    return body;
  }

  release(user: string, when: When, { id: holdId }: HoldShape): void {
    this.say(user, when, { kind: "release", holdId }, { status: 204 });
  }

  /** `statuses` of the seats, and how many units of the floor are held and sold. */
  look(when: When, seq: number, statuses: string, [held, sold]: [number, number] = [0, 0]): void {
    const count = (letter: string): number => statuses.split(letter).length - 1;
    const free = count("f") + 3 - held - sold;
    const body = {
      eventId: "e",
      epoch: 1,
      seq,
      status: "published",
      capacity: 6,
      free,
      held: count("h") + held,
      sold: count("s") + sold,
      blocked: 0,
      categories: [{ key: "all", free, price: 10 }],
      areas: [{ key: "floor", capacity: 3, free: 3 - held - sold, held, sold }],
      statuses,
    };
    this.say("looker", when, { kind: "availability" }, { body });
  }

  /** The same question again: it is answered as before. */
  again(when: When, nth: number, said: Said = {}): void {
    const first = this.operations.at(nth);
    if (first === undefined) throw new Error("nothing was asked yet");
    const { status, body } = first.answer;
    const answer = { status, body: body as object | null, replayed: true, ...said };
    this.say(first.user, when, first.operation, answer);
  }
}

const EMAIL = "a@example.org";
const PRICED = { category: "all", price: 10 };

export function bookingOf(holdId: string): Operation {
  return { kind: "book", key: `book ${holdId}`, holdId, email: EMAIL };
}

function named(item: AskedItem): { seat: string } | { area: string } {
  return "seat" in item ? { seat: item.seat } : { area: item.area };
}
