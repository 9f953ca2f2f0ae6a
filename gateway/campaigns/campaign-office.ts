import { systemClock } from "../../workers/clock.ts";
import type { Organizations } from "../catalogue/organizations.ts";
import type { Route } from "../http/exchange.ts";
import type { Tokens } from "../identity/tokens.ts";
import type { Log } from "../log.ts";
import type { Database } from "../tenancy/database.ts";
import { CampaignPreviews } from "./campaign-preview.ts";
import { campaignRoutes } from "./campaign-routes.ts";
import { StatisticsReader } from "./campaign-statistics.ts";
import { Campaigns } from "./campaigns.ts";
import { TrackedCounts } from "./tracked-counts.ts";
import { TrackingObjections } from "./tracking-objections.ts";
import { trackingRoutes } from "./tracking-routes.ts";
import { TrackingTokens } from "./tracking-token.ts";

export interface CampaignOfficeOptions {
  readonly database: Database;
  readonly organizations: Organizations;
  readonly tokens: Tokens;
  readonly jwtSecret: string;
  readonly log: Pick<Log, "warn">;
}

/** Everything about campaigns on the gateway's thread: the notifier's part is in sending/. */
export class CampaignOffice {
  readonly counts: TrackedCounts;
  readonly routes: readonly Route[];

  constructor({ database, organizations, tokens, jwtSecret, log }: CampaignOfficeOptions) {
    this.counts = new TrackedCounts({ database, clock: systemClock, log });
    this.routes = [
      ...campaignRoutes({
        campaigns: new Campaigns(database),
        previews: new CampaignPreviews(database),
        statistics: new StatisticsReader(database),
        organizations,
        tokens,
      }),
      ...trackingRoutes({
        tokens: new TrackingTokens(jwtSecret),
        counts: this.counts,
        objections: new TrackingObjections(database),
      }),
    ];
  }

  start(): void {
    this.counts.start();
  }

  /** Writes what has been counted. */
  stop(): Promise<void> {
    return this.counts.stop();
  }
}
