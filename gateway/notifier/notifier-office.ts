import type { EventId } from "../../engine/ids.ts";
import { systemClock } from "../../workers/clock.ts";
import type { BookingAccess } from "../booking/booking-access.ts";
import { CampaignOffice } from "../campaigns/campaign-office.ts";
import type { Organizations } from "../catalogue/organizations.ts";
import { type Config, jwtSecretOf } from "../config.ts";
import type { Route } from "../http/exchange.ts";
import type { Tokens } from "../identity/tokens.ts";
import type { Users } from "../identity/users.ts";
import type { Log } from "../log.ts";
import { MailOffice } from "../mail/mail-office.ts";
import { mailTemplateRoutes } from "../mail/templates/mail-template-routes.ts";
import { MailTemplates } from "../mail/templates/mail-templates.ts";
import { PushOffice } from "../push/push-office.ts";
import type { ShardRouter } from "../shard-router.ts";
import type { Database } from "../tenancy/database.ts";
import { WebhookOffice } from "../webhooks/webhook-office.ts";
import { laneRoutes } from "./lane-routes.ts";
import { NotifierLink } from "./notifier-link.ts";
import type { NotifierFigures } from "./notifier-messages.ts";

export interface NotifierOfficeOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  /** Where this node listens. */
  readonly url: string;
  readonly database: Database;
  readonly organizations: Organizations;
  readonly users: Users;
  readonly access: BookingAccess;
  readonly router: Pick<ShardRouter, "shardOf" | "whenTold">;
  readonly tokens: Tokens;
  readonly log: Log;
}

/** What happens after a sale, as the gateway's thread has to do with it, put together. */
export class NotifierOffice {
  readonly routes: readonly Route[];
  readonly #link: NotifierLink | null;
  readonly #webhooks: WebhookOffice;
  readonly #campaigns: CampaignOffice;

  constructor({ config, databaseUrl, url, access, router, ...ports }: NotifierOfficeOptions) {
    const { notifier, opsToken, publicUrl } = config;
    const { database, tokens, organizations, log } = ports;
    const apiUrl = (notifier.apiUrl ?? url).replace(/\/+$/, "");
    const jwtSecret = jwtSecretOf(config);
    const data = { config, databaseUrl, jwtSecret, apiUrl };
    const whenTold = (eventId: EventId) => router.whenTold(router.shardOf(eventId));
    const link = { clock: systemClock, log, whenTold };
    this.#link = notifier.isOn ? new NotifierLink(data, link) : null;
    this.#webhooks = new WebhookOffice({ ...ports, notifier });
    this.#campaigns = new CampaignOffice({ ...ports, jwtSecret });
    const templates = new MailTemplates(database);
    this.routes = [
      ...new MailOffice({ ...ports, notifier, opsToken, jwtSecret }).routes,
      ...mailTemplateRoutes({ templates, organizations, access, tokens, publicUrl }),
      ...this.#campaigns.routes,
      ...this.#webhooks.routes,
      ...new PushOffice({ ...ports, config }).routes,
      ...laneRoutes({ notifier: this.#link, tokens, opsToken }),
    ];
  }

  /** null: it has said nothing yet, or there is none. */
  get figures(): NotifierFigures | null {
    return this.#link?.figures ?? null;
  }

  start(): void {
    this.#campaigns.start();
    this.#link?.start();
  }

  /** Lets what is under way end, within bounds, and writes down what was counted. */
  async stop(): Promise<void> {
    await this.#link?.stop();
    this.#webhooks.stop();
    await this.#campaigns.stop();
  }
}
