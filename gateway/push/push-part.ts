import {
  PUSH_CONNECT_MS_MAX,
  PUSH_SWEEP_EVERY_MS,
  PUSH_TRY_MS_MAX,
} from "../../engine/push-limits.ts";
import { DONE, handlerOf, type JobEnd, type JobHandler, type Lane } from "../notifier/job.ts";
import { isNews } from "../notifier/messages/event-change-messages.ts";
import { beginAnew, beginToTell, fanOut } from "../notifier/messages/fan-out.ts";
import type { EventChange, EventChangePageJob } from "../notifier/messages/message-jobs.ts";
import { MessageReader } from "../notifier/messages/message-reader.ts";
import type { NotifierGround, NotifierPart } from "../notifier/notifier-part.ts";
import { AddressGuard } from "../webhooks/address-guard.ts";
import { GuardedPost } from "../webhooks/guarded-post.ts";
import {
  eventChangeBegin,
  eventChangePush,
  eventChangePushes,
  PUSH_KINDS,
  type PushJob,
  pushJobsOf,
} from "./push-job.ts";
import { PushLedger } from "./push-ledger.ts";
import { noticeOf } from "./push-notice.ts";
import { PushSender } from "./push-sender.ts";
import { PushTeller } from "./push-teller.ts";
import { vapidKeysOf } from "./vapid-keys.ts";

/** Tells people in their browsers what becomes of their bookings. */
export function pushPart(ground: NotifierGround): NotifierPart {
  const { config, rows, queue, whenTold, clock, log } = ground;
  const publicUrl = config.publicUrl?.replace(/\/+$/, "") ?? null;
  const reader = new MessageReader(rows);
  const pages = { reader, queue, rows, whenTold };
  const ledger = new PushLedger(rows);
  const guard = new AddressGuard({
    allowHttp: config.notifier.webhookAllowHttp,
    allowAddresses: config.notifier.webhookAllowAddresses,
  });
  const post = new GuardedPost(guard, { tryMs: PUSH_TRY_MS_MAX, connectMs: PUSH_CONNECT_MS_MAX });
  const teller = new PushTeller({
    ledger,
    sender: new PushSender(vapidKeysOf(config), post),
    notice: (job, nowMs) => noticeOf({ reader, ledger, publicUrl }, job, nowMs),
    clock,
    log,
  });
  const told = (kind: string, lane: Lane): JobHandler =>
    handlerOf<PushJob>(kind, lane, (job, stopping) => teller.tell(lane, job, stopping));
  const page = async (data: EventChangePageJob): Promise<JobEnd> => {
    const { eventId, after, seqMax, startsMs } = data;
    const event = await reader.event(eventId);
    if (event === null || !isNews(event, startsMs, clock.wallMs())) return DONE;
    if (seqMax === undefined) return beginAnew(queue, eventChangeBegin(data));
    return fanOut(pages, {
      lane: "transactional",
      eventId,
      after,
      until: { seqMax },
      each: async (bookings) => {
        const people = await ledger.goers(eventId, bookings);
        return Array.from(people, (userId) => eventChangePush(data, userId));
      },
      next: (last) => eventChangePushes({ ...data, after: last }),
    });
  };
  return {
    handlers: [
      told(PUSH_KINDS.urgent, "urgent"),
      told(PUSH_KINDS.transactional, "transactional"),
      handlerOf<EventChange>(PUSH_KINDS.eventChangeBegin, "urgent", ({ data }) =>
        beginToTell(pages, data, eventChangePushes),
      ),
      handlerOf<EventChangePageJob>(PUSH_KINDS.eventChangePage, "transactional", ({ data }) =>
        page(data),
      ),
    ],
    follow: (entries, within) => pushJobsOf(entries, new PushLedger(within)),
    tick: {
      everyMs: PUSH_SWEEP_EVERY_MS,
      run: async () => {
        teller.counts.push_removed += await ledger.sweep(clock.wallMs());
      },
    },
    figures: () => ({ ...teller.counts }),
    stop: async () => post.close(),
  };
}
