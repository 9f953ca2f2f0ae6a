/** How both designs with SELECT … FOR UPDATE lock rows: each is one statement, prepared by name. */
import type { QueryConfig } from "pg";
import type { EventId, HoldId } from "../../engine/ids.ts";
import { HELD_COLUMNS } from "./held-row.ts";

const LOCK_HOLD = `SELECT ${HELD_COLUMNS} FROM baseline.holds
  WHERE event_id = $1 AND id = $2 FOR UPDATE`;
// In one order, so that orders that overlap wait for each other and don't deadlock.
const LOCK_SEATS = `SELECT seat, until_ms FROM baseline.seats
  WHERE event_id = $1 AND seat = ANY ($2) ORDER BY seat FOR UPDATE`;
const LOCK_AREA = `SELECT area, capacity - taken AS free FROM baseline.areas
  WHERE event_id = $1 AND area = $2 FOR UPDATE`;

/** Answers with HeldColumns. */
export function lockHold(eventId: EventId, holdId: HoldId): QueryConfig {
  return { name: "lock hold", text: LOCK_HOLD, values: [eventId, holdId] };
}

/** Answers with a SeatRow for each. */
export function lockSeats(eventId: EventId, seats: readonly number[]): QueryConfig {
  return { name: "lock seats", text: LOCK_SEATS, values: [eventId, seats] };
}

/** Answers with an AreaRow. */
export function lockArea(eventId: EventId, area: number): QueryConfig {
  return { name: "lock area", text: LOCK_AREA, values: [eventId, area] };
}
