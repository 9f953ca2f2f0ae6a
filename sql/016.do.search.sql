-- Search over published events, and nothing else: drafts and cancelled events have no row here.
-- Rows follow the table events by triggers, so that whoever writes an event keeps them right.

CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS cube;

-- Seats that are free: the projector counts them, as it counts the places of areas.
ALTER TABLE inventories ADD COLUMN seats_free integer NOT NULL DEFAULT 0;
UPDATE inventories i SET seats_free = octet_length(i.seat_categories) - (
  SELECT count(*) FROM (
    SELECT t.place FROM tickets t
    WHERE t.event_id = i.event_id AND t.place >= 0 AND t.status = 'valid'
    UNION SELECT b.place FROM blocked_places b WHERE b.event_id = i.event_id AND b.place >= 0
    UNION SELECT h.items[n] FROM holds h, generate_series(1, cardinality(h.items), 3) AS n
    WHERE h.event_id = i.event_id AND h.status = 'active' AND h.items[n] >= 0) AS taken)
WHERE octet_length(i.seat_categories) > 0;

-- Texts are compared without accents and case: Café is cafe.
CREATE FUNCTION search_fold(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN lower(unaccent('unaccent', normalize(given, NFKC)));

-- The words of a text, each once: runs of letters and digits, of which 40 count.
CREATE FUNCTION search_words_of(given text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN COALESCE(
    (SELECT array_agg(DISTINCT left(word, 40))
     FROM regexp_split_to_table(search_fold(given), '[^[:alnum:]]+') AS word WHERE word <> ''),
    '{}');

-- The beginning of a word (7 letters) with up to two of them left out. Two words that differ by as
-- many letters have one of these in common, and an index finds it (source: SymSpell).
CREATE FUNCTION search_deletes(word text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN length(word) < 3 THEN ARRAY[word] ELSE (
    SELECT array_agg(DISTINCT left(once, b - 1) || substr(once, b + 1))
    FROM generate_series(1, least(length(word), 7) + 1) AS a,
         LATERAL (SELECT left(left(word, 7), a - 1) || substr(left(word, 7), a + 1) AS once) AS o,
         generate_series(1, length(once) + 1) AS b) END;

-- On the unit sphere: distances in a straight line grow as those on the ground do.
CREATE FUNCTION search_place(lat double precision, lng double precision) RETURNS cube
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN cube(ARRAY[cosd(lat) * cosd(lng), cosd(lat) * sind(lng), sind(lat)]);

CREATE TABLE event_search (
  event_id        uuid     PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
  organization_id uuid     NOT NULL,
  -- Unix ms.
  starts_ms       bigint   NOT NULL,
  -- When it ends, or starts, where no end is known.
  over_ms         bigint   NOT NULL,
  -- What it is filtered by, folded: c:category, t:tag, p:city, o:organisation; as written. And the
  -- degree of latitude and longitude that it is in, g:52:13: tells how much there is near a place.
  keys            text[]   NOT NULL,
  labels          text[]   NOT NULL,
  -- Each contains the one before: the title; with category, tags, venue and city; with all texts.
  title_words     tsvector NOT NULL,
  head_words      tsvector NOT NULL,
  all_words       tsvector NOT NULL,
  -- Where the venue is; NULL: unknown.
  place           cube,
  currency        text     NOT NULL,
  -- Minor units, ascending, each once.
  prices          bigint[] NOT NULL,
  price_min       bigint   NOT NULL,
  price_max       bigint   NOT NULL,
  sales_open_at   timestamptz,
  sales_close_at  timestamptz,
  -- Whether a place is free. In no index, so that a change of it is cheap (HOT).
  has_free        boolean  NOT NULL
) WITH (fillfactor = 90);

CREATE INDEX event_search_by_start ON event_search (starts_ms, event_id);
-- Without fastupdate: a pending list would be read by every search.
CREATE INDEX event_search_terms ON event_search
  USING gin (keys, title_words, head_words, all_words) WITH (fastupdate = off);
CREATE INDEX event_search_place ON event_search USING gist (place);
-- What goes on for more than six hours: the few that have begun and are not over.
CREATE INDEX event_search_long ON event_search USING gist (int8range(starts_ms, over_ms))
  WHERE over_ms - starts_ms > 21600000;
CREATE INDEX event_search_price_min ON event_search (price_min);
CREATE INDEX event_search_price_max ON event_search (price_max);

-- Every word of these texts, and in how many events it is: tells a search how much there
-- is to look through, and what a misspelt word may have meant.
CREATE TABLE search_words (
  word    text    COLLATE "C" PRIMARY KEY,
  events  integer NOT NULL,
  -- search_deletes(word)
  deletes text[]  NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX search_words_deletes ON search_words USING gin (deletes) WITH (fastupdate = off);

-- Every key, and in how many events it is.
CREATE TABLE search_keys (
  key    text    COLLATE "C" PRIMARY KEY,
  label  text    NOT NULL,
  events integer NOT NULL
) WITH (fillfactor = 70);
-- For lists by frequency, of one kind: the letter that a key begins with.
CREATE INDEX search_keys_by_events ON search_keys (left(key, 1), events DESC, key DESC);

-- A place is free: a seat, or one in an area.
CREATE FUNCTION search_has_free(event uuid) RETURNS boolean LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT COALESCE((SELECT i.seats_free > 0 FROM inventories i WHERE i.event_id = event), false)
    OR EXISTS (SELECT FROM inventory_areas a
               WHERE a.event_id = event AND a.held + a.sold + a.blocked < a.capacity);
END;

-- Writes or removes the rows of these events.
CREATE FUNCTION search_events(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Nobody counts places while they are looked at: that change would be lost.
  PERFORM FROM inventories WHERE event_id = ANY (ids) ORDER BY event_id FOR SHARE;
  PERFORM FROM inventory_areas WHERE event_id = ANY (ids) ORDER BY event_id, area FOR SHARE;
  DELETE FROM event_search s USING events e
  WHERE s.event_id = ANY (ids) AND e.id = s.event_id AND e.status <> 'published';
  INSERT INTO event_search AS s (event_id, organization_id, starts_ms, over_ms, keys, labels,
    title_words, head_words, all_words, place, currency, prices, price_min, price_max,
    sales_open_at, sales_close_at, has_free)
  SELECT e.id, e.organization_id, floor(extract(epoch FROM e.starts_at) * 1000),
    floor(extract(epoch FROM COALESCE(e.ends_at, e.starts_at)) * 1000), k.keys, k.labels,
    array_to_tsvector(t.title), array_to_tsvector(h.head),
    array_to_tsvector(h.head || search_words_of(concat_ws(' ', e.description,
      e.venue ->> 'address'))),
    search_place(l.lat, l.lng),
    e.currency, p.prices, p.prices[1], p.prices[cardinality(p.prices)], e.sales_open_at,
    e.sales_close_at, search_has_free(e.id)
  FROM events e,
    -- OFFSET 0: each is computed once, and not again wherever it is named.
    LATERAL (SELECT search_words_of(e.title) AS title OFFSET 0) AS t,
    LATERAL (SELECT t.title || search_words_of(concat_ws(' ', e.category,
      array_to_string(e.tags, ' '), e.venue ->> 'name', e.city)) AS head OFFSET 0) AS h,
    LATERAL (SELECT (e.venue #>> '{location,lat}')::double precision AS lat,
      (e.venue #>> '{location,lng}')::double precision AS lng OFFSET 0) AS l,
    LATERAL (SELECT array_agg(key) AS keys, array_agg(label) AS labels FROM (
      SELECT DISTINCT ON (key) key, label FROM (
        SELECT kind || search_fold(label) AS key, label
        FROM (VALUES ('c:', e.category), ('p:', e.city), ('o:', e.organization_id::text)) AS v
          (kind, label) WHERE label IS NOT NULL
        UNION ALL SELECT 'g:' || floor(l.lat) || ':' || floor(l.lng), 'degree'
        WHERE l.lat IS NOT NULL
        UNION ALL SELECT 't:' || search_fold(tag), tag FROM unnest(e.tags) AS tag) AS named
      ORDER BY key, label) AS pairs) AS k,
    LATERAL (SELECT array_agg(DISTINCT (c ->> 'price')::bigint) AS prices
      FROM json_array_elements(e.price_categories) AS c) AS p
  WHERE e.id = ANY (ids) AND e.status = 'published'
  -- Of what is there already, places are counted by the projector alone.
  ON CONFLICT (event_id) DO UPDATE SET organization_id = EXCLUDED.organization_id,
    starts_ms = EXCLUDED.starts_ms, over_ms = EXCLUDED.over_ms, keys = EXCLUDED.keys,
    labels = EXCLUDED.labels,
    title_words = EXCLUDED.title_words, head_words = EXCLUDED.head_words,
    all_words = EXCLUDED.all_words, place = EXCLUDED.place, currency = EXCLUDED.currency,
    prices = EXCLUDED.prices, price_min = EXCLUDED.price_min, price_max = EXCLUDED.price_max,
    sales_open_at = EXCLUDED.sales_open_at, sales_close_at = EXCLUDED.sales_close_at;
END $$;

-- Counts words and keys of rows that went and rows that came: in the order of the words, so that
-- two writers wait for each other, and never crosswise.
CREATE FUNCTION search_recount(gone event_search[], come event_search[]) RETURNS void
  LANGUAGE plpgsql AS $$
DECLARE
  fresh text[];
BEGIN
  WITH counted AS (
    INSERT INTO search_words AS w (word, events, deletes)
    SELECT word, sum(events), '{}' FROM (
      SELECT unnest(tsvector_to_array(all_words)) AS word, 1 AS events FROM unnest(come)
      UNION ALL SELECT unnest(tsvector_to_array(all_words)), -1 FROM unnest(gone)) AS changes
    GROUP BY word HAVING sum(events) <> 0 ORDER BY word COLLATE "C"
    ON CONFLICT (word) DO UPDATE SET events = w.events + EXCLUDED.events
    RETURNING word, deletes)
  SELECT array_agg(word) INTO fresh FROM counted WHERE deletes = '{}';
  -- Costs more than all the rest, and most words are known.
  UPDATE search_words SET deletes = search_deletes(word) WHERE word = ANY (fresh);
  INSERT INTO search_keys AS k (key, label, events)
  SELECT key, min(label), sum(events) FROM (
    SELECT unnest(keys) AS key, unnest(labels) AS label, 1 AS events FROM unnest(come)
    UNION ALL SELECT unnest(keys), unnest(labels), -1 FROM unnest(gone)) AS changes
  GROUP BY key HAVING sum(events) <> 0 ORDER BY key COLLATE "C"
  ON CONFLICT (key) DO UPDATE SET events = k.events + EXCLUDED.events;
  IF cardinality(gone) > 0 THEN
    DELETE FROM search_words WHERE events = 0
      AND word IN (SELECT unnest(tsvector_to_array(all_words)) FROM unnest(gone));
    DELETE FROM search_keys WHERE events = 0 AND key IN (SELECT unnest(keys) FROM unnest(gone));
  END IF;
END $$;

-- Triggers see whole statements, so that a million rows cost as little as they can.
CREATE FUNCTION event_search_changed() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  gone event_search[] := '{}';
  come event_search[] := '{}';
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(ROW(n.*)::event_search) INTO come FROM new_rows n;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(ROW(o.*)::event_search) INTO gone FROM old_rows o;
  ELSE
    SELECT array_agg(ROW(o.*)::event_search), array_agg(ROW(n.*)::event_search) INTO gone, come
    FROM old_rows o JOIN new_rows n USING (event_id)
    WHERE (o.keys, o.all_words) IS DISTINCT FROM (n.keys, n.all_words);
  END IF;
  IF gone IS NOT NULL AND come IS NOT NULL THEN PERFORM search_recount(gone, come); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER event_search_inserted AFTER INSERT ON event_search
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION event_search_changed();
CREATE TRIGGER event_search_updated AFTER UPDATE ON event_search
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION event_search_changed();
CREATE TRIGGER event_search_deleted AFTER DELETE ON event_search
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION event_search_changed();

-- An event that is deleted takes its row with it (ON DELETE CASCADE).
CREATE FUNCTION events_changed() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  ids uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(id) INTO ids FROM new_rows WHERE status = 'published';
  ELSE
    SELECT array_agg(n.id) INTO ids FROM old_rows o JOIN new_rows n USING (id)
    WHERE 'published' IN (o.status, n.status) AND (
      (o.status, o.organization_id, o.title, o.description, o.category, o.tags, o.venue, o.city,
       o.starts_at, o.ends_at, o.currency, o.price_categories::text,
       o.sales_open_at, o.sales_close_at)
      IS DISTINCT FROM
      (n.status, n.organization_id, n.title, n.description, n.category, n.tags, n.venue, n.city,
       n.starts_at, n.ends_at, n.currency, n.price_categories::text,
       n.sales_open_at, n.sales_close_at));
  END IF;
  IF ids IS NOT NULL THEN PERFORM search_events(ids); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER events_inserted AFTER INSERT ON events
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events_changed();
CREATE TRIGGER events_updated AFTER UPDATE ON events
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION events_changed();

-- The projector's side: only the first and the last free place of an event are worth a statement.
CREATE FUNCTION event_stock_changed() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE event_search SET has_free = search_has_free(NEW.event_id)
  WHERE event_id = NEW.event_id AND has_free <> search_has_free(NEW.event_id);
  RETURN NULL;
END $$;
CREATE TRIGGER inventories_stock AFTER UPDATE OF seats_free ON inventories FOR EACH ROW
  WHEN ((OLD.seats_free > 0) <> (NEW.seats_free > 0)) EXECUTE FUNCTION event_stock_changed();
CREATE TRIGGER inventory_areas_stock AFTER UPDATE ON inventory_areas FOR EACH ROW
  WHEN ((OLD.held + OLD.sold + OLD.blocked < OLD.capacity)
     <> (NEW.held + NEW.sold + NEW.blocked < NEW.capacity))
  EXECUTE FUNCTION event_stock_changed();

-- All of it is public, so it has no policies: they would keep searches from their indexes. Only
-- triggers write it, as the owner, whoever changes an event.
GRANT SELECT ON event_search, search_words, search_keys TO evently_gateway;
REVOKE EXECUTE ON FUNCTION search_events, search_recount, event_search_changed, events_changed,
  event_stock_changed FROM PUBLIC;

SELECT search_events(COALESCE((SELECT array_agg(id) FROM events), '{}'));
