/** A second state of a test's database, to which PostgreSQL "fails over" under the same address. */
import { Client } from "pg";

/**
 * A copy of a database. Whoever is connected is cut off while it is made, and when `swap` puts the
 * one in the other's place.
 */
export class Standby {
  readonly #name: string;
  readonly #admin: Client;

  private constructor(name: string, admin: Client) {
    this.#name = name;
    this.#admin = admin;
  }

  static async copyOf(databaseUrl: string): Promise<Standby> {
    const url = new URL(databaseUrl);
    const name = url.pathname.slice(1);
    url.pathname = "/postgres";
    const admin = new Client({ connectionString: url.href });
    await admin.connect();
    const standby = new Standby(name, admin);
    await standby.#shut();
    await admin.query(`CREATE DATABASE ${name}_standby TEMPLATE ${name}`);
    await standby.#open();
    return standby;
  }

  async swap(): Promise<void> {
    await this.#shut();
    await this.#rename(this.#name, `${this.#name}_aside`);
    await this.#rename(`${this.#name}_standby`, this.#name);
    await this.#rename(`${this.#name}_aside`, `${this.#name}_standby`);
    await this.#open();
  }

  async drop(): Promise<void> {
    await this.#admin.query(`DROP DATABASE IF EXISTS ${this.#name}_standby WITH (FORCE)`);
    await this.#admin.end();
  }

  async #shut(): Promise<void> {
    await this.#admin.query(`ALTER DATABASE ${this.#name} ALLOW_CONNECTIONS false`);
    await this.#admin.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1",
      [this.#name],
    );
  }

  #open(): Promise<unknown> {
    return this.#admin.query(`ALTER DATABASE ${this.#name} ALLOW_CONNECTIONS true`);
  }

  #rename(from: string, to: string): Promise<unknown> {
    return this.#admin.query(`ALTER DATABASE ${from} RENAME TO ${to}`);
  }
}
