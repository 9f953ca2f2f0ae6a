/** What clients were told, compared with what PostgreSQL has when all is over. */
import assert from "node:assert/strict";
import { Client } from "pg";
import type { KeptKey } from "../../engine/key-rows.ts";
import { readKeys } from "../../workers/store/key-blocks.ts";
import { type History, type HistoryRecord, historyOf } from "../linearizability/history.ts";
import { EXPIRY_MS_MAX, latestEndMs } from "../linearizability/hold-end.ts";
import { isReceipt, placesOf, toldBy } from "../linearizability/told.ts";
import type { BookingShape } from "../support/shapes.ts";
import type { Sale } from "./buyer.ts";

export interface Lateness {
  /** Holds that expired, of those that have a row. */
  readonly expired: number;
  /** The latest end of a hold after its due time, ms. */
  readonly lateMsMax: number;
}

export interface RowsReport extends Lateness {
  readonly bookings: number;
  readonly keys: number;
}

interface BookingRow {
  readonly id: string;
  readonly code: string;
  readonly status: string;
  readonly seq: string;
  readonly places: number[];
  readonly codes: string[];
  readonly statuses: string[];
}

/** Throws when the rows of the event are not what its buyers were told, or a hold ended late. */
export async function compareRows(
  databaseUrl: string,
  sale: Sale,
  records: readonly HistoryRecord[],
): Promise<RowsReport> {
  const history = historyOf(records);
  const told = receiptsOf(history, sale.eventId);
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await compareBookings(client, sale, told.bookings);
    const { rows: blocks } = await client.query<{ facts: Buffer }>(
      "SELECT facts FROM key_blocks WHERE event_id = $1 ORDER BY last_seq",
      [sale.eventId],
    );
    const keys: KeptKey[] = [];
    for (const { facts } of blocks) readKeys(facts, keys);
    const kept = keys.map(({ seq }) => seq);
    assert.deepEqual(
      kept,
      [...told.seqs].sort((a, b) => a - b),
      "every outcome has its key",
    );
    const late = await latenessOf(client, sale.eventId, history);
    return { bookings: told.bookings.size, keys: kept.length, ...late };
  } finally {
    await client.end();
  }
}

function receiptsOf(history: History, eventId: string) {
  const bookings = new Map<string, BookingShape>();
  const seqs = new Set<number>();
  for (const record of history.operations) {
    if (record.eventId !== eventId) continue;
    const told = toldBy(record);
    if (typeof told === "string" || !isReceipt(told)) continue;
    seqs.add(told.seq);
    if (!("booking" in told)) continue;
    const known = bookings.get(told.booking.id);
    if (known === undefined || known.seq < told.seq) bookings.set(told.booking.id, told.booking);
  }
  return { bookings, seqs };
}

async function compareBookings(
  client: Client,
  { eventId, seats, areas }: Sale,
  bookings: ReadonlyMap<string, BookingShape>,
): Promise<void> {
  const { rows } = await client.query<BookingRow>(
    `SELECT b.id, b.code, b.status, coalesce(b.changed_seq, b.seq) AS seq,
            array_agg(t.place ORDER BY t.position) AS places,
            array_agg(t.code ORDER BY t.position) AS codes,
            array_agg(t.status ORDER BY t.position) AS statuses
     FROM bookings b JOIN tickets t ON t.event_id = b.event_id AND t.booking_id = b.id
     WHERE b.event_id = $1 GROUP BY b.event_id, b.id ORDER BY b.id`,
    [eventId],
  );
  const stored = rows.map(({ id, code, status, seq, places, codes, statuses }) => ({
    id,
    code,
    status,
    seq: Number(seq),
    tickets: codes.map((ticket, index) => [ticket, statuses[index]]),
    places: placesOf(
      places.map((place) => {
        const seat = seats[place];
        return seat === undefined ? { area: areas[-1 - place] ?? "?" } : { seat };
      }),
    ),
  }));
  const told = [...bookings.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, code, status, seq, tickets }) => ({
      id,
      code,
      status,
      seq,
      tickets: tickets.map((ticket) => [ticket.code, ticket.status]),
      places: placesOf(tickets),
    }));
  assert.deepEqual(stored, told, "the rows are what the buyers were told");
  const sold = told.filter(({ status }) => status === "confirmed").flatMap(({ places }) => places);
  const soldSeats = sold.filter((place) => !place.startsWith("area "));
  assert.equal(new Set(soldSeats).size, soldSeats.length, "no seat is sold twice");
}

/** Throws when a hold has not ended, or not at its time; `slackMs` as in a history. */
export async function latenessOf(
  client: Client,
  eventId: string,
  { outages, slackMs }: Pick<History, "outages" | "slackMs">,
): Promise<Lateness> {
  const { rows } = await client.query<{ id: string; expires_ms: string; ended_ms: string }>(
    "SELECT id, expires_ms, ended_ms FROM holds WHERE event_id = $1 AND status = 'expired'",
    [eventId],
  );
  const active = await client.query(
    "SELECT id FROM holds WHERE event_id = $1 AND status = 'active'",
    [eventId],
  );
  assert.deepEqual(active.rows, [], "every hold has ended");
  let lateMsMax = 0;
  for (const row of rows) {
    const [expiresMs, endedMs] = [Number(row.expires_ms), Number(row.ended_ms)];
    assert.ok(endedMs >= expiresMs, `hold ${row.id} ended ${expiresMs - endedMs} ms early`);
    const lateMs = endedMs - latestEndMs(expiresMs, outages) + EXPIRY_MS_MAX;
    const story = `due at ${expiresMs}, ended at ${endedMs}, outages ${JSON.stringify(outages)}`;
    assert.ok(
      lateMs <= EXPIRY_MS_MAX + slackMs,
      `hold ${row.id} ended ${lateMs} ms late: ${story}`,
    );
    lateMsMax = Math.max(lateMsMax, lateMs);
  }
  return { expired: rows.length, lateMsMax };
}
