-- What the engine projects into. Written by the projector alone, read by everyone.
-- Keys begin with event_id, so that the tables can be distributed by it. Codes and digests are
-- compared byte by byte (COLLATE "C"), whatever the database's collation is.
-- Rows that are updated in place leave room for their next version in their page (fillfactor).

-- One row per shard: who may write (epoch), and how far its facts have been written (applied_lsn).
-- The watermark moves in the same transaction as the rows, so a batch is applied exactly once.
CREATE TABLE shards (
  shard       integer PRIMARY KEY,
  epoch       bigint  NOT NULL,
  applied_lsn bigint  NOT NULL DEFAULT 0,
  -- The shard's logical time at applied_lsn, Unix ms: its clock never starts before it.
  logical_ms  bigint  NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

-- The inventory of each configured event, as of seq.
CREATE TABLE inventories (
  event_id        uuid    PRIMARY KEY,
  seq             bigint  NOT NULL,
  status          text    NOT NULL CHECK (status IN ('published', 'cancelled')),
  -- engine/definition.ts without eventId and seatCategories; json, not jsonb: its text stays
  -- as it is.
  definition      json    NOT NULL,
  -- One byte a seat: its price category's index.
  seat_categories bytea   NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE inventory_areas (
  event_id uuid    NOT NULL,
  area     integer NOT NULL,
  capacity integer NOT NULL,
  held     integer NOT NULL DEFAULT 0,
  sold     integer NOT NULL DEFAULT 0,
  PRIMARY KEY (event_id, area),
  -- The last line: it must never fire. If it does, the shard stops and says so.
  CHECK (held >= 0 AND sold >= 0 AND held + sold <= capacity)
) WITH (fillfactor = 50);

-- A hold that was made and booked within one projected batch has no row: the booking tells of it.
CREATE TABLE holds (
  event_id   uuid        NOT NULL,
  id         uuid        NOT NULL,
  user_id    uuid        NOT NULL,
  status     text        NOT NULL CHECK (status IN ('active', 'released', 'expired', 'booked')),
  -- Triples of place, category, price in minor units. A place >= 0 is a seat's index; -1 - n means
  -- the area n.
  items      integer[]   NOT NULL,
  -- Unix ms, as in the facts.
  created_ms bigint      NOT NULL,
  expires_ms bigint      NOT NULL,
  extended   boolean     NOT NULL,
  -- seq of the fact that made the hold what it is: held, extended or ended.
  seq        bigint      NOT NULL,
  ended_ms   bigint,
  booking_id uuid,
  PRIMARY KEY (event_id, id)
);
CREATE INDEX holds_active ON holds (event_id) WHERE status = 'active';
CREATE INDEX holds_ended ON holds (ended_ms) WHERE status <> 'active';

CREATE TABLE bookings (
  event_id     uuid   NOT NULL,
  id           uuid   NOT NULL,
  hold_id      uuid   NOT NULL,
  user_id      uuid   NOT NULL,
  email        text,
  code         text   COLLATE "C" NOT NULL,
  status       text   NOT NULL CHECK (status IN ('confirmed', 'cancelled')),
  total_minor  bigint NOT NULL,
  booked_ms    bigint NOT NULL,
  -- seq of the booking, and of its cancellation.
  seq          bigint NOT NULL,
  cancelled_seq bigint,
  cancelled_ms bigint,
  cancelled_by uuid,
  cancel_reason text,
  PRIMARY KEY (event_id, id)
);
-- Ids are UUIDv7: their order is the order of booking.
CREATE INDEX bookings_by_user ON bookings (user_id, id DESC);
-- Codes are 50 random bits that nobody checks: two bookings of one event may share theirs, once in
-- thousands of sold-out stadiums, and that must not stop a sale.
CREATE INDEX bookings_code ON bookings (event_id, code);

CREATE TABLE tickets (
  event_id    uuid    NOT NULL,
  id          uuid    NOT NULL,
  booking_id  uuid    NOT NULL,
  -- Position in the booking, from 0.
  position    integer NOT NULL,
  place       integer NOT NULL,
  category    integer NOT NULL,
  price_minor bigint  NOT NULL,
  code        text    COLLATE "C" NOT NULL,
  status      text    NOT NULL CHECK (status IN ('valid', 'cancelled')),
  PRIMARY KEY (event_id, id)
);
CREATE INDEX tickets_by_booking ON tickets (event_id, booking_id);
CREATE UNIQUE INDEX tickets_code ON tickets (event_id, code);
-- The last line: one valid ticket a seat. It must never fire. If it does, the shard stops and says
-- why.
CREATE UNIQUE INDEX tickets_one_per_seat ON tickets (event_id, place)
  WHERE place >= 0 AND status = 'valid';

-- The outcome of each request that came with an idempotency key: the fact it caused. A key that was
-- forgotten after its time and used again has the later outcome.
CREATE TABLE idempotency_keys (
  event_id    uuid   NOT NULL,
  digest      text   COLLATE "C" NOT NULL,
  fingerprint text   NOT NULL,
  seq         bigint NOT NULL,
  at_ms       bigint NOT NULL,
  -- msgpack of the encoded fact (engine/fact-codec.ts).
  fact        bytea  NOT NULL,
  PRIMARY KEY (event_id, digest)
);
CREATE INDEX idempotency_keys_at ON idempotency_keys (at_ms);
