-- Mails of an organisation to the people who have booked there (docs/CAMPAIGNS.md).

CREATE TABLE campaigns (
  id              uuid        PRIMARY KEY,
  organization_id uuid        NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name            text        NOT NULL,
  -- The event that it is about. NULL: none.
  event_id        uuid        REFERENCES events (id) ON DELETE SET NULL,
  -- gateway/campaigns/segment.ts
  segment         json        NOT NULL,
  -- [{subject, blocks}]
  variants        json        NOT NULL,
  -- {samplePercent, waitMinutes, winnerBy}; NULL of JSON: there is one variant.
  ab_test         json        NOT NULL DEFAULT 'null',
  -- Whether opens and clicks are counted.
  tracking        boolean     NOT NULL,
  state           text        NOT NULL DEFAULT 'draft'
    CHECK (state IN ('draft', 'scheduled', 'sending', 'sampling', 'sent', 'stopped')),
  scheduled_at    timestamptz,
  started_at      timestamptz,
  ended_at        timestamptz,
  stop_reason     text        CHECK (stop_reason IN ('asked', 'too_many_recipients')),
  -- How far its list of recipients has been written: the digest of the last one.
  listed_digest   bytea       NOT NULL DEFAULT '',
  listed_at       timestamptz,
  recipients      integer     NOT NULL DEFAULT 0,
  -- How many of them, in their order, have been handed to the queue; and when the last of these,
  -- or when they were last looked through for some that got lost.
  queued          integer     NOT NULL DEFAULT 0,
  queued_at       timestamptz,
  -- When the sample is over. NULL: not all of it has been sent.
  sample_ends_at  timestamptz,
  -- gateway/campaigns/sending/winner.ts; NULL of JSON: not decided.
  result          json        NOT NULL DEFAULT 'null',
  -- When its recipients' addresses were taken out. NULL: they are there.
  forgotten_at    timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX campaigns_by_organization ON campaigns (organization_id, id);
CREATE INDEX campaigns_under_way ON campaigns (state)
  WHERE state IN ('scheduled', 'sending', 'sampling');
-- Whose mails somebody may want to be the last.
CREATE INDEX campaigns_started ON campaigns (started_at);
CREATE INDEX campaigns_to_forget ON campaigns (ended_at) WHERE forgotten_at IS NULL;

-- An address in one campaign, by its SHA-256: names it where the address itself is not to be named.
-- The same address has another digest in each campaign.
CREATE FUNCTION campaign_digest(campaign uuid, recipient bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substr(sha256(uuid_send(campaign) || recipient), 1, 16);

CREATE FUNCTION campaign_digest(campaign uuid, address text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN campaign_digest(campaign, sha256(convert_to(address, 'UTF8')));

-- Whom a campaign goes to, each once, as of its beginning. In the order of their digests, which is
-- a shuffled one: the first n are a fair sample.
CREATE TABLE campaign_recipients (
  campaign_id     uuid        NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  -- From 0.
  position        integer     NOT NULL,
  organization_id uuid        NOT NULL,
  -- campaign_digest(campaign_id, address)
  digest          bytea       NOT NULL,
  -- NULL: forgotten.
  address         text,
  -- The account of that address. NULL: none.
  user_id         uuid,
  state           text        NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'sent', 'in_doubt', 'suppressed', 'failed')),
  -- Which one was, or would have been, sent. NULL while it waits.
  variant         smallint,
  reason          text,
  ended_at        timestamptz,
  opens           integer     NOT NULL DEFAULT 0,
  clicks          integer     NOT NULL DEFAULT 0,
  -- When they ended all of the organisation's campaigns, if this one was the last they got.
  unsubscribed_at timestamptz,
  PRIMARY KEY (campaign_id, position)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX campaign_recipients_once ON campaign_recipients (campaign_id, digest);
CREATE INDEX campaign_recipients_of_user ON campaign_recipients (user_id)
  WHERE user_id IS NOT NULL;

-- Who does not want it counted whether they open a mail and follow its links.
CREATE TABLE tracking_objections (
  address     text        PRIMARY KEY,
  objected_at timestamptz NOT NULL DEFAULT now()
);

-- Whoever has booked at an organisation, booking by booking, under the address that they gave with
-- the booking, or else their account's. For those who sell for the organisation, and for who sends.
CREATE VIEW customer_bookings WITH (security_barrier) AS
SELECT e.organization_id, b.event_id, a.address, b.booked_ms,
  -- The account that the address is of.
  CASE WHEN u.email = a.address THEN u.id END AS user_id,
  -- By somebody else, who gave the address: its owner has bought nothing.
  b.buyer_id IS NOT NULL AS handed_over,
  -- Not by EXISTS, which may be planned as a hash of everybody's tickets.
  (SELECT true FROM tickets t
    WHERE t.event_id = b.event_id AND t.booking_id = b.id AND t.status = 'valid'
      AND t.checked_in_ms IS NOT NULL LIMIT 1) IS NOT NULL AS checked_in,
  -- Minor units: of the tickets that stand.
  CASE WHEN b.later IS NULL THEN b.total_minor ELSE (
    SELECT COALESCE(sum(COALESCE(t.due_minor, t.price_minor)), 0) FROM tickets t
    WHERE t.event_id = b.event_id AND t.booking_id = b.id AND t.status = 'valid'
  ) END AS spent_minor
FROM events e
JOIN bookings b ON b.event_id = e.id
LEFT JOIN users u ON u.id = b.user_id
CROSS JOIN LATERAL (SELECT lower(COALESCE(b.email, u.email)) AS address OFFSET 0) AS a
WHERE b.status = 'confirmed' AND a.address IS NOT NULL AND (
  e.organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
  OR (SELECT asking_role()) IN ('admin', 'campaigns'));

-- Of who leaves no campaign keeps the address, and none that is under way reaches them any more.
CREATE FUNCTION forget_asker_in_campaigns() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
BEGIN ATOMIC
  DELETE FROM tracking_objections WHERE address = own_address();
  UPDATE campaign_recipients SET address = NULL, user_id = NULL,
    state = CASE state WHEN 'waiting' THEN 'suppressed' ELSE state END,
    reason = CASE state WHEN 'waiting' THEN 'forgotten' ELSE reason END
  WHERE user_id = asking_user();
END;

-- Counts who has ended the campaigns of an organisation with the last one of these that reached
-- them; who wants none of anybody (the id of zeros), with the last of all. `recipient`: SHA-256 of
-- the address, as sql/026 has it.
CREATE FUNCTION campaign_unsubscribed(organization uuid, recipient bytea) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
BEGIN ATOMIC
  UPDATE campaign_recipients r SET unsubscribed_at = now()
  FROM (
    SELECT r.campaign_id, r.position FROM campaigns c
    JOIN campaign_recipients r
      ON r.campaign_id = c.id AND r.digest = campaign_digest(c.id, recipient)
    WHERE (c.organization_id = organization
        OR organization = '00000000-0000-0000-0000-000000000000')
      AND c.started_at > now() - interval '90 days' AND r.state IN ('sent', 'in_doubt')
    ORDER BY r.ended_at DESC, c.id DESC LIMIT 1) AS last
  WHERE r.campaign_id = last.campaign_id AND r.position = last.position
    AND r.unsubscribed_at IS NULL;
END;

CREATE FUNCTION mail_refused() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM campaign_unsubscribed(NEW.organization_id, NEW.recipient);
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION mail_refused FROM PUBLIC;
CREATE TRIGGER mail_refused AFTER INSERT ON mail_refusals FOR EACH ROW
  WHEN (NEW.kind = 'campaign') EXECUTE FUNCTION mail_refused();

-- Whoever reads a mail is nobody who has signed in: they name its recipient by a number.
CREATE FUNCTION object_to_tracking(campaign uuid, recipient bigint) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
BEGIN ATOMIC
  INSERT INTO tracking_objections (address)
  SELECT r.address FROM campaign_recipients r
  WHERE r.campaign_id = campaign AND r.position = recipient AND r.address IS NOT NULL
    AND asking_role() = 'campaigns'
  ON CONFLICT DO NOTHING;
END;
CREATE FUNCTION tracking_objected(campaign uuid, recipient bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT FROM campaign_recipients r JOIN tracking_objections o ON o.address = r.address
    WHERE r.campaign_id = campaign AND r.position = recipient AND asking_role() = 'campaigns');
END;

GRANT SELECT, INSERT, UPDATE, DELETE ON campaigns TO evently_gateway;
-- Not who they are: statistics need no address.
GRANT SELECT (campaign_id, position, organization_id, digest, state, variant, reason, ended_at,
  opens, clicks, unsubscribed_at) ON campaign_recipients TO evently_gateway;
GRANT UPDATE (opens, clicks) ON campaign_recipients TO evently_gateway;
GRANT SELECT ON customer_bookings TO evently_gateway;
REVOKE EXECUTE ON FUNCTION forget_asker_in_campaigns, campaign_unsubscribed, object_to_tracking,
  tracking_objected FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_asker_in_campaigns, object_to_tracking, tracking_objected
  TO evently_gateway;

ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
CREATE POLICY sellers ON campaigns
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin')
  WITH CHECK (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin');

ALTER TABLE campaign_recipients ENABLE ROW LEVEL SECURITY;
CREATE POLICY sellers ON campaign_recipients FOR SELECT
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) IN ('admin', 'campaigns'));
-- Whoever opens a mail is nobody; what they show is signed.
CREATE POLICY counted ON campaign_recipients FOR UPDATE
  USING ((SELECT asking_role()) = 'campaigns');
