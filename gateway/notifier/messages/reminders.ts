import { DateTime } from "luxon";
import { statusOf } from "../../../engine/booking.ts";
import type { EventId } from "../../../engine/ids.ts";
import {
  REMINDERS_BEGUN_MAX,
  REMINDERS_FORGOTTEN_MAX,
  REMINDERS_LOOKED_AT_MAX,
} from "../../../engine/notifier-limits.ts";
import type { Scoped } from "../../tenancy/database.ts";
import { DONE, handlerOf, type JobEnd, type JobHandler, type JobQueue } from "../job.ts";
import { type FanOutPorts, fanOut } from "./fan-out.ts";
import type { MessageDesk } from "./message-desk.ts";
import {
  JOB_KINDS,
  type ReminderJob,
  type ReminderPageJob,
  reminderKey,
  reminderOf,
  reminderPage,
} from "./message-jobs.ts";
import type { ToldEvent } from "./message-reader.ts";
import { bookingWords, reminderWords } from "./message-words.ts";

interface Ahead {
  readonly name: string;
  /** Days are the calendar's: the same time on the clock where the event is. Hours are hours. */
  readonly before: { readonly days: number } | { readonly hours: number };
  /** One that could not be sent in time is still welcome for so long, ms. */
  readonly graceMs: number;
}

const HOUR_MS = 3_600_000;
/** When people are reminded of what they go to. */
export const REMINDERS: readonly Ahead[] = [
  { name: "7d", before: { days: 7 }, graceMs: 12 * HOUR_MS },
  { name: "24h", before: { days: 1 }, graceMs: 6 * HOUR_MS },
  { name: "2h", before: { hours: 2 }, graceMs: 0.75 * HOUR_MS },
];
/** What clocks are put forward or back at most, and then some. */
const CLOCKS_MS = 4 * HOUR_MS;

/** When a reminder of an event is due, Unix ms. */
export function dueMsOf(
  { before }: Ahead,
  { startsMs, timezone }: { readonly startsMs: number; readonly timezone: string },
): number {
  const starts = DateTime.fromMillis(startsMs, { zone: timezone });
  // A zone that this machine does not know yet: a clock without summer time is near enough.
  return (starts.isValid ? starts : DateTime.fromMillis(startsMs, { zone: "utc" }))
    .minus(before)
    .toMillis();
}

const CANDIDATES = `
  SELECT id, starts_at, timezone FROM events
  WHERE status = 'published' AND NOT cancelling
    AND starts_at > greatest($1::timestamptz, $2) AND starts_at < $3 AND NOT EXISTS (
      SELECT FROM reminder_runs r
      WHERE r.event_id = events.id AND r.ahead = $4 AND r.starts_at = events.starts_at)
  ORDER BY starts_at, id LIMIT $5`;
/** Another node may have been quicker: what it began is not answered. */
const BEGIN = `
  INSERT INTO reminder_runs (event_id, ahead, starts_at)
  SELECT id, $2, starts_at FROM unnest($1::uuid[], $3::timestamptz[]) AS due (id, starts_at)
  ON CONFLICT DO NOTHING RETURNING event_id`;

interface Candidate {
  readonly id: EventId;
  readonly starts_at: Date;
  readonly timezone: string;
}

export interface RemindersPorts {
  readonly rows: Scoped;
  readonly queue: JobQueue;
  readonly nowMs: () => number;
}

/** Begins what is due: each reminder of an event once for each time at which it was to start. */
export async function beginReminders(ports: RemindersPorts): Promise<number> {
  const { rows, nowMs } = ports;
  let begun = 0;
  for (const ahead of REMINDERS) begun += await begin(ports, ahead);
  await rows.query({
    name: "reminders-forget",
    text: `DELETE FROM reminder_runs WHERE (event_id, ahead, starts_at) IN (
      SELECT event_id, ahead, starts_at FROM reminder_runs
      WHERE starts_at < $1::timestamptz - interval '1 day' LIMIT $2)`,
    values: [new Date(nowMs()), REMINDERS_FORGOTTEN_MAX],
  });
  return begun;
}

