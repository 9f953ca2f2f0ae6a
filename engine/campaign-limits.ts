// The bounds of campaigns; limits.ts has those of the engine.

/** Campaigns that one organisation keeps, ended ones included. */
export const CAMPAIGNS_PER_ORGANIZATION_MAX = 2_000;
/** Texts that are tried against each other: with more, each has too few readers to tell. */
export const CAMPAIGN_VARIANTS_MAX = 4;
/** Characters of a subject line. */
export const CAMPAIGN_SUBJECT_CHARS_MAX = 200;
/** Body of a campaign that is made or changed: texts of all variants. */
export const CAMPAIGN_BODY_BYTES_MAX = 512 * 1024;
/** How deeply `all`, `any` and `not` may contain each other, and the criteria of one segment. */
export const SEGMENT_DEPTH_MAX = 5;
export const SEGMENT_CRITERIA_MAX = 30;
/** Categories, tags or cities that one criterion names. */
export const SEGMENT_NAMES_MAX = 50;
/** How often somebody may be asked to have been there. */
export const SEGMENT_TIMES_MAX = 1_000;
/**
 * How long somebody stays a customer after their last booking, as far as mails that they have not
 * asked for go (docs/CAMPAIGNS.md has why).
 */
export const CUSTOMER_FOR_MS = 730 * 86_400_000;
/** People that a preview shows. */
export const PREVIEW_PEOPLE_MAX = 10;
/** How far ahead a campaign is scheduled. */
export const CAMPAIGN_AHEAD_MS_MAX = 366 * 86_400_000;
/** What is past by more is a mistake, and would reach everybody at once; by less it is now. */
export const CAMPAIGN_PAST_MS_MAX = 60_000;
/** Recipients of one campaign; one with more is stopped before its first mail. */
export const CAMPAIGN_RECIPIENTS_MAX = 1_000_000;
/** Recipients that one statement writes: each looks through the organisation's bookings anew. */
export const CAMPAIGN_LIST_ROWS = 20_000;
/** Recipients of one job. What is paused or lost is so at most. */
export const CAMPAIGN_BATCH_RECIPIENTS = 1_000;
/** Mails of one job that are under way at once. */
export const CAMPAIGN_SENDS_MAX = 50;
/** Jobs of the lane that may wait before campaigns add no more. */
export const CAMPAIGN_BATCHES_WAITING_MAX = 4;
/** How often it is looked what has become due, ms. */
export const CAMPAIGN_TICK_MS = 1_000;
/** Recipients who wait for so long after all were queued have lost their job: it is made anew. */
export const CAMPAIGN_STALL_MS = 600_000;
/** Batches that are made anew at once. */
export const CAMPAIGN_REQUEUED_MAX = 20;
/** Ends of mails that wait to be written, and for how long; after a crash they are asked anew. */
export const CAMPAIGN_ENDS_WAITING_MAX = 100;
export const CAMPAIGN_ENDS_WAIT_MS = 250;
/** Recipients of one domain who are told to wait before the batch asks for no more of them. */
export const CAMPAIGN_DOMAIN_LATERS_MAX = 5;
/** The pause of a batch of which something is left, whatever was said; and after a failure. */
export const CAMPAIGN_PAUSE_MS_MIN = 1_000;
export const CAMPAIGN_PAUSE_MS_MAX = 600_000;
export const CAMPAIGN_AGAIN_MS = 60_000;
/** Fewer opens or clicks of the whole sample say nothing: the first variant goes to the rest. */
export const CAMPAIGN_WINNER_EVENTS_MIN = 5;
/** How long it is known where a campaign went. */
export const CAMPAIGN_ADDRESSES_KEPT_MS = 90 * 86_400_000;
/** Recipients whose addresses are forgotten by one statement. */
export const CAMPAIGN_FORGOTTEN_ROWS = 10_000;

/** A link that is longer is left as it is: a request's head has at most 4 KiB. */
export const TRACKED_URL_BYTES_MAX = 2_000;
/** Recipients whose opens and clicks wait to be counted; of more, these are not counted. */
export const TRACKING_WAITING_MAX = 50_000;
/** How often they are written, ms, and how many by one statement. */
export const TRACKING_WRITE_MS = 1_000;
export const TRACKING_ROWS_MAX = 5_000;
/** What one recipient's opens and clicks are counted up to: nobody fills a counter. */
export const TRACKED_TIMES_MAX = 10_000;
