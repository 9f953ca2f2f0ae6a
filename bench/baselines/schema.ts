/**
 * The tables of the baselines, in a schema of their own beside the product's.
 *
 *   areas     one counter an area: `taken` is what is held or sold, so that booking a hold leaves
 *             the hot row alone; what is sold is counted from the tickets when somebody asks
 *   seats     one row a seat: free when `until_ms` has passed, sold when it never will
 *   holds, bookings, tickets, keys
 *
 * What makes them fast: the rows that are updated over and over leave room in their page and have
 * no index on what changes, so PostgreSQL updates them in place (HOT); ids are UUIDv7 and go to the
 * right edge of their index; there are no foreign keys, as the product has none; `seq` comes from a
 * sequence, which locks nothing.
 */
import { Client } from "pg";

/** `until_ms` of a seat that is sold; every clock is before it. */
export const NEVER_MS = Number.MAX_SAFE_INTEGER;

const SCHEMA = `
CREATE SCHEMA baseline;

CREATE SEQUENCE baseline.seqs;

CREATE TABLE baseline.areas (
  event_id uuid    NOT NULL,
  area     integer NOT NULL,
  capacity integer NOT NULL,
  taken    integer NOT NULL DEFAULT 0,
  version  bigint  NOT NULL DEFAULT 0,
  PRIMARY KEY (event_id, area),
  CHECK (taken >= 0 AND taken <= capacity)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE baseline.seats (
  event_id uuid    NOT NULL,
  seat     integer NOT NULL,
  hold_id  uuid,
  until_ms bigint  NOT NULL DEFAULT 0,
  version  bigint  NOT NULL DEFAULT 0,
  PRIMARY KEY (event_id, seat)
) WITH (fillfactor = 50);

CREATE TABLE baseline.holds (
  event_id    uuid      NOT NULL,
  id          uuid      NOT NULL,
  user_id     uuid      NOT NULL,
  status      text      NOT NULL DEFAULT 'active',
  -- One entry a place; a place >= 0 is a seat, -1 - n the area n.
  places      integer[] NOT NULL,
  categories  integer[] NOT NULL,
  prices      bigint[]  NOT NULL,
  total_minor bigint    NOT NULL,
  created_ms  bigint    NOT NULL,
  expires_ms  bigint    NOT NULL,
  extended    boolean   NOT NULL DEFAULT false,
  booking_id  uuid,
  seq         bigint    NOT NULL DEFAULT nextval('baseline.seqs'),
  version     bigint    NOT NULL DEFAULT 0,
  PRIMARY KEY (event_id, id),
  CHECK (status IN ('active', 'released', 'expired', 'booked'))
) WITH (fillfactor = 70);
-- Not only of active ones: what an index asks for can't be changed in place.
CREATE INDEX holds_due ON baseline.holds (expires_ms, event_id);

CREATE TABLE baseline.bookings (
  event_id    uuid      NOT NULL,
  id          uuid      NOT NULL,
  hold_id     uuid      NOT NULL,
  user_id     uuid      NOT NULL,
  email       text,
  code        text      COLLATE "C" NOT NULL,
  total_minor bigint    NOT NULL,
  booked_ms   bigint    NOT NULL,
  seq         bigint    NOT NULL DEFAULT nextval('baseline.seqs'),
  PRIMARY KEY (event_id, id)
);
CREATE INDEX bookings_by_user ON baseline.bookings (user_id, id DESC);

CREATE TABLE baseline.tickets (
  event_id    uuid    NOT NULL,
  booking_id  uuid    NOT NULL,
  position    integer NOT NULL,
  place       integer NOT NULL,
  category    integer NOT NULL,
  price_minor bigint  NOT NULL,
  code        text    COLLATE "C" NOT NULL,
  PRIMARY KEY (event_id, booking_id, position)
);
CREATE UNIQUE INDEX tickets_code ON baseline.tickets (event_id, code);
-- The last line, as in the product: one ticket a seat.
CREATE UNIQUE INDEX tickets_one_per_seat ON baseline.tickets (event_id, place) WHERE place >= 0;

-- Which hold or booking a request with an Idempotency-Key has made.
CREATE TABLE baseline.keys (
  event_id    uuid NOT NULL,
  digest      text COLLATE "C" NOT NULL,
  fingerprint text NOT NULL,
  outcome_id  uuid NOT NULL,
  PRIMARY KEY (event_id, digest)
);
`;

/** Makes the tables in a database that has none of them. */
export async function createBaselineSchema(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(SCHEMA);
  } finally {
    await client.end();
  }
}
