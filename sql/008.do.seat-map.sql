-- Where an event's seats stand (engine/seat-map.ts), made from its plan; empty: it has none, or was
-- created before there were seat maps. A configured event's is in table inventories.
ALTER TABLE events ADD COLUMN seat_map bytea NOT NULL DEFAULT '';
-- Coordinates do not compress, and are read whole.
ALTER TABLE events ALTER COLUMN seat_map SET STORAGE EXTERNAL;
