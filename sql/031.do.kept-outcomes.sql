-- What came of requests that had an idempotency key and are no commands to an event's actor, which
-- keeps its own (key_blocks): an event is put on sale, or cancelled. An event changes so twice at
-- most, so these are few.
CREATE TABLE kept_outcomes (
  user_id     uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  event_id    uuid        NOT NULL REFERENCES events (id) ON DELETE CASCADE,
  -- Of the key, and of what was asked under it (gateway/booking/command-key.ts).
  digest      text        NOT NULL,
  fingerprint text        NOT NULL,
  -- How often it was asked for before it had an outcome, and which of these has it. NULL: not yet;
  -- a try is under way, or its end is not known.
  tries       integer     NOT NULL DEFAULT 1,
  first       integer,
  status      smallint,
  body        text,
  at          timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, event_id, digest)
);
CREATE INDEX kept_outcomes_by_event ON kept_outcomes (event_id);
CREATE INDEX kept_outcomes_at ON kept_outcomes (at);

GRANT SELECT, INSERT, UPDATE, DELETE ON kept_outcomes TO evently_gateway;
ALTER TABLE kept_outcomes ENABLE ROW LEVEL SECURITY;
-- The identity office removes what is over.
CREATE POLICY own ON kept_outcomes
  USING (user_id = (SELECT asking_user()) OR (SELECT asking_role()) = 'identity')
  WITH CHECK (user_id = (SELECT asking_user()));
