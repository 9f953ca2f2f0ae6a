import * as fs from "node:fs";
import { join } from "node:path";
import webPush from "web-push";
import { type Config, ConfigError } from "../config.ts";
import { publicKeyOf } from "./p256-keys.ts";

/** What this installation shows push services, and browsers beforehand (RFC 8292). */
export interface VapidKeys {
  /** Base64url. */
  readonly publicKey: string;
  readonly privateKey: string;
  /** Where a push service's operators reach ours: mailto: or https:. */
  readonly subject: string;
}

type Configured = Pick<Config, "notifier" | "mailFrom" | "dataDir">;

/** In DATA_DIR. */
export const VAPID_FILE = "vapid-keys.json";

/**
 * The configured keys, or those in DATA_DIR, which are made when there are none. A subscription is
 * good for the keys that it was made with, and for no others: they stay.
 */
export function vapidKeysOf({ notifier, mailFrom, dataDir }: Configured): VapidKeys {
  const { keys, contact } = notifier.push;
  const subject = contact ?? `mailto:${/<(.*)>/.exec(mailFrom)?.[1] ?? mailFrom}`;
  return { ...(keys ?? keptIn(dataDir)), subject };
}

function keptIn(dataDir: string): Omit<VapidKeys, "subject"> {
  const path = join(dataDir, VAPID_FILE);
  fs.mkdirSync(dataDir, { recursive: true });
  if (!fs.existsSync(path)) {
    // Renamed when complete: a crash leaves no half of a key behind.
    const unfinished = `${path}.new`;
    fs.rmSync(unfinished, { force: true });
    const keys = JSON.stringify(webPush.generateVAPIDKeys());
    fs.writeFileSync(unfinished, keys, { mode: 0o600, flag: "wx", flush: true });
    fs.renameSync(unfinished, path);
  }
  const privateKey = privateKeyIn(fs.readFileSync(path, "utf8"));
  const publicKey = privateKey === null ? null : publicKeyOf(privateKey);
  if (privateKey !== null && publicKey !== null) return { publicKey, privateKey };
  throw new ConfigError(`${path} has no keys; remove it to have new ones made`);
}

function privateKeyIn(text: string): string | null {
  try {
    const kept: unknown = JSON.parse(text);
    if (typeof kept !== "object" || kept === null || !("privateKey" in kept)) return null;
    return typeof kept.privateKey === "string" ? kept.privateKey : null;
  } catch {
    // Cut off, or something else.
    return null;
  }
}
