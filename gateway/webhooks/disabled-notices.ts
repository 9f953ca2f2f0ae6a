import type { Mailer } from "../mail/mail-order.ts";
import { DONE, handlerOf, type JobEnd, type JobHandler, type NewJob } from "../notifier/job.ts";
import { jobEndOf } from "../notifier/messages/message-desk.ts";
import type { Queries } from "../tenancy/database.ts";
import type { DisabledWebhook } from "./feed-store.ts";

interface Notice extends Pick<DisabledWebhook, "webhookId" | "organizationId" | "url" | "reason"> {
  readonly atMs: number;
  /** One mail each; null: to everybody who owns the organisation. */
  readonly to: string | null;
}

const KIND = "webhook.disabled";

/** In the transaction that disables it. */
export function noticeOf(webhook: DisabledWebhook): NewJob {
  const { webhookId, organizationId, url, reason, atMs } = webhook;
  const data: Notice = { webhookId, organizationId, url, reason, atMs, to: null };
  return { kind: KIND, key: `${webhookId} ${atMs}`, data };
}

export interface DisabledNoticesPorts {
  readonly rows: Queries;
  readonly mailer: Mailer;
  readonly add: (jobs: readonly NewJob[]) => Promise<void>;
}

/** Tells the owners of an organisation that one of its webhooks is told nothing any more. */
export function disabledNoticeHandler({ rows, mailer, add }: DisabledNoticesPorts): JobHandler {
  return handlerOf<Notice>(KIND, "transactional", async ({ data }): Promise<JobEnd> => {
    const { webhookId, organizationId, atMs, to } = data;
    if (to !== null) {
      const key = `webhook-disabled:${webhookId}:${atMs}:${to}`;
      const order = { key, kind: "change", to, organizationId: null } as const;
      return jobEndOf(await mailer.send(order, () => Promise.resolve(contentOf(data))));
    }
    const { rows: owners } = await rows.query<{ email: string }>(
      `SELECT u.email FROM organization_members m JOIN users u ON u.id = m.user_id
       WHERE m.organization_id = $1 AND m.role = 'owner'`,
      [organizationId],
    );
    const jobs = owners.map(({ email }) => ({
      kind: KIND,
      key: `${webhookId} ${atMs} ${email}`,
      data: { ...data, to: email },
    }));
    await add(jobs);
    return DONE;
  });
}

const REASONS: Readonly<Record<DisabledWebhook["reason"], string>> = {
  gone: "The address answered 410 Gone, which asks us to stop.",
  failing: "We have tried for three days, and the address did not take what we sent.",
};

function contentOf({ url, reason, webhookId }: Notice) {
  const text = [
    `We have stopped telling ${url} what happens.`,
    "",
    REASONS[reason],
    "",
    "Nothing is lost: once it is enabled again, it is told everything since then, in order.",
    `  POST /api/v1/organizations/{id}/webhooks/${webhookId}/enable`,
    `  GET  /api/v1/organizations/{id}/webhooks/${webhookId}/deliveries   what it answered`,
    "",
  ].join("\n");
  const subject = `Your webhook at ${new URL(url).host} was disabled`;
  return { subject, html: null, text, attachments: [], fromName: null, replyTo: null };
}
