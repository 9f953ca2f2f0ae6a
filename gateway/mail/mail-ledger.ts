import { MAIL_STATEMENT_ROWS_MAX, MAIL_SWEEP_ROWS_MAX } from "../../engine/notifier-limits.ts";
import type { Queries } from "../tenancy/database.ts";
import { Gathering } from "./gathering.ts";
import type { MailKind } from "./mail-order.ts";
import { ALL_ORGANIZATIONS } from "./optional-kinds.ts";
import type { SuppressionCause } from "./suppressed-addresses.ts";

/**
 * What became of each mail, by its key (table `mails`):
 *
 *   waiting ────► handing_over ────► sent
 *      ▲              │  │  └──────► in_doubt   nothing more was heard of whoever began it
 *      └──────────────┘  └─────────► dead       the server refused it, or the last try failed
 *
 * A mail that fails before it is handed over stays waiting, or is dead or suppressed at once; these
 * two may be begun again, if somebody asks.
 *
 * Invariants:
 * - Of all who try at a time, one makes a row handing_over, and is told so when that is durable.
 *   Nobody else lets the mail go.
 * - What is handing_over, sent or in_doubt is begun by nobody. How it ends is said by whoever began
 *   it, under the claim that they left there.
 */
export class MailLedger {
  readonly #rows: Queries;
  readonly #looks: Gathering<Look, Standing>;
  readonly #handovers: Gathering<Handing, boolean>;
  readonly #outcomes: Gathering<ClaimedOutcome, null>;
  readonly #notes: Gathering<NotedOutcome, null>;

  constructor(rows: Queries) {
    this.#rows = rows;
    const rowsMax = MAIL_STATEMENT_ROWS_MAX;
    this.#looks = new Gathering(rowsMax, (entries) => this.#look(entries));
    this.#handovers = new Gathering(rowsMax, (entries) => this.#handOver(entries));
    this.#outcomes = new Gathering(rowsMax, (entries) => this.#settle(entries));
    this.#notes = new Gathering(rowsMax, (entries) => this.#note(entries));
  }

  /** What is known of a mail, and of whoever is to read it. */
  look(mail: LedgerMail, atMs: number): Promise<Standing> {
    return this.#looks.ask({ ...mail, atMs });
  }

  /** True: it is handing_over under this claim, durably. False: it is somebody else's. */
  handOver(mail: LedgerMail, claim: string, atMs: number): Promise<boolean> {
    return this.#handovers.ask({ ...mail, claim, atMs });
  }

  /** How a handing over ended. Without effect where the claim is another's by now. */
  async settle(mail: LedgerMail, claim: string, outcome: Outcome): Promise<void> {
    await this.#outcomes.ask({ key: mail.key, claim, ...outcome });
  }

  /** What became of a mail that was not handed over. Without effect where it was, by another. */
  async note(mail: LedgerMail, outcome: Outcome): Promise<void> {
    await this.#notes.ask({ ...mail, ...outcome });
  }

