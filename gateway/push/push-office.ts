import type { Config } from "../config.ts";
import type { Route } from "../http/exchange.ts";
import type { Tokens } from "../identity/tokens.ts";
import type { Database } from "../tenancy/database.ts";
import { AddressGuard } from "../webhooks/address-guard.ts";
import { pushRoutes } from "./push-routes.ts";
import { PushSubscriptions } from "./push-subscriptions.ts";
import { vapidKeysOf } from "./vapid-keys.ts";

export interface PushOfficeOptions {
  readonly config: Config;
  readonly database: Database;
  readonly tokens: Tokens;
}

/** What of web push is on the gateway's own thread; who tells people is push-part.ts. */
export class PushOffice {
  readonly routes: readonly Route[];

  constructor({ config, database, tokens }: PushOfficeOptions) {
    const { notifier } = config;
    const guard = new AddressGuard({
      allowHttp: notifier.webhookAllowHttp,
      allowAddresses: notifier.webhookAllowAddresses,
    });
    const { publicKey } = vapidKeysOf(config);
    const subscriptions = new PushSubscriptions(database);
    this.routes = pushRoutes({ subscriptions, tokens, guard, publicKey });
  }
}
