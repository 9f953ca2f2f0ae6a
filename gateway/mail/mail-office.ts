import { systemClock } from "../../workers/clock.ts";
import type { Config } from "../config.ts";
import type { Route } from "../http/exchange.ts";
import type { Tokens } from "../identity/tokens.ts";
import type { Users } from "../identity/users.ts";
import type { Database } from "../tenancy/database.ts";
import { platform } from "../tenancy/scope.ts";
import { BounceDesk } from "./bounce-desk.ts";
import { mailPageRoutes } from "./mail-page-routes.ts";
import { MailPreferences } from "./mail-preferences.ts";
import { mailRoutes } from "./mail-routes.ts";
import { SignedLinks } from "./signed-links.ts";
import { SuppressedAddresses } from "./suppressed-addresses.ts";

export interface MailOfficeOptions extends Pick<Config, "opsToken" | "notifier"> {
  readonly database: Database;
  readonly users: Pick<Users, "find">;
  readonly tokens: Tokens;
  readonly jwtSecret: string;
}

/** What the gateway has to do with mails: their readers' wishes, and what comes back. */
export class MailOffice {
  readonly #options: MailOfficeOptions;

  constructor(options: MailOfficeOptions) {
    this.#options = options;
  }

  get routes(): Route[] {
    const { database, users, tokens, opsToken, notifier, jwtSecret } = this.#options;
    const rows = database.in(
      platform("mail", "readers of mails are addresses, which belong to no organisation"),
    );
    const preferences = new MailPreferences(rows);
    // Pages link to each other; only mails need to know where the API is.
    const links = new SignedLinks({ jwtSecret, apiUrl: "" });
    return [
      ...mailPageRoutes({ links, preferences }),
      ...mailRoutes({
        ...{ users, tokens, opsToken, preferences },
        suppressed: new SuppressedAddresses(rows),
        bounces: new BounceDesk(rows, systemClock),
        bounceSecret: notifier.bounceSecret,
        clock: systemClock,
      }),
    ];
  }
}
