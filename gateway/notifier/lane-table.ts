import type { Lane } from "./job.ts";

/**
 * Jobs of each lane that run at once. A job is a mail, a feed of webhooks, or a batch of a
 * campaign, which itself sends many at once.
 */
export const LANE_CONCURRENCY: Readonly<Record<Lane, number>> = {
  urgent: 20,
  transactional: 20,
  webhooks: 16,
  reminders: 10,
  marketing: 2,
};
