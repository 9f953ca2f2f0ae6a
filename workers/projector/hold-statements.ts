/** Holds as SQL. */
import type { PlaceItem } from "../../engine/place.ts";
import { PlainHold } from "../store/plain-hold.ts";
import { arraysColumn, jsonColumn, jsonText, plainColumn, rareColumn } from "./array-literals.ts";
import type { CopyRows } from "./copy-rows.ts";
import type { NetEffects } from "./effects.ts";
import { type Insertion, insertion, type Statement } from "./statement.ts";

/** Triples of place, category, price, as an array literal within the column's: `"{0,1,4500}"`. */
function itemsLiteral(items: readonly PlaceItem[]): string {
  let text = '"{';
  let separator = "";
  for (const { place, category, priceMinor } of items) {
    text += `${separator}${place},${category},${priceMinor}`;
    separator = ",";
  }
  return `${text}}"`;
}

/** Quadruples of discount, fee, tax, due; null: no item has a charge. */
function chargesOf(items: readonly PlaceItem[]): (number | null)[] | null {
  if (items.every(({ charge }) => charge === null)) return null;
  return items.flatMap(({ charge }) =>
    charge === null
      ? [null, null, null, null]
      : [charge.discountMinor, charge.feeMinor, charge.taxMinor, charge.dueMinor],
  );
}

/**
 * An active hold is found by its missing end: by its status, the planner would read all the active
 * holds of the event in the index that lists them, once for each row.
 */
export function changeHolds({ holdChanges }: NetEffects): Statement {
  return {
    name: "change-holds",
    text: `
      UPDATE holds SET status = u.status, seq = u.seq,
        expires_ms = COALESCE(u.expires_ms, holds.expires_ms),
        extended = holds.extended OR u.extended IS TRUE,
        items = COALESCE(u.items::integer[], holds.items),
        charges = CASE WHEN u.items IS NULL THEN holds.charges ELSE u.charges::bigint[] END,
        ordinals = CASE WHEN u.items IS NULL THEN holds.ordinals ELSE u.ordinals::integer[] END,
        terms = CASE WHEN u.items IS NULL THEN holds.terms ELSE u.terms END,
        paying = CASE WHEN u.pays IS TRUE THEN u.paying ELSE holds.paying END,
        ended_ms = u.ended_ms, booking_id = u.booking_id
      FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                  $7::uuid[], $8::boolean[], $9::text[], $10::text[], $11::text[], $12::json[],
                  $13::boolean[], $14::uuid[])
        AS u (event_id, id, status, seq, expires_ms, ended_ms, booking_id, extended, items, charges,
              ordinals, terms, pays, paying)
      WHERE holds.event_id = u.event_id AND holds.id = u.id AND holds.ended_ms IS NULL`,
    values: [
      plainColumn(holdChanges, (change) => change.eventId),
      plainColumn(holdChanges, (change) => change.holdId),
      plainColumn(holdChanges, (change) => change.ended?.end.end ?? "active"),
      plainColumn(holdChanges, (change) => change.seq),
      plainColumn(holdChanges, (change) => change.update.expiresAtMs ?? null),
      plainColumn(holdChanges, (change) => change.ended?.end.atMs ?? null),
      plainColumn(holdChanges, (change) => change.ended?.end.bookingId ?? null),
      rareColumn(holdChanges, (change) => change.update.extended ?? null, plainColumn),
      rareColumn(
        holdChanges,
        ({ update: { items } }) => (items === undefined ? null : itemsLiteral(items)),
        plainColumn,
      ),
      rareColumn(
        holdChanges,
        ({ update: { items } }) => (items === undefined ? null : chargesOf(items)),
        arraysColumn,
      ),
      rareColumn(holdChanges, (change) => change.update.ordinals ?? null, arraysColumn),
      rareColumn(holdChanges, (change) => change.update.terms ?? null, jsonColumn),
      rareColumn(
        holdChanges,
        ({ update: { paying } }) => (paying === undefined ? null : true),
        plainColumn,
      ),
      rareColumn(holdChanges, (change) => change.update.paying ?? null, plainColumn),
    ],
    rowCount: holdChanges.length,
  };
}

/** What was active is a booking now, and its row no more than a second word for that. */
export function deleteBookedHolds({ holdsBooked }: NetEffects): Statement {
  return {
    name: "delete-booked-holds",
    text: `
      DELETE FROM holds USING unnest($1::uuid[], $2::uuid[]) AS u (event_id, id)
      WHERE holds.event_id = u.event_id AND holds.id = u.id AND holds.ended_ms IS NULL`,
    values: [
      plainColumn(holdsBooked, (booked) => booked.eventId),
      plainColumn(holdsBooked, (booked) => booked.holdId),
    ],
    rowCount: holdsBooked.length,
  };
}

export function insertHolds({ holdsMade }: NetEffects): Insertion {
  return insertion(
    {
      name: "insert-holds",
      table: "holds",
      columns: `event_id, id, user_id, status, items, created_ms, expires_ms, extended, seq,
        ended_ms, booking_id, charges, ordinals, terms, paying`,
    },
    holdsMade,
    (into, made) => {
      if (made instanceof PlainHold) return writePlain(into, made);
      const { eventId, hold, ended } = made;
      into
        .row()
        .eventId(eventId)
        .uuid(hold.holdId)
        .uuid(hold.userId)
        .text(ended?.end.end ?? "active")
        .integers(numbersOf(hold.items))
        .bigint(hold.createdAtMs)
        .bigint(hold.expiresAtMs)
        .boolean(hold.extended)
        .bigint(ended?.seq ?? hold.seq)
        .bigint(ended?.end.atMs ?? null)
        .uuid(ended?.end.bookingId ?? null)
        .bigints(chargesOf(hold.items))
        .integers(hold.ordinals)
        .text(jsonText(hold.terms))
        .uuid(hold.paying);
    },
  );
}

function writePlain(into: CopyRows, hold: PlainHold): void {
  const { bytes } = hold;
  into
    .row()
    .eventId(hold.eventId)
    .uuidAt(bytes, hold.holdIdAt)
    .uuidAt(bytes, hold.userIdAt)
    .text("active")
    .integers(hold.items())
    .bigint(hold.atMs)
    .bigint(hold.expiresAtMs)
    .boolean(false)
    .bigint(hold.seq)
    .missing()
    .missing()
    .missing()
    .missing()
    .missing()
    .missing();
}

/** Triples of place, category, price. */
function numbersOf(items: readonly PlaceItem[]): number[] {
  const numbers: number[] = [];
  for (const item of items) numbers.push(item.place, item.category, item.priceMinor);
  return numbers;
}
