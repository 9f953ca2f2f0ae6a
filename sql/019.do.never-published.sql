-- A draft that is cancelled has never been shown to anybody, and stays what it was: its
-- organisation's own.

ALTER TABLE events
  -- Cancelled as a draft.
  ADD COLUMN never_published boolean NOT NULL DEFAULT false;
GRANT SELECT (never_published) ON events TO evently_gateway;

-- What was published has an inventory.
UPDATE events e SET never_published = true
WHERE status = 'cancelled' AND NOT EXISTS (SELECT FROM inventories i WHERE i.event_id = e.id);

ALTER POLICY seen ON events
  USING (status <> 'draft' AND NOT never_published
    OR tag = (SELECT asked_event())
    OR organization_id = ANY
      ((SELECT organizations_of_asker('owner', 'organizer', 'staff'))::uuid[])
    OR (SELECT asking_role()) = 'admin');
