import { CAMPAIGN_TICK_MS } from "../../../engine/campaign-limits.ts";
import type { Mailer, MailLinks } from "../../mail/mail-order.ts";
import { handlerOf } from "../../notifier/job.ts";
import type { NotifierGround, NotifierPart } from "../../notifier/notifier-part.ts";
import { TrackingTokens } from "../tracking-token.ts";
import { sendBatch } from "./campaign-batch.ts";
import { BATCH_KIND, type BatchData, CampaignCoordinator } from "./campaign-coordinator.ts";
import { forgetOldAddresses } from "./old-addresses.ts";

export interface CampaignsPorts {
  readonly mailer: Mailer;
  readonly links: MailLinks;
}

/** Campaigns, as the notifier runs them: who is next, and the batches that send. */
export function campaignsPart(ground: NotifierGround, ports: CampaignsPorts): NotifierPart {
  const coordinator = new CampaignCoordinator(ground);
  const tokens = new TrackingTokens(ground.jwtSecret);
  const counts = { sent: 0, failed: 0, suppressed: 0, inDoubt: 0 };
  return {
    handlers: [
      handlerOf<BatchData>(BATCH_KIND, "marketing", ({ data }, stopping) =>
        sendBatch({ ...ground, ...ports, tokens }, data, { stopping, counts }),
      ),
    ],
    tick: {
      everyMs: CAMPAIGN_TICK_MS,
      async run() {
        await coordinator.look();
        await forgetOldAddresses(ground);
      },
    },
    figures: () => ({
      campaigns_begun: coordinator.figures.begun,
      campaigns_ended: coordinator.figures.ended,
      campaign_mails_sent: counts.sent,
      campaign_mails_failed: counts.failed,
      campaign_mails_suppressed: counts.suppressed,
      campaign_mails_in_doubt: counts.inDoubt,
    }),
  };
}
