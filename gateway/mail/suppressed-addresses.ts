import {
  MAIL_REASON_CHARS_MAX,
  SOFT_BOUNCE_PAUSE_MS,
  SOFT_BOUNCE_PERIOD_MS,
  SOFT_BOUNCES_MAX,
} from "../../engine/notifier-limits.ts";
import type { Page } from "../http/page.ts";
import { decodeCursor, encodeCursor } from "../http/page.ts";
import type { Queries } from "../tenancy/database.ts";
import { withoutAddresses } from "./mail-address.ts";

/**
 * `hard`: there is no such mailbox; nothing is sent there. `soft`: several mails in a week came
 * back for reasons that pass; `complaint`: its reader called a mail of ours unwanted. To these two
 * goes only what its reader can't do without (optional-kinds.ts).
 */
export type SuppressionCause = "hard" | "soft" | "complaint";

export interface Bounced {
  readonly recipient: Buffer;
  /** As shownAs gives it. */
  readonly shown: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface Suppression {
  /** The address's digest, base64url. */
  readonly id: string;
  readonly address: string;
  readonly cause: SuppressionCause;
  readonly reason: string;
  readonly suppressedAt: string;
  /** null: until somebody takes it off the list. */
  readonly until: string | null;
}

/** The addresses that mails come back from, for the gateway and for the notifier. */
export class SuppressedAddresses {
  readonly #rows: Queries;

  constructor(rows: Queries) {
    this.#rows = rows;
  }

  hard(bounced: Bounced): Promise<void> {
    return this.#suppress(bounced, "hard", null);
  }

  complaint(bounced: Bounced): Promise<void> {
    return this.#suppress(bounced, "complaint", null);
  }

  /** Whether it was one too many. `reportId`: the same one twice counts once. */
  async soft(bounced: Bounced, reportId: string): Promise<boolean> {
    const { recipient, atMs } = bounced;
    await this.#rows.query(
      `INSERT INTO soft_bounces (recipient, report_id, bounced_ms) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING`,
      [recipient, reportId, atMs],
    );
    const { rows } = await this.#rows.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM soft_bounces
       WHERE recipient = $1 AND bounced_ms > $2`,
      [recipient, atMs - SOFT_BOUNCE_PERIOD_MS],
    );
    if ((rows[0]?.count ?? 0) < SOFT_BOUNCES_MAX) return false;
    await this.#suppress(bounced, "soft", atMs + SOFT_BOUNCE_PAUSE_MS);
    return true;
  }

  /** By the time from which they are on the list, oldest first; or one address alone. */
  async list(
    { limit, cursor }: Page,
    only: Buffer | null,
  ): Promise<{ data: Suppression[]; nextCursor: string | null }> {
    const [afterMs = "", afterId = ""] = cursor === null ? ["0", ""] : decodeCursor(cursor);
    const { rows } = await this.#rows.query<Row>(
      `SELECT encode(recipient, 'hex') AS recipient, shown, cause, reason, suppressed_ms, until_ms
       FROM suppressed_addresses
       WHERE (suppressed_ms, recipient) > ($1::bigint, decode($2, 'hex'))
         AND ($3::bytea IS NULL OR recipient = $3)
       ORDER BY suppressed_ms, recipient LIMIT $4`,
      [/^\d{1,15}$/.test(afterMs) ? afterMs : 0, hexOf(afterId), only, limit + 1],
    );
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const nextCursor = last && encodeCursor([last.suppressed_ms, last.recipient]);
    return { data: rows.slice(0, limit).map(suppressionOf), nextCursor: nextCursor ?? null };
  }

  /** Mails go there again. False: it is not on the list. */
  async remove(recipient: Buffer): Promise<boolean> {
    const { rowCount } = await this.#rows.query(
      "DELETE FROM suppressed_addresses WHERE recipient = $1",
      [recipient],
    );
    // The next soft bounce is the first one again.
    await this.#rows.query("DELETE FROM soft_bounces WHERE recipient = $1", [recipient]);
    return rowCount === 1;
  }

  /** Takes away what has no effect any more. */
  async forget(atMs: number): Promise<void> {
    await this.#rows.query("DELETE FROM soft_bounces WHERE bounced_ms < $1", [
      atMs - SOFT_BOUNCE_PERIOD_MS,
    ]);
    await this.#rows.query("DELETE FROM suppressed_addresses WHERE until_ms < $1", [atMs]);
  }

  /** What is worse stays: no such mailbox, then a complaint, then what passes. */
  async #suppress(bounced: Bounced, cause: SuppressionCause, untilMs: number | null) {
    const { recipient, shown, reason, atMs } = bounced;
    await this.#rows.query(
      `INSERT INTO suppressed_addresses AS s
         (recipient, shown, cause, reason, suppressed_ms, until_ms)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (recipient) DO UPDATE
         SET cause = EXCLUDED.cause, reason = EXCLUDED.reason, until_ms = EXCLUDED.until_ms,
           suppressed_ms = EXCLUDED.suppressed_ms
         WHERE s.cause = 'soft' OR (s.cause = 'complaint' AND EXCLUDED.cause = 'hard')`,
      [recipient, shown, cause, withoutAddresses(reason, MAIL_REASON_CHARS_MAX), atMs, untilMs],
    );
  }
}

interface Row {
  readonly recipient: string;
  readonly shown: string;
  readonly cause: SuppressionCause;
  readonly reason: string;
  readonly suppressed_ms: string;
  readonly until_ms: string | null;
}

/** Of a cursor that somebody made up: nothing. */
const hexOf = (text: string): string => (/^(?:[0-9a-f]{2})*$/.test(text) ? text : "");

const suppressionOf = (row: Row): Suppression => ({
  id: Buffer.from(row.recipient, "hex").toString("base64url"),
  address: row.shown,
  cause: row.cause,
  reason: row.reason,
  suppressedAt: new Date(Number(row.suppressed_ms)).toISOString(),
  until: row.until_ms === null ? null : new Date(Number(row.until_ms)).toISOString(),
});
