import type { Clock } from "../../../workers/clock.ts";
import type { Log } from "../../log.ts";
import type { Mailer } from "../../mail/mail-order.ts";
import { DONE, handlerOf, type JobEnd, type JobHandler } from "../job.ts";
import type { RequestedMail } from "../mail-requests.ts";
import { Seal } from "../seal.ts";
import type { MailComposer } from "./mail-composer.ts";
import { jobEndOf } from "./message-desk.ts";
import { JOB_KINDS, type SealedJob } from "./message-jobs.ts";

export interface RequestedMailsPorts {
  readonly composer: MailComposer;
  readonly mailer: Mailer;
  readonly jwtSecret: string;
  /** Without a slash at its end; null: mails have no links. */
  readonly publicUrl: string | null;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/** Sends what services of the gateway have asked for (../mail-requests.ts). */
export function requestedMailHandler(ports: RequestedMailsPorts): JobHandler {
  const seal = new Seal(ports.jwtSecret);
  return handlerOf<SealedJob>(JOB_KINDS.sealed, "urgent", ({ data: { key, sealed } }) => {
    const mail = seal.open(sealed, key);
    if (isRequested(mail)) return send(ports, key, mail);
    // Of an older secret: its reader has to ask anew, and a dead letter would help nobody.
    ports.log.warn({ key: key.split(":")[0] }, "a mail was sealed with another secret: dropped");
    return Promise.resolve(DONE);
  });
}

async function send(
  { composer, mailer, publicUrl, clock }: RequestedMailsPorts,
  key: string,
  { kind, to, page, token, words, untilMs }: RequestedMail,
): Promise<JobEnd> {
  if (clock.wallMs() >= untilMs) return DONE;
  const link = publicUrl === null ? null : `${publicUrl}/${page}?token=${token}`;
  const order = { key, kind, to, organizationId: null };
  const end = await mailer.send(order, async () => {
    const variables = { ...words, token, link };
    const mail = await composer.compose({ ...order, sender: "", variables });
    return { ...mail, attachments: [], fromName: null, replyTo: null };
  });
  return jobEndOf(end);
}

function isRequested(mail: unknown): mail is RequestedMail {
  return typeof mail === "object" && mail !== null && "kind" in mail && "token" in mail;
}
