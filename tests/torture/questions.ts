/** All that may be asked of the booking side, over HTTP and, where it has an op, over `/ws`. */

export interface Question {
  /** What it is counted as. */
  readonly kind: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a WebSocket message says besides the body; absent: only HTTP has such a question. */
  readonly op?: Readonly<Record<string, string>>;
  readonly key?: string;
}

const API = "/api/v1";
const eventPath = (eventId: string): string => `${API}/events/${eventId}`;
const get = (kind: string, path: string): Question => ({ kind, method: "GET", path });

export const hold = (eventId: string, body: object, key: string): Question => ({
  kind: "hold",
  method: "POST",
  path: `${eventPath(eventId)}/holds`,
  body,
  op: { op: "hold", eventId },
  key,
});

export const changeHold = (holdId: string, body: object): Question => ({
  kind: "hold.change",
  method: "PATCH",
  path: `${API}/holds/${holdId}`,
  body,
  op: { op: "change", holdId },
});

export const extend = (holdId: string, key: string): Question => ({
  kind: "hold.extend",
  method: "POST",
  path: `${API}/holds/${holdId}/extend`,
  op: { op: "extend", holdId },
  key,
});

export const release = (holdId: string): Question => ({
  kind: "hold.release",
  method: "DELETE",
  path: `${API}/holds/${holdId}`,
  op: { op: "release", holdId },
});

export const getHold = (holdId: string): Question => get("hold.get", `${API}/holds/${holdId}`);

export interface BookAsk {
  readonly eventId: string;
  readonly holdId: string;
  readonly provider: "none" | "sandbox";
  readonly email: string;
}

export const book = ({ eventId, holdId, provider, email }: BookAsk, key: string): Question => ({
  kind: provider === "none" ? "book" : "book.pay",
  method: "POST",
  path: `${eventPath(eventId)}/bookings`,
  body: { holdId, payment: { provider }, email },
  op: { op: "book", eventId },
  key,
});

export const cancel = (bookingId: string, body: object, key: string): Question => ({
  kind: "ticketIds" in body ? "cancel.part" : "cancel",
  method: "POST",
  path: `${API}/bookings/${bookingId}/cancel`,
  body,
  op: { op: "cancel", bookingId },
  key,
});

export interface TicketOf {
  readonly bookingId: string;
  readonly ticketId: string;
}

export const move = (
  { bookingId, ticketId }: TicketOf,
  { seat, key }: { readonly seat: string; readonly key: string },
): Question => ({
  kind: "move",
  method: "POST",
  path: `${API}/bookings/${bookingId}/tickets/${ticketId}/move`,
  body: { seat },
  op: { op: "move", bookingId, ticketId },
  key,
});

export const transfer = (bookingId: string, email: string, key: string): Question => ({
  kind: "transfer",
  method: "POST",
  path: `${API}/bookings/${bookingId}/transfer`,
  body: { email },
  op: { op: "transfer", bookingId },
  key,
});

export const checkIn = (eventId: string, body: object, key: string): Question => ({
  kind: "undo" in body ? "checkIn.undo" : "checkIn",
  method: "POST",
  path: `${eventPath(eventId)}/check-ins`,
  body,
  key,
});

export const join = (eventId: string, body: object, key: string): Question => ({
  kind: "waitlist.join",
  method: "POST",
  path: `${eventPath(eventId)}/waitlist`,
  body,
  op: { op: "waitlist.join", eventId },
  key,
});

export const leave = (eventId: string): Question => ({
  kind: "waitlist.leave",
  method: "DELETE",
  path: `${eventPath(eventId)}/waitlist/me`,
  op: { op: "waitlist.leave", eventId },
});

export const waiting = (eventId: string): Question =>
  get("waitlist.me", `${eventPath(eventId)}/waitlist/me`);
export const waitlist = (eventId: string): Question =>
  get("waitlist.list", `${eventPath(eventId)}/waitlist?limit=100`);
export const booking = (id: string): Question => get("booking.get", `${API}/bookings/${id}`);
export const history = (id: string): Question =>
  get("booking.history", `${API}/bookings/${id}/history`);
export const availability = (eventId: string): Question =>
  get("availability", `${eventPath(eventId)}/availability?seats=true`);
export const showEvent = (eventId: string): Question => get("event.get", eventPath(eventId));
export const seatList = (eventId: string): Question =>
  get("event.seats", `${eventPath(eventId)}/seats`);

/** A page of a list: `cursor` null begins. */
const page = (kind: string, path: string, cursor: string | null): Question =>
  get(kind, `${path}?limit=100${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
export const bookings = (cursor: string | null): Question =>
  page("booking.list", `${API}/bookings`, cursor);
export const log = (eventId: string, cursor: string | null): Question =>
  page("event.log", `${eventPath(eventId)}/log`, cursor);

export const inventory = (eventId: string, body: object): Question => ({
  kind: `inventory.${Object.keys(body).join("+")}`,
  method: "PATCH",
  path: `${eventPath(eventId)}/inventory`,
  body,
});

export const patchEvent = (eventId: string, body: object): Question => ({
  kind: `event.${Object.keys(body).join("+")}`,
  method: "PATCH",
  path: eventPath(eventId),
  body,
});

export const cancelEvent = (eventId: string): Question => ({
  kind: "event.cancel",
  method: "POST",
  path: `${eventPath(eventId)}/cancel`,
});

export const happen = (
  intentId: string,
  what: "succeed" | "fail",
  body: object = {},
): Question => ({
  kind: `sandbox.${what}`,
  method: "POST",
  path: `${API}/payments/sandbox/${intentId}/${what}`,
  body,
});

/** A message of the provider, which signs the very text of the body. */
export const webhook = (body: object, headers: Readonly<Record<string, string>>): Question => ({
  kind: "webhook",
  method: "POST",
  path: `${API}/payments/webhooks/sandbox`,
  body,
  headers,
});
