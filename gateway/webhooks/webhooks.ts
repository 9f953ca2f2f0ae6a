import { randomBytes } from "node:crypto";
import { type EventId, type OrganizationId, uuidV7 } from "../../engine/ids.ts";
import {
  WEBHOOK_OLD_SECRET_MS,
  WEBHOOKS_PER_ORGANIZATION_MAX,
} from "../../engine/notifier-limits.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Database, Scoped } from "../tenancy/database.ts";
import { asker, NOBODY, type Scope } from "../tenancy/scope.ts";
import { addOneOf } from "../tenancy/turn.ts";
import { freshSecret, type WebhookSecrets } from "./webhook-secret.ts";

/** Where an organisation's program is told what happens. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  /** null: all. */
  readonly types: readonly string[] | null;
  readonly enabled: boolean;
  /** When and why the platform has disabled it; null: it has not. */
  readonly disabledMs: number | null;
  readonly disabledReason: string | null;
  /** The secret before the last signs along until then; null: there was none. */
  readonly oldSecretUntilMs: number | null;
  readonly createdMs: number;
}

export type WebhookTerms = Pick<Webhook, "url" | "description" | "types" | "enabled">;

/** One message in the log. */
export interface Delivery {
  readonly id: string;
  readonly messageId: string;
  readonly type: string;
  readonly eventId: string;
  readonly seq: number;
  readonly status: "delivered" | "failing";
  readonly tries: number;
  /** The last ones, newest first. */
  readonly attempts: readonly Attempt[];
  readonly nextTryMs: number | null;
}

export interface Attempt {
  readonly atMs: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly answer: string | null;
}

interface WebhookRow {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly types: string[] | null;
  readonly enabled: boolean;
  readonly disabled_ms: string | null;
  readonly disabled_reason: string | null;
  readonly old_secret_until_ms: string | null;
  readonly created_ms: string;
}

interface DeliveryRow {
  readonly id: string;
  readonly message_id: string;
  readonly type: string;
  readonly event_id: string;
  readonly seq: string;
  readonly status: Delivery["status"];
  readonly tries: number;
  readonly attempts: Attempt[];
  readonly next_try_ms: string | null;
}

const COLUMNS = `id, url, description, types, enabled, disabled_ms, disabled_reason,
  old_secret_until_ms, created_ms`;

/** Which webhook of which organisation. */
export interface WebhookKey {
  readonly organizationId: OrganizationId;
  readonly id: string;
}

/** Webhooks in PostgreSQL, for who organises. Who may see them is asked before. */
export class Webhooks {
  readonly #database: Database;
  /** Statements of one scope. */
  readonly #rows: Scoped;

  /** What is seen and changed in this scope. Default: nothing. */
  constructor(database: Database, scope: Scope = NOBODY) {
    this.#database = database;
    this.#rows = database.in(scope);
  }

  /** As somebody sees them: who sells for the organisation. */
  as(identity: Identity): Webhooks {
    return new Webhooks(this.#database, asker(identity));
  }

  /** With the secret that is told once. Throws `too_many` past WEBHOOKS_PER_ORGANIZATION_MAX. */
  async add(
    organizationId: OrganizationId,
    { url, description, types, enabled }: WebhookTerms,
  ): Promise<{ webhook: Webhook; secret: string }> {
    const nowMs = Date.now();
    const secret = freshSecret();
    const id = uuidV7(nowMs, randomBytes(10));
    const limit = WEBHOOKS_PER_ORGANIZATION_MAX;
    const name = `webhooks of ${organizationId}`;
    const added = await addOneOf(this.#rows, { name, limit }, (within) =>
      within.query<WebhookRow>(
        `INSERT INTO webhooks (id, organization_id, url, description, types, enabled, secret,
           created_ms)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8
         WHERE (SELECT count(*) FROM webhooks WHERE organization_id = $2) < $9
         RETURNING ${COLUMNS}`,
        [id, organizationId, url, description, types, enabled, secret, nowMs, limit],
      ),
    );
    return { webhook: webhookOf(added), secret };
  }

  /** Oldest first, after `after`. */
  async list(
    organizationId: OrganizationId,
    { limit, after }: { readonly limit: number; readonly after: string | null },
  ): Promise<Webhook[]> {
    const { rows } = await this.#rows.query<WebhookRow>(
      `SELECT ${COLUMNS} FROM webhooks
       WHERE organization_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [organizationId, after, limit],
    );
    return rows.map(webhookOf);
  }

  /** null: the organisation has no such webhook. */
  async find({ organizationId, id }: WebhookKey): Promise<Webhook | null> {
    const { rows } = await this.#rows.query<WebhookRow>(
      `SELECT ${COLUMNS} FROM webhooks WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    );
    return rows[0] === undefined ? null : webhookOf(rows[0]);
  }

