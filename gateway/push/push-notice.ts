/** What a push says: what is so when it is sent, not when its cause was. */
import { createHash } from "node:crypto";
import { statusOf } from "../../engine/booking.ts";
import type { BookingId, EventId } from "../../engine/ids.ts";
import { EVENT_HOURS_ASSUMED } from "../../engine/notifier-limits.ts";
import {
  PUSH_BODY_CHARS_MAX,
  PUSH_PAYLOAD_BYTES_MAX,
  PUSH_TITLE_CHARS_MAX,
} from "../../engine/push-limits.ts";
import { unreachable } from "../../engine/unreachable.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { isNews } from "../notifier/messages/event-change-messages.ts";
import type { MessageReader, ToldEvent } from "../notifier/messages/message-reader.ts";
import { isOver } from "../notifier/messages/message-words.ts";
import { timesOf, venueOf } from "../tickets/booking-sheet.ts";
import type { PushJob } from "./push-job.ts";
import type { PushLedger } from "./push-ledger.ts";

/** What the service worker gets, as JSON. */
export interface PushPayload {
  readonly title: string;
  readonly body: string;
  /** The page of the shop that it leads to; null: it is not known where the shop is. */
  readonly url: string | null;
  /** A notification with the same tag takes the place of the one before. */
  readonly tag: string;
  readonly kind: PushJob["news"];
  readonly eventId: EventId;
  readonly bookingId?: BookingId;
}

export interface PushNotice {
  /** The payload. */
  readonly json: string;
  /** Of messages with the same one that wait for a browser, it gets the last (RFC 8030). */
  readonly topic: string;
  readonly urgency: "normal" | "high";
  /** Unix ms: of no use from then on. */
  readonly untilMs: number;
}

export interface NoticePorts {
  readonly reader: MessageReader;
  readonly ledger: Pick<PushLedger, "goesTo">;
  /** Of the shop, without a slash at its end. */
  readonly publicUrl: string | null;
}

/** null: it is not so any more, or over. */
export async function noticeOf(
  ports: NoticePorts,
  job: PushJob,
  nowMs: number,
): Promise<PushNotice | null> {
  const told = await ports.reader.event(job.eventId);
  if (told === null || isOver(told.event, nowMs)) return null;
  switch (job.news) {
    case "booked":
    case "cancelled":
      return ofBooking(ports, job, told);
    case "offered":
      return ofOffer(ports, job, { told, nowMs });
    case "event_changed": {
      if (!isNews(told, job.startsMs, nowMs)) return null;
      if (!(await ports.ledger.goesTo(job.userId, job.eventId))) return null;
      return noticeWith(ports, { job, event: told.event, body: changeOf(told.event, job) });
    }
    default:
      return unreachable(job);
  }
}

async function ofBooking(
  ports: NoticePorts,
  job: PushJob & { readonly news: "booked" | "cancelled" },
  { event }: ToldEvent,
): Promise<PushNotice | null> {
  const { bookingId } = job;
  const booking = await ports.reader.booking(job.eventId, bookingId);
  // Handed over meanwhile: it is somebody else's news.
  if (booking === null || booking.record.userId !== job.userId) return null;
  const isStanding = statusOf(booking.record) === "confirmed";
  const page = `bookings/${bookingId}`;
  if (job.news === "booked") {
    if (!isStanding) return null;
    const body = `Your booking is confirmed: ${whenOf(event)}.`;
    return noticeWith(ports, { job, event, body, page, bookingId });
  }
  // What was never confirmed is not missed.
  const payment = booking.record.later?.payment ?? null;
  if (payment !== null && payment.status !== "paid") return null;
  const body = isStanding ? "Some of your tickets were cancelled." : "Your booking was cancelled.";
  return noticeWith(ports, { job, event, body, page, bookingId });
}

async function ofOffer(
  ports: NoticePorts,
  job: PushJob & { readonly news: "offered" },
  { told: { event }, nowMs }: { readonly told: ToldEvent; readonly nowMs: number },
): Promise<PushNotice | null> {
  const hold = await ports.reader.offer(job.eventId, job.holdId);
  if (hold === null || hold.userId !== job.userId || hold.expiresAtMs <= nowMs) return null;
  const { time, date } = timesOf({ ...event, startsMs: hold.expiresAtMs, endsMs: null });
  const body = `Places are kept for you until ${time}, ${date}.`;
  return noticeWith(ports, { job, event, body, untilMs: hold.expiresAtMs });
}

function changeOf(event: EventEntry, { startsMs, isElsewhere }: Changed): string {
  const venue = venueOf(event).join(", ");
  const where = isElsewhere && venue !== "" ? ` It takes place at ${venue}.` : "";
  if (startsMs !== null) return `It was moved to ${whenOf(event)}.${where}`;
  return where === "" ? "It takes place somewhere else." : where.trim();
}
type Changed = Pick<PushJob & { readonly news: "event_changed" }, "startsMs" | "isElsewhere">;

function whenOf(event: EventEntry): string {
  const { date, time } = timesOf(event);
  return `${date}, ${time}`;
}

interface Wording {
  readonly job: PushJob;
  readonly event: EventEntry;
  readonly body: string;
  /** Of the shop. Default: the event's. */
  readonly page?: string;
  readonly bookingId?: BookingId;
  /** Default: when the event is over. */
  readonly untilMs?: number;
}

function noticeWith({ publicUrl }: NoticePorts, wording: Wording): PushNotice {
  const { job, event, page = `events/${event.eventId}`, bookingId, untilMs } = wording;
  const { cause, news } = job;
  const payload: PushPayload = {
    title: cut(event.title, PUSH_TITLE_CHARS_MAX),
    body: cut(wording.body, PUSH_BODY_CHARS_MAX),
    url: publicUrl === null ? null : `${publicUrl}/${page}`,
    tag: cause,
    kind: news,
    eventId: event.eventId,
    ...(bookingId === undefined ? {} : { bookingId }),
  };
  const json = JSON.stringify(payload);
  const isTooLong = Buffer.byteLength(json) > PUSH_PAYLOAD_BYTES_MAX;
  // Of an event that is changed twice, the last change is the one to know.
  const subject = news === "event_changed" ? `${news}:${event.eventId}` : cause;
  return {
    json: isTooLong ? JSON.stringify({ ...payload, url: null }) : json,
    topic: createHash("sha256").update(subject).digest("base64url").slice(0, TOPIC_CHARS),
    urgency: news === "booked" ? "normal" : "high",
    untilMs: untilMs ?? event.endsMs ?? event.startsMs + EVENT_HOURS_ASSUMED * 3_600_000,
  };
}

/** As many as there may be, of base64url. */
const TOPIC_CHARS = 32;

function cut(text: string, charsMax: number): string {
  const chars = [...text];
  return chars.length <= charsMax ? text : `${chars.slice(0, charsMax - 1).join("")}…`;
}
