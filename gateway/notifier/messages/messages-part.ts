import { REMINDERS_EVERY_MS } from "../../../engine/notifier-limits.ts";
import { PRESS_BEGIN_LOOK_MS } from "../../../engine/ticket-limits.ts";
import type { Mailer, MailLinks } from "../../mail/mail-order.ts";
import { TicketKeys } from "../../tickets/ticket-keys.ts";
import { TicketPress } from "../../tickets/ticket-press.ts";
import type { NotifierGround, NotifierPart } from "../notifier-part.ts";
import { bookingHandlers } from "./booking-messages.ts";
import { eventChangeHandlers } from "./event-change-messages.ts";
import { MailComposer } from "./mail-composer.ts";
import { MessageDesk } from "./message-desk.ts";
import { messageJobsOf } from "./message-jobs.ts";
import { MessageReader } from "./message-reader.ts";
import { offerHandler } from "./offer-messages.ts";
import { beginReminders, reminderHandlers } from "./reminders.ts";
import { requestedMailHandler } from "./requested-mails.ts";

export interface MessagesPorts {
  readonly mailer: Mailer;
  readonly links: MailLinks;
}

/** What buyers, and people with accounts, are told by mail: everything but campaigns. */
export function messagesPart(ground: NotifierGround, ports: MessagesPorts): NotifierPart {
  const { config, rows, queue, clock, log, jwtSecret, courtesy, whenTold } = ground;
  const { mailer, links } = ports;
  const publicUrl = config.publicUrl?.replace(/\/+$/, "") ?? null;
  const reader = new MessageReader(rows);
  const composer = new MailComposer({ rows, links, clock, log });
  const press = new TicketPress(config.ticketFonts, { stays: true });
  const keys = new TicketKeys({ in: () => rows }, clock);
  let chargedMs = 0;
  const worked = (): void => {
    courtesy.charge(press.busyMs - chargedMs);
    chargedMs = press.busyMs;
  };
  const desk = new MessageDesk({
    reader,
    composer,
    mailer,
    parcels: { keys, press, worked },
    publicUrl,
    clock,
  });
  const pages = { reader, queue, rows, whenTold };
  let remindersBegun = 0;
  let endWait = (): void => undefined;
  return {
    handlers: [
      ...bookingHandlers(desk),
      offerHandler(desk),
      ...eventChangeHandlers(desk, pages),
      ...reminderHandlers(desk, pages),
      requestedMailHandler({ composer, mailer, jwtSecret, publicUrl, clock, log }),
    ],
    follow: async (entries) => entries.flatMap(messageJobsOf),
    tick: {
      everyMs: REMINDERS_EVERY_MS,
      run: async () => {
        remindersBegun += await beginReminders({ rows, queue, nowMs: () => clock.wallMs() });
      },
    },
    figures: () => ({
      template_fallbacks: composer.fallbacks,
      reminders_begun: remindersBegun,
    }),
    start: async () => {
      endWait();
      endWait = clock.every(PRESS_BEGIN_LOOK_MS, () => {
        if (!courtesy.isQuiet) return;
        endWait();
        void press.begin();
      });
    },
    stop: () => {
      endWait();
      return press.close();
    },
  };
}
