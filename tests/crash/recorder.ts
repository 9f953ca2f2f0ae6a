/**
 * Asks the server, over HTTP or a WebSocket, and writes down what was asked when, and what was
 * answered when.
 *
 * Invariants:
 * - An operation that changes something is repeated, under the same key, until it is answered: it
 *   is one operation, from its first invocation to its answer. One that was dropped on purpose is
 *   repeated when the first try can't be under way any more.
 * - `busy` and `timeout` are no answers.
 */

import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type {
  AskedItem,
  HistoryAnswer,
  HistoryRecord,
  Operation,
  OperationRecord,
} from "../linearizability/history.ts";
import { type ApiClient, type Ask, LiveClient } from "../support/client.ts";
import { unlessUndocumented } from "../support/documented-answers.ts";

/** Unix ms of a clock that never runs backwards. */
export const clockMs = (): number => performance.timeOrigin + performance.now();

const ANSWER_MS_MAX = 60_000;
const RETRY_MS = 10;

/** Someone who asks. */
export interface Asker {
  readonly user: string;
  readonly token: string;
  readonly eventId: string;
  /** Whether commands go over a WebSocket, while there is one. */
  readonly prefersLive: boolean;
  live: LiveClient | null;
}

interface Dropped {
  readonly asker: Asker;
  readonly operation: Operation;
  readonly invokedMs: number;
}

/** Lets nobody through while the server is known to be away. */
export class Gate {
  #opened: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;

  close(): void {
    this.#open();
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }
  open(): void {
    this.#open();
  }
  opened(): Promise<void> {
    return this.#opened;
  }
}

export class Recorder {
  readonly records: HistoryRecord[] = [];
  readonly gate = new Gate();
  /** Called in the turn in which an answer arrives. */
  onAnswer: (record: OperationRecord) => void = () => undefined;
  /** Sends that nobody answered. */
  unanswered = 0;
  busy = 0;
  overLive = 0;
  readonly #api: ApiClient;
  readonly #url: () => string;
  readonly #dropped: Dropped[] = [];
  #isClosed = false;
  #count = 0;

  constructor(api: ApiClient, url: () => string) {
    this.#api = api;
    this.#url = url;
  }

  /** Asks until it is answered. */
  async perform(asker: Asker, operation: Operation): Promise<HistoryAnswer> {
    return this.#persist({ asker, operation, invokedMs: clockMs() }, 0);
  }

  /** Sends the request and hangs up. */
  async drop(asker: Asker, operation: Operation): Promise<void> {
    await this.gate.opened();
    this.#dropped.push({ asker, operation, invokedMs: clockMs() });
    const { method, path, ask } = httpOf(asker, operation);
    await this.#api.abandon(method, path, ask);
  }

  /** Nothing is asked any more; who waits for an answer gets none. */
  close(): void {
    this.#isClosed = true;
    this.gate.open();
  }

  /** Finds out what became of everything that was dropped. */
  async answerDropped(): Promise<void> {
    await Promise.all(this.#dropped.splice(0).map((dropped) => this.#persist(dropped, 1)));
  }

  async #persist(dropped: Dropped, sent: number): Promise<HistoryAnswer> {
    const { asker, operation } = dropped;
    const giveUpMs = clockMs() + ANSWER_MS_MAX;
    let { invokedMs } = dropped;
    for (let attempts = sent + 1; ; attempts += 1) {
      await this.gate.opened();
      if (this.#isClosed) throw new Error("the run is over");
      // A question that changes nothing and was not answered was never asked.
      if (!isChange(operation)) invokedMs = clockMs();
      const answer = await this.#ask(asker, operation).catch(unlessUndocumented);
      const answeredMs = clockMs();
      if (answer === null) this.unanswered += 1;
      else if (answer.status === 503 || answer.status === 504) this.busy += 1;
      else {
        const n = this.#count;
        this.#count += 1;
        const { eventId, user } = asker;
        const window = { invokedMs, answeredMs, attempts };
        const record = { kind: "operation", n, eventId, user, operation, ...window } as const;
        this.records.push({ ...record, answer });
        this.onAnswer({ ...record, answer });
        return answer;
      }
      if (answeredMs > giveUpMs) throw new Error(`${JSON.stringify(operation)} is not answered`);
      await delay(RETRY_MS);
    }
  }

  async #ask(asker: Asker, operation: Operation): Promise<HistoryAnswer> {
    const message = asker.prefersLive ? liveOf(asker, operation) : null;
    if (message !== null) return this.#askLive(asker, message);
    const { method, path, ask } = httpOf(asker, operation);
    const { status, headers, body } = await this.#api.request<unknown>(method, path, ask);
    return { status, replayed: headers["idempotent-replayed"] === "true", body: body ?? null };
  }

  async #askLive(asker: Asker, message: object): Promise<HistoryAnswer> {
    const live = asker.live ?? (await LiveClient.open(this.#url(), asker.token));
    asker.live = live;
    try {
      const answer = await live.ask(message);
      this.overLive += 1;
      const { status = 0, replayed = false, body = null } = answer;
      return { status, replayed, body };
    } catch (error) {
      if (asker.live === live) asker.live = null;
      throw error;
    }
  }
}

export function isChange(operation: Operation): boolean {
  return "key" in operation || operation.kind === "release";
}

interface HttpAsk {
  readonly method: string;
  readonly path: string;
  readonly ask: Ask;
}

function httpOf({ token, eventId }: Asker, operation: Operation): HttpAsk {
  const event = `/api/v1/events/${eventId}`;
  const post = (path: string, body?: object): HttpAsk => {
    const key = "key" in operation ? operation.key : "";
    return { method: "POST", path, ask: { token, key, ...(body === undefined ? {} : { body }) } };
  };
  const get = (path: string): HttpAsk => ({ method: "GET", path, ask: { token } });
  switch (operation.kind) {
    case "hold":
      return post(`${event}/holds`, { items: operation.items });
    case "extend":
      return post(`/api/v1/holds/${operation.holdId}/extend`);
    case "release":
      return { method: "DELETE", path: `/api/v1/holds/${operation.holdId}`, ask: { token } };
    case "book":
      return post(`${event}/bookings`, bookBody(operation));
    case "cancel":
      return post(`/api/v1/bookings/${operation.bookingId}/cancel`);
    case "getHold":
      return get(`/api/v1/holds/${operation.holdId}`);
    case "getBooking":
      return get(`/api/v1/bookings/${operation.bookingId}`);
    case "listBookings":
      return get("/api/v1/bookings?limit=100");
    case "availability":
      return get(`${event}/availability?seats=true`);
  }
}

/** null: only HTTP has such a question. */
function liveOf({ eventId }: Asker, operation: Operation): object | null {
  switch (operation.kind) {
    case "hold":
      return live("hold", operation.key, { eventId, items: operation.items });
    case "extend":
      return live("extend", operation.key, { eventId, holdId: operation.holdId });
    case "release":
      return { op: "release", eventId, holdId: operation.holdId };
    case "book":
      return live("book", operation.key, { eventId, ...bookBody(operation) });
    default:
      return null;
  }
}

function live(
  op: string,
  idempotencyKey: string,
  body: { eventId: string; holdId?: string; items?: readonly AskedItem[] },
): object {
  return { op, idempotencyKey, ...body };
}

function bookBody({ holdId, email }: { holdId: string; email: string }) {
  return { holdId, email, payment: { provider: "none" } };
}
