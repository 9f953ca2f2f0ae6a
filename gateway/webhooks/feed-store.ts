import {
  WEBHOOK_LEASE_MS,
  WEBHOOK_LOG_TTL_MS,
  WEBHOOK_PURGE_ROWS_MAX,
  WEBHOOK_TICK_FEEDS_MAX,
  WEBHOOK_TRIES_SHOWN_MAX,
} from "../../engine/notifier-limits.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";
import type { Posted } from "./guarded-post.ts";
import type { FeedKey, WebhookMessage } from "./webhook-message.ts";
import type { WebhookSecrets } from "./webhook-secret.ts";

/** A feed that somebody has the lease of, and whom it tells. */
export interface OpenFeed extends FeedKey, WebhookSecrets {
  readonly lease: string;
  readonly organizationId: string;
  readonly url: string;
  /** null: all. */
  readonly types: readonly string[] | null;
  readonly revision: number;
  readonly cursorSeq: number;
  readonly marks: string;
  readonly failures: number;
}

/** A webhook that the platform has just disabled. */
export interface DisabledWebhook {
  readonly webhookId: string;
  readonly organizationId: string;
  readonly url: string;
  readonly description: string;
  /** `gone`: its receiver said 410. `failing`: three days of tries were in vain. */
  readonly reason: DisabledReason;
  readonly atMs: number;
}
export type DisabledReason = "gone" | "failing";

/** One try, to be logged. */
export interface Try {
  readonly message: WebhookMessage;
  readonly posted: Posted;
  readonly startedMs: number;
  /** null: there is no next one. */
  readonly nextTryMs: number | null;
}

interface OpenRow {
  readonly organization_id: string;
  readonly url: string;
  readonly types: string[] | null;
  readonly revision: number;
  readonly secret: string;
  readonly old_secret: string | null;
  readonly old_secret_until_ms: string | null;
  readonly cursor_seq: string;
  readonly marks: string;
  readonly failures: number;
}

interface KeyRow {
  readonly webhook_id: string;
  readonly event_id: string;
}

/** seq of the last fact that was before the webhook. */
const START = `
  greatest(
    (SELECT max(h.seq) FROM event_history h
     WHERE h.event_id = f.event_id AND h.at_ms <= w.created_ms),
    (SELECT max(b.seq) FROM bookings b
     WHERE b.event_id = f.event_id AND b.booked_ms <= w.created_ms),
    0)`;

/** $1 webhook, $2 event, $3 seq, $4 message, $5 type, $6 status, $7 attempts, $8 next, $9 now */
const LOG = `
  INSERT INTO webhook_deliveries AS d (webhook_id, event_id, seq, message_id, type, status,
    attempts, tries, next_try_ms, last_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)
  ON CONFLICT (webhook_id, event_id, seq) DO UPDATE SET
    type = EXCLUDED.type, status = EXCLUDED.status, tries = d.tries + 1,
    next_try_ms = EXCLUDED.next_try_ms, last_ms = EXCLUDED.last_ms,
    attempts = EXCLUDED.attempts || CASE
      WHEN jsonb_array_length(d.attempts) >= ${WEBHOOK_TRIES_SHOWN_MAX}
      THEN d.attempts - -1 ELSE d.attempts END`;

const RELEASE = `
  UPDATE webhook_feeds SET lease = NULL, leased_until_ms = 0
  WHERE webhook_id = $1 AND event_id = $2 AND lease = $3`;

/**
 * The feeds in PostgreSQL, for whoever tells them. As the owner of the tables: a feed is opened
 * only where webhook and event are of one organisation.
 *
 * Invariants:
 * - One has the lease of a feed at a time, and only that one moves its cursor.
 * - A cursor moves past a message only when its receiver has answered 2xx to it.
 * - A feed comes to rest only if nothing was heard of its event since it was opened.
 */
export class FeedStore {
  readonly #rows: Scoped;

  constructor(rows: Scoped) {
    this.#rows = rows;
  }

  /** The feeds of these events that have become due, of webhooks that want one of the types. */
  async mark(
    heard: ReadonlyMap<string, ReadonlySet<string>>,
    nowMs: number,
    within: Queries,
  ): Promise<FeedKey[]> {
    const types = [...heard.values()].map((set) => [...set].join(" "));
    const { rows } = await within.query<KeyRow & { readonly due_ms: string }>({
      name: "webhook-mark",
      text: `
        INSERT INTO webhook_feeds AS f (webhook_id, event_id, marks, pending_since_ms)
        SELECT w.id, e.id, 1, $3
        FROM unnest($1::uuid[], $2::text[]) AS heard (event_id, types)
        JOIN events e ON e.id = heard.event_id
        JOIN webhooks w ON w.organization_id = e.organization_id
          AND (w.types IS NULL OR w.types && string_to_array(heard.types, ' '))
        -- Two that mark at a time lock in one order.
        ORDER BY w.id, e.id
        ON CONFLICT (webhook_id, event_id) DO UPDATE SET marks = f.marks + 1,
          pending_since_ms = coalesce(f.pending_since_ms, EXCLUDED.pending_since_ms)
        RETURNING webhook_id, event_id, due_ms`,
      values: [[...heard.keys()], types, nowMs],
    });
    return rows.filter(({ due_ms }) => Number(due_ms) <= nowMs).map(keyOf);
  }

