-- The second lock (docs/decisions/0010-row-level-security.md): what a statement of the gateway
-- forgets in its WHERE, the database does not hand out. The gateway works as the role
-- evently_gateway (sql/gateway-role.ts), which owns nothing and has no more than is granted here.
-- Before each statement it says as whom it asks, by settings that end with the transaction:
--   evently.user   who asks; empty: nobody who is signed in
--   evently.role   admin, customer or guest, or an office of the platform: identity, payments
--   evently.event  the tag of the one event that was named before it is known who may see it
-- The engine's own connections are the owner's, whom policies do not concern.

-- Roles that wait for somebody. A row stays until its person has taken it up or its time is over.
ALTER TABLE organization_invitations
  -- SHA-256 of the token in the mail. NULL: invited before there were mails.
  ADD COLUMN digest     bytea       UNIQUE,
  ADD COLUMN invited_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN expires_at timestamptz NOT NULL DEFAULT now() + interval '7 days';
CREATE INDEX organization_invitations_expiring ON organization_invitations (expires_at);

-- Who asks. Outside of a scope all of them are empty.

CREATE FUNCTION asking_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('evently.user', true), '')::uuid;

CREATE FUNCTION asking_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('evently.role', true), '');

CREATE FUNCTION asked_event() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('evently.event', true), '');

-- Where who asks has one of the roles. As the owner, since the members' own policies ask this.
CREATE FUNCTION organizations_of_asker(VARIADIC roles text[]) RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT coalesce(array_agg(m.organization_id), '{}') FROM organization_members m
  WHERE m.user_id = asking_user() AND m.role = ANY (roles);
END;

