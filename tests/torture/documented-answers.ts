/**
 * What the contract lets each question be answered with, as long as it makes sense; whoever asks
 * something senseless on purpose says what they expect. `503 busy` may come at any time.
 */

const SALE = [
  "409 seat_unavailable",
  "409 insufficient_capacity",
  "409 limit_exceeded",
  "409 sales_not_open",
  "409 sales_closed",
  "409 event_cancelled",
];
const ENDED_HOLD = [
  "410 hold_expired",
  "410 hold_released",
  "409 hold_booked",
  "409 event_cancelled",
];
const ENDED_BOOKING = ["409 booking_cancelled", "409 booking_pending", "409 ticket_cancelled"];
/** Answers by kind; one that begins with a kind here and a dot has that kind's. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  hold: ["201", ...SALE, "409 no_adjacent_seats", "409 promo_not_valid", "429 hold_churn"],
  "hold.change": [
    "200",
    ...SALE,
    ...ENDED_HOLD,
    "404 item_not_found",
    "409 hold_paying",
    "409 hold_would_be_empty",
    "409 hold_changed_too_often",
  ],
  "hold.extend": ["200", ...ENDED_HOLD, "409 hold_not_extendable"],
  "hold.release": ["204", ...ENDED_HOLD],
  "hold.get": ["200", ...ENDED_HOLD],
  book: ["201", ...ENDED_HOLD, "409 payment_required", "409 hold_paying"],
  "book.pay": ["201", "202", ...ENDED_HOLD, "409 hold_paying"],
  cancel: ["200", "409 booking_pending", "409 cancellation_closed", "409 already_checked_in"],
  move: [
    "200",
    ...ENDED_BOOKING,
    "409 seat_unavailable",
    "409 already_checked_in",
    "409 price_differs",
    "409 ticket_not_movable",
    "409 event_cancelled",
  ],
  transfer: ["200", ...ENDED_BOOKING, "409 already_checked_in"],
  // Whoever has it now may have another code.
  checkIn: ["200", ...ENDED_BOOKING, "409 already_checked_in", "404 ticket_not_found"],
  "checkIn.undo": ["200", ...ENDED_BOOKING, "409 not_checked_in", "404 ticket_not_found"],
  "waitlist.join": [
    "200",
    "201",
    "409 already_waiting",
    "409 limit_exceeded",
    "429 hold_churn",
    "409 sales_closed",
    "409 event_cancelled",
  ],
  "waitlist.leave": ["204"],
  "waitlist.me": ["200", "404 not_waiting"],
  inventory: [
    "200",
    "409 seat_unavailable",
    "409 insufficient_capacity",
    "409 capacity_in_use",
    "409 event_cancelled",
  ],
  event: ["200", "409 event_cancelled"],
};
const READ = ["200"];

export function documentedAnswers(kind: string): readonly string[] {
  for (let name = kind; ; name = name.slice(0, name.lastIndexOf("."))) {
    const answers = ANSWERS[name];
    if (answers !== undefined) return answers;
    if (!name.includes(".")) return READ;
  }
}
