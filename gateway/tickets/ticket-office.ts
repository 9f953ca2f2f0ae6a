import { systemClock } from "../../workers/clock.ts";
import type { BookingAccess } from "../booking/booking-access.ts";
import type { Organizations } from "../catalogue/organizations.ts";
import type { Config } from "../config.ts";
import type { Route } from "../http/exchange.ts";
import type { Tokens } from "../identity/tokens.ts";
import type { Database } from "../tenancy/database.ts";
import { ticketKeyRoutes } from "./ticket-key-routes.ts";
import { TicketKeys } from "./ticket-keys.ts";
import { TicketPress } from "./ticket-press.ts";
import { ticketRoutes } from "./ticket-routes.ts";

export interface TicketOfficeOptions extends Pick<Config, "opsToken" | "ticketFonts"> {
  readonly database: Database;
  readonly organizations: Pick<Organizations, "find">;
  readonly tokens: Tokens;
}

/** Everything about printed tickets on one node, put together. */
export class TicketOffice {
  readonly keys: TicketKeys;
  readonly #press: TicketPress;
  readonly #options: TicketOfficeOptions;

  constructor(options: TicketOfficeOptions) {
    this.keys = new TicketKeys(options.database, systemClock);
    this.#press = new TicketPress(options.ticketFonts);
    this.#options = options;
  }

  routes(access: BookingAccess): Route[] {
    const { organizations, tokens, opsToken } = this.#options;
    return [
      ...ticketRoutes({ access, organizations, keys: this.keys, press: this.#press }),
      ...ticketKeyRoutes({ keys: this.keys, tokens, opsToken }),
    ];
  }

  stop(): Promise<void> {
    return this.#press.close();
  }
}
