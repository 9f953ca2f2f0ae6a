/** The net effects of a batch as SQL: one statement for each table and kind of change. */
import { writeFacts } from "../store/key-blocks.ts";
import { jsonColumn, plainColumn, textColumn } from "./array-literals.ts";
import {
  changeBookings,
  changeTickets,
  insertBookings,
  insertRefunds,
  insertTickets,
} from "./booking-statements.ts";
import { ROW_BYTES } from "./copy-rows.ts";
import type { NetEffects } from "./effects.ts";
import { detailOf, type HistoryFact, reasonOf, requesterOf } from "./history-detail.ts";
import { changeHolds, deleteBookedHolds, insertHolds } from "./hold-statements.ts";
import {
  advanceInventories,
  configureAreas,
  configureInventories,
  countAreas,
  deleteBlocks,
  putBlocks,
} from "./inventory-statements.ts";
import { type Insertion, insertion, type Statement, type Step } from "./statement.ts";
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
    deleteBookedHolds(effects),
    insertHolds(effects),
    changeBookings(effects),
    ...changeTickets(effects),
    insertBookings(effects),
    insertTickets(effects),
    endEntries(effects),
    insertEntries(effects),
    insertRefunds(effects),
    writeHistory(effects),
    writeOutbox(effects),
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

function writeOutbox({ outbox }: NetEffects): Insertion {
  return insertion(
    {
      name: "write-outbox",
      table: "outbox",
      columns: "kind, event_id, seq, change, subject_id, at_ms",
    },
    outbox,
    (into, { kind, eventId, seq, change, subjectId, atMs }) =>
      into.row().text(kind).eventId(eventId).bigint(seq).text(change).uuid(subjectId).bigint(atMs),
  );
}

/** In blocks: a row for each key would be the dearest part of a sale. */
function keepKeys({ keyBlocks }: NetEffects): Insertion {
  return insertion(
    {
      name: "keep-keys",
      table: "key_blocks",
      columns: "event_id, last_seq, last_ms, facts",
      bytes: keyBlocks.reduce((sum, block) => sum + ROW_BYTES + block.bytes, ROW_BYTES),
    },
    keyBlocks,
    (into, block) =>
      into
        .row()
        .eventId(block.eventId)
        .bigint(block.lastSeq)
        .bigint(block.lastMs)
        .bytes(block.bytes, (bytes, at) => writeFacts(block, bytes, at)),
  );
}
