import { DONE, handlerOf, type JobEnd, type JobHandler } from "../job.ts";
import type { MessageDesk } from "./message-desk.ts";
import { JOB_KINDS, type OfferJob } from "./message-jobs.ts";
import { isOver, offerWords } from "./message-words.ts";

/** Who waited hears at once that places are kept for them, unless that is over already. */
export function offerHandler(desk: MessageDesk): JobHandler {
  return handlerOf<OfferJob>(JOB_KINDS.offer, "urgent", ({ data }) => tellOfOffer(desk, data));
}

async function tellOfOffer(desk: MessageDesk, { eventId, holdId }: OfferJob): Promise<JobEnd> {
  const { reader, clock } = desk.ports;
  const [told, hold] = await Promise.all([reader.event(eventId), reader.offer(eventId, holdId)]);
  if (told === null || hold === null) return DONE;
  const nowMs = clock.wallMs();
  if (hold.expiresAtMs <= nowMs || isOver(told.event, nowMs)) return DONE;
  const to = await desk.addressee(hold.userId, null);
  if (to === null) return DONE;
  return desk.send({
    key: `waitlist_offer:${holdId}`,
    kind: "waitlist_offer",
    to,
    told,
    words: async (forWhom) => ({ variables: offerWords(told, hold, forWhom), attachments: [] }),
  });
}
