-- The journal of ACK_MODE=postgres (workers/journal/pg-operation-log.ts): what was decided is
-- committed here before an answer leaves, and deleted once it is projected. Under ACK_MODE=journal
-- the log is empty.

-- One row per shard: who may append (epoch, always that of shards), and the last lsn that the log
-- or the projection has. Apart from shards, so that an append never waits for the row locks of a
-- running projection. Every append updates its rows: they leave room for many versions of
-- themselves in their page, which are pruned without a vacuum.
CREATE TABLE operation_log_ends (
  shard    integer PRIMARY KEY,
  epoch    bigint  NOT NULL,
  last_lsn bigint  NOT NULL
) WITH (fillfactor = 10);

-- One row per shard and append. A queue: rows are added at the end of their shard and deleted at
-- its beginning, seconds later.
CREATE TABLE operation_log (
  shard     integer NOT NULL,
  first_lsn bigint  NOT NULL,
  last_lsn  bigint  NOT NULL,
  -- Of the owner who wrote it.
  epoch     bigint  NOT NULL,
  -- The entries first_lsn to last_lsn, as in workers/journal/entry.ts.
  entries   bytea   NOT NULL,
  PRIMARY KEY (shard, first_lsn),
  CHECK (first_lsn <= last_lsn)
) WITH (
  -- What fits into a page stays in it: moved out, an append would write two more pages.
  toast_tuple_target = 8160,
  -- A table of changing rows and hardly any: a share of its size says nothing about its garbage.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_threshold = -1,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 20000,
  toast.autovacuum_vacuum_insert_threshold = -1,
  -- The index is the only way that is ever taken; nothing is to be learnt for a plan.
  autovacuum_analyze_threshold = 2000000000
);
-- Compressing takes longer than writing, on the way of an answer, for rows that live seconds.
ALTER TABLE operation_log ALTER COLUMN entries SET STORAGE EXTERNAL;

INSERT INTO operation_log_ends (shard, epoch, last_lsn)
SELECT shard, epoch, applied_lsn FROM shards;
