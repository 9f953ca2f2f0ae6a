/** Definitions, areas and blocked places as SQL. */
import { bytesColumn, jsonColumn, plainColumn, rareColumn, textColumn } from "./array-literals.ts";
import type { EventAdvance, NetEffects } from "./effects.ts";
import type { Statement } from "./statement.ts";

function configuredOf({ events }: NetEffects) {
  return events.flatMap(({ eventId, firstSeq, definition }) =>
    definition === null ? [] : [{ eventId, firstSeq, definition }],
  );
}

/** A new inventory begins as of before the batch; `advanceInventories` moves all of them on. */
export function configureInventories(effects: NetEffects): Statement {
  const rows = configuredOf(effects);
  return {
    name: "configure-inventories",
    text: `
      INSERT INTO inventories
        (event_id, seq, status, currency, definition, seat_categories, seat_map, seats_free)
      SELECT *, octet_length(seat_categories) FROM unnest($1::uuid[], $2::bigint[], $3::text[],
        $4::text[], $5::json[], $6::bytea[], $7::bytea[])
        AS u (event_id, seq, status, currency, definition, seat_categories, seat_map)
      ON CONFLICT (event_id) DO UPDATE SET status = EXCLUDED.status,
        currency = EXCLUDED.currency, definition = EXCLUDED.definition,
        seat_categories = EXCLUDED.seat_categories, seat_map = EXCLUDED.seat_map`,
    values: [
      plainColumn(rows, (row) => row.eventId),
      plainColumn(rows, (row) => row.firstSeq - 1),
      plainColumn(rows, (row) => row.definition.status),
      textColumn(rows, (row) => row.definition.currency),
      jsonColumn(
        rows,
        ({ definition: { eventId: _, seatCategories: __, seatMap: ___, ...rest } }) => {
          return rest;
        },
      ),
      bytesColumn(rows, (row) => Buffer.from(row.definition.seatCategories)),
      bytesColumn(rows, (row) => Buffer.from(row.definition.seatMap)),
    ],
    rowCount: rows.length,
  };
}

/** An area that is there keeps its capacity: it is the actor's, who tells its changes alone. */
export function configureAreas(effects: NetEffects): Statement {
  const rows = configuredOf(effects).flatMap(({ eventId, definition }) =>
    definition.areas.map(({ capacity }, area) => ({ eventId, area, capacity })),
  );
  return {
    name: "configure-areas",
    text: `
      INSERT INTO inventory_areas (event_id, area, capacity)
      SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[])
      ON CONFLICT (event_id, area) DO UPDATE SET capacity = inventory_areas.capacity`,
    values: [
      plainColumn(rows, (row) => row.eventId),
      plainColumn(rows, (row) => row.area),
      plainColumn(rows, (row) => row.capacity),
    ],
    rowCount: rows.length,
  };
}

export function advanceInventories({ events }: NetEffects): Statement {
  return {
    name: "advance-inventories",
    text: `
      UPDATE inventories SET seq = u.last_seq, seats_free = inventories.seats_free + u.seats_freed
      FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[])
        AS u (event_id, before_seq, last_seq, seats_freed)
      WHERE inventories.event_id = u.event_id AND inventories.seq = u.before_seq`,
    values: [
      plainColumn(events, (event) => event.eventId),
      plainColumn(events, (event: EventAdvance) => event.firstSeq - 1),
      plainColumn(events, (event) => event.lastSeq),
      plainColumn(events, (event) => event.seatsFreed),
    ],
    rowCount: events.length,
  };
}

/** Counts and capacity in one step: what is in use fits at the end, and not always in between. */
export function countAreas({ areas }: NetEffects): Statement {
  return {
    name: "count-areas",
    text: `
      UPDATE inventory_areas SET held = inventory_areas.held + u.held,
        sold = inventory_areas.sold + u.sold,
        blocked = inventory_areas.blocked + COALESCE(u.blocked, 0),
        capacity = COALESCE(u.capacity, inventory_areas.capacity)
      FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::integer[],
                  $6::integer[]) AS u (event_id, area, held, sold, blocked, capacity)
      WHERE inventory_areas.event_id = u.event_id AND inventory_areas.area = u.area`,
    values: [
      plainColumn(areas, (area) => area.eventId),
      plainColumn(areas, (area) => area.area),
      plainColumn(areas, (area) => area.held),
      plainColumn(areas, (area) => area.sold),
      rareColumn(areas, ({ blocked }) => (blocked === 0 ? null : blocked), plainColumn),
      rareColumn(areas, (area) => area.capacity, plainColumn),
    ],
    rowCount: areas.length,
  };
}

/** One that was blocked within the batch has no row to delete. */
export function deleteBlocks({ blocks }: NetEffects): Statement {
  const gone = blocks.filter(({ quantity }) => quantity === 0);
  return {
    name: "delete-blocks",
    text: `
      DELETE FROM blocked_places b
      USING unnest($1::uuid[], $2::integer[], $3::text[]) AS u (event_id, place, channel)
      WHERE b.event_id = u.event_id AND b.place = u.place AND b.channel = u.channel`,
    values: [
      plainColumn(gone, (block) => block.eventId),
      plainColumn(gone, (block) => block.place),
      textColumn(gone, (block) => block.channel),
    ],
    rowCount: gone.length,
    isRepeatable: true,
  };
}

export function putBlocks({ blocks }: NetEffects): Statement {
  const kept = blocks.filter(({ quantity }) => quantity > 0);
  return {
    name: "put-blocks",
    text: `
      INSERT INTO blocked_places (event_id, place, channel, quantity)
      SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[])
      ON CONFLICT (event_id, place, channel) DO UPDATE SET quantity = EXCLUDED.quantity`,
    values: [
      plainColumn(kept, (block) => block.eventId),
      plainColumn(kept, (block) => block.place),
      textColumn(kept, (block) => block.channel),
      plainColumn(kept, (block) => block.quantity),
    ],
    rowCount: kept.length,
  };
}
