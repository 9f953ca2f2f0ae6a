/** Which mails follow from what happened, as jobs. */
import type { BookingId, EventId, HoldId } from "../../../engine/ids.ts";
import type { NewJob } from "../job.ts";
import type { EventEditedEntry, FactEntry, MailEntry, OutboxEntry } from "../outbox-entry.ts";

export const JOB_KINDS = {
  booking: "mail.booking",
  cancellation: "mail.cancellation",
  offer: "mail.offer",
  eventChangeBegin: "mail.event-change-begin",
  eventChangePage: "mail.event-change-page",
  eventChange: "mail.event-change",
  reminderPage: "mail.reminder-page",
  reminder: "mail.reminder",
  sealed: "mail.sealed",
} as const;

/** What a buyer is told of one booking. */
export type BookingNews =
  | "confirmation"
  | "cancelled"
  | "refunded"
  | "moved"
  /** To the new owner, and to the one before. */
  | "received"
  | "handed_over"
  | "payment_failed"
  | "payment_expired"
  | "paid_in_vain";

export interface BookingJob {
  readonly news: BookingNews;
  readonly eventId: EventId;
  readonly bookingId: BookingId;
  readonly seq: number;
}

export interface OfferJob {
  readonly eventId: EventId;
  readonly holdId: HoldId;
}

/** What of an event whoever had a ticket is told. */
export interface EventChange {
  readonly eventId: EventId;
  readonly atMs: number;
  /** null: it was not moved. */
  readonly startsMs: { readonly from: number; readonly to: number } | null;
  readonly isElsewhere: boolean;
}

/** Where an event's news stands: everybody up to `after` has been thought of. */
export interface EventChangePageJob extends EventChange {
  /** Who booked behind this seq of the event knows. Absent (an earlier version's): not known. */
  readonly seqMax?: number;
  readonly after: BookingId | null;
}

export interface EventChangeJob extends EventChange {
  readonly bookingId: BookingId;
}

export interface ReminderPageJob {
  readonly eventId: EventId;
  readonly ahead: string;
  /** For which it was begun: an event that was moved since has another run. */
  readonly startsMs: number;
  /** When it was due: who booked later is not reminded. */
  readonly dueMs: number;
  readonly after: BookingId | null;
}

export interface ReminderJob extends Omit<ReminderPageJob, "after" | "dueMs"> {
  readonly bookingId: BookingId;
}

export interface SealedJob extends Pick<MailEntry, "atMs"> {
  readonly key: string;
  readonly sealed: string;
}

export function messageJobsOf(entry: OutboxEntry): NewJob[] {
  switch (entry.kind) {
    case "booked":
      return bookingJob(entry, "confirmation");
    case "bookingChanged":
      return changeJobs(entry);
    case "offered":
      return offerJob(entry);
    case "eventEdited": {
      const change = eventChangeIn(entry);
      return change === null ? [] : [eventChangeBegin(change)];
    }
    case "mail": {
      const { key, sealed } = entry.detail;
      const data: SealedJob = { key, sealed, atMs: entry.atMs };
      return [{ kind: JOB_KINDS.sealed, key, data }];
    }
    case "configured":
    case "placesChanged":
      return [];
  }
}

function changeJobs(entry: FactEntry): NewJob[] {
  switch (entry.change) {
    case "cancelled":
      return bookingJob(entry, "cancelled");
    case "refund_settled":
      return bookingJob(entry, "refunded");
    case "ticket_moved":
      return bookingJob(entry, "moved");
    case "transferred":
      return [...bookingJob(entry, "received"), ...bookingJob(entry, "handed_over")];
    case "paid_late":
      return bookingJob(entry, "confirmation");
    case "payment_failed":
    case "payment_expired":
    case "paid_in_vain":
      return bookingJob(entry, entry.change);
    case "checked_in":
    case "check_in_undone":
    case "buyer_forgotten":
    case null:
      return [];
  }
}

function bookingJob({ eventId, subjectId, seq }: FactEntry, news: BookingNews): NewJob[] {
  if (subjectId === null) return [];
  const data: BookingJob = { news, eventId, bookingId: subjectId as BookingId, seq };
  const kind = news === "cancelled" ? JOB_KINDS.cancellation : JOB_KINDS.booking;
  return [{ kind, key: bookingMailKey(data), data }];
}

/** A booking is confirmed once; whatever else happens to it is told each time. */
export function bookingMailKey({ news, bookingId, seq }: BookingJob): string {
  return news === "confirmation" ? `confirmation:${bookingId}` : `${news}:${bookingId}:${seq}`;
}

function offerJob({ eventId, subjectId }: FactEntry): NewJob[] {
  if (subjectId === null) return [];
  const data: OfferJob = { eventId, holdId: subjectId as HoldId };
  return [{ kind: JOB_KINDS.offer, key: `waitlist_offer:${subjectId}`, data }];
}

/** null: nobody has to know. */
export function eventChangeIn({ eventId, atMs, detail }: EventEditedEntry): EventChange | null {
  const { startsMs = null, venue } = detail;
  const isElsewhere = venue === true;
  // Another title alone: tickets show it.
  if (startsMs === null && !isElsewhere) return null;
  return { eventId, atMs, startsMs, isElsewhere };
}

export function eventChangeBegin({ eventId, atMs, startsMs, isElsewhere }: EventChange): NewJob {
  const key = `event_change:${eventId}:${atMs}`;
  const data: EventChange = { eventId, atMs, startsMs, isElsewhere };
  return { kind: JOB_KINDS.eventChangeBegin, key, data };
}

export function eventChangePage(data: EventChangePageJob): NewJob {
  const { eventId, atMs, seqMax, after } = data;
  const key = `event_change:${eventId}:${atMs}:${seqMax}:${after ?? ""}`;
  return { kind: JOB_KINDS.eventChangePage, key, data };
}

export function eventChangeOf(change: EventChange, bookingId: BookingId): NewJob {
  const { eventId, atMs, startsMs, isElsewhere } = change;
  const data: EventChangeJob = { eventId, atMs, startsMs, isElsewhere, bookingId };
  return { kind: JOB_KINDS.eventChange, key: eventChangeKey(data), data };
}

export const eventChangeKey = ({ atMs, bookingId }: EventChangeJob): string =>
  `event_change:${atMs}:${bookingId}`;

export function reminderPage(data: ReminderPageJob): NewJob {
  const { eventId, ahead, startsMs, after } = data;
  const key = `reminder:${ahead}:${startsMs}:${eventId}:${after ?? ""}`;
  return { kind: JOB_KINDS.reminderPage, key, data };
}

export function reminderOf(page: ReminderPageJob, bookingId: BookingId): NewJob {
  const { eventId, ahead, startsMs } = page;
  const data: ReminderJob = { eventId, ahead, startsMs, bookingId };
  return { kind: JOB_KINDS.reminder, key: reminderKey(data), data };
}

export const reminderKey = ({ ahead, startsMs, bookingId }: ReminderJob): string =>
  `reminder:${ahead}:${startsMs}:${bookingId}`;
