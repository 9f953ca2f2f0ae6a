/** Mails about one booking. They say what is so when they are sent, not when their cause was. */
import { statusOf } from "../../../engine/booking.ts";
import type { StoredBooking } from "../../booking/bookings-reader.ts";
import type { BuiltInKind } from "../../mail/templates/built-in-templates.ts";
import { priceOf } from "../../tickets/booking-sheet.ts";
import { DONE, handlerOf, type Job, type JobEnd, type JobHandler } from "../job.ts";
import type { MessageDesk, WordsAndParcel } from "./message-desk.ts";
import { type BookingJob, type BookingNews, bookingMailKey, JOB_KINDS } from "./message-jobs.ts";
import type { Person, ToldEvent } from "./message-reader.ts";
import { bookingWords, isOver, type Reader, ticketsNamed } from "./message-words.ts";
import { calendarAttachment, ticketParcel } from "./ticket-parcel.ts";

const KIND_OF: Readonly<Record<BookingNews, BuiltInKind>> = {
  confirmation: "confirmation",
  cancelled: "cancellation",
  refunded: "refund",
  moved: "change",
  received: "change",
  handed_over: "change",
  payment_failed: "change",
  payment_expired: "change",
  paid_in_vain: "change",
};
/** Whose mail has the tickets. */
const WITH_TICKETS: ReadonlySet<BookingNews> = new Set(["confirmation", "moved", "received"]);

export function bookingHandlers(desk: MessageDesk): JobHandler[] {
  const handle = (job: Job<BookingJob>): Promise<JobEnd> => tellOfBooking(desk, job.data);
  return [
    handlerOf<BookingJob>(JOB_KINDS.booking, "transactional", handle),
    handlerOf<BookingJob>(JOB_KINDS.cancellation, "urgent", handle),
  ];
}

interface Subject {
  readonly job: BookingJob;
  readonly told: ToldEvent;
  readonly booking: StoredBooking;
}

async function tellOfBooking(desk: MessageDesk, job: BookingJob): Promise<JobEnd> {
  const { reader, clock } = desk.ports;
  const { eventId, bookingId, news } = job;
  const [told, booking] = await Promise.all([
    reader.event(eventId),
    reader.booking(eventId, bookingId),
  ]);
  if (told === null || booking === null) return DONE;
  // Money is told of even when the show is long over.
  const isMoney = news === "refunded" || news === "paid_in_vain";
  if (!isMoney && isOver(told.event, clock.wallMs())) return DONE;
  const subject = { job, told, booking };
  if (!(await isWorthTelling(desk, subject))) return DONE;
  const to = await addresseeOf(desk, subject);
  if (to === null) return DONE;
  return desk.send({
    key: bookingMailKey(job),
    kind: KIND_OF[news],
    to,
    told,
    words: (forWhom) => wordsOf(desk, subject, forWhom),
  });
}

/** Whether it is still so, and its reader does not know already. */
async function isWorthTelling(desk: MessageDesk, { job, booking }: Subject): Promise<boolean> {
  const { news, eventId, seq } = job;
  const status = statusOf(booking.record);
  if (WITH_TICKETS.has(news) && status !== "confirmed") return false;
  if (news === "payment_expired") return status !== "confirmed";
  if (news === "cancelled") {
    // What was never confirmed is not missed.
    const payment = booking.record.later?.payment ?? null;
    return payment === null || payment.status === "paid";
  }
  if (news !== "received" && news !== "handed_over") return true;
  // From the heir of an address to the account that owns it: the tickets are there already.
  const by = (await desk.ports.reader.change(eventId, seq))?.by ?? null;
  return by === null || !(await desk.ports.reader.isHeir(by));
}

async function addresseeOf(desk: MessageDesk, subject: Subject): Promise<Person | null> {
  const { job, booking } = subject;
  const { record } = booking;
  if (job.news !== "handed_over") return desk.addressee(record.userId, record.email);
  const before = await desk.ports.reader.ownerBefore(booking, job.seq);
  // The same person under another id.
  return before?.email === record.email ? null : before;
}

async function wordsOf(
  desk: MessageDesk,
  subject: Subject,
  reader: Reader,
): Promise<WordsAndParcel> {
  const { parcels } = desk.ports;
  const { job, told, booking } = subject;
  const { news } = job;
  const { record } = booking;
  if (WITH_TICKETS.has(news)) {
    const { attachments, qrs } = await ticketParcel(parcels, told, booking);
    const words = bookingWords(told, record, { ...reader, qrs, withCodes: true });
    const change = { what: news, hasTickets: true, email: record.email };
    return { variables: news === "confirmation" ? words : { ...words, change }, attachments };
  }
  const words = bookingWords(told, record, { ...reader, withCodes: false });
  switch (news) {
    case "cancelled": {
      const cancellation = await cancellationWords(desk, subject);
      const attachments = [await calendarAttachment(parcels, told, booking)];
      return { variables: { ...words, cancellation }, attachments };
    }
    case "refunded":
      return { variables: { ...words, refund: await refundWords(desk, subject) }, attachments: [] };
    default: {
      const change = { what: news, hasTickets: false, email: record.email };
      return { variables: { ...words, change }, attachments: [] };
    }
  }
}

async function cancellationWords(desk: MessageDesk, { job, told, booking }: Subject) {
  const { event } = told;
  const { eventId, bookingId, seq } = job;
  const change = await desk.ports.reader.change(eventId, seq);
  const { record } = booking;
  const status = statusOf(record);
  const { begun } = await desk.ports.reader.refundsWith(eventId, bookingId, seq);
  const refund = begun.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return {
    isWhole: status === "cancelled" || status === "refunded",
    byEvent: change?.by === null && event.status === "cancelled",
    reason: change?.reason ?? null,
    refund: refund === 0 ? null : priceOf(event, refund),
    tickets: ticketsNamed(event, record, change?.ticketIds ?? []),
  };
}

async function refundWords(desk: MessageDesk, { job, told }: Subject) {
  const { eventId, bookingId, seq } = job;
  const { settled } = await desk.ports.reader.refundsWith(eventId, bookingId, seq);
  const amount = settled.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return {
    amount: priceOf(told.event, amount),
    hasFailed: settled.some(({ status }) => status === "failed"),
  };
}
