-- What an organisation's own programs are told of its events, in order (docs/WEBHOOKS.md).

CREATE TABLE webhooks (
  id              uuid    PRIMARY KEY,
  organization_id uuid    NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  url             text    NOT NULL,
  description     text    NOT NULL,
  -- gateway/webhooks/webhook-types.ts. NULL: all of them.
  types           text[],
  enabled         boolean NOT NULL,
  -- When and why the platform has disabled it. NULL: it has not.
  disabled_ms     bigint,
  disabled_reason text,
  -- Both sign until then. Kept as they are, since they sign: the gateway can't read them, but for
  -- a test by who may send one (webhook_secrets_of).
  secret          text    NOT NULL,
  old_secret      text,
  old_secret_until_ms bigint,
  -- Grows with every change: whoever is sending to it reads it anew.
  revision        integer NOT NULL DEFAULT 1,
  -- It is told what happens afterwards.
  created_ms      bigint  NOT NULL
);
CREATE INDEX webhooks_by_organization ON webhooks (organization_id, id);

CREATE FUNCTION webhook_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.revision := OLD.revision + 1;
  IF NEW.secret <> OLD.secret THEN NEW.old_secret := OLD.secret; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER webhook_changed BEFORE UPDATE ON webhooks
  FOR EACH ROW EXECUTE FUNCTION webhook_changed();

-- How far a webhook has been told of an event. One at a time works on a feed: who has the lease.
CREATE TABLE webhook_feeds (
  webhook_id      uuid    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  event_id        uuid    NOT NULL,
  -- seq of the last message that was delivered. NULL: not begun.
  cursor_seq      bigint,
  -- Somebody wants to be told again, from here on.
  replay_from     bigint,
  -- Counts what was heard of the event: a feed comes to rest only if nothing was heard meanwhile.
  marks           bigint  NOT NULL,
  -- Unix ms. NULL: there is nothing to tell.
  pending_since_ms bigint,
  -- Not before.
  due_ms          bigint  NOT NULL DEFAULT 0,
  -- Of the message behind the cursor, in a row.
  failures        integer NOT NULL DEFAULT 0,
  lease           uuid,
  leased_until_ms bigint  NOT NULL DEFAULT 0,
  PRIMARY KEY (webhook_id, event_id)
) WITH (fillfactor = 50);
CREATE INDEX webhook_feeds_pending ON webhook_feeds (due_ms) WHERE pending_since_ms IS NOT NULL;

-- The log: one row a message, with its last tries. Those of a webhook that is gone go by their age.
CREATE TABLE webhook_deliveries (
  id          bigint GENERATED ALWAYS AS IDENTITY,
  webhook_id  uuid    NOT NULL,
  event_id    uuid    NOT NULL,
  seq         bigint  NOT NULL,
  message_id  text    NOT NULL,
  type        text    NOT NULL,
  status      text    NOT NULL CHECK (status IN ('delivered', 'failing')),
  -- [{atMs, durationMs, status, error, answer}], newest first.
  attempts    jsonb   NOT NULL,
  -- All of them, also those that are not shown any more.
  tries       integer NOT NULL,
  next_try_ms bigint,
  last_ms     bigint  NOT NULL,
  PRIMARY KEY (webhook_id, event_id, seq)
);
CREATE UNIQUE INDEX webhook_deliveries_listed ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_last ON webhook_deliveries (last_ms);

-- What happened to an event is read in order, also of bookings that were confirmed at once.
CREATE INDEX bookings_by_seq ON bookings (event_id, seq);

-- For a test message: of one's own webhooks.
CREATE FUNCTION webhook_secrets_of(webhook uuid) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT json_build_object(
    'secret', w.secret, 'oldSecret', w.old_secret, 'oldSecretUntilMs', w.old_secret_until_ms)
  FROM webhooks w
  WHERE w.id = webhook AND (asking_role() = 'admin'
    OR w.organization_id = ANY (organizations_of_asker('owner', 'organizer')));
END;
REVOKE EXECUTE ON FUNCTION webhook_secrets_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION webhook_secrets_of TO evently_gateway;

GRANT SELECT (id, organization_id, url, description, types, enabled, disabled_ms, disabled_reason,
  old_secret_until_ms, revision, created_ms) ON webhooks TO evently_gateway;
GRANT INSERT, UPDATE, DELETE ON webhooks TO evently_gateway;
GRANT SELECT, INSERT, UPDATE ON webhook_feeds TO evently_gateway;
GRANT SELECT ON webhook_deliveries TO evently_gateway;

ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
CREATE POLICY sellers ON webhooks
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin')
  WITH CHECK (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin');

ALTER TABLE webhook_feeds ENABLE ROW LEVEL SECURITY;
-- Of the organisation's own events, whoever asks: nobody is told of another's.
CREATE POLICY sellers ON webhook_feeds
  USING ((SELECT true FROM webhooks w WHERE w.id = webhook_feeds.webhook_id))
  WITH CHECK ((SELECT true FROM webhooks w
    JOIN events e ON e.organization_id = w.organization_id
    WHERE w.id = webhook_feeds.webhook_id AND e.id = webhook_feeds.event_id));

ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY sellers ON webhook_deliveries FOR SELECT
  USING ((SELECT true FROM webhooks w WHERE w.id = webhook_deliveries.webhook_id));