-- Whether the organisation is being made by the very statement that asks: it sees none yet.
CREATE FUNCTION is_being_founded(organization uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT NOT EXISTS (SELECT FROM organizations o WHERE o.id = organization);
END;

-- Whoever knows a code may use it: for those who sell the event, and those who tell its actor.
CREATE FUNCTION promo_codes_of(event uuid) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT coalesce((
    SELECT e.promo_codes FROM events e
    WHERE e.id = event AND (
      e.tag = asked_event() OR asking_role() = 'admin'
      OR e.organization_id = ANY (organizations_of_asker('owner', 'organizer')))
  ), '[]');
END;

-- Gives the role of an invitation to the account of its address, if somebody has shown that they
-- read it. Who invites is not told which it was.
CREATE FUNCTION take_up_invitation(organization uuid, invited uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
BEGIN ATOMIC
  INSERT INTO organization_members (organization_id, user_id, role)
  SELECT i.organization_id, i.user_id, i.role FROM organization_invitations i
  JOIN users u ON u.id = i.user_id AND u.email = i.email
  WHERE i.organization_id = organization AND i.user_id = invited
    AND u.email_verified_at IS NOT NULL
    AND (asking_role() = 'admin' OR organization = ANY (organizations_of_asker('owner')))
  -- Locked, the account can't go meanwhile.
  FOR KEY SHARE OF u
  ON CONFLICT DO NOTHING;
END;

-- Takes the asker's address out of the history of bookings that were handed over to them. A
-- function, because a policy would keep the statement from its index.
CREATE FUNCTION forget_asker_in_history() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
BEGIN ATOMIC
  UPDATE event_history SET detail = (detail::jsonb - 'email')::json
  WHERE change = 'transferred' AND detail ->> 'userId' = asking_user()::text;
END;

-- Members with their addresses, for who may know them: an account is otherwise its owner's only.
CREATE VIEW member_addresses WITH (security_barrier) AS
SELECT m.organization_id, m.user_id, u.email, m.role
FROM organization_members m JOIN users u ON u.id = m.user_id
WHERE m.user_id = (SELECT asking_user())
   OR m.organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
   OR (SELECT asking_role()) = 'admin';

-- What anybody who may see an event may see of it: not its promo codes. They have a function.
DO $$
BEGIN
  EXECUTE format('GRANT SELECT (%s) ON events TO evently_gateway', (
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 'events'::regclass AND attnum > 0 AND NOT attisdropped
      AND attname <> 'promo_codes'));
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO evently_gateway', current_schema());
END $$;

GRANT SELECT ON member_addresses TO evently_gateway;
GRANT INSERT, UPDATE, DELETE ON events TO evently_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON
  users, reserved_users, refresh_families, spent_refresh_tokens, mailed_tokens,
  organizations, organization_members, organization_invitations TO evently_gateway;
GRANT SELECT, INSERT, UPDATE ON
  payment_intents, payment_inbox, refunds, sandbox_intents, sandbox_refunds TO evently_gateway;
-- The engine's rows are read only; an inventory's definition has the promo codes.
GRANT SELECT ON
  inventory_areas, holds, bookings, tickets, waitlist_entries, event_history TO evently_gateway;
GRANT SELECT (event_id, seq, status, seat_categories) ON inventories TO evently_gateway;

REVOKE EXECUTE ON FUNCTION organizations_of_asker, is_being_founded, promo_codes_of,
  take_up_invitation, forget_asker_in_history FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organizations_of_asker, is_being_founded, promo_codes_of,
  take_up_invitation, forget_asker_in_history TO evently_gateway;

-- Accounts: their owner's, and the identity office's, who let people in before they are anybody.

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users
  USING (id = (SELECT asking_user()) OR (SELECT asking_role()) = 'identity')
  WITH CHECK (id = (SELECT asking_user()) OR (SELECT asking_role()) = 'identity');

ALTER TABLE reserved_users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON reserved_users
  USING (user_id = (SELECT asking_user()) OR (SELECT asking_role()) = 'identity')
  WITH CHECK ((SELECT asking_role()) = 'identity');

ALTER TABLE refresh_families ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON refresh_families
  USING (user_id = (SELECT asking_user()) OR (SELECT asking_role()) = 'identity')
  WITH CHECK (user_id = (SELECT asking_user()) OR (SELECT asking_role()) = 'identity');

ALTER TABLE spent_refresh_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY identity ON spent_refresh_tokens
  USING ((SELECT asking_role()) = 'identity') WITH CHECK ((SELECT asking_role()) = 'identity');

ALTER TABLE mailed_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON mailed_tokens
  USING (user_id = (SELECT asking_user()) OR (SELECT asking_role()) = 'identity')
  WITH CHECK (user_id = (SELECT asking_user()) OR (SELECT asking_role()) = 'identity');

-- Organisations: their members' and administrators'; one with a published event is known to all.

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON organizations FOR SELECT
  USING (id = ANY ((SELECT organizations_of_asker('owner', 'organizer', 'staff'))::uuid[])
    OR (SELECT asking_role()) IN ('admin', 'identity')
    OR (SELECT true FROM events e WHERE e.organization_id = organizations.id LIMIT 1));
CREATE POLICY founded ON organizations FOR INSERT
  WITH CHECK ((SELECT asking_role()) IN ('admin', 'customer'));
-- Whoever changes the members locks the organisation; anybody may leave, and who accepts an
-- invitation is not signed in: they may lock what owners may change.
CREATE POLICY changed ON organizations FOR UPDATE
  USING (id = ANY ((SELECT organizations_of_asker('owner', 'organizer', 'staff'))::uuid[])
    OR (SELECT asking_role()) IN ('admin', 'identity'))
  WITH CHECK (id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
CREATE POLICY removed ON organizations FOR DELETE USING ((SELECT asking_role()) = 'admin');

ALTER TABLE organization_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON organization_members FOR SELECT
  USING (user_id = (SELECT asking_user())
    OR organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
CREATE POLICY added ON organization_members FOR INSERT
  WITH CHECK ((SELECT asking_role()) IN ('admin', 'identity')
    OR organization_id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR user_id = (SELECT asking_user()) AND role = 'owner' AND is_being_founded(organization_id));
CREATE POLICY changed ON organization_members FOR UPDATE
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
CREATE POLICY removed ON organization_members FOR DELETE
  USING (user_id = (SELECT asking_user())
    OR organization_id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR (SELECT asking_role()) = 'admin');

ALTER TABLE organization_invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON organization_invitations FOR SELECT
  USING (user_id = (SELECT asking_user())
    OR organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) IN ('admin', 'identity'));
CREATE POLICY added ON organization_invitations FOR INSERT
  WITH CHECK (organization_id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
-- The sweep of what is over locks what it removes.
CREATE POLICY changed ON organization_invitations FOR UPDATE
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR (SELECT asking_role()) IN ('admin', 'identity'))
  WITH CHECK (organization_id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
CREATE POLICY removed ON organization_invitations FOR DELETE
  USING (user_id = (SELECT asking_user())
    OR organization_id = ANY ((SELECT organizations_of_asker('owner'))::uuid[])
    OR (SELECT asking_role()) IN ('admin', 'identity'));

-- Events: drafts are their organisation's; only who sells for it changes one.

ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON events FOR SELECT
  USING (status <> 'draft'
    OR tag = (SELECT asked_event())
    OR organization_id = ANY
      ((SELECT organizations_of_asker('owner', 'organizer', 'staff'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
CREATE POLICY made ON events FOR INSERT
  WITH CHECK (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
CREATE POLICY changed ON events FOR UPDATE
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
CREATE POLICY removed ON events FOR DELETE
  USING (status = 'draft' AND (
    organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin'));

-- What the engine projects is as visible as the event, the booking or the person it belongs to.
-- Not by EXISTS, which may be planned as a hash of all events or bookings, for the sake of a few;
-- and as one boolean each, of which the planner believes that half are true: if it believed that
-- hardly any are, it would read and sort a whole event for the first page of its bookings.

ALTER TABLE inventories ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON inventories FOR SELECT
  USING ((SELECT true FROM events e WHERE e.id = inventories.event_id));

ALTER TABLE inventory_areas ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON inventory_areas FOR SELECT
  USING ((SELECT true FROM events e WHERE e.id = inventory_areas.event_id));

ALTER TABLE bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON bookings FOR SELECT
  USING (user_id = (SELECT asking_user())
    OR (SELECT asking_role()) = 'admin'
    OR (SELECT e.organization_id = ANY
        ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
      FROM events e WHERE e.id = bookings.event_id));

ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON tickets FOR SELECT
  USING ((SELECT true FROM bookings b
    WHERE b.event_id = tickets.event_id AND b.id = tickets.booking_id));

ALTER TABLE event_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON event_history FOR SELECT
  USING ((SELECT asking_role()) = 'admin'
    OR (SELECT true FROM bookings b
      WHERE b.event_id = event_history.event_id AND b.id = event_history.booking_id)
    OR (SELECT e.organization_id = ANY
        ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
      FROM events e WHERE e.id = event_history.event_id));

ALTER TABLE holds ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON holds FOR SELECT USING (user_id = (SELECT asking_user()));

ALTER TABLE waitlist_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON waitlist_entries FOR SELECT USING (user_id = (SELECT asking_user()));

-- Money: the payments office's. Nobody else reads these rows; bookings tell their owners.

ALTER TABLE payment_intents ENABLE ROW LEVEL SECURITY;
CREATE POLICY payments ON payment_intents
  USING ((SELECT asking_role()) = 'payments') WITH CHECK ((SELECT asking_role()) = 'payments');
ALTER TABLE payment_inbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY payments ON payment_inbox
  USING ((SELECT asking_role()) = 'payments') WITH CHECK ((SELECT asking_role()) = 'payments');
ALTER TABLE refunds ENABLE ROW LEVEL SECURITY;
CREATE POLICY payments ON refunds
  USING ((SELECT asking_role()) = 'payments') WITH CHECK ((SELECT asking_role()) = 'payments');
ALTER TABLE sandbox_intents ENABLE ROW LEVEL SECURITY;
CREATE POLICY payments ON sandbox_intents
  USING ((SELECT asking_role()) = 'payments') WITH CHECK ((SELECT asking_role()) = 'payments');
ALTER TABLE sandbox_refunds ENABLE ROW LEVEL SECURITY;
CREATE POLICY payments ON sandbox_refunds
  USING ((SELECT asking_role()) = 'payments') WITH CHECK ((SELECT asking_role()) = 'payments');
