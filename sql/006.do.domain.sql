-- The whole domain's rows: what holds and bookings cost and under which terms, payments that are
-- awaited, tickets that change, places that are kept from the sale, the waitlist, and what happened
-- to an event. Written by the projector alone, as everything in 001. What is rare is NULL: a plain
-- hold and a plain booking are the rows that they were.

ALTER TABLE inventories
  -- ISO 4217.
  ADD COLUMN currency text,
  -- Where the seats are (engine/definition.ts); empty: nobody knows. Not in `definition`.
  ADD COLUMN seat_map bytea NOT NULL DEFAULT '';
UPDATE inventories SET currency = definition ->> 'currency';
ALTER TABLE inventories ALTER COLUMN currency SET NOT NULL;

-- The capacity is the actor's own, and may be another than the one in `inventories.definition`.
ALTER TABLE inventory_areas
  -- Kept for a channel, and neither held nor sold.
  ADD COLUMN blocked integer NOT NULL DEFAULT 0,
  DROP CONSTRAINT inventory_areas_check,
  -- The last line: it must never fire. If it does, the shard stops and says so.
  ADD CONSTRAINT inventory_areas_check CHECK
    (held >= 0 AND sold >= 0 AND blocked >= 0 AND held + sold + blocked <= capacity);

ALTER TABLE holds
  DROP CONSTRAINT holds_status_check,
  ADD CONSTRAINT holds_status_check
    CHECK (status IN ('active', 'released', 'expired', 'cancelled', 'booked')),
  -- Quadruples of discount, fee, tax and what is due, one for each item, minor units; of NULLs for
  -- an item that costs its price. NULL: no item has a charge.
  ADD COLUMN charges bigint[],
  -- Which of the hold's ids each item has. NULL: 0, 1, 2 …
  ADD COLUMN ordinals integer[],
  -- engine/terms.ts. NULL: plain ones.
  ADD COLUMN terms json,
  -- The pending booking whose money it waits for; of one that became a booking with its money, that
  -- booking. Such a hold has a row in any case: the booking alone can't tell when the hold ended.
  ADD COLUMN paying uuid;

ALTER TABLE bookings
  -- The buyer, where the booking was handed over to somebody else (user_id).
  ADD COLUMN buyer_id uuid,
  -- Of the hold that it came from, as there.
  ADD COLUMN ordinals integer[],
  ADD COLUMN terms json,
  -- What became of it (`BookingLater` in engine/booking.ts): payment, refunds, the tickets' fates,
  -- who cancelled it when and why. NULL: it was confirmed at once, and nothing happened since.
  ADD COLUMN later json,
  -- seq of its last change, as in `later`. NULL like it.
  ADD COLUMN changed_seq bigint,
  DROP CONSTRAINT bookings_status_check,
  ADD CONSTRAINT bookings_status_check
    CHECK (status IN ('pending_payment', 'confirmed', 'cancelled', 'refunded'));
COMMENT ON COLUMN bookings.total_minor IS
  'What is due for all of its tickets, cancelled ones included: what was paid for them goes back as
refunds, and is not taken off here.';

ALTER TABLE tickets
  -- What is taken off the price and put on it. NULL, all four of them: nothing, the price is due.
  ADD COLUMN discount_minor bigint,
  ADD COLUMN fee_minor bigint,
  ADD COLUMN tax_minor bigint,
  ADD COLUMN due_minor bigint,
  -- Unix ms. NULL: nobody has entered with it, and it stands.
  ADD COLUMN checked_in_ms bigint,
  ADD COLUMN cancelled_ms bigint,
  DROP CONSTRAINT tickets_status_check,
  -- pending: its booking waits for money. It claims no seat: the hold has it.
  ADD CONSTRAINT tickets_status_check CHECK (status IN ('pending', 'valid', 'cancelled'));
-- A hold whose payment failed may be booked again, with the same items: the tickets of both
-- bookings have the items' ids then. Tickets are found by their booking, first in the key.
ALTER TABLE tickets
  DROP CONSTRAINT tickets_pkey,
  ADD PRIMARY KEY (event_id, booking_id, position);
