import type { UserId } from "../../engine/ids.ts";
import { RESET_TOKEN_SECONDS, VERIFY_TOKEN_SECONDS } from "../../engine/limits.ts";
import type { MailRequestsPort, RequestedMail } from "../notifier/mail-requests.ts";
import type { Database, Queries } from "../tenancy/database.ts";
import { person, platform } from "../tenancy/scope.ts";
import { digestOf, freshOpaqueToken } from "./opaque-token.ts";
import type { User } from "./users.ts";

export type MailedPurpose = "verify_email" | "reset_password";

/** Of what is done by who shows such a token, too. */
export const MAILED_TOKENS = platform("identity", "a mailed token is all that says whose it is");

const SECONDS: Readonly<Record<MailedPurpose, number>> = {
  verify_email: VERIFY_TOKEN_SECONDS,
  reset_password: RESET_TOKEN_SECONDS,
};
/** Which mail has the token, and what its page is called in the shop. */
const MAILS: Readonly<Record<MailedPurpose, Pick<RequestedMail, "kind" | "page">>> = {
  verify_email: { kind: "verification", page: "verify-email" },
  reset_password: { kind: "reset", page: "reset-password" },
};

/**
 * Tokens that are mailed to an account's address.
 *
 * Invariants: a token does one thing, for one account, once, until it expires; the database has no
 * token, only what it is recognised by, and, until it is mailed, the sealed mail.
 */
export class MailedTokens {
  readonly #database: Database;

  readonly #requests: MailRequestsPort;
  readonly #now: () => number;

  /** `now` gives Unix ms. */
  constructor(database: Database, requests: MailRequestsPort, now: () => number = Date.now) {
    this.#database = database;
    this.#requests = requests;
    this.#now = now;
  }

  /** A token that is good from now on, and its mail, or neither. */
  async mail({ id, email: to }: Pick<User, "id" | "email">, purpose: MailedPurpose): Promise<void> {
    const token = freshOpaqueToken();
    const digest = digestOf(token);
    const seconds = SECONDS[purpose];
    const untilMs = this.#now() + seconds * 1_000;
    await this.#database.in(person(id)).transaction(async (within) => {
      await within.query(
        `INSERT INTO mailed_tokens (digest, user_id, purpose, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(secs => $4))`,
        [digest, id, purpose, seconds],
      );
      const mail = { ...MAILS[purpose], to, token, words: {}, untilMs };
      await this.#requests.post(within, mail, digest);
    });
  }

  /** Whether the token would be taken now. */
  async isGood(token: string, purpose: MailedPurpose): Promise<boolean> {
    const { rows } = await this.#database
      .in(MAILED_TOKENS)
      .query(
        "SELECT FROM mailed_tokens WHERE digest = $1 AND purpose = $2 AND expires_at > now()",
        [digestOf(token), purpose],
      );
    return rows.length > 0;
  }

  /**
   * Takes the token, and with it all others of its account and purpose, in the transaction of what
   * it lets be done; null: it is not good.
   */
  async take(token: string, purpose: MailedPurpose, client: Queries): Promise<UserId | null> {
    const { rows } = await client.query<{ user_id: UserId }>(
      `DELETE FROM mailed_tokens WHERE digest = $1 AND purpose = $2 AND expires_at > now()
       RETURNING user_id`,
      [digestOf(token), purpose],
    );
    const [row] = rows;
    if (row === undefined) return null;
    await client.query("DELETE FROM mailed_tokens WHERE user_id = $1 AND purpose = $2", [
      row.user_id,
      purpose,
    ]);
    return row.user_id;
  }
}