  /** What is absent stays. What has waited for it to be enabled is sent at once. */
  async change(key: WebhookKey, changes: Partial<WebhookTerms>): Promise<Webhook | null> {
    const { url, description, types, enabled } = changes;
    return this.#rows.transaction(async (within) => {
      const { rows } = await within.query<WebhookRow>(
        `UPDATE webhooks SET url = coalesce($3, url), description = coalesce($4, description),
           types = CASE WHEN $5 THEN $6 ELSE types END, enabled = coalesce($7, enabled),
           disabled_ms = CASE WHEN $7 IS NULL THEN disabled_ms END,
           disabled_reason = CASE WHEN $7 IS NULL THEN disabled_reason END
         WHERE organization_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
        [
          key.organizationId,
          key.id,
          url ?? null,
          description ?? null,
          types !== undefined,
          types ?? null,
          enabled ?? null,
        ],
      );
      const [row] = rows;
      if (row === undefined) return null;
      if (enabled === true) {
        await within.query(
          // Locked in the order in which those who hear of events lock them. An event may be gone.
          `UPDATE webhook_feeds f SET due_ms = 0, failures = 0
           FROM (SELECT pending.event_id
                 FROM webhook_feeds pending JOIN events e ON e.id = pending.event_id
                 WHERE pending.webhook_id = $1 AND pending.pending_since_ms IS NOT NULL
                   AND e.organization_id = $2
                 ORDER BY pending.event_id FOR UPDATE OF pending) waiting
           WHERE f.webhook_id = $1 AND f.event_id = waiting.event_id`,
          [key.id, key.organizationId],
        );
      }
      return webhookOf(row);
    });
  }

  /** The one before signs along for WEBHOOK_OLD_SECRET_MS. null: there is no such webhook. */
  async rotate(key: WebhookKey): Promise<{ webhook: Webhook; secret: string } | null> {
    const secret = freshSecret();
    const { rows } = await this.#rows.query<WebhookRow>(
      `UPDATE webhooks SET secret = $3, old_secret_until_ms = $4
       WHERE organization_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
      [key.organizationId, key.id, secret, Date.now() + WEBHOOK_OLD_SECRET_MS],
    );
    return rows[0] === undefined ? null : { webhook: webhookOf(rows[0]), secret };
  }

  async remove({ organizationId, id }: WebhookKey): Promise<void> {
    const text = "DELETE FROM webhooks WHERE organization_id = $1 AND id = $2";
    await this.#rows.query(text, [organizationId, id]);
  }

  /**
   * It is told again from there on, as soon as the notifier looks. What it has not been told yet
   * comes in any case. False: the organisation has no such event.
   */
  async replay(
    { organizationId, id }: WebhookKey,
    { eventId, fromSeq }: { readonly eventId: EventId; readonly fromSeq: number },
  ): Promise<boolean> {
    const { rowCount } = await this.#rows.query(
      `INSERT INTO webhook_feeds AS f (webhook_id, event_id, replay_from, marks, pending_since_ms)
       SELECT w.id, e.id, $4, 1, $5 FROM webhooks w
       JOIN events e ON e.organization_id = w.organization_id
       WHERE w.organization_id = $1 AND w.id = $2 AND e.id = $3
       ON CONFLICT (webhook_id, event_id) DO UPDATE SET marks = f.marks + 1, due_ms = 0,
         failures = 0, replay_from = least(f.replay_from, EXCLUDED.replay_from),
         pending_since_ms = coalesce(f.pending_since_ms, EXCLUDED.pending_since_ms)`,
      [organizationId, id, eventId, fromSeq, Date.now()],
    );
    return rowCount === 1;
  }

  /** What signs a test message. null: there is no such webhook. */
  async secrets({ id }: WebhookKey): Promise<WebhookSecrets | null> {
    const { rows } = await this.#rows.query<{ secrets: WebhookSecrets | null }>(
      "SELECT webhook_secrets_of($1) AS secrets",
      [id],
    );
    return rows[0]?.secrets ?? null;
  }

  /** The log, newest first, older than `before`. */
  async deliveries(
    { id }: WebhookKey,
    { limit, before }: { readonly limit: number; readonly before: string | null },
  ): Promise<Delivery[]> {
    const { rows } = await this.#rows.query<DeliveryRow>(
      `SELECT id, message_id, type, event_id, seq, status, tries, attempts, next_try_ms
       FROM webhook_deliveries WHERE webhook_id = $1 AND ($2::bigint IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [id, before, limit],
    );
    return rows.map(deliveryOf);
  }
}

function webhookOf(row: WebhookRow): Webhook {
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    types: row.types,
    enabled: row.enabled,
    disabledMs: numberOrNull(row.disabled_ms),
    disabledReason: row.disabled_reason,
    oldSecretUntilMs: numberOrNull(row.old_secret_until_ms),
    createdMs: Number(row.created_ms),
  };
}

function deliveryOf(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    messageId: row.message_id,
    type: row.type,
    eventId: row.event_id,
    seq: Number(row.seq),
    status: row.status,
    tries: row.tries,
    attempts: row.attempts,
    nextTryMs: numberOrNull(row.next_try_ms),
  };
}

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text));
