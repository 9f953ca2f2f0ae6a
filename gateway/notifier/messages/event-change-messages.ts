import { statusOf } from "../../../engine/booking.ts";
import { DONE, handlerOf, type JobEnd, type JobHandler } from "../job.ts";
import { beginAnew, beginToTell, type FanOutPorts, fanOut } from "./fan-out.ts";
import type { MessageDesk } from "./message-desk.ts";
import {
  type EventChange,
  type EventChangeJob,
  type EventChangePageJob,
  eventChangeBegin,
  eventChangeKey,
  eventChangeOf,
  eventChangePage,
  JOB_KINDS,
} from "./message-jobs.ts";
import type { ToldEvent } from "./message-reader.ts";
import { bookingWords, isOver, previousTimes } from "./message-words.ts";
import { calendarAttachment } from "./ticket-parcel.ts";

/** Whoever has a ticket is told when or where their event takes place instead. */
export function eventChangeHandlers(desk: MessageDesk, ports: FanOutPorts): JobHandler[] {
  return [
    handlerOf<EventChange>(JOB_KINDS.eventChangeBegin, "urgent", ({ data }) =>
      beginToTell(ports, data, eventChangePage),
    ),
    handlerOf<EventChangePageJob>(JOB_KINDS.eventChangePage, "transactional", ({ data }) =>
      page(desk, ports, data),
    ),
    handlerOf<EventChangeJob>(JOB_KINDS.eventChange, "transactional", ({ data }) =>
      tellOfChange(desk, data),
    ),
  ];
}

/** Not of a change that another one has followed: that has jobs of its own. */
export function isNews(
  { event }: ToldEvent,
  startsMs: EventChange["startsMs"],
  nowMs: number,
): boolean {
  if (event.status !== "published" || event.cancelling || isOver(event, nowMs)) return false;
  return startsMs === null || startsMs.to === event.startsMs;
}

async function page(
  desk: MessageDesk,
  ports: FanOutPorts,
  data: EventChangePageJob,
): Promise<JobEnd> {
  const { reader, clock } = desk.ports;
  const { eventId, after, seqMax, startsMs } = data;
  const told = await reader.event(eventId);
  if (told === null || !isNews(told, startsMs, clock.wallMs())) return DONE;
  if (seqMax === undefined) return beginAnew(ports.queue, eventChangeBegin(data));
  return fanOut(ports, {
    lane: "transactional",
    eventId,
    after,
    until: { seqMax },
    each: (bookings) => bookings.map((id) => eventChangeOf(data, id)),
    next: (last) => eventChangePage({ ...data, after: last }),
  });
}

async function tellOfChange(desk: MessageDesk, data: EventChangeJob): Promise<JobEnd> {
  const { reader, clock, parcels } = desk.ports;
  const { eventId, bookingId, startsMs, isElsewhere } = data;
  const [told, booking] = await Promise.all([
    reader.event(eventId),
    reader.booking(eventId, bookingId),
  ]);
  if (told === null || !isNews(told, startsMs, clock.wallMs())) return DONE;
  if (booking === null || statusOf(booking.record) !== "confirmed") return DONE;
  const to = await desk.addressee(booking.record.userId, booking.record.email);
  if (to === null) return DONE;
  return desk.send({
    key: eventChangeKey(data),
    kind: "event_change",
    to,
    told,
    words: async (forWhom) => {
      const eventChange = {
        isMoved: startsMs !== null,
        isElsewhere,
        ...(startsMs === null
          ? { previousDate: "", previousTime: "" }
          : previousTimes(told.event, startsMs.from)),
      };
      const words = bookingWords(told, booking.record, { ...forWhom, withCodes: true });
      const attachments = [await calendarAttachment(parcels, told, booking)];
      return { variables: { ...words, eventChange }, attachments };
    },
  });
}
