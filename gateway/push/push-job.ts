/** Which pushes follow from what happened, as jobs. */
import type { BookingId, EventId, HoldId, UserId } from "../../engine/ids.ts";
import type { NewJob } from "../notifier/job.ts";
import {
  type EventChange,
  type EventChangePageJob,
  eventChangeIn,
} from "../notifier/messages/message-jobs.ts";
import type { FactEntry, OutboxEntry } from "../notifier/outbox-entry.ts";
import type { PushLedger } from "./push-ledger.ts";

export const PUSH_KINDS = {
  urgent: "push.urgent",
  transactional: "push.transactional",
  eventChangeBegin: "push.event-change-begin",
  eventChangePage: "push.event-change-page",
} as const;

interface PushJobBase {
  /** Who is told, in all of their browsers. */
  readonly userId: UserId;
  readonly eventId: EventId;
  /** What it is about; each browser is told once of each. */
  readonly cause: string;
  /** Unix ms: when it happened. */
  readonly atMs: number;
}

/** What one person is to be told. */
export type PushJob =
  | (PushJobBase & { readonly news: "booked" | "cancelled"; readonly bookingId: BookingId })
  | (PushJobBase & { readonly news: "offered"; readonly holdId: HoldId })
  | (PushJobBase & {
      readonly news: "event_changed";
      /** null: it was not moved. */
      readonly startsMs: EventChange["startsMs"];
      readonly isElsewhere: boolean;
    });

/** Of those who have a subscription, and nobody else. */
export async function pushJobsOf(
  entries: readonly OutboxEntry[],
  ledger: Pick<PushLedger, "ownersOf">,
): Promise<NewJob[]> {
  const news = entries.flatMap((entry) => newsOf(entry) ?? []);
  const ofHolds = news.filter(({ word }) => word === "offered");
  const ofBookings = news.filter(({ word }) => word !== "offered");
  const owners = new Map([
    ...(await ledger.ownersOf("bookings", ofBookings)),
    ...(await ledger.ownersOf("holds", ofHolds)),
  ]);
  const told = news.flatMap(({ word, eventId, id, seq, atMs }) => {
    const userId = owners.get(id);
    if (userId === undefined) return [];
    const cause = word === "cancelled" ? `${word}:${id}:${seq}` : `${word}:${id}`;
    const base = { userId, eventId, cause, atMs };
    if (word === "offered") return [jobOf({ ...base, news: word, holdId: id as HoldId })];
    return [jobOf({ ...base, news: word, bookingId: id as BookingId })];
  });
  const changes = entries.flatMap((entry) =>
    entry.kind === "eventEdited" ? (eventChangeIn(entry) ?? []) : [],
  );
  return [...told, ...changes.map(eventChangeBegin)];
}

interface News {
  readonly word: "booked" | "cancelled" | "offered";
  readonly eventId: EventId;
  /** Of the booking, or of the hold. */
  readonly id: string;
  readonly seq: number;
  readonly atMs: number;
}

function newsOf(entry: OutboxEntry): News | null {
  if (entry.kind === "mail" || entry.kind === "eventEdited" || entry.subjectId === null)
    return null;
  const word = wordOf(entry);
  const { eventId, subjectId: id, seq, atMs } = entry;
  return word === null ? null : { word, eventId, id, seq, atMs };
}

function wordOf({ kind, change }: FactEntry): News["word"] | null {
  if (kind === "booked" || change === "paid_late") return "booked";
  if (kind === "offered") return "offered";
  return change === "cancelled" ? "cancelled" : null;
}

/** Offers run out, and who has no ticket any more must not set out. */
export function jobOf(data: PushJob): NewJob {
  const isUrgent = data.news === "offered" || data.news === "cancelled";
  const kind = isUrgent ? PUSH_KINDS.urgent : PUSH_KINDS.transactional;
  return { kind, key: `push:${data.cause}:${data.userId}`, data };
}

export function eventChangeBegin({ eventId, atMs, startsMs, isElsewhere }: EventChange): NewJob {
  const data: EventChange = { eventId, atMs, startsMs, isElsewhere };
  return { kind: PUSH_KINDS.eventChangeBegin, key: `push:${causeOf(data)}`, data };
}

/** One page of telling all who go to an event. */
export function eventChangePushes(data: EventChangePageJob): NewJob {
  const key = `push:${causeOf(data)}:${data.seqMax}:${data.after ?? ""}`;
  return { kind: PUSH_KINDS.eventChangePage, key, data };
}

export function eventChangePush(change: EventChange, userId: UserId): NewJob {
  const { eventId, atMs, startsMs, isElsewhere } = change;
  const cause = causeOf(change);
  return jobOf({ news: "event_changed", userId, eventId, cause, atMs, startsMs, isElsewhere });
}

const causeOf = ({ eventId, atMs }: EventChange): string => `event_changed:${eventId}:${atMs}`;
