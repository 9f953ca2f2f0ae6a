import type { BookingId, EventId } from "../../../engine/ids.ts";
import {
  FAN_OUT_PAGE,
  FAN_OUT_PAUSE_MS,
  FAN_OUT_WAITING_MAX,
} from "../../../engine/notifier-limits.ts";
import type { Queries } from "../../tenancy/database.ts";
import { DONE, type JobEnd, type JobQueue, type Lane, type NewJob } from "../job.ts";
import type { MessageReader } from "./message-reader.ts";

export interface FanOutPorts {
  readonly reader: MessageReader;
  readonly queue: JobQueue;
  readonly rows: { transaction<T>(work: (within: Queries) => Promise<T>): Promise<T> };
}

export interface FanOutPage {
  readonly lane: Lane;
  readonly eventId: EventId;
  readonly after: BookingId | null;
  /** Unix ms: who booked from then on knows. */
  readonly bookedBeforeMs: number;
  /** The jobs for these bookings. */
  each(bookings: readonly BookingId[]): readonly NewJob[] | Promise<readonly NewJob[]>;
  /** The job for the next page, behind `after`. */
  next(after: BookingId): NewJob;
}

/**
 * One page of telling everybody who goes to an event. Its jobs and the next page's are added
 * together or not at all, so that wherever it is cut off it goes on there.
 */
export async function fanOut(
  { reader, queue, rows }: FanOutPorts,
  { lane, eventId, after, bookedBeforeMs, each, next }: FanOutPage,
): Promise<JobEnd> {
  // There is no hurry that would be worth a queue without end.
  if (queue.waiting(lane) >= FAN_OUT_WAITING_MAX)
    return { end: "later", afterMs: FAN_OUT_PAUSE_MS };
  const limit = FAN_OUT_PAGE;
  const page = await reader.confirmed(eventId, { after, bookedBeforeMs, limit });
  const last = page.length === limit ? page.at(-1) : undefined;
  const jobs = [...(await each(page)), ...(last === undefined ? [] : [next(last)])];
  if (jobs.length > 0) await rows.transaction((within) => queue.add(jobs, within));
  return DONE;
}