DROP INDEX tickets_by_booking;
COMMENT ON COLUMN tickets.position IS
  'Which of the hold''s ids it has, from 0: ascending within a booking, with gaps where items were
dropped from the hold.';

UPDATE tickets SET cancelled_ms = b.cancelled_ms
FROM bookings b
WHERE b.event_id = tickets.event_id AND b.id = tickets.booking_id AND b.status = 'cancelled';
UPDATE bookings b SET changed_seq = b.cancelled_seq, later = json_build_object(
  'status', 'cancelled', 'seq', b.cancelled_seq, 'atMs', b.cancelled_ms,
  'tickets', (
    SELECT json_agg(json_build_object('cancelledAtMs', t.cancelled_ms, 'checkedInAtMs', NULL))
    FROM tickets t WHERE t.event_id = b.event_id AND t.booking_id = b.id),
  'payment', NULL,
  'cancelled', json_build_object(
    'atMs', b.cancelled_ms, 'by', b.cancelled_by, 'reason', b.cancel_reason))
WHERE b.status = 'cancelled';
ALTER TABLE bookings
  DROP COLUMN cancelled_seq,
  DROP COLUMN cancelled_ms,
  DROP COLUMN cancelled_by,
  DROP COLUMN cancel_reason;

-- Seats, and places of areas, that the organiser keeps from the sale: for who comes by a channel,
-- or for nobody ('').
CREATE TABLE blocked_places (
  event_id uuid    NOT NULL,
  -- As in holds.items.
  place    integer NOT NULL,
  channel  text    COLLATE "C" NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (event_id, place, channel)
);
-- The last line: a seat is kept for one channel, once. It must never fire.
CREATE UNIQUE INDEX blocked_places_one_per_seat ON blocked_places (event_id, place)
  WHERE place >= 0;

-- Who waits, or waited, for places. How often an entry was passed over follows from the rows: it is
-- the number of offers made after it came (ended_seq > seq) to entries behind it in the line.
CREATE TABLE waitlist_entries (
  event_id   uuid    NOT NULL,
  id         uuid    NOT NULL,
  user_id    uuid    NOT NULL,
  quantity   integer NOT NULL,
  -- Indexes of the categories that will do. NULL: any.
  categories integer[],
  -- The line: higher ones first, then the order of arrival.
  priority   integer NOT NULL,
  seq        bigint  NOT NULL,
  at_ms      bigint  NOT NULL,
  status     text    NOT NULL CHECK (status IN ('waiting', 'offered', 'left', 'closed')),
  -- seq and time of the fact that ended the waiting. NULL: it waits.
  ended_seq  bigint,
  ended_ms   bigint,
  -- Of the one that was offered places.
  hold_id    uuid,
  PRIMARY KEY (event_id, id)
);
-- The last line: a buyer waits once. It must never fire.
CREATE UNIQUE INDEX waitlist_one_per_user ON waitlist_entries (event_id, user_id)
  WHERE status = 'waiting';

-- What happened to an event and its bookings, one row a fact, for who asks how it came about. Holds
-- leave none, nor do bookings that were confirmed at once (bookings.seq and booked_ms tell of
-- them): the sale itself writes nothing here.
CREATE TABLE event_history (
  event_id   uuid   NOT NULL,
  seq        bigint NOT NULL,
  at_ms      bigint NOT NULL,
  -- Of the fact (engine/facts.ts).
  kind       text   NOT NULL,
  -- Of a bookingChanged: which.
  change     text,
  booking_id uuid,
  -- Who asked for it. NULL: nobody did.
  by_user    uuid,
  reason     text,
  -- workers/projector/history-detail.ts.
  detail     json,
  PRIMARY KEY (event_id, seq)
);
CREATE INDEX event_history_of_booking ON event_history (event_id, booking_id, seq)
  WHERE booking_id IS NOT NULL;
