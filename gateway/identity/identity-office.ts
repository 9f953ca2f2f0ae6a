import type { Pool } from "pg";
import type { Route } from "../http/exchange.ts";
import { identityRoutes } from "./identity-routes.ts";
import { Passwords } from "./passwords.ts";
import { Sessions } from "./sessions.ts";
import { Tokens } from "./tokens.ts";
import { Users } from "./users.ts";

export interface IdentityOfficeOptions {
  readonly pool: Pool;
  readonly jwtSecret: string;
}

/** Everything that knows who people are, put together. */
export class IdentityOffice {
  readonly tokens: Tokens;
  readonly users: Users;
  readonly #sessions: Sessions;
  readonly #passwords = new Passwords();

  constructor({ pool, jwtSecret }: IdentityOfficeOptions) {
    this.tokens = new Tokens(jwtSecret);
    this.users = new Users(pool, this.#passwords);
    this.#sessions = new Sessions(pool, this.tokens);
  }

  routes(): Route[] {
    return identityRoutes({ users: this.users, tokens: this.tokens, sessions: this.#sessions });
  }

  async stop(): Promise<void> {
    await this.#passwords.close();
  }
}
