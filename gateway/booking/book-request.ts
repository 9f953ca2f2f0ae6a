import Type from "typebox";
import { type HoldId, type ItemId, parseHoldId, parseItemId } from "../../engine/ids.ts";
import { PLACES_PER_HOLD_MAX } from "../../engine/limits.ts";
import { type Checked, compileSchema, type FieldError, optional } from "../http/validation.ts";
import { parseEmail } from "../identity/email.ts";
import type { Identity } from "../identity/tokens.ts";
import { type DeskProblem, invalid, problem } from "./desk-result.ts";

const Id = Type.String({ maxLength: 100 });

/** Body of POST /events/{id}/bookings. */
export const BookBody = Type.Object({
  holdId: Id,
  payment: Type.Object({ provider: Type.String({ maxLength: 100 }) }),
  email: optional(Type.String({ maxLength: 320 })),
});
const checkBook = compileSchema(BookBody);

/** Body of POST /bookings/{id}/cancel; may be left out. */
export const CancelBody = Type.Object({
  ticketIds: optional(Type.Array(Id, { minItems: 1, maxItems: 2 * PLACES_PER_HOLD_MAX })),
  reason: optional(Type.String({ maxLength: 1_000 })),
});
const checkCancel = compileSchema(CancelBody);

/** Body of POST /bookings/{id}/transfer. */
export const TransferBody = Type.Object({
  email: Type.String({ format: "email", maxLength: 320 }),
});
const checkTransfer = compileSchema(TransferBody);

export interface BookRequest {
  readonly holdId: HoldId;
  readonly email: string | null;
  readonly provider: string;
}

/** `providers`: those that take payments; `none` is always there. */
export function bookBody(
  input: unknown,
  role: Identity["role"],
  providers: readonly string[],
): Checked<BookRequest> {
  const checked = checkBook(input);
  if (!checked.ok) return checked;
  const { holdId, payment, email = null } = checked.value;
  const { provider } = payment;
  const errors: FieldError[] = [];
  const parsedHoldId = parseHoldId(holdId);
  if (parsedHoldId === null) errors.push({ path: "holdId", message: "must be the id of a hold" });
  if (provider !== "none" && !providers.includes(provider)) {
    const message = `must be one of ${["none", ...providers].join(", ")}`;
    errors.push({ path: "payment.provider", message });
  }
  const parsedEmail = email === null ? null : parseEmail(email);
  if (email !== null && parsedEmail === null) {
    errors.push({ path: "email", message: "must be an email address" });
  }
  if (email === null && role === "guest") {
    errors.push({ path: "email", message: "is missing: a guest books with an email address" });
  }
  if (errors.length > 0 || parsedHoldId === null) return { ok: false, errors };
  return { ok: true, value: { holdId: parsedHoldId, email: parsedEmail, provider } };
}

export interface CancelRequest {
  /** Ascending, each once; null: all. */
  readonly tickets: readonly ItemId[] | null;
  readonly reason: string | null;
}

export function cancelOf(input: unknown): CancelRequest | DeskProblem {
  const checked = checkCancel(input ?? {});
  if (!checked.ok) return invalid(checked.errors);
  const { ticketIds = null } = checked.value;
  // PostgreSQL keeps no NUL: the actor must not remember what its rows can't.
  const reason = checked.value.reason?.replaceAll("\0", "\uFFFD") ?? null;
  if (ticketIds === null) return { tickets: null, reason };
  const tickets = ticketIds.map(parseItemId).filter((id) => id !== null);
  // What is no id is nobody's ticket.
  if (tickets.length < ticketIds.length) return problem("ticket_not_found");
  return { tickets: [...new Set(tickets)].sort(), reason };
}

/** The address of the new owner, as accounts have it. */
export function transferBody(input: unknown): Checked<{ readonly email: string }> {
  const checked = checkTransfer(input);
  if (!checked.ok) return checked;
  const email = parseEmail(checked.value.email);
  if (email !== null) return { ok: true, value: { email } };
  return { ok: false, errors: [{ path: "email", message: "must be an email address" }] };
}
