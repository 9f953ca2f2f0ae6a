import type { Config } from "./config.ts";
import { NOTIFIER_OPTIONS } from "./notifier-config.ts";

/** Every address of the machine: no one that somebody could ask. */
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "0", "::", "::0", "0:0:0:0:0:0:0:0"]);

type Told = Pick<Config, "host" | "smtpUrl" | "mailFrom" | "notifier">;

/** What is allowed, and hardly meant: for the log, at the start. */
export function startWarnings({ host, smtpUrl, mailFrom, notifier }: Told): readonly string[] {
  if (smtpUrl === null || !notifier.isOn) return [];
  const { apiUrl, mailFrom: sender } = NOTIFIER_OPTIONS;
  const warnings: string[] = [];
  if (notifier.apiUrl === null && WILDCARDS.has(host)) {
    warnings.push(`${apiUrl.name} is unset: links in mails lead to ${host}, where nobody is`);
  }
  if (mailFrom === sender.default) {
    warnings.push(`${sender.name} is unset: mails come from ${mailFrom}, which others refuse`);
  }
  return warnings;
}
