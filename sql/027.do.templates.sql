-- What organisations have put in place of the built-in words of mails, and which reminders were
-- begun.

CREATE TABLE mail_templates (
  organization_id uuid        NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  -- As in gateway/mail/mail-order.ts.
  kind            text        NOT NULL,
  -- {subject?, blocks?: {name: text}}: what is absent is the built-in one's. json, not jsonb: its
  -- blocks stay in their order.
  template        json        NOT NULL,
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, kind)
);

-- For those who sell for the organisation, as with drafts.
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_templates TO evently_gateway;
ALTER TABLE mail_templates ENABLE ROW LEVEL SECURITY;
CREATE POLICY sellers ON mail_templates
  USING (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin')
  WITH CHECK (organization_id = ANY ((SELECT organizations_of_asker('owner', 'organizer'))::uuid[])
    OR (SELECT asking_role()) = 'admin');

-- Reminders of an event that were begun, each once for each time at which it was to start: an event
-- that is moved is reminded of anew. The notifier's alone.
CREATE TABLE reminder_runs (
  event_id   uuid        NOT NULL,
  -- As in gateway/notifier/messages/reminders.ts: 7d, 24h, 2h.
  ahead      text        NOT NULL,
  starts_at  timestamptz NOT NULL,
  PRIMARY KEY (event_id, ahead, starts_at)
);
CREATE INDEX reminder_runs_over ON reminder_runs (starts_at);