  /** Feeds that wait for nobody. */
  async due(nowMs: number): Promise<FeedKey[]> {
    const { rows } = await this.#rows.query<KeyRow>({
      name: "webhook-due",
      text: `
        SELECT f.webhook_id, f.event_id FROM webhook_feeds f
        JOIN webhooks w ON w.id = f.webhook_id AND w.enabled
        WHERE f.pending_since_ms IS NOT NULL AND f.due_ms <= $1 AND f.leased_until_ms <= $1
        ORDER BY f.due_ms, f.pending_since_ms LIMIT ${WEBHOOK_TICK_FEEDS_MAX}`,
      values: [nowMs],
    });
    return rows.map(keyOf);
  }

  /**
   * Takes the lease, or keeps it, and reads the feed anew. null: it is another's, or there is
   * nothing to do now.
   */
  async open(key: FeedKey, lease: string, nowMs: number): Promise<OpenFeed | null> {
    const { webhookId, eventId } = key;
    const { rows } = await this.#rows.query<OpenRow>({
      name: "webhook-open",
      text: `
        UPDATE webhook_feeds f SET lease = $3, leased_until_ms = $5, replay_from = NULL,
          cursor_seq = CASE WHEN f.replay_from IS NULL THEN coalesce(f.cursor_seq, ${START})
            ELSE least(coalesce(f.cursor_seq, ${START}), f.replay_from - 1) END
        FROM webhooks w, events e
        WHERE f.webhook_id = $1 AND f.event_id = $2 AND w.id = f.webhook_id AND e.id = f.event_id
          AND e.organization_id = w.organization_id AND w.enabled
          AND f.pending_since_ms IS NOT NULL AND f.due_ms <= $4
          AND (f.lease = $3 OR f.leased_until_ms <= $4)
        RETURNING w.organization_id, w.url, w.types, w.revision, w.secret, w.old_secret,
          w.old_secret_until_ms, f.cursor_seq, f.marks, f.failures`,
      values: [webhookId, eventId, lease, nowMs, nowMs + WEBHOOK_LEASE_MS],
    });
    const [row] = rows;
    if (row === undefined) return null;
    const until = row.old_secret_until_ms;
    return {
      webhookId,
      eventId,
      lease,
      organizationId: row.organization_id,
      url: row.url,
      types: row.types,
      revision: row.revision,
      secret: row.secret,
      oldSecret: row.old_secret,
      oldSecretUntilMs: until === null ? null : Number(until),
      cursorSeq: Number(row.cursor_seq),
      marks: row.marks,
      failures: row.failures,
    };
  }

  /**
   * The message has been delivered. False: the feed is to be opened again before it is told more,
   * since it is another's, its webhook has changed, or somebody wants to be told again.
   */
  async advance(feed: OpenFeed, made: Try, nowMs: number): Promise<boolean> {
    const values = logValues(feed, made, nowMs);
    const { rows } = await this.#rows.query<{ stays: boolean }>({
      name: "webhook-advance",
      text: `
        WITH moved AS (
          UPDATE webhook_feeds f SET cursor_seq = $3, failures = 0, leased_until_ms = $11
          WHERE f.webhook_id = $1 AND f.event_id = $2 AND f.lease = $10
          RETURNING f.replay_from
        ), logged AS (${LOG})
        SELECT m.replay_from IS NULL AND w.enabled AND w.revision = $12 AS stays
        FROM moved m JOIN webhooks w ON w.id = $1`,
      values: [...values, feed.lease, nowMs + WEBHOOK_LEASE_MS, feed.revision],
    });
    return rows[0]?.stays ?? false;
  }

  /** The message has failed: the feed waits. */
  async postpone(feed: OpenFeed, made: Try, nowMs: number): Promise<void> {
    await this.#rows.query({
      name: "webhook-postpone",
      text: `
        WITH waits AS (
          UPDATE webhook_feeds f SET lease = NULL, leased_until_ms = 0,
            -- Who enables the webhook or asks for a replay does not wait for an earlier failure.
            failures = CASE WHEN f.replay_from IS NULL AND w.revision = $11
              THEN f.failures + 1 ELSE f.failures END,
            due_ms = CASE WHEN f.replay_from IS NULL AND w.revision = $11
              THEN $8 ELSE f.due_ms END
          FROM webhooks w
          WHERE f.webhook_id = $1 AND f.event_id = $2 AND f.lease = $10 AND w.id = f.webhook_id
        ) ${LOG}`,
      values: [...logValues(feed, made, nowMs), feed.lease, feed.revision],
    });
  }

  /**
   * The message has failed for good, and its webhook is disabled; `tell` belongs to that. Where
   * somebody else was faster, nothing is told.
   */
  async disable(
    feed: OpenFeed,
    made: Try,
    { reason, nowMs, tell }: DisableOptions,
  ): Promise<boolean> {
    return this.#rows.transaction(async (within) => {
      await within.query(LOG, logValues(feed, made, nowMs));
      const { rows } = await within.query<{ description: string }>(
        `UPDATE webhooks SET enabled = false, disabled_ms = $2, disabled_reason = $3
         WHERE id = $1 AND enabled AND revision = $4 RETURNING description`,
        [feed.webhookId, nowMs, reason, feed.revision],
      );
      await within.query(RELEASE, [feed.webhookId, feed.eventId, feed.lease]);
      const [row] = rows;
      if (row === undefined) return false;
      const { webhookId, organizationId, url } = feed;
      const { description } = row;
      await tell({ webhookId, organizationId, url, description, reason, atMs: nowMs }, within);
      return true;
    });
  }

  /** There is nothing more to tell. False: something was heard meanwhile. */
  async rest(feed: OpenFeed): Promise<boolean> {
    const { rowCount } = await this.#rows.query({
      name: "webhook-rest",
      text: `
        UPDATE webhook_feeds SET pending_since_ms = NULL, lease = NULL, leased_until_ms = 0
        WHERE webhook_id = $1 AND event_id = $2 AND lease = $3 AND marks = $4
          AND replay_from IS NULL`,
      values: [feed.webhookId, feed.eventId, feed.lease, feed.marks],
    });
    return rowCount === 1;
  }

  /** Somebody else may go on. */
  async release({ webhookId, eventId, lease }: OpenFeed): Promise<void> {
    await this.#rows.query(RELEASE, [webhookId, eventId, lease]);
  }

  async figures(): Promise<FeedFigures> {
    const { rows } = await this.#rows.query<Record<"feeds" | "since" | "disabled", string | null>>(
      `SELECT count(*) AS feeds, min(f.pending_since_ms) AS since,
         (SELECT count(*) FROM webhooks WHERE disabled_ms IS NOT NULL) AS disabled
       FROM webhook_feeds f JOIN webhooks w ON w.id = f.webhook_id AND w.enabled
       WHERE f.pending_since_ms IS NOT NULL`,
    );
    const { feeds = null, since = null, disabled = null } = rows[0] ?? {};
    return {
      pendingFeeds: Number(feeds),
      pendingSinceMs: since === null ? null : Number(since),
      disabled: Number(disabled),
    };
  }

  /** Takes what is old out of the log; how many rows. */
  async purge(nowMs: number): Promise<number> {
    const { rowCount } = await this.#rows.query(
      `DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM webhook_deliveries WHERE last_ms < $1
         ORDER BY last_ms LIMIT ${WEBHOOK_PURGE_ROWS_MAX}))`,
      [nowMs - WEBHOOK_LOG_TTL_MS],
    );
    return rowCount ?? 0;
  }
}

export interface FeedFigures {
  readonly pendingFeeds: number;
  /** null: none is. */
  readonly pendingSinceMs: number | null;
  readonly disabled: number;
}

interface DisableOptions {
  readonly reason: DisabledReason;
  readonly nowMs: number;
  readonly tell: (webhook: DisabledWebhook, within: Queries) => Promise<void>;
}

const keyOf = ({ webhook_id: webhookId, event_id: eventId }: KeyRow): FeedKey => ({
  webhookId,
  eventId,
});

const isDelivered = ({ status }: Posted): boolean =>
  status !== null && status >= 200 && status < 300;

function logValues(
  { webhookId, eventId }: FeedKey,
  { message, posted, startedMs, nextTryMs }: Try,
  nowMs: number,
): unknown[] {
  const { durationMs, status, error, answer } = posted;
  const attempt = { atMs: startedMs, durationMs, status, error, answer };
  return [
    webhookId,
    eventId,
    message.seq,
    message.id,
    message.type,
    isDelivered(posted) ? "delivered" : "failing",
    JSON.stringify([attempt]),
    nextTryMs,
    nowMs,
  ];
}
