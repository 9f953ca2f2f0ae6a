import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MAIL_CLOSE_MS_MAX, SMTP_WAIT_MS_MAX } from "../../engine/limits.ts";
import {
  MAIL_HANDOVER_MS_MAX,
  MAIL_ROWS_KEPT_MS,
  MAIL_SWEEP_EVERY_MS,
  MAIL_SWEEP_ROUNDS_MAX,
} from "../../engine/notifier-limits.ts";
import type { NotifierGround, NotifierPart } from "../notifier/notifier-part.ts";
import { DomainShares } from "./domain-shares.ts";
import { EmlTransport } from "./eml-transport.ts";
import { HandoverNotes, notesLeftIn } from "./handover-notes.ts";
import { LedgerMailer } from "./ledger-mailer.ts";
import { senderOf } from "./mail-head.ts";
import { MailLedger } from "./mail-ledger.ts";
import type { Mailer, MailLinks } from "./mail-order.ts";
import type { MailTransport } from "./mail-transport.ts";
import { SignedLinks } from "./signed-links.ts";
import { SmtpTransport } from "./smtp-transport.ts";
import { SuppressedAddresses } from "./suppressed-addresses.ts";
import { TransportLine } from "./transport-line.ts";

export interface MailPart extends NotifierPart {
  readonly mailer: Mailer;
  readonly links: MailLinks;
  /** Before the first mail: looks at what processes before this one left unfinished. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

type MailConfig = Pick<NotifierGround["config"], "smtpUrl" | "dataDir" | "mailFrom" | "notifier">;

export interface MailGround
  extends Pick<NotifierGround, "rows" | "clock" | "log" | "jwtSecret" | "apiUrl"> {
  readonly config: MailConfig;
}

/** How mails leave. One of a data directory at a time. */
export function mailPart(ground: MailGround): MailPart {
  const { rows, clock, log, config } = ground;
  const ledger = new MailLedger(rows);
  const suppressed = new SuppressedAddresses(rows);
  const shares = new DomainShares(config.notifier.mailDomainPerHour);
  const line = new TransportLine(transportsOf(config));
  const handovers = join(config.dataDir, "mail-handovers");
  const notes = new HandoverNotes(handovers);
  const links = new SignedLinks(ground);
  const sender = senderOf(config.mailFrom);
  const mailer = new LedgerMailer({
    ...{ ledger, line, shares, suppressed, notes, links, sender, clock, log },
    random: Math.random,
  });
  let inDoubtCount = 0;
  const sweep = async (): Promise<void> => {
    const nowMs = clock.wallMs();
    inDoubtCount = await ledger.doubt(nowMs - MAIL_HANDOVER_MS_MAX, nowMs);
    await suppressed.forget(nowMs);
    for (let round = 0; round < MAIL_SWEEP_ROUNDS_MAX; round += 1) {
      if (!(await ledger.forget(nowMs - MAIL_ROWS_KEPT_MS))) return;
    }
  };
  return {
    handlers: [],
    mailer,
    links,
    async start() {
      for (const left of notesLeftIn(handovers, notes.run)) {
        const abandoned = await ledger.handedOverBy(left.run);
        const judged = abandoned.map(({ key, claim }) => {
          const state = left.wasLetGo(claim) === false ? "waiting" : "in_doubt";
          return { key, claim, state } as const;
        });
        if (judged.length > 0) await ledger.resolve(judged, clock.wallMs());
        left.remove();
      }
      const sent = await ledger.sentByDomain(clock.wallMs() - 3_600_000);
      for (const { domain, count } of sent) await shares.remember(domain, count);
    },
    tick: { everyMs: MAIL_SWEEP_EVERY_MS, run: sweep },
    figures: () => ({
      ...Object.fromEntries(mailer.counts),
      under_way: mailer.underWayCount,
      in_doubt_rows: inDoubtCount,
      ...Object.fromEntries(line.breakers.map(({ name, state }) => [`breaker_${name}`, state])),
    }),
    async stop() {
      await Promise.race([mailer.idle(), delay(MAIL_CLOSE_MS_MAX, null, { ref: false })]);
      line.close();
      await Promise.race([mailer.idle(), delay(MAIL_CLOSE_MS_MAX, null, { ref: false })]);
      // With anything still under way, the next process needs the notes.
      if (mailer.underWayCount === 0) notes.close();
    },
  };
}

function transportsOf({ smtpUrl, dataDir, notifier }: MailConfig): MailTransport[] {
  if (smtpUrl === null) return [new EmlTransport(join(dataDir, "mail"))];
  const { smtpBackupUrl, smtpConnections: connections, dkim } = notifier;
  const servers = [
    { name: "primary", url: smtpUrl },
    ...(smtpBackupUrl === null ? [] : [{ name: "backup", url: smtpBackupUrl }]),
  ];
  return servers.map(
    (server) => new SmtpTransport({ ...server, connections, waitMs: SMTP_WAIT_MS_MAX, dkim }),
  );
}
