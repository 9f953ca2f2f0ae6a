-- Tells every node that what it may have kept of the catalogue has changed, at the commit of the
-- change: 'event <id>', 'organization <id>', 'members <id>', or 'all' after a change of many.

CREATE FUNCTION catalogue_notice(kind text, ids uuid[]) RETURNS void LANGUAGE sql
BEGIN ATOMIC
  SELECT pg_notify('evently_catalogue', notice)
  FROM (SELECT kind || ' ' || id AS notice FROM unnest(ids) AS id
        WHERE cardinality(ids) <= 100
        UNION SELECT 'all' WHERE cardinality(ids) > 100) AS notices;
END;

CREATE FUNCTION events_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM catalogue_notice('event', ARRAY(SELECT id FROM old_rows));
  ELSE
    PERFORM catalogue_notice('event', ARRAY(SELECT id FROM new_rows));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER events_notice_inserted AFTER INSERT ON events
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events_notice();
CREATE TRIGGER events_notice_updated AFTER UPDATE ON events
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events_notice();
CREATE TRIGGER events_notice_deleted AFTER DELETE ON events
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION events_notice();

-- An event shows the capacities of its areas, which are the projector's.
CREATE FUNCTION inventory_areas_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM catalogue_notice('event', ARRAY[NEW.event_id]);
  RETURN NULL;
END $$;
CREATE TRIGGER inventory_areas_notice AFTER UPDATE ON inventory_areas FOR EACH ROW
  WHEN (OLD.capacity <> NEW.capacity) EXECUTE FUNCTION inventory_areas_notice();

-- Events show what their organisation charges, and whether it takes invoices.
CREATE FUNCTION organizations_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM catalogue_notice('organization', ARRAY(SELECT id FROM new_rows));
  RETURN NULL;
END $$;
CREATE TRIGGER organizations_notice AFTER UPDATE ON organizations
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION organizations_notice();

CREATE FUNCTION members_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM catalogue_notice('members', ARRAY(SELECT DISTINCT organization_id FROM new_rows));
  RETURN NULL;
END $$;
CREATE TRIGGER members_notice_inserted AFTER INSERT ON organization_members
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION members_notice();
CREATE TRIGGER members_notice_updated AFTER UPDATE ON organization_members
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION members_notice();
