import type { UserId } from "../../engine/ids.ts";
import type { Database } from "../tenancy/database.ts";
import { platform } from "../tenancy/scope.ts";
import type { Belongings } from "./belongings-port.ts";
import { freshUserId, type User } from "./users.ts";

const ADDRESSES = platform(
  "identity",
  "who is given something by address need not have an account, nor be signed in",
);

/**
 * Who has what is given to an address: the account that owns it, or, until there is one, an heir,
 * an id that leads to nobody.
 *
 * Invariants:
 * - An address has at most one heir, and the id is no account's, nor will be one's.
 * - What an heir has is handed over to the account that owns the address, at each of its sign-ins
 *   and at the moment at which it comes to own it. Who was given something meanwhile loses nothing.
 */
export class Heirs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The id to which something for this address is handed over now; as parseEmail gives it. */
  async userIdOf(email: string): Promise<UserId> {
    const { rows: owners } = await this.#database
      .in(ADDRESSES)
      .query<{ id: UserId }>(
        "SELECT id FROM users WHERE email = $1 AND address_owned_at IS NOT NULL",
        [email],
      );
    const [owner] = owners;
    return owner === undefined ? this.#heirOf(email) : owner.id;
  }

  /** null: the address has been given nothing before it was owned. */
  async find(email: string): Promise<UserId | null> {
    const { rows } = await this.#database
      .in(ADDRESSES)
      .query<{ user_id: UserId }>("SELECT user_id FROM heirs WHERE email = $1", [email]);
    return rows[0]?.user_id ?? null;
  }

  /** Hands over what waits for the account; may be repeated. Throws `busy`. */
  async settle({ id, email, emailOwned }: User, belongings: Belongings): Promise<void> {
    const heirId = emailOwned ? await this.find(email) : null;
    if (heirId !== null) await belongings.handOver(heirId, { id, email });
  }

  async #heirOf(email: string): Promise<UserId> {
    const { rows } = await this.#database.in(ADDRESSES).query<{ user_id: UserId }>(
      `INSERT INTO heirs AS known (email, user_id) VALUES ($1, $2)
       ON CONFLICT (email) DO UPDATE SET user_id = known.user_id RETURNING user_id`,
      [email, freshUserId()],
    );
    const [row] = rows;
    if (row === undefined) throw new Error("an upsert returned no row");
    return row.user_id;
  }
}
