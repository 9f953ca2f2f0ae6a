import type { Clock } from "../../workers/clock.ts";
import type { Route } from "../http/exchange.ts";
import type { Log } from "../log.ts";
import type { MailRequestsPort } from "../notifier/mail-requests.ts";
import type { Database } from "../tenancy/database.ts";
import { Accounts } from "./accounts.ts";
import type { AttemptLimits } from "./attempt-limits.ts";
import type { Belongings } from "./belongings-port.ts";
import { Credentials } from "./credentials.ts";
import { Heirs } from "./heirs.ts";
import { identityRoutes } from "./identity-routes.ts";
import { mailRoutes } from "./mail-routes.ts";
import { MailedTokens } from "./mailed-tokens.ts";
import { meRoutes } from "./me-routes.ts";
import { Passwords } from "./passwords.ts";
import { Sessions } from "./sessions.ts";
import { TokenSweep } from "./token-sweep.ts";
import { Tokens } from "./tokens.ts";
import { type User, Users } from "./users.ts";

export interface IdentityOfficeOptions {
  readonly database: Database;
  readonly jwtSecret: string;
  readonly mailRequests: MailRequestsPort;
  /** How often somebody may try. */
  readonly attempts: AttemptLimits;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/** Everything that knows who people are, put together. */
export class IdentityOffice {
  readonly tokens: Tokens;
  readonly users: Users;
  readonly heirs: Heirs;
  readonly #options: IdentityOfficeOptions;
  readonly #passwords = new Passwords();
  readonly #sweep: TokenSweep;

  constructor(options: IdentityOfficeOptions) {
    this.#options = options;
    this.tokens = new Tokens(options.jwtSecret);
    this.users = new Users(options.database, this.#passwords);
    this.heirs = new Heirs(options.database);
    this.#sweep = new TokenSweep(options);
  }

  /**
   * Who has come to own an address, or signs in, does so whatever becomes of what waits for them:
   * what can't be handed over now is handed over at their next sign-in.
   */
  async inherit(user: User, belongings: Belongings): Promise<void> {
    try {
      await this.heirs.settle(user, belongings);
    } catch (error) {
      this.#warn(error, "what an address was given was not handed over");
    }
  }

  routes(belongings: Belongings): Route[] {
    const { tokens, users, heirs } = this;
    const { database, mailRequests, log, attempts } = this.#options;
    const mailedTokens = new MailedTokens(database, mailRequests);
    const inherit = (user: User): Promise<void> => this.inherit(user, belongings);
    const common = { users, tokens, limits: attempts, inherit };
    const credentials = new Credentials({
      database,
      passwords: this.#passwords,
      mailedTokens,
      tokens,
    });
    return [
      ...identityRoutes({
        ...common,
        belongings,
        sessions: new Sessions(database, tokens),
        // The account is there, whatever becomes of its mail: another one can be asked for.
        sendVerification: (user) =>
          mailedTokens.mail(user, "verify_email").catch((error: unknown) => {
            this.#warn(error, "a new account was sent no mail");
          }),
      }),
      ...mailRoutes({ ...common, mailedTokens, credentials, log }),
      ...meRoutes({ ...common, credentials, belongings, heirs, accounts: new Accounts(database) }),
    ];
  }

  get hashesWaiting(): number {
    return this.#passwords.waitingCount;
  }

  start(): void {
    this.#sweep.start();
    this.#passwords.prepare().catch((error: unknown) => {
      this.#warn(error, "the password threads did not start");
    });
  }

  #warn(error: unknown, message: string): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.warn({ reason }, message);
  }

  async stop(): Promise<void> {
    await this.#sweep.stop();
    await this.#passwords.close();
  }
}
