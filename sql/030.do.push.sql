-- Browsers in which people are told what becomes of their bookings (docs/PUSH.md).

CREATE TABLE push_subscriptions (
  id              uuid    PRIMARY KEY,
  user_id         uuid    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Where the browser's push service takes messages for it, and the SHA-256 of that.
  endpoint        text    NOT NULL,
  endpoint_digest bytea   NOT NULL,
  -- What its messages are encrypted for: base64url.
  p256dh          text    NOT NULL,
  auth            text    NOT NULL,
  -- Unix ms. NULL: until the push service says so.
  expires_ms      bigint,
  -- The last time that the browser has brought it, and the first one.
  subscribed_ms   bigint  NOT NULL,
  created_ms      bigint  NOT NULL,
  -- Messages in a row that its push service did not want.
  refusals        integer NOT NULL DEFAULT 0,
  UNIQUE (user_id, endpoint_digest)
);
CREATE INDEX push_subscriptions_by_endpoint ON push_subscriptions (endpoint_digest);
CREATE INDEX push_subscriptions_expiring ON push_subscriptions (expires_ms);

-- A browser tells whoever signed in there last: not the one before, on the same machine.
CREATE FUNCTION push_endpoint_taken() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM push_subscriptions
  WHERE endpoint_digest = NEW.endpoint_digest AND user_id <> NEW.user_id;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION push_endpoint_taken FROM PUBLIC;
CREATE TRIGGER push_endpoint_taken AFTER INSERT OR UPDATE OF subscribed_ms ON push_subscriptions
  FOR EACH ROW EXECUTE FUNCTION push_endpoint_taken();

-- What a browser was told, for a few days, so that a job that is begun again tells it once.
CREATE TABLE push_deliveries (
  subscription_id uuid     NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
  -- What it is about: booked:<id of the booking> …
  cause           text     NOT NULL,
  -- Those that failed.
  tries           smallint NOT NULL,
  -- The push service has taken it, or it was given up.
  ended           boolean  NOT NULL,
  at_ms           bigint   NOT NULL,
  PRIMARY KEY (subscription_id, cause)
);
CREATE INDEX push_deliveries_old ON push_deliveries (at_ms);

GRANT SELECT (id, user_id, endpoint, endpoint_digest, expires_ms, subscribed_ms, created_ms),
  INSERT, UPDATE, DELETE ON push_subscriptions TO evently_gateway;
ALTER TABLE push_subscriptions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON push_subscriptions
  USING (user_id = (SELECT asking_user())) WITH CHECK (user_id = (SELECT asking_user()));
