import { campaignsPart } from "../campaigns/sending/campaigns-part.ts";
import { mailPart } from "../mail/mail-part.ts";
import { pushPart } from "../push/push-part.ts";
import { disabledNoticeHandler, noticeOf } from "../webhooks/disabled-notices.ts";
import { webhooksPart } from "../webhooks/webhooks-part.ts";
import { messagesPart } from "./messages/messages-part.ts";
import type { NotifierGround, NotifierPart } from "./notifier-part.ts";

/** What the notifier does, part by part. Those that send mails come before how mails leave ends. */
export function partsOf(ground: NotifierGround): readonly NotifierPart[] {
  const { queue, rows } = ground;
  const mail = mailPart(ground);
  const { mailer, links } = mail;
  const webhooks = webhooksPart(ground, {
    tellDisabled: (webhook, within) => queue.add([noticeOf(webhook)], within),
  });
  const add = queue.add.bind(queue);
  return [
    messagesPart(ground, { mailer, links }),
    campaignsPart(ground, { mailer, links }),
    pushPart(ground),
    {
      ...counted("webhook", webhooks),
      handlers: [...webhooks.handlers, disabledNoticeHandler({ rows, mailer, add })],
    },
    counted("mail", mail),
  ];
}

/** Its figures' names begin with what they are about. */
function counted(name: string, part: NotifierPart): NotifierPart {
  const figures = (): Record<string, number> =>
    Object.fromEntries(
      Object.entries(part.figures?.() ?? {}).map(([key, value]) => [`${name}_${key}`, value]),
    );
  return { ...part, figures };
}
