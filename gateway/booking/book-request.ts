import Type from "typebox";
import { type HoldId, parseHoldId } from "../../engine/ids.ts";
import { type Checked, compileSchema, type FieldError } from "../http/validation.ts";
import { parseEmail } from "../identity/email.ts";
import type { Identity } from "../identity/tokens.ts";

/** Body of POST /events/{id}/bookings. */
export const BookBody = Type.Object({
  holdId: Type.String({ maxLength: 100 }),
  payment: Type.Object({ provider: Type.String({ maxLength: 100 }) }),
  email: Type.Optional(Type.String({ maxLength: 320 })),
});
const checkBook = compileSchema(BookBody);

/** Body of POST /bookings/{id}/cancel; may be left out. */
export const CancelBody = Type.Object({
  ticketIds: Type.Optional(Type.Unknown()),
  reason: Type.Optional(Type.String({ maxLength: 1_000 })),
});
const checkCancel = compileSchema(CancelBody);

export interface BookRequest {
  readonly holdId: HoldId;
  readonly email: string | null;
}

export function bookBody(input: unknown, role: Identity["role"]): Checked<BookRequest> {
  const checked = checkBook(input);
  if (!checked.ok) return checked;
  const { holdId, payment, email } = checked.value;
  const errors: FieldError[] = [];
  const parsedHoldId = parseHoldId(holdId);
  if (parsedHoldId === null) errors.push({ path: "holdId", message: "must be the id of a hold" });
  if (payment.provider !== "none") {
    errors.push({
      path: "payment.provider",
      message: 'must be "none": no other provider is available yet',
    });
  }
  const parsedEmail = email === undefined ? null : parseEmail(email);
  if (email !== undefined && parsedEmail === null) {
    errors.push({ path: "email", message: "must be an email address" });
  }
  if (email === undefined && role === "guest") {
    errors.push({ path: "email", message: "is missing: a guest books with an email address" });
  }
  if (errors.length > 0 || parsedHoldId === null) return { ok: false, errors };
  return { ok: true, value: { holdId: parsedHoldId, email: parsedEmail } };
}

export function cancelBody(input: unknown): Checked<{ reason?: string }> {
  const checked = checkCancel(input ?? {});
  if (!checked.ok) return checked;
  if (checked.value.ticketIds !== undefined) {
    const message = "cancelling single tickets is not available yet; leave it out";
    return { ok: false, errors: [{ path: "ticketIds", message }] };
  }
  const { reason } = checked.value;
  return { ok: true, value: reason === undefined ? {} : { reason } };
}
