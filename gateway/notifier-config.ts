/** What the environment says about mails and all else that follows a sale: a part of config.ts. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { SMTP_CONNECTIONS_LIMIT } from "../engine/notifier-limits.ts";
import { hostUrl } from "./host-url.ts";
import { parseRange } from "./limits/client-address.ts";
import { isPublicKey, publicKeyOf } from "./push/p256-keys.ts";

interface Option<T> {
  readonly name: string;
  readonly default: T;
  readonly parse: (text: string) => T | undefined;
  readonly accepts: string;
  readonly help: string;
}

const option = <T>(given: Option<T>): Option<T> => given;

const matching = (pattern: RegExp) => (text: string) => (pattern.test(text) ? text : undefined);

const count = (max: number) => (text: string) =>
  /^[1-9]\d{0,14}$/.test(text) && Number(text) <= max ? Number(text) : undefined;

const onOff = (text: string) => (text === "on" ? true : text === "off" ? false : undefined);

const ranges = (text: string): readonly string[] | undefined => {
  const all = text.split(",").map((range) => range.trim());
  return all.every((range) => parseRange(range) !== undefined) ? all : undefined;
};

const unset: string | null = null;
const A_MAIL_SERVER = "a URL that starts with smtp:// or smtps:// and names a host";
const DOMAIN =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/i;
const DOMAIN_SENDS_MAX = 1_000_000_000;
const BOUNCE_SECRET_BYTES_MIN = 32;

export const NOTIFIER_OPTIONS = {
  isNotifying: option({
    name: "NOTIFIER",
    default: true,
    parse: onOff,
    accepts: "on or off",
    help: "off: this node sends no mails or webhooks; they wait in the database until one does.",
  }),
  apiUrl: option({
    name: "API_URL",
    default: unset,
    parse: hostUrl("https:", "http:"),
    accepts: "a URL that starts with https:// or http://",
    help: "Where people reach this API, for links in mails. Unset: where this node listens.",
  }),
  smtpUrl: option({
    name: "SMTP_URL",
    default: unset,
    parse: hostUrl("smtp:", "smtps:"),
    accepts: A_MAIL_SERVER,
    help: "Outgoing mail. Unset: mail is kept in DATA_DIR/mail.",
  }),
  smtpBackupUrl: option({
    name: "SMTP_BACKUP_URL",
    default: unset,
    parse: hostUrl("smtp:", "smtps:"),
    accepts: A_MAIL_SERVER,
    help: "Mail server that takes over while that of SMTP_URL does not answer.",
  }),
  smtpConnections: option({
    name: "SMTP_CONNECTIONS",
    default: 20,
    parse: count(SMTP_CONNECTIONS_LIMIT),
    accepts: `a whole number from 1 to ${SMTP_CONNECTIONS_LIMIT}`,
    help: "Connections to one mail server: more send faster, if it lets them. 1 is taken for 2.",
  }),
  mailFrom: option({
    name: "MAIL_FROM",
    default: "Evently <no-reply@localhost>",
    parse: matching(/^(?:[^<>@\p{Cc}]{1,100}<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/u),
    accepts: "an email address, or a name and the address in <>",
    help: "Sender of all mails.",
  }),
  mailDomainPerHour: option({
    name: "MAIL_DOMAIN_PER_HOUR",
    default: 100_000,
    parse: count(DOMAIN_SENDS_MAX),
    accepts: `a whole number from 1 to ${DOMAIN_SENDS_MAX}`,
    help: "Mails that one node sends to addresses of one domain in an hour; further ones wait.",
  }),
  mailDkimDomain: option({
    name: "MAIL_DKIM_DOMAIN",
    default: unset,
    parse: matching(DOMAIN),
    accepts: "a domain name",
    help: "With MAIL_DKIM_SELECTOR and MAIL_DKIM_KEY_FILE: mails are signed for this domain.",
  }),
  mailDkimSelector: option({
    name: "MAIL_DKIM_SELECTOR",
    default: unset,
    parse: matching(/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/i),
    accepts: "a name as DNS has it",
    help: "See MAIL_DKIM_DOMAIN: its key is published at selector._domainkey.domain.",
  }),
  mailDkimKeyFile: option({
    name: "MAIL_DKIM_KEY_FILE",
    default: unset,
    parse: (text) => text,
    accepts: "the path of an RSA private key (PEM)",
    help: "See MAIL_DKIM_DOMAIN.",
  }),
  mailBounceSecret: option({
    name: "MAIL_BOUNCE_SECRET",
    default: unset,
    parse: (text) => (Buffer.byteLength(text) >= BOUNCE_SECRET_BYTES_MIN ? text : undefined),
    accepts: `at least ${BOUNCE_SECRET_BYTES_MIN} bytes`,
    help: "Signs what is posted to /api/v1/mail/bounces. Unset: nothing is taken there.",
  }),
  webhookAllowHttp: option({
    name: "WEBHOOK_ALLOW_HTTP",
    default: false,
    parse: onOff,
    accepts: "on or off",
    help: "Webhooks and push services may have addresses that start with http://, too.",
  }),
  webhookAllowAddresses: option<readonly string[]>({
    name: "WEBHOOK_ALLOW_ADDRESSES",
    default: [],
    parse: ranges,
    accepts: "IP addresses and ranges with commas between, such as 10.1.2.0/24,fd00::7",
    help: "Receivers of webhooks, and push services, that are fine although they are not public.",
  }),
  pushPublicKey: option({
    name: "PUSH_VAPID_PUBLIC_KEY",
    default: unset,
    parse: (text) => (isPublicKey(text) ? text : undefined),
    accepts: "an uncompressed point of P-256: 65 bytes, base64url",
    help: "With PUSH_VAPID_PRIVATE_KEY: for web push. Unset: both are generated into DATA_DIR.",
  }),
  pushPrivateKey: option({
    name: "PUSH_VAPID_PRIVATE_KEY",
    default: unset,
    parse: (text) => (publicKeyOf(text) === null ? undefined : text),
    accepts: "the 32 bytes of a P-256 private key, base64url",
    help: "See PUSH_VAPID_PUBLIC_KEY. Other keys end all subscriptions that browsers have made.",
  }),
  pushContact: option({
    name: "PUSH_CONTACT",
    default: unset,
    parse: matching(/^(?:mailto:[^\s@<>]+@[^\s@<>]+|https:\/\/[^\s/@]+(?:\/\S*)?)$/),
    accepts: "a URL that starts with mailto: or https://",
    help: "Where operators of push services reach you. Unset: the address of MAIL_FROM.",
  }),
};

export interface DkimConfig {
  readonly domain: string;
  readonly selector: string;
  /** RSA, PEM. */
  readonly privateKey: string;
}

