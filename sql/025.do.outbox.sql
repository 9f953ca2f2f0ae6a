-- What others are to be told of, until it has become jobs of the queue. A row is written in the
-- transaction of its cause: by the projector with the rows of a fact, by a trigger with an edited
-- event, by the gateway's services with what they promise by mail. The notifier takes rows out in
-- the transaction that puts the jobs in (gateway/notifier/outbox-relay.ts).

CREATE TABLE outbox (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- As in gateway/notifier/outbox-entry.ts.
  kind       text   NOT NULL,
  event_id   uuid,
  seq        bigint,
  change     text,
  subject_id uuid,
  at_ms      bigint NOT NULL,
  detail     json
);
-- After a rush there may be a million bookings, which all else goes past.
CREATE INDEX outbox_but_bookings ON outbox (id) WHERE kind <> 'booked';
CREATE INDEX outbox_bookings ON outbox (id) WHERE kind = 'booked';

-- Once a statement, not once a row: a batch of the projector wakes the notifier once.
CREATE FUNCTION outbox_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('evently_outbox', '');
  RETURN NULL;
END $$;
CREATE TRIGGER outbox_notice AFTER INSERT ON outbox
  FOR EACH STATEMENT EXECUTE FUNCTION outbox_notice();

-- The gateway's services ask for mails, and see nothing of what waits.
GRANT INSERT (kind, at_ms, detail) ON outbox TO evently_gateway;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY mails ON outbox FOR INSERT
  WITH CHECK (kind = 'mail' AND (SELECT asking_role()) <> '');

-- Whoever has a ticket is told when, where or what it is for has changed.
CREATE FUNCTION event_edited() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO outbox (kind, event_id, at_ms, detail) VALUES (
    'eventEdited', NEW.id, floor(extract(epoch FROM clock_timestamp()) * 1000),
    json_strip_nulls(json_build_object(
      'startsMs', CASE WHEN NEW.starts_at <> OLD.starts_at THEN json_build_object(
        'from', floor(extract(epoch FROM OLD.starts_at) * 1000),
        'to', floor(extract(epoch FROM NEW.starts_at) * 1000)) END,
      'title', CASE WHEN NEW.title <> OLD.title THEN
        json_build_object('from', OLD.title, 'to', NEW.title) END,
      'venue', CASE WHEN NEW.venue IS DISTINCT FROM OLD.venue THEN true END)));
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION event_edited FROM PUBLIC;
CREATE TRIGGER event_edited AFTER UPDATE ON events FOR EACH ROW
  WHEN (OLD.status = 'published' AND NEW.status = 'published' AND (
    NEW.starts_at <> OLD.starts_at OR NEW.title <> OLD.title
    OR NEW.venue IS DISTINCT FROM OLD.venue))
  EXECUTE FUNCTION event_edited();

-- A lane that an operator has stopped. What is under way in it is finished.
CREATE TABLE paused_lanes (
  lane      text        PRIMARY KEY,
  paused_at timestamptz NOT NULL DEFAULT now()
);

-- Jobs that failed for good, until somebody sends them again or drops them.
CREATE TABLE dead_letters (
  id        uuid        PRIMARY KEY,
  lane      text        NOT NULL,
  kind      text        NOT NULL,
  key       text,
  data      json        NOT NULL,
  reason    text        NOT NULL,
  died_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letters_by_lane ON dead_letters (lane, id);
