/** What a buyer hears. */
export interface DoorReply {
  /** As over HTTP; 0: the connection ended before the reply. */
  readonly status: number;
  /** JSON of the answer. */
  readonly body: string;
  /** A `busy` over HTTP has to say when to come back. */
  readonly hasRetryAfter: boolean;
}

export type Replied = (reply: DoorReply) => void;

/** A buyer who is inside: has one request on the way at most. */
export interface Visit {
  /** Asks for one place on the floor. */
  hold(replied: Replied): void;
  /** Repeated with the same hold it is the same request, under the same key. */
  book(holdId: string, replied: Replied): void;
  /** Ends the visit; nothing is on the way. */
  leave(): void;
}

/** A way into the shop: HTTP or WebSocket. */
export interface Door {
  /** null: there is no connection left. */
  enter(): Visit | null;
  /** Visits that have not ended. */
  readonly inside: number;
  close(): void;
}

export interface DoorOptions {
  readonly url: string;
  readonly eventId: string;
  /** Access tokens of those who buy, in turn. */
  readonly tokens: readonly string[];
  readonly connections: number;
}

let keys = 0;

/** Every request has a key of its own, as careful clients send it. */
export function freshKey(): string {
  keys += 1;
  return `bench-${keys}`;
}

export const ITEMS = '"items":[{"area":"floor","quantity":1}]';
export const PAYMENT = '"payment":{"provider":"none"},"email":"buyer@example.org"';