  /** Those that a process left behind while it handed them over. */
  async handedOverBy(run: string): Promise<readonly Claimed[]> {
    const { rows } = await this.#rows.query<Claimed>(
      `SELECT key, claim FROM mails
       WHERE state = 'handing_over' AND starts_with(claim, $1)`,
      [`${run}.`],
    );
    return rows;
  }

  /** What is known to have never gone may be tried again, and all else of these is in doubt. */
  async resolve(abandoned: readonly (Claimed & Verdict)[], atMs: number): Promise<void> {
    await this.#rows.query(
      `UPDATE mails AS m SET state = q.state, changed_ms = $2
       FROM json_to_recordset($1) AS q(key text, claim text, state text)
       WHERE m.key = q.key AND m.claim = q.claim AND m.state = 'handing_over'`,
      [JSON.stringify(abandoned), atMs],
    );
  }

  /** Whoever handed these over is gone, and nobody knows how it ended. How many are in doubt. */
  async doubt(beforeMs: number, atMs: number): Promise<number> {
    await this.#rows.query(
      `UPDATE mails SET state = 'in_doubt', changed_ms = $2
       WHERE state = 'handing_over' AND changed_ms < $1`,
      [beforeMs, atMs],
    );
    const { rows } = await this.#rows.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM mails WHERE state = 'in_doubt'",
    );
    return rows[0]?.count ?? 0;
  }

  /** Forgets mails that were begun before. Returns whether there may be more of them. */
  async forget(beforeMs: number): Promise<boolean> {
    const { rowCount } = await this.#rows.query(
      `DELETE FROM mails WHERE key IN (
         SELECT key FROM mails WHERE begun_ms < $1 ORDER BY begun_ms LIMIT $2)`,
      [beforeMs, MAIL_SWEEP_ROWS_MAX],
    );
    return rowCount === MAIL_SWEEP_ROWS_MAX;
  }

  /** How many went to each domain since then. */
  async sentByDomain(sinceMs: number): Promise<readonly { domain: string; count: number }[]> {
    const { rows } = await this.#rows.query<{ domain: string; count: number }>(
      `SELECT domain, count(*)::int AS count FROM mails
       WHERE begun_ms >= $1 AND state IN ('sent', 'handing_over', 'in_doubt') GROUP BY domain`,
      [sinceMs],
    );
    return rows;
  }

  // None of these has a name: each is planned as large as the table is by then, since a plan that
  // was kept from when it was empty would read all of it.

  async #look(entries: readonly Look[]): Promise<readonly Standing[]> {
    const { rows } = await this.#rows.query<StandingRow>(
      `SELECT m.state, m.tries, m.begun_ms, m.changed_ms, m.not_before_ms, s.cause,
         EXISTS (SELECT FROM mail_refusals r
           WHERE r.recipient = q.digest AND r.kind = q.kind
             AND r.organization_id IN ('${ALL_ORGANIZATIONS}', q.organization)) AS refused
       FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bigint[]) WITH ORDINALITY
         AS given(key, kind, recipient, organization, at_ms, n),
         LATERAL (SELECT given.*, decode(given.recipient, 'hex') AS digest) AS q
       LEFT JOIN mails m ON m.key = q.key
       LEFT JOIN suppressed_addresses s
         ON s.recipient = q.digest AND (s.until_ms IS NULL OR s.until_ms > q.at_ms)
       ORDER BY q.n`,
      [
        entries.map(({ key }) => key),
        entries.map(({ kind }) => kind),
        entries.map(({ recipient }) => recipient),
        entries.map(({ organizationId }) => organizationId),
        entries.map(({ atMs }) => atMs),
      ],
    );
    return rows.map(standingOf);
  }

  async #handOver(entries: readonly Handing[]): Promise<readonly boolean[]> {
    const { rows } = await this.#rows.query<{ key: string }>(
      `INSERT INTO mails AS m (key, kind, organization_id, recipient, domain, message_id, state,
         tries, claim, begun_ms, changed_ms, not_before_ms)
       SELECT key, kind, "organizationId", decode(recipient, 'hex'), domain, "messageId",
         'handing_over', 0, claim, "atMs", "atMs", 0
       FROM json_to_recordset($1) AS q(${MAIL_COLUMNS}, claim text, "atMs" bigint)
       ORDER BY key
       ON CONFLICT (key) DO UPDATE
         SET state = 'handing_over', claim = EXCLUDED.claim, changed_ms = EXCLUDED.changed_ms
         WHERE m.state IN ('waiting', 'suppressed', 'dead')
       RETURNING key`,
      [JSON.stringify(entries)],
    );
    const taken = new Set(rows.map(({ key }) => key));
    return entries.map(({ key }) => taken.has(key));
  }

  async #settle(entries: readonly ClaimedOutcome[]): Promise<readonly null[]> {
    await this.#rows.query(
      `UPDATE mails AS m SET state = q.state, tries = q.tries, transport = q.transport,
         reason = q.reason, changed_ms = q."atMs", not_before_ms = q."notBeforeMs"
       FROM json_to_recordset($1) AS q(key text, claim text, ${OUTCOME_COLUMNS})
       WHERE m.key = q.key AND m.claim = q.claim AND m.state IN ('handing_over', 'in_doubt')`,
      [JSON.stringify(entries)],
    );
    return entries.map(() => null);
  }

  async #note(entries: readonly NotedOutcome[]): Promise<readonly null[]> {
    await this.#rows.query(
      `INSERT INTO mails AS m (key, kind, organization_id, recipient, domain, message_id, state,
         tries, transport, reason, begun_ms, changed_ms, not_before_ms)
       SELECT key, kind, "organizationId", decode(recipient, 'hex'), domain, "messageId", state,
         tries, transport, reason, "atMs", "atMs", "notBeforeMs"
       FROM json_to_recordset($1) AS q(${MAIL_COLUMNS}, ${OUTCOME_COLUMNS})
       ORDER BY key
       ON CONFLICT (key) DO UPDATE
         SET state = EXCLUDED.state, tries = EXCLUDED.tries, transport = EXCLUDED.transport,
           reason = EXCLUDED.reason, changed_ms = EXCLUDED.changed_ms,
           not_before_ms = EXCLUDED.not_before_ms
         WHERE m.state IN ('waiting', 'suppressed', 'dead')`,
      [JSON.stringify(entries)],
    );
    return entries.map(() => null);
  }
}

