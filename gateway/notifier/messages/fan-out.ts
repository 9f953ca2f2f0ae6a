import type { BookingId, EventId } from "../../../engine/ids.ts";
import {
  FAN_OUT_PAGE,
  FAN_OUT_PAUSE_MS,
  FAN_OUT_WAITING_MAX,
} from "../../../engine/notifier-limits.ts";
import type { Queries } from "../../tenancy/database.ts";
import { DONE, type JobEnd, type JobQueue, type Lane, type NewJob } from "../job.ts";
import type { NotifierGround } from "../notifier-part.ts";
import type { EventChange, EventChangePageJob } from "./message-jobs.ts";
import type { MessageReader, Until } from "./message-reader.ts";

export interface FanOutPorts extends Pick<NotifierGround, "whenTold"> {
  readonly reader: MessageReader;
  readonly queue: JobQueue;
  readonly rows: { transaction<T>(work: (within: Queries) => Promise<T>): Promise<T> };
}

export interface FanOutPage {
  readonly lane: Lane;
  readonly eventId: EventId;
  readonly after: BookingId | null;
  /** Who booked later knows. */
  readonly until: Until;
  /** The jobs for these bookings. */
  each(bookings: readonly BookingId[]): readonly NewJob[] | Promise<readonly NewJob[]>;
  /** The job for the next page, behind `after`. */
  next(after: BookingId): NewJob;
}

/**
 * Finds out who is to be told of a change, as soon as that can be known: whoever booked before it,
 * by the event's seq, since the sale's clock may be ahead of the one that the change has its time
 * from. The database may lack bookings that their buyers know of: it is waited for.
 */
export async function beginToTell(
  { reader, queue, whenTold }: FanOutPorts,
  { eventId, atMs, startsMs, isElsewhere }: EventChange,
  first: (page: EventChangePageJob) => NewJob,
): Promise<JobEnd> {
  if (!(await whenTold(eventId))) return { end: "later", afterMs: FAN_OUT_PAUSE_MS };
  const seqMax = await reader.seqOf(eventId);
  await queue.add([first({ eventId, atMs, startsMs, isElsewhere, seqMax, after: null })]);
  return DONE;
}

/** A page of an earlier version: it may have passed somebody over. Nobody is told twice. */
export async function beginAnew(queue: JobQueue, beginning: NewJob): Promise<JobEnd> {
  await queue.add([beginning]);
  return DONE;
}

/**
 * One page of telling everybody who goes to an event. Its jobs and the next page's are added
 * together or not at all, so that wherever it is cut off it goes on there.
 */
export async function fanOut(
  { reader, queue, rows }: FanOutPorts,
  { lane, eventId, after, until, each, next }: FanOutPage,
): Promise<JobEnd> {
  // There is no hurry that would be worth a queue without end.
  if (queue.waiting(lane) >= FAN_OUT_WAITING_MAX)
    return { end: "later", afterMs: FAN_OUT_PAUSE_MS };
  const limit = FAN_OUT_PAGE;
  const page = await reader.confirmed(eventId, { after, until, limit });
  const last = page.length === limit ? page.at(-1) : undefined;
  const jobs = [...(await each(page)), ...(last === undefined ? [] : [next(last)])];
  if (jobs.length > 0) await rows.transaction((within) => queue.add(jobs, within));
  return DONE;
}
