/** The waitlist as SQL. */
import { arraysColumn, plainColumn, rareColumn } from "./array-literals.ts";
import type { NetEffects } from "./effects.ts";
import type { Statement } from "./statement.ts";

export function endEntries({ entriesEnded }: NetEffects): Statement {
  return {
    name: "end-entries",
    text: `
      UPDATE waitlist_entries SET status = u.status, ended_seq = u.seq, ended_ms = u.at_ms,
        hold_id = u.hold_id
      FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::uuid[])
        AS u (event_id, id, status, seq, at_ms, hold_id)
      WHERE waitlist_entries.event_id = u.event_id AND waitlist_entries.id = u.id
        AND waitlist_entries.ended_seq IS NULL`,
    values: [
      plainColumn(entriesEnded, (row) => row.eventId),
      plainColumn(entriesEnded, (row) => row.entryId),
      plainColumn(entriesEnded, (row) => row.ended.status),
      plainColumn(entriesEnded, (row) => row.ended.seq),
      plainColumn(entriesEnded, (row) => row.ended.atMs),
      plainColumn(entriesEnded, (row) => row.ended.holdId),
    ],
    rowCount: entriesEnded.length,
  };
}

export function insertEntries({ entriesQueued }: NetEffects): Statement {
  return {
    name: "insert-entries",
    text: `
      INSERT INTO waitlist_entries (event_id, id, user_id, quantity, categories, priority, seq,
        at_ms, status, ended_seq, ended_ms, hold_id)
      SELECT event_id, id, user_id, quantity, categories::integer[], priority, seq, at_ms, status,
        ended_seq, ended_ms, hold_id
      FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::integer[],
                  $7::bigint[], $8::bigint[], $9::text[], $10::bigint[], $11::bigint[],
                  $12::uuid[])
        AS u (event_id, id, user_id, quantity, categories, priority, seq, at_ms, status,
              ended_seq, ended_ms, hold_id)`,
    values: [
      plainColumn(entriesQueued, (row) => row.eventId),
      plainColumn(entriesQueued, (row) => row.entry.entryId),
      plainColumn(entriesQueued, (row) => row.entry.userId),
      plainColumn(entriesQueued, (row) => row.entry.quantity),
      rareColumn(entriesQueued, (row) => row.entry.categories, arraysColumn),
      plainColumn(entriesQueued, (row) => row.entry.priority),
      plainColumn(entriesQueued, (row) => row.entry.seq),
      plainColumn(entriesQueued, (row) => row.entry.atMs),
      plainColumn(entriesQueued, (row) => row.ended?.status ?? "waiting"),
      plainColumn(entriesQueued, (row) => row.ended?.seq ?? null),
      plainColumn(entriesQueued, (row) => row.ended?.atMs ?? null),
      plainColumn(entriesQueued, (row) => row.ended?.holdId ?? null),
    ],
    rowCount: entriesQueued.length,
  };
}
