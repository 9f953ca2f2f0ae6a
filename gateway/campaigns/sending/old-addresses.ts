import {
  CAMPAIGN_ADDRESSES_KEPT_MS,
  CAMPAIGN_FORGOTTEN_ROWS,
} from "../../../engine/campaign-limits.ts";
import type { NotifierGround } from "../../notifier/notifier-part.ts";

/**
 * Campaigns that ended long ago do not tell any more where they went: a page of the oldest. What
 * came of them stays; an address that is asked for is still recognised by its digest.
 */
export async function forgetOldAddresses({
  rows,
  clock,
}: Pick<NotifierGround, "rows" | "clock">): Promise<void> {
  await rows.transaction(async (within) => {
    const { rows: old } = await within.query<{ id: string }>(
      `SELECT id FROM campaigns WHERE ended_at < $1 AND forgotten_at IS NULL
       ORDER BY ended_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED`,
      [new Date(clock.wallMs() - CAMPAIGN_ADDRESSES_KEPT_MS)],
    );
    const [campaign] = old;
    if (campaign === undefined) return;
    const { rowCount } = await within.query(
      `UPDATE campaign_recipients SET address = NULL, user_id = NULL
       WHERE campaign_id = $1 AND position IN (
         SELECT position FROM campaign_recipients
         WHERE campaign_id = $1 AND address IS NOT NULL LIMIT ${CAMPAIGN_FORGOTTEN_ROWS})`,
      [campaign.id],
    );
    if ((rowCount ?? 0) === CAMPAIGN_FORGOTTEN_ROWS) return;
    await within.query("UPDATE campaigns SET forgotten_at = now() WHERE id = $1", [campaign.id]);
  });
}