const MAIL_COLUMNS = `key text, kind text, "organizationId" uuid, recipient text, domain text,
  "messageId" text`;
const OUTCOME_COLUMNS = `state text, tries int, transport text, reason text, "atMs" bigint,
  "notBeforeMs" bigint`;

export type MailState = "waiting" | "handing_over" | "sent" | "in_doubt" | "suppressed" | "dead";

/** What the ledger has of an order. */
export interface LedgerMail {
  readonly key: string;
  readonly kind: MailKind;
  readonly organizationId: string | null;
  /** The address's digest in hex. */
  readonly recipient: string;
  readonly domain: string;
  /** Without the <>. */
  readonly messageId: string;
}

export interface Standing {
  /** null: nobody has begun it. */
  readonly state: MailState | null;
  readonly tries: number;
  /** Unix ms; 0 where there is no row. */
  readonly begunMs: number;
  readonly changedMs: number;
  readonly notBeforeMs: number;
  /** Its reader does not want this kind, from this organisation or from any. */
  readonly isRefused: boolean;
  /** Why nothing is sent to the address for now; null: it is. */
  readonly suppression: SuppressionCause | null;
}

export interface Outcome {
  readonly state: "sent" | "waiting" | "dead" | "suppressed";
  readonly tries: number;
  readonly transport: string | null;
  readonly reason: string | null;
  readonly atMs: number;
  readonly notBeforeMs: number;
}

export interface Claimed {
  readonly key: string;
  readonly claim: string;
}
interface Verdict {
  readonly state: "waiting" | "in_doubt";
}
interface Look extends LedgerMail {
  readonly atMs: number;
}
interface Handing extends Look {
  readonly claim: string;
}
interface ClaimedOutcome extends Claimed, Outcome {}
interface NotedOutcome extends LedgerMail, Outcome {}

interface StandingRow {
  readonly state: MailState | null;
  readonly tries: number | null;
  readonly begun_ms: string | null;
  readonly changed_ms: string | null;
  readonly not_before_ms: string | null;
  readonly refused: boolean;
  readonly cause: SuppressionCause | null;
}

const standingOf = (row: StandingRow): Standing => ({
  state: row.state,
  tries: row.tries ?? 0,
  begunMs: Number(row.begun_ms ?? 0),
  changedMs: Number(row.changed_ms ?? 0),
  notBeforeMs: Number(row.not_before_ms ?? 0),
  isRefused: row.refused,
  suppression: row.cause,
});
