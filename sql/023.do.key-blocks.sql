-- The outcomes of requests that came with an idempotency key: the facts that they caused. Many to a
-- row, those of one event and projected batch, as an actor knows its keys, and finds an outcome by
-- its seq: a sale writes one row where it wrote one for each of dozens of keys, and nothing at
-- random places of an index.
CREATE TABLE key_blocks (
  event_id uuid   NOT NULL,
  -- Of the facts, the last one's.
  last_seq bigint NOT NULL,
  last_ms  bigint NOT NULL,
  -- In order, each behind its length (workers/store/key-blocks.ts).
  facts    bytea  NOT NULL,
  PRIMARY KEY (event_id, last_seq)
) WITH (
  -- What fits into a page stays in it.
  toast_tuple_target = 8160,
  -- Rows are added, and deleted a day later.
  autovacuum_vacuum_insert_threshold = -1
);
ALTER TABLE key_blocks ALTER COLUMN facts SET STORAGE EXTERNAL;
CREATE INDEX key_blocks_at ON key_blocks (last_ms);

INSERT INTO key_blocks (event_id, last_seq, last_ms, facts)
SELECT event_id, seq, at_ms, int4send(octet_length(fact)) || fact FROM idempotency_keys;
DROP TABLE idempotency_keys;
