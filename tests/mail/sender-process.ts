/**
 * A process that sends mails until all are sent, to be killed at any instant:
 *
 *   node --import tsx tests/mail/sender-process.ts <database> <smtp> <data directory> <count>
 */
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { readConfig } from "../../gateway/config.ts";
import { mailPart } from "../../gateway/mail/mail-part.ts";
import { systemClock } from "../../workers/clock.ts";
import { content, MAIL_FROM } from "../support/mail-rig.ts";
import { openOwnerRows } from "../support/owner-rows.ts";

const AT_ONCE = 50;
const [databaseUrl = "", smtpUrl = "", dataDir = "", count = ""] = process.argv.slice(2);

const rows = openOwnerRows(databaseUrl);
const part = mailPart({
  rows,
  clock: systemClock,
  log: pino({ level: "silent" }),
  jwtSecret: "a secret of tests that is long enough",
  apiUrl: "https://api.example",
  config: {
    smtpUrl,
    dataDir,
    mailFrom: MAIL_FROM,
    notifier: {
      ...readConfig({}).notifier,
      smtpConnections: 40,
      mailDomainPerHour: 1_000_000,
    },
  },
});
await part.start();

let next = 0;
async function sendAll(): Promise<void> {
  for (let n = next; n < Number(count); n = next) {
    next += 1;
    const to = `reader-${n}@example.org`;
    const order = { key: `campaign:${n}`, kind: "campaign", to, organizationId: null } as const;
    let end = await part.mailer.send(order, content);
    while (end.end === "later" || end.end === "again") {
      await delay(end.end === "later" ? end.afterMs : 100);
      end = await part.mailer.send(order, content);
    }
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, sendAll));
await part.stop();
await rows.end();
