import { createHash } from "node:crypto";
import { areaIndexOf, isSeat } from "../../engine/place.ts";
import { detailView, type FactNames } from "../booking/history-view.ts";
import { iso } from "../booking/instant.ts";
import { money } from "../booking/views.ts";
import type { SignedHeaders } from "../payments/signed-message.ts";
import type { WebhookType } from "./webhook-types.ts";

/** One thing that happened to an event and is a message, as the database has it. */
export interface ToldFact {
  readonly seq: number;
  readonly atMs: number;
  readonly type: WebhookType;
  readonly byUser: string | null;
  readonly reason: string | null;
  /** workers/projector/history-detail.ts. */
  readonly detail: Readonly<Record<string, unknown>> | null;
  /** Code, address and total as they are now. null: of the event itself. */
  readonly booking: {
    readonly id: string;
    readonly code: string;
    readonly email: string | null;
    readonly totalMinor: number;
  } | null;
  /** Those that it is about, with the places that they had after it. */
  readonly tickets: readonly { readonly id: string; readonly place: number }[] | null;
}

/** What the catalogue says of an event now. */
export interface ToldEvent extends FactNames {
  readonly title: string;
  readonly startsMs: number;
  readonly endsMs: number | null;
  readonly timezone: string;
  readonly venue: { readonly name?: unknown; readonly city?: unknown } | null;
}

export interface WebhookMessage {
  /** The same whenever it is sent. */
  readonly id: string;
  readonly seq: number;
  readonly type: WebhookType | "webhook.test";
  /** JSON. */
  readonly body: string;
}

/** Whom a feed tells, and of which event. */
export interface FeedKey {
  readonly webhookId: string;
  readonly eventId: string;
}

/**
 * The message of a fact. No ticket codes: they open doors, and go to whose they are.
 * `previousSeq`: of the message before it, for this webhook's types; null: it is the first.
 */
export function messageOf(
  fact: ToldFact,
  key: FeedKey,
  { event, previousSeq }: { readonly event: ToldEvent; readonly previousSeq: number | null },
): WebhookMessage {
  const { seq, type, booking, byUser, reason } = fact;
  const data = {
    eventId: key.eventId,
    seq,
    previousSeq,
    ...(booking === null ? {} : { booking: bookingView(event, booking) }),
    ...detailView(event, fact, true),
    ...(fact.tickets === null ? {} : { tickets: ticketViews(event, fact.tickets) }),
    ...(type.startsWith("event.") ? { event: eventView(event) } : {}),
    userId: byUser,
    reason,
  };
  const body = JSON.stringify({ type, timestamp: iso(fact.atMs), data });
  return { id: messageIdOf(key, seq), seq, type, body };
}

/** A message that tells nothing, to see whether it arrives. */
export function testMessage(webhookId: string, atMs: number, nonce: string): WebhookMessage {
  const type = "webhook.test";
  const body = JSON.stringify({ type, timestamp: iso(atMs), data: { webhookId } });
  return { id: `msg_${nonce}`, seq: 0, type, body };
}

/** Whoever keeps these knows a message again, however often it comes. */
export function messageIdOf({ webhookId, eventId }: FeedKey, seq: number): string {
  const digest = createHash("sha256").update(`${webhookId} ${eventId} ${seq}`).digest();
  return `msg_${digest.subarray(0, 18).toString("base64url")}`;
}

/** The headers of a try. */
export function headersOf(signed: SignedHeaders): Readonly<Record<string, string>> {
  return { "Content-Type": "application/json", "User-Agent": "Evently-Webhooks/1", ...signed };
}

function bookingView(event: ToldEvent, booking: NonNullable<ToldFact["booking"]>): object {
  const { id, code, email, totalMinor } = booking;
  return { id, code, email, total: money(event, totalMinor) };
}

function ticketViews(event: ToldEvent, tickets: NonNullable<ToldFact["tickets"]>): object[] {
  return tickets.map(({ id, place }) =>
    isSeat(place)
      ? { id, seat: event.seatIds[place] }
      : { id, area: event.areaKeys[areaIndexOf(place)] },
  );
}

function eventView({ title, startsMs, endsMs, timezone, venue }: ToldEvent): object {
  return {
    title,
    startsAt: iso(startsMs),
    endsAt: endsMs === null ? null : iso(endsMs),
    timezone,
    venue: venue === null ? null : { name: venue.name ?? null, city: venue.city ?? null },
  };
}
