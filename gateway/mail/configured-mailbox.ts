import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { BackgroundMailbox } from "./background-mailbox.ts";
import { EmlFiles } from "./eml-files.ts";
import { SmtpRelay } from "./smtp-relay.ts";

/** Through the mail server of SMTP_URL; without one, files in DATA_DIR/mail. */
export function mailboxOf(
  { smtpUrl, dataDir, mailFrom: from }: Pick<Config, "smtpUrl" | "dataDir" | "mailFrom">,
  log: Pick<Log, "warn">,
): BackgroundMailbox {
  const transport =
    smtpUrl === null
      ? new EmlFiles({ directory: join(dataDir, "mail"), from })
      : new SmtpRelay({ url: smtpUrl, from });
  return new BackgroundMailbox(transport, log);
}
