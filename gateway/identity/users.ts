import { randomBytes } from "node:crypto";
import { type UserId, uuidV7 } from "../../engine/ids.ts";
import { ProblemError } from "../http/problem.ts";
import type { Database } from "../tenancy/database.ts";
import { person, platform } from "../tenancy/scope.ts";
import type { Passwords } from "./passwords.ts";

/** An account as its owner sees it. */
export interface User {
  readonly id: UserId;
  readonly email: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly role: "admin" | "customer";
  /** Whether somebody has shown that they read the mail of this address. */
  readonly emailVerified: boolean;
  /** Whether that was who has the account: what is given to the address is theirs. */
  readonly emailOwned: boolean;
  /** RFC 3339 */
  readonly createdAt: string;
}

export interface Registration {
  /** As parseEmail gives it. */
  readonly email: string;
  readonly password: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  /**
   * Who registers: the account has the guest's id, unless that is an account's already. null:
   * nobody who was here before.
   */
  readonly guestId?: UserId | null;
}

/** Somebody who knew the password, and which one it was: it may be changed a moment later. */
export interface SignIn {
  readonly user: User;
  readonly passwordHash: string;
}

export interface UserRow {
  readonly id: UserId;
  readonly email: string;
  readonly password_hash: string;
  readonly first_name: string | null;
  readonly last_name: string | null;
  readonly role: User["role"];
  readonly email_verified_at: Date | null;
  readonly address_owned_at: Date | null;
  readonly created_at: Date;
}

/** In place of a hash, of an account that nobody signs in to before setting a password by mail. */
export const NO_PASSWORD = "";

export const freshUserId = (): UserId => uuidV7(Date.now(), randomBytes(10)) as UserId;

const ADDRESSES = platform(
  "identity",
  "whose an address is has to be known before anybody is signed in with it",
);

/** The accounts in PostgreSQL. */
export class Users {
  readonly #database: Database;
  readonly #passwords: Passwords;

  constructor(database: Database, passwords: Passwords) {
    this.#database = database;
    this.#passwords = passwords;
  }

  /** Throws `email_taken`. */
  async register(registration: Registration): Promise<SignIn> {
    const { email, password, guestId = null } = registration;
    if ((await this.#rowOf(email)) !== null) throw new ProblemError("email_taken");
    const hash = await this.#passwords.hash(password);
    const asGuest = guestId === null ? null : await this.#insert(guestId, hash, registration);
    const row = asGuest ?? (await this.#insert(freshUserId(), hash, registration));
    if (row === null) throw new ProblemError("email_taken");
    return { user: userOf(row), passwordHash: hash };
  }

  /** Throws `invalid_credentials`, after the same work whether or not there is such an account. */
  async signIn(email: string, password: string): Promise<SignIn> {
    const row = await this.#rowOf(email);
    const isRight = await this.#passwords.isRight(password, hashOf(row));
    if (row === null || !isRight) throw new ProblemError("invalid_credentials");
    return { user: userOf(row), passwordHash: row.password_hash };
  }

  async find(id: UserId): Promise<User | null> {
    const { rows } = await this.#database
      .in(person(id))
      .query<UserRow>("SELECT * FROM users WHERE id = $1", [id]);
    const [row] = rows;
    return row === undefined ? null : userOf(row);
  }

  /** `email` as parseEmail gives it. */
  async findByEmail(email: string): Promise<User | null> {
    const row = await this.#rowOf(email);
    return row === null ? null : userOf(row);
  }

  /** Creates the platform administrator, or gives an existing account that role and password. */
  async ensureAdmin(email: string, password: string): Promise<User> {
    const row = await this.#rowOf(email);
    const isSo = row?.role === "admin" && (await this.#passwords.isRight(password, hashOf(row)));
    if (row !== null && isSo) return userOf(row);
    const hash = await this.#passwords.hash(password);
    const { rows } = await this.#database.in(ADDRESSES).query<UserRow>(
      `INSERT INTO users (id, email, password_hash, role, email_verified_at, address_owned_at)
       VALUES ($1, $2, $3, 'admin', now(), now())
       ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, role = 'admin',
         email_verified_at = now(), address_owned_at = now() RETURNING *`,
      [freshUserId(), email, hash],
    );
    const [admin] = rows;
    if (admin === undefined) throw new Error("an upsert returned no row");
    // Whoever signed in with what was the password before is signed in no more.
    await this.#database
      .in(ADDRESSES)
      .query("DELETE FROM refresh_families WHERE user_id = $1", [admin.id]);
    return userOf(admin);
  }

  /** null: the id or the address is somebody's. */
  async #insert(id: UserId, hash: string, given: Registration): Promise<UserRow | null> {
    const { email, firstName, lastName } = given;
    const { rows } = await this.#database.in(ADDRESSES).query<UserRow>(
      `INSERT INTO users (id, email, password_hash, first_name, last_name, role)
       VALUES ($1, $2, $3, $4, $5, 'customer') ON CONFLICT DO NOTHING RETURNING *`,
      [id, email, hash, firstName, lastName],
    );
    return rows[0] ?? null;
  }

  async #rowOf(email: string): Promise<UserRow | null> {
    const text = "SELECT * FROM users WHERE email = $1";
    const { rows } = await this.#database.in(ADDRESSES).query<UserRow>(text, [email]);
    return rows[0] ?? null;
  }
}

function hashOf(row: UserRow | null): string | null {
  return row === null || row.password_hash === NO_PASSWORD ? null : row.password_hash;
}

export function userOf(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    firstName: row.first_name,
    lastName: row.last_name,
    role: row.role,
    emailVerified: row.email_verified_at !== null,
    emailOwned: row.address_owned_at !== null,
    createdAt: row.created_at.toISOString(),
  };
}
