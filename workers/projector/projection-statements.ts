/** The net effects of a batch as SQL: one statement for each table and kind of change. */
import { packFact } from "../store/fact-bytes.ts";
import { jsonColumn, plainColumn, textColumn } from "./array-literals.ts";
import {
  changeBookings,
  changeTickets,
  insertBookings,
  insertRefunds,
  insertTickets,
} from "./booking-statements.ts";
import type { NetEffects } from "./effects.ts";
import { detailOf, type HistoryFact, reasonOf, requesterOf } from "./history-detail.ts";
import { changeHolds, insertHolds } from "./hold-statements.ts";
import {
  advanceInventories,
  configureAreas,
  configureInventories,
  countAreas,
  deleteBlocks,
  putBlocks,
} from "./inventory-statements.ts";
import type { Statement, Step } from "./statement.ts";
import { endEntries, insertEntries } from "./waitlist-statements.ts";

/** The steps in the order in which they must be taken; none for what does not occur. */
export function stepsOf(effects: NetEffects): Step[] {
  return [
    configureInventories(effects),
    configureAreas(effects),
    advanceInventories(effects),
    countAreas(effects),
    deleteBlocks(effects),
    putBlocks(effects),
    changeHolds(effects),
    insertHolds(effects),
    changeBookings(effects),
    ...changeTickets(effects),
    insertBookings(effects),
    insertTickets(effects),
    endEntries(effects),
    insertEntries(effects),
    insertRefunds(effects),
    writeHistory(effects),
    keepKeys(effects),
  ].filter(({ rowCount }) => rowCount > 0);
}

function writeHistory({ history: rows }: NetEffects): Statement {
  return {
    name: "write-history",
    text: `
      INSERT INTO event_history
        (event_id, seq, at_ms, kind, change, booking_id, by_user, reason, detail)
      SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
        $6::uuid[], $7::uuid[], $8::text[], $9::json[])`,
    values: [
      plainColumn(rows, (row) => row.eventId),
      plainColumn(rows, (row) => row.fact.seq),
      plainColumn(rows, (row) => row.fact.atMs),
      plainColumn(rows, (row) => row.fact.kind),
      plainColumn(rows, ({ fact }) => (fact.kind === "bookingChanged" ? fact.change : null)),
      plainColumn(rows, ({ fact }) => bookingOf(fact)),
      plainColumn(rows, ({ fact }) => requesterOf(fact)),
      textColumn(rows, ({ fact }) => reasonOf(fact)),
      jsonColumn(rows, ({ fact }) => detailOf(fact)),
    ],
    rowCount: rows.length,
  };
}

function bookingOf(fact: HistoryFact): string | null {
  return "booking" in fact ? fact.booking.bookingId : null;
}

/**
 * All facts travel as one parameter, which the driver sends as bytes, and are cut apart there: as
 * an array literal each byte would be two digits, written here and read there.
 */
function keepKeys({ keys }: NetEffects): Statement {
  const facts = keys.map((kept) => packFact(kept.fact));
  let end = 0;
  const starts = facts.map((fact) => {
    const start = end + 1;
    end += fact.length;
    return start;
  });
  return {
    name: "keep-keys",
    text: `
      INSERT INTO idempotency_keys (event_id, digest, fingerprint, seq, at_ms, fact)
      SELECT event_id, digest, fingerprint, seq, at_ms, substring($8::bytea FROM start FOR bytes)
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::integer[],
        $7::integer[]) AS u (event_id, digest, fingerprint, seq, at_ms, start, bytes)
      ON CONFLICT (event_id, digest) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
        seq = EXCLUDED.seq, at_ms = EXCLUDED.at_ms, fact = EXCLUDED.fact`,
    values: [
      plainColumn(keys, (kept) => kept.eventId),
      // base64url needs no quotes.
      plainColumn(keys, (kept) => kept.key.digest),
      plainColumn(keys, (kept) => kept.key.fingerprint),
      plainColumn(keys, (kept) => kept.fact.seq),
      plainColumn(keys, (kept) => kept.fact.atMs),
      plainColumn(starts, (start) => start),
      plainColumn(facts, (fact) => fact.length),
      Buffer.concat(facts),
    ],
    rowCount: keys.length,
  };
}