export interface NotifierConfig {
  readonly isOn: boolean;
  /** null: not configured. */
  readonly apiUrl: string | null;
  /** null: there is none. */
  readonly smtpBackupUrl: string | null;
  readonly smtpConnections: number;
  readonly mailDomainPerHour: number;
  /** null: mails are not signed. */
  readonly dkim: DkimConfig | null;
  /** null: nobody can report a bounce. */
  readonly bounceSecret: string | null;
  readonly webhookAllowHttp: boolean;
  /** Addresses and ranges. */
  readonly webhookAllowAddresses: readonly string[];
  readonly push: {
    /** Base64url. null: those in DATA_DIR. */
    readonly keys: { readonly publicKey: string; readonly privateKey: string } | null;
    /** mailto: or https:. null: not configured. */
    readonly contact: string | null;
  };
}

/** `read` gives an option's value, or throws what stops the start, as `refuse` does. */
export function notifierOf(
  read: <T>(option: Option<T>) => T,
  refuse: (why: string) => never,
): NotifierConfig {
  const options = NOTIFIER_OPTIONS;
  const backup = read(options.smtpBackupUrl);
  if (backup !== null && read(options.smtpUrl) === null) {
    refuse(`SMTP_URL is missing: SMTP_BACKUP_URL goes with it; it accepts ${A_MAIL_SERVER}`);
  }
  const dkim = [options.mailDkimDomain, options.mailDkimSelector, options.mailDkimKeyFile] as const;
  const given = dkim.map((one) => read(one));
  const [domain = null, selector = null, keyFile = null] = given;
  const missing = dkim.find((one) => read(one) === null);
  if (missing !== undefined && given.some((value) => value !== null)) {
    const names = dkim.map(({ name }) => name).join(", ");
    refuse(`${missing.name} is missing: ${names} go together; it accepts ${missing.accepts}`);
  }
  return {
    isOn: read(options.isNotifying),
    apiUrl: read(options.apiUrl),
    smtpBackupUrl: backup,
    smtpConnections: read(options.smtpConnections),
    mailDomainPerHour: read(options.mailDomainPerHour),
    dkim:
      domain === null || selector === null || keyFile === null
        ? null
        : { domain, selector, privateKey: rsaKeyOf(keyFile, refuse) },
    bounceSecret: read(options.mailBounceSecret),
    webhookAllowHttp: read(options.webhookAllowHttp),
    webhookAllowAddresses: read(options.webhookAllowAddresses),
    push: { keys: pushKeysOf(read, refuse), contact: read(options.pushContact) },
  };
}

function pushKeysOf(
  read: <T>(option: Option<T>) => T,
  refuse: (why: string) => never,
): NotifierConfig["push"]["keys"] {
  const { pushPublicKey, pushPrivateKey } = NOTIFIER_OPTIONS;
  const [publicKey, privateKey] = [read(pushPublicKey), read(pushPrivateKey)];
  if (publicKey === null && privateKey === null) return null;
  const names = `${pushPublicKey.name} and ${pushPrivateKey.name}`;
  if (publicKey === null || privateKey === null) {
    const { name, accepts } = publicKey === null ? pushPublicKey : pushPrivateKey;
    return refuse(`${name} is missing: ${names} go together; it accepts ${accepts}`);
  }
  if (publicKeyOf(privateKey) !== publicKey) refuse(`${names} are not of the same pair`);
  return { publicKey, privateKey };
}

/** A key that can't sign is found now, and not by whoever gets unsigned mails. */
function rsaKeyOf(path: string, refuse: (why: string) => never): string {
  const { name, accepts } = NOTIFIER_OPTIONS.mailDkimKeyFile;
  let key: KeyObject;
  let pem: string;
  try {
    pem = readFileSync(path, "utf8");
    key = createPrivateKey(pem);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refuse(`${name} can't be read (${why}); it accepts ${accepts}`);
  }
  if (key.asymmetricKeyType !== "rsa") refuse(`${name} accepts ${accepts}`);
  return pem;
}
