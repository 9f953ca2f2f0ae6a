-- What an organisation keeps for its events: an event takes a copy, and keeps that whatever becomes
-- of this.

CREATE TABLE venues (
  id              uuid        PRIMARY KEY,
  organization_id uuid        NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name            text        NOT NULL,
  -- As events.venue.
  content         json        NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX venues_by_organization ON venues (organization_id, id);

CREATE TABLE seating_plans (
  id              uuid        PRIMARY KEY,
  organization_id uuid        NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name            text        NOT NULL,
  -- {seatCount, categories}: what a list shows of it.
  summary         json        NOT NULL,
  -- In the pretix format, as it was given.
  content         json        NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX seating_plans_by_organization ON seating_plans (organization_id, id);

-- For those who sell for the organisation, as with drafts.
GRANT SELECT, INSERT, UPDATE, DELETE ON venues, seating_plans TO evently_gateway;

ALTER TABLE venues ENABLE ROW LEVEL SECURITY;
CREATE POLICY sellers ON venues
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin')
  WITH CHECK (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin');

ALTER TABLE seating_plans ENABLE ROW LEVEL SECURITY;
CREATE POLICY sellers ON seating_plans
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin')
  WITH CHECK (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
