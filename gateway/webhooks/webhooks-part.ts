import {
  WEBHOOK_PURGE_EVERY_MS,
  WEBHOOK_PURGE_ROWS_MAX,
  WEBHOOK_TICK_FEEDS_MAX,
  WEBHOOK_TICK_MS,
} from "../../engine/notifier-limits.ts";
import { handlerOf, type NewJob } from "../notifier/job.ts";
import type { NotifierGround, NotifierPart } from "../notifier/notifier-part.ts";
import type { OutboxEntry } from "../notifier/outbox-entry.ts";
import type { Queries } from "../tenancy/database.ts";
import { AddressGuard } from "./address-guard.ts";
import { FeedDrain, type FeedDrainPorts } from "./feed-drain.ts";
import { FeedHistory } from "./feed-history.ts";
import { FeedStore } from "./feed-store.ts";
import { GuardedPost } from "./guarded-post.ts";
import type { FeedKey } from "./webhook-message.ts";
import { typesOf } from "./webhook-types.ts";

const JOB = "webhook";
const LANE = "webhooks";

export interface WebhooksPartOptions
  extends Partial<Pick<FeedDrainPorts, "tellDisabled" | "post">> {
  readonly random?: () => number;
}

/**
 * Tells organisations' programs what happens.
 *
 *   outbox ──follow──► feed is pending ──job──► drain: history behind the cursor, one by one
 *                         ▲      │ 2xx: the cursor moves      │ else: due later, or disabled
 *                         └──────┴────────── tick ◄───────────┘
 *
 * The outbox only says that something happened; what it was is read from the history. So neither
 * its order nor how often it tells matters, nor whether a job gets lost: what is pending and due
 * is found by the tick.
 */
export function webhooksPart(
  ground: NotifierGround,
  { tellDisabled = async () => undefined, ...options }: WebhooksPartOptions = {},
): NotifierPart {
  const { rows, queue, clock, log, config } = ground;
  const store = new FeedStore(rows);
  const guard = new AddressGuard({
    allowHttp: config.notifier.webhookAllowHttp,
    allowAddresses: config.notifier.webhookAllowAddresses,
  });
  const own = new GuardedPost(guard);
  const drain = new FeedDrain({
    store,
    history: new FeedHistory(rows),
    post: options.post ?? own,
    clock,
    log,
    tellDisabled,
    random: options.random ?? Math.random,
  });
  const figures = { pending_feeds: 0, oldest_pending_ms: 0, disabled: 0 };
  let purgeMs = 0;
  return {
    handlers: [handlerOf<FeedKey>(JOB, LANE, ({ data }, stopping) => drain.run(data, stopping))],
    async follow(entries: readonly OutboxEntry[], within: Queries) {
      const heard = heardOf(entries);
      if (heard.size === 0) return [];
      return (await store.mark(heard, clock.wallMs(), within)).map(jobOf);
    },
    tick: {
      everyMs: WEBHOOK_TICK_MS,
      async run() {
        const nowMs = clock.wallMs();
        // Where as many wait already, more would be no news.
        if (queue.waiting(LANE) < WEBHOOK_TICK_FEEDS_MAX) {
          const jobs = (await store.due(nowMs)).map(jobOf);
          if (jobs.length > 0) await queue.add(jobs);
        }
        const { pendingFeeds, pendingSinceMs, disabled } = await store.figures();
        figures.pending_feeds = pendingFeeds;
        figures.oldest_pending_ms =
          pendingSinceMs === null ? 0 : Math.max(0, nowMs - pendingSinceMs);
        figures.disabled = disabled;
        if (nowMs < purgeMs) return;
        const isAll = (await store.purge(nowMs)) < WEBHOOK_PURGE_ROWS_MAX;
        purgeMs = isAll ? nowMs + WEBHOOK_PURGE_EVERY_MS : nowMs;
      },
    },
    figures: () => ({ delivered: drain.delivered, failed: drain.failed, ...figures }),
    async stop() {
      own.close();
    },
  };
}

/** By event: as what its webhooks may be told of it. */
function heardOf(entries: readonly OutboxEntry[]): Map<string, Set<string>> {
  const heard = new Map<string, Set<string>>();
  for (const entry of entries) {
    const types = typesOf(entry);
    if (entry.kind === "mail" || types.length === 0) continue;
    const known = heard.get(entry.eventId) ?? new Set();
    for (const type of types) known.add(type);
    heard.set(entry.eventId, known);
  }
  return heard;
}

function jobOf({ webhookId, eventId }: FeedKey): NewJob {
  return { kind: JOB, key: `${JOB}:${webhookId}:${eventId}`, data: { webhookId, eventId } };
}
