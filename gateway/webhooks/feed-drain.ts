import { randomUUID } from "node:crypto";
import {
  WEBHOOK_CROWDED_PAUSE_MS,
  WEBHOOK_DRAIN_MESSAGES_MAX,
  WEBHOOK_DRAIN_MS_MAX,
  WEBHOOK_REQUESTS_PER_HOST_MAX,
  WEBHOOK_REQUESTS_PER_ORGANIZATION_MAX,
} from "../../engine/notifier-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import type { Log } from "../log.ts";
import { DONE, type JobEnd } from "../notifier/job.ts";
import type { Queries } from "../tenancy/database.ts";
import type { FeedHistory } from "./feed-history.ts";
import type { DisabledReason, DisabledWebhook, FeedStore, OpenFeed, Try } from "./feed-store.ts";
import type { GuardedPost } from "./guarded-post.ts";
import { parseRetryAfter, retryPauseMs } from "./retry-schedule.ts";
import { Turnstile } from "./turnstile.ts";
import {
  type FeedKey,
  headersOf,
  messageOf,
  type ToldEvent,
  type WebhookMessage,
} from "./webhook-message.ts";
import { signedBy } from "./webhook-secret.ts";

export interface FeedDrainPorts {
  readonly store: FeedStore;
  readonly history: FeedHistory;
  readonly post: Pick<GuardedPost, "send">;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn">;
  /** Belongs to the transaction that disables the webhook. */
  readonly tellDisabled: (webhook: DisabledWebhook, within: Queries) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Where a drain is in its feed. */
interface Progress {
  readonly feed: OpenFeed;
  readonly event: ToldEvent;
  readonly cursorSeq: number;
  readonly previousSeq: number | null;
}

const AT_ONCE: JobEnd = { end: "later", afterMs: 0 };
const CROWDED: JobEnd = { end: "later", afterMs: WEBHOOK_CROWDED_PAUSE_MS };

/**
 * Tells a webhook what happened to an event, message by message.
 *
 * Invariants:
 * - The next message is sent only when the one before it was answered with 2xx and the cursor is
 *   behind it. So whatever ends this in between, what comes next is the same message again.
 * - A message that fails keeps its place: the feed waits for it, and no other feed does.
 */
export class FeedDrain {
  delivered = 0;
  failed = 0;
  readonly #ports: FeedDrainPorts;
  readonly #turnstile = new Turnstile();

  constructor(ports: FeedDrainPorts) {
    this.#ports = ports;
  }

  /** Until there is nothing to tell, a message fails, or it is another feed's turn. */
  async run(key: FeedKey, stopping: AbortSignal): Promise<JobEnd> {
    const { store, clock } = this.#ports;
    const feed = await store.open(key, randomUUID(), clock.wallMs());
    if (feed === null) return DONE;
    const room = roomFor(feed);
    if (!this.#turnstile.enter(room)) {
      await store.release(feed);
      return CROWDED;
    }
    try {
      return await this.#tell(feed, stopping);
    } finally {
      this.#turnstile.leave(room);
    }
  }

  async #tell(opened: OpenFeed, stopping: AbortSignal): Promise<JobEnd> {
    const { store, history, clock } = this.#ports;
    const until = clock.monotonicMs() + WEBHOOK_DRAIN_MS_MAX;
    const isOver = (sent: number): boolean =>
      stopping.aborted || sent >= WEBHOOK_DRAIN_MESSAGES_MAX || clock.monotonicMs() >= until;
    let at = await this.#begin(opened);
    for (let sent = 0; at !== null; ) {
      if (isOver(sent)) return this.#pause(at.feed);
      const { feed, cursorSeq } = at;
      const facts = await history.page({ ...feed, cursorSeq });
      if (facts.length === 0) {
        if (await store.rest(feed)) return DONE;
        at = await this.#reopen(feed);
      }
      for (const fact of facts) {
        if (at === null || isOver(sent)) break;
        const message = messageOf(fact, feed, at);
        const end = await this.#send(at.feed, message, stopping);
        if (end === "stopped") return this.#pause(feed);
        if (end === "failed") return DONE;
        sent += 1;
        const fresh = { ...feed, failures: 0 };
        at = { ...at, feed: fresh, cursorSeq: fact.seq, previousSeq: fact.seq };
        if (end === "changed") {
          at = await this.#reopen(feed);
          break;
        }
      }
    }
    return DONE;
  }

  /** null: there is no such event any more. */
  async #begin(feed: OpenFeed): Promise<Progress | null> {
    const { history } = this.#ports;
    const event = await history.event(feed.eventId);
    const previousSeq = await history.previousSeq(feed);
    return event === null ? null : { feed, event, cursorSeq: feed.cursorSeq, previousSeq };
  }

  async #reopen({ webhookId, eventId, lease }: OpenFeed): Promise<Progress | null> {
    const { store, clock } = this.#ports;
    const feed = await store.open({ webhookId, eventId }, lease, clock.wallMs());
    return feed === null ? null : this.#begin(feed);
  }

  async #pause(feed: OpenFeed): Promise<JobEnd> {
    await this.#ports.store.release(feed);
    return AT_ONCE;
  }

  /** `changed`: it was delivered, and the feed is to be opened anew before it is told more. */
  async #send(
    feed: OpenFeed,
    message: WebhookMessage,
    stopping: AbortSignal,
  ): Promise<"delivered" | "changed" | "failed" | "stopped"> {
    const { post, store, clock } = this.#ports;
    const startedMs = clock.wallMs();
    const { id, body } = message;
    const headers = headersOf(signedBy(feed, { id, atMs: startedMs, body }));
    const posted = await post.send(feed.url, { headers, body, stopping });
    if (posted.error === "stopped") return "stopped";
    const { status } = posted;
    if (status === null || status < 200 || status > 299) {
      await this.#fail(feed, { message, posted, startedMs });
      return "failed";
    }
    const made = { message, posted, startedMs, nextTryMs: null };
    const stays = await store.advance(feed, made, clock.wallMs());
    this.delivered += 1;
    return stays ? "delivered" : "changed";
  }

  async #fail(feed: OpenFeed, failed: Omit<Try, "nextTryMs">): Promise<void> {
    const { store, clock, random } = this.#ports;
    this.failed += 1;
    const nowMs = clock.wallMs();
    const { status, retryAfter } = failed.posted;
    if (status === 410) return this.#disable(feed, failed, "gone");
    const askedMs = parseRetryAfter(retryAfter, nowMs);
    const pauseMs = retryPauseMs(feed.failures + 1, { askedMs, random: random() });
    if (pauseMs === null) return this.#disable(feed, failed, "failing");
    await store.postpone(feed, { ...failed, nextTryMs: nowMs + pauseMs }, nowMs);
  }

  async #disable(
    feed: OpenFeed,
    failed: Omit<Try, "nextTryMs">,
    reason: DisabledReason,
  ): Promise<void> {
    const { store, clock, log, tellDisabled: tell } = this.#ports;
    const made = { ...failed, nextTryMs: null };
    const options = { reason, nowMs: clock.wallMs(), tell };
    if (!(await store.disable(feed, made, options))) return;
    const { webhookId, organizationId } = feed;
    log.warn({ webhookId, organizationId, reason }, "a webhook was disabled");
  }
}

function roomFor({ url, organizationId }: OpenFeed): Readonly<Record<string, number>> {
  return {
    [`host ${new URL(url).host}`]: WEBHOOK_REQUESTS_PER_HOST_MAX,
    [`organization ${organizationId}`]: WEBHOOK_REQUESTS_PER_ORGANIZATION_MAX,
  };
}