async function begin({ rows, queue, nowMs }: RemindersPorts, ahead: Ahead): Promise<number> {
  const now = nowMs();
  const { days = 0, hours = 0 } = { days: 0, hours: 0, ...ahead.before };
  const nearMs = now + (24 * days + hours) * HOUR_MS;
  const { rows: candidates } = await rows.query<Candidate>({
    name: "reminders-candidates",
    text: CANDIDATES,
    values: [
      new Date(now),
      new Date(nearMs - ahead.graceMs - CLOCKS_MS),
      new Date(nearMs + CLOCKS_MS),
      ahead.name,
      REMINDERS_LOOKED_AT_MAX,
    ],
  });
  const due = candidates
    .map(({ id, starts_at, timezone }) => {
      const startsMs = starts_at.getTime();
      return { eventId: id, startsMs, dueMs: dueMsOf(ahead, { startsMs, timezone }) };
    })
    .filter(({ dueMs }) => dueMs <= now && dueMs > now - ahead.graceMs)
    .slice(0, REMINDERS_BEGUN_MAX);
  if (due.length === 0) return 0;
  return rows.transaction(async (within) => {
    const ids = due.map(({ eventId }) => eventId);
    const starts = due.map(({ startsMs }) => new Date(startsMs));
    const { rows: begun } = await within.query<{ event_id: EventId }>({
      name: "reminders-begin",
      text: BEGIN,
      values: [ids, ahead.name, starts],
    });
    const mine = new Set(begun.map(({ event_id }) => event_id));
    const jobs = due
      .filter(({ eventId }) => mine.has(eventId))
      .map((one) => reminderPage({ ...one, ahead: ahead.name, after: null }));
    if (jobs.length > 0) await queue.add(jobs, within);
    return jobs.length;
  });
}

export function reminderHandlers(desk: MessageDesk, ports: FanOutPorts): JobHandler[] {
  return [
    handlerOf<ReminderPageJob>(JOB_KINDS.reminderPage, "reminders", ({ data }) =>
      page(desk, ports, data),
    ),
    handlerOf<ReminderJob>(JOB_KINDS.reminder, "reminders", ({ data }) => remind(desk, data)),
  ];
}

/** It takes place, when it was to, and has not begun. */
function isStill({ event }: ToldEvent, startsMs: number, nowMs: number): boolean {
  return (
    event.status === "published" &&
    !event.cancelling &&
    event.startsMs === startsMs &&
    nowMs < startsMs
  );
}

async function page(desk: MessageDesk, ports: FanOutPorts, data: ReminderPageJob): Promise<JobEnd> {
  const { reader, clock } = desk.ports;
  const { eventId, startsMs, dueMs, after } = data;
  const told = await reader.event(eventId);
  if (told === null || !isStill(told, startsMs, clock.wallMs())) return DONE;
  return fanOut(ports, {
    lane: "reminders",
    eventId,
    after,
    until: { bookedBeforeMs: dueMs },
    each: (bookings) => bookings.map((id) => reminderOf(data, id)),
    next: (last) => reminderPage({ ...data, after: last }),
  });
}

async function remind(desk: MessageDesk, data: ReminderJob): Promise<JobEnd> {
  const { reader, clock } = desk.ports;
  const { eventId, bookingId, startsMs, ahead } = data;
  const [told, booking] = await Promise.all([
    reader.event(eventId),
    reader.booking(eventId, bookingId),
  ]);
  const nowMs = clock.wallMs();
  if (told === null || !isStill(told, startsMs, nowMs)) return DONE;
  if (booking === null || statusOf(booking.record) !== "confirmed") return DONE;
  const to = await desk.addressee(booking.record.userId, booking.record.email);
  if (to === null) return DONE;
  return desk.send({
    key: reminderKey(data),
    kind: "reminder",
    to,
    told,
    words: async (forWhom) => {
      const words = bookingWords(told, booking.record, { ...forWhom, withCodes: true });
      const reminder = reminderWords(told.event, ahead, nowMs);
      return { variables: { ...words, reminder }, attachments: [] };
    },
  });
}
