import type { CommandKey } from "../../engine/facts.ts";
import type { EventId } from "../../engine/ids.ts";
import { ProblemError } from "../http/problem.ts";
import { PROBLEMS } from "../http/problem-codes.ts";
import type { Identity } from "../identity/tokens.ts";
import type { Scoped, ScopedRows } from "../tenancy/database.ts";
import { asker } from "../tenancy/scope.ts";

/** What was answered. */
export interface Outcome {
  readonly status: number;
  readonly body: string;
}

/** One request under its key. */
export interface Keyed {
  readonly identity: Identity;
  readonly eventId: EventId;
  readonly key: CommandKey;
}

interface ClaimRow {
  readonly fingerprint: string;
  readonly tries: number;
  readonly status: number | null;
  readonly body: string | null;
}
interface KeptRow extends Outcome {
  readonly first: number;
}

const CLAIM = `
  INSERT INTO kept_outcomes AS kept (user_id, event_id, digest, fingerprint)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (user_id, event_id, digest) DO UPDATE
    SET tries = kept.tries + (kept.first IS NULL AND kept.fingerprint = $4)::integer
  RETURNING fingerprint, tries, status, body`;
const KEEP = `
  UPDATE kept_outcomes SET first = COALESCE(first, $4), status = COALESCE(status, $5),
    body = COALESCE(body, $6), at = CASE WHEN first IS NULL THEN now() ELSE at END
  WHERE user_id = $1 AND event_id = $2 AND digest = $3
  RETURNING first, status, body`;
const RELEASE = `
  DELETE FROM kept_outcomes
  WHERE user_id = $1 AND event_id = $2 AND digest = $3 AND first IS NULL AND tries = 1`;

/**
 * The first outcomes of what may be repeated without harm, but is told by one answer under a key.
 *
 * Invariants:
 * - A key is claimed before anything is done under it: of two requests that differ, one is refused
 *   before it has begun.
 * - A claim whose end nobody knows (a crash, `busy`, `timeout`) stays. The same request is carried
 *   out once more then, and what comes of that is the outcome.
 * - What was refused, or found nothing to change, leaves no claim behind, unless another try of the
 *   same request has joined it.
 * - Of tries at once, one has the outcome, and all others are answered with it.
 */
export class KeptOutcomes {
  readonly #database: ScopedRows;

  constructor(database: ScopedRows) {
    this.#database = database;
  }

  /**
   * `run` says whether it has changed something, and throws what refuses it. Throws
   * idempotency_key_reused, and `timeout` when a change was made but could not be kept.
   */
  async once(
    { identity, eventId, key }: Keyed,
    run: () => Promise<Outcome & { readonly isChange: boolean }>,
  ): Promise<Outcome & { readonly isReplay: boolean }> {
    const rows = this.#database.in(asker(identity));
    const named = [identity.userId, eventId, key.digest];
    const { rows: claims } = await rows.query<ClaimRow>(CLAIM, [...named, key.fingerprint]);
    const [claim] = claims;
    if (claim === undefined) throw new Error("an upsert returned no row");
    if (claim.fingerprint !== key.fingerprint) throw new ProblemError("idempotency_key_reused");
    const { tries, status, body } = claim;
    if (status !== null && body !== null) return { status, body, isReplay: true };
    const isFirst = tries === 1;
    try {
      const outcome = await run();
      if (!outcome.isChange && isFirst) {
        await rows.query(RELEASE, named);
        return { ...outcome, isReplay: false };
      }
      return await keep(rows, [...named, tries], outcome);
    } catch (error) {
      if (isFirst && isRefusal(error)) await rows.query(RELEASE, named);
      throw error;
    }
  }
}

async function keep(
  rows: Scoped,
  named: readonly unknown[],
  { status, body }: Outcome,
): Promise<Outcome & { readonly isReplay: boolean }> {
  try {
    const { rows: found } = await rows.query<KeptRow>(KEEP, [...named, status, body]);
    const [kept] = found;
    // Its account is gone meanwhile, and nobody will ask again.
    if (kept === undefined) return { status, body, isReplay: false };
    return { status: kept.status, body: kept.body, isReplay: kept.first !== named.at(-1) };
  } catch (cause) {
    // `busy` would say that nothing was changed.
    throw new ProblemError("timeout", {}, { cause });
  }
}

/** Whether this is the last word, and nothing was changed. */
function isRefusal(error: unknown): boolean {
  return error instanceof ProblemError && PROBLEMS[error.code][0] < 500;
}
