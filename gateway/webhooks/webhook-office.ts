import type { Organizations } from "../catalogue/organizations.ts";
import type { Config } from "../config.ts";
import type { Route } from "../http/exchange.ts";
import type { Tokens } from "../identity/tokens.ts";
import type { Database } from "../tenancy/database.ts";
import { AddressGuard } from "./address-guard.ts";
import { GuardedPost } from "./guarded-post.ts";
import { webhookRoutes } from "./webhook-routes.ts";
import { Webhooks } from "./webhooks.ts";

export interface WebhookOfficeOptions extends Pick<Config, "notifier"> {
  readonly database: Database;
  readonly organizations: Pick<Organizations, "isMember" | "requireOrganizer">;
  readonly tokens: Tokens;
}

/** Everything about webhooks on the gateway's own thread; who tells them is webhooks-part.ts. */
export class WebhookOffice {
  readonly routes: Route[];
  readonly #post: GuardedPost;

  constructor({ database, organizations, tokens, notifier }: WebhookOfficeOptions) {
    const guard = new AddressGuard({
      allowHttp: notifier.webhookAllowHttp,
      allowAddresses: notifier.webhookAllowAddresses,
    });
    this.#post = new GuardedPost(guard);
    const webhooks = new Webhooks(database);
    this.routes = webhookRoutes({ webhooks, organizations, tokens, guard, post: this.#post });
  }

  stop(): void {
    this.#post.close();
  }
}
