/**
 * Everything that the environment may say. One object per option gives its name, default, parser
 * and help; an empty variable counts as unset. Whatever is malformed stops the start with one line.
 */
import { createHmac, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { REDIS_SILENCE_MS_MAX, REDIS_WAIT_MS_MAX } from "../engine/door-limits.ts";
import { UNPROJECTED_BYTES_MAX, UNPROJECTED_FACTS_PER_SHARD_MAX } from "../engine/limits.ts";
import { hostUrl, url } from "./host-url.ts";
import { type DoorSettings, readDoor } from "./http/door-settings.ts";
import { parseEmail } from "./identity/email.ts";
import { type LimitSettings, readLimits } from "./limits/limit-classes.ts";
import { NOTIFIER_OPTIONS, type NotifierConfig, notifierOf } from "./notifier-config.ts";
import { TELEMETRY_OPTIONS, type TelemetryConfig, telemetryOf } from "./telemetry-config.ts";
import { fontFiles, unreadableFont } from "./tickets/font-files.ts";

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "config_invalid";
}

export type AckMode = (typeof ACK_MODES)[number];

type Env = Readonly<Record<string, string | undefined>>;

interface Option<T> {
  readonly name: string;
  readonly default: T;
  /** undefined: malformed. */
  readonly parse: (text: string) => T | undefined;
  /** Completes "NAME accepts …". */
  readonly accepts: string;
  /** Goes on: what is wrong with what looks as it should. Default: nothing is said. */
  readonly but?: (text: string) => string;
  readonly help: string;
}

const SECRET_BYTES_MIN = 32;
const ACK_MODES = ["journal", "postgres"] as const;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

const option = <T>(given: Option<T>): Option<T> => given;

const integer = (min: number, max: number) => (text: string) => {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
};

const onOff = (text: string) => (text === "on" ? true : text === "off" ? false : undefined);

const longEnough = (bytesMin: number) => (text: string) =>
  Buffer.byteLength(text) >= bytesMin ? text : undefined;

const matching = (pattern: RegExp) => (text: string) => (pattern.test(text) ? text : undefined);

const unset: string | null = null;

export const OPTIONS = {
  port: option({
    name: "PORT",
    default: 3000,
    parse: integer(0, 65_535),
    accepts: "a port from 0 (any free one) to 65535",
    help: "Port that the gateway listens on.",
  }),
  host: option({
    name: "HOST",
    default: "127.0.0.1",
    parse: matching(/^[A-Za-z0-9.:_-]{1,255}$/),
    accepts: "an IP address or a host name",
    help: "Address that the gateway listens on.",
  }),
  databaseUrl: option({
    name: "DATABASE_URL",
    default: unset,
    parse: hostUrl("postgres:", "postgresql:"),
    accepts: "a URL that starts with postgres:// and names a host",
    help: "Relational store. Unset: an embedded PostgreSQL is started under DATA_DIR.",
  }),
  redisUrl: option({
    name: "REDIS_URL",
    default: unset,
    parse: hostUrl("redis:", "rediss:"),
    accepts: "a URL that starts with redis:// or rediss:// and names a host",
    help: "Limits across nodes. Unset: each node counts alone.",
  }),
  redisWaitMs: option({
    name: "REDIS_WAIT_MS",
    default: REDIS_WAIT_MS_MAX,
    parse: integer(1, REDIS_SILENCE_MS_MAX - 1),
    accepts: `a whole number from 1 to ${REDIS_SILENCE_MS_MAX - 1}`,
    help: "Milliseconds that a request may wait for Redis before its own node decides.",
  }),
  dataDir: option({
    name: "DATA_DIR",
    default: "./.data",
    parse: (text) => (text.includes("\0") ? undefined : text),
    accepts: "the path of a directory that can be made and written",
    help: "Journal segments, embedded database, generated secrets.",
  }),
  jwtSecret: option({
    name: "JWT_SECRET",
    default: unset,
    parse: longEnough(SECRET_BYTES_MIN),
    accepts: `at least ${SECRET_BYTES_MIN} bytes`,
    help: "Signs access tokens. Unset: generated into DATA_DIR; required in production.",
  }),
  adminEmail: option({
    name: "ADMIN_EMAIL",
    default: unset,
    parse: (text) => parseEmail(text) ?? undefined,
    accepts: "an email address",
    help: "With ADMIN_PASSWORD: the platform administrator, created or updated at the start.",
  }),
  adminPassword: option({
    name: "ADMIN_PASSWORD",
    default: unset,
    parse: matching(/^.{8,200}$/su),
    accepts: "8 to 200 characters",
    help: "See ADMIN_EMAIL.",
  }),
  ackMode: option<AckMode>({
    name: "ACK_MODE",
    default: "journal",
    parse: (text) => ACK_MODES.find((mode) => mode === text),
    accepts: ACK_MODES.join(" or "),
    help: "When a reply may leave: with the journal in DATA_DIR on disk, or PostgreSQL's commit.",
  }),
  journalArchiveBytes: option({
    name: "JOURNAL_ARCHIVE_BYTES",
    default: 0,
    parse: integer(0, Number.MAX_SAFE_INTEGER),
    accepts: "a whole number of bytes",
    help: "Journal segments kept for replay, oldest out first. 0: removed once projected.",
  }),
  workers: option({
    name: "WORKERS",
    default: Math.min(64, Math.max(1, availableParallelism() - 1)),
    parse: integer(1, 64),
    accepts: "a whole number from 1 to 64",
    help: "Shard worker threads.",
  }),
  shards: option({
    name: "SHARDS",
    default: 16,
    parse: integer(1, 1024),
    accepts: "a whole number from 1 to 1024",
    help: "Logical shards that events are spread over.",
  }),
  unprojectedFactsMax: option({
    name: "UNPROJECTED_FACTS_MAX",
    default: UNPROJECTED_FACTS_PER_SHARD_MAX,
    parse: integer(1_000, 100_000_000),
    accepts: "a whole number from 1000 to 100000000",
    help: "Facts of one shard that PostgreSQL may lack before the shard answers busy.",
  }),
  unprojectedMibMax: option({
    name: "UNPROJECTED_MIB_MAX",
    default: UNPROJECTED_BYTES_MAX / 2 ** 20,
    parse: integer(1, 65_536),
    accepts: "a whole number from 1 to 65536",
    help: "MiB of facts that may wait for PostgreSQL, in memory, before all shards answer busy.",
  }),
  rateLimit: option({
    name: "RATE_LIMIT",
    default: true,
    parse: onOff,
    accepts: "on or off",
    help: "off lifts all request limits, for load tests.",
  }),
  seedDemo: option<boolean | null>({
    name: "SEED_DEMO",
    default: null,
    parse: onOff,
    accepts: "on or off",
    help: "Demo organisation and events. Unset: on when the database is embedded and empty.",
  }),
  ticketFonts: option<readonly string[]>({
    name: "TICKET_FONTS",
    default: [],
    parse: fontFiles,
    accepts: "paths of font files (TTF, OTF, WOFF), with commas between them",
    but: (text) => `; ${unreadableFont(text)}`,
    help: "For scripts on printed tickets that the built-in fonts show coarsely, or not at all.",
  }),
  publicUrl: option({
    name: "PUBLIC_URL",
    default: unset,
    parse: url("https:", "http:"),
    accepts: "a URL that starts with https:// or http://",
    help: "Where people find the shop: links in mails begin with it. Unset: there are no links.",
  }),
  logLevel: option({
    name: "LOG_LEVEL",
    default: "info",
    parse: (text) => LOG_LEVELS.find((level) => level === text),
    accepts: LOG_LEVELS.join(", "),
    help: "Lines below this level are not logged.",
  }),
  opsToken: option({
    name: "OPS_TOKEN",
    default: unset,
    parse: matching(/^[\x21-\x7e]{16,200}$/),
    accepts: "16 to 200 visible ASCII characters",
    help: "Opens /ops without an administrator's access token.",
  }),
  sandboxPayments: option<boolean | null>({
    name: "SANDBOX_PAYMENTS",
    default: null,
    parse: onOff,
    accepts: "on or off",
    help: "Payment provider of play money. Unset: on, but off when NODE_ENV=production.",
  }),
  sandboxWebhookSecret: option({
    name: "SANDBOX_WEBHOOK_SECRET",
    default: unset,
    parse: longEnough(SECRET_BYTES_MIN),
    accepts: `at least ${SECRET_BYTES_MIN} bytes`,
    help: "Signs the webhooks of the sandbox. Unset: derived from JWT_SECRET.",
  }),
  stripeSecretKey: option({
    name: "STRIPE_SECRET_KEY",
    default: unset,
    parse: matching(/^[sr]k_[A-Za-z0-9_]{8,250}$/),
    accepts: "a secret or restricted key: sk_ or rk_, then 8 to 250 letters, digits or underscores",
    help: "With STRIPE_WEBHOOK_SECRET: payments through Stripe. Unset: there are none.",
  }),
  stripeWebhookSecret: option({
    name: "STRIPE_WEBHOOK_SECRET",
    default: unset,
    parse: matching(/^whsec_[A-Za-z0-9+/=_-]{8,250}$/),
    accepts: "a signing secret: whsec_, then 8 to 250 letters, digits or any of + / = _ -",
    help: "See STRIPE_SECRET_KEY; of the endpoint /api/v1/payments/webhooks/stripe.",
  }),
  stripeApiUrl: option({
    name: "STRIPE_API_URL",
    default: unset,
    parse: url("https:", "http:"),
    accepts: "a URL that starts with https:// or http://",
    help: "Where Stripe is asked. Unset: at Stripe's own address.",
  }),
  ...NOTIFIER_OPTIONS,
  ...TELEMETRY_OPTIONS,
};

type Values = { readonly [Name in keyof typeof OPTIONS]: (typeof OPTIONS)[Name]["default"] };

/** Options that the configuration has in another shape than one value each. */
type Composed =
  | Exclude<keyof typeof NOTIFIER_OPTIONS, "smtpUrl" | "mailFrom">
  | keyof typeof TELEMETRY_OPTIONS
  | ("adminEmail" | "adminPassword")
  | ("stripeSecretKey" | "stripeWebhookSecret" | "stripeApiUrl" | "sandboxPayments");

export interface Config extends Omit<Values, Composed> {
  readonly telemetry: TelemetryConfig;
  readonly notifier: NotifierConfig;
  /** NODE_ENV=production */
  readonly isProduction: boolean;
  readonly admin: { readonly email: string; readonly password: string } | null;
  readonly sandboxPayments: boolean;
  readonly limits: LimitSettings;
  readonly door: DoorSettings;
  /** null: nothing is paid through Stripe. */
  readonly stripe: {
    readonly secretKey: string;
    readonly webhookSecret: string;
    /** null: Stripe's own address. */
    readonly apiUrl: string | null;
  } | null;
}

/** Reads and checks the whole environment. Throws ConfigError. */
export function readConfig(env: Env): Config {
  const read = <T>(one: Option<T>): T => {
    const text = env[one.name];
    if (text === undefined || text === "") return one.default;
    const value = one.parse(text);
    if (value !== undefined) return value;
    throw new ConfigError(`${one.name} accepts ${one.accepts}${one.but?.(text) ?? ""}`);
  };
  const refuse = (why: string): never => {
    throw new ConfigError(why);
  };
  const isProduction = env.NODE_ENV === "production";
  const jwtSecret = read(OPTIONS.jwtSecret);
  if (isProduction && jwtSecret === null) {
    const { name, accepts } = OPTIONS.jwtSecret;
    throw new ConfigError(`${name} is required when NODE_ENV=production; it accepts ${accepts}`);
  }
  return {
    port: read(OPTIONS.port),
    host: read(OPTIONS.host),
    databaseUrl: read(OPTIONS.databaseUrl),
    redisUrl: read(OPTIONS.redisUrl),
    redisWaitMs: read(OPTIONS.redisWaitMs),
    dataDir: resolve(read(OPTIONS.dataDir)),
    jwtSecret,
    admin: adminOf(read(OPTIONS.adminEmail), read(OPTIONS.adminPassword)),
    ackMode: read(OPTIONS.ackMode),
    journalArchiveBytes: read(OPTIONS.journalArchiveBytes),
    workers: read(OPTIONS.workers),
    shards: read(OPTIONS.shards),
    unprojectedFactsMax: read(OPTIONS.unprojectedFactsMax),
    unprojectedMibMax: read(OPTIONS.unprojectedMibMax),
    rateLimit: read(OPTIONS.rateLimit),
    seedDemo: read(OPTIONS.seedDemo),
    ticketFonts: read(OPTIONS.ticketFonts),
    smtpUrl: read(OPTIONS.smtpUrl),
    mailFrom: read(OPTIONS.mailFrom),
    publicUrl: read(OPTIONS.publicUrl),
    logLevel: read(OPTIONS.logLevel),
    opsToken: read(OPTIONS.opsToken),
    telemetry: telemetryOf(read),
    notifier: notifierOf(read, refuse),
    sandboxPayments: read(OPTIONS.sandboxPayments) ?? !isProduction,
    sandboxWebhookSecret: read(OPTIONS.sandboxWebhookSecret),
    limits: readLimits(read),
    door: readDoor(read),
    stripe: stripeOf(
      read(OPTIONS.stripeSecretKey),
      read(OPTIONS.stripeWebhookSecret),
      read(OPTIONS.stripeApiUrl),
    ),
    isProduction,
  };
}

function adminOf(email: string | null, password: string | null): Config["admin"] {
  if (email !== null && password !== null) return { email, password };
  if (email === null && password === null) return null;
  const missing = email === null ? OPTIONS.adminEmail : OPTIONS.adminPassword;
  const { name, accepts } = missing;
  const why = "ADMIN_EMAIL and ADMIN_PASSWORD go together";
  throw new ConfigError(`${name} is missing: ${why}; it accepts ${accepts}`);
}

function stripeOf(
  secretKey: string | null,
  webhookSecret: string | null,
  apiUrl: string | null,
): Config["stripe"] {
  if (secretKey !== null && webhookSecret !== null) return { secretKey, webhookSecret, apiUrl };
  if (secretKey === null && webhookSecret === null) return null;
  const { name, accepts } =
    secretKey === null ? OPTIONS.stripeSecretKey : OPTIONS.stripeWebhookSecret;
  const why = "STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET go together";
  throw new ConfigError(`${name} is missing: ${why}; it accepts ${accepts}`);
}

/** The configured secret of the sandbox's webhooks, or one that only this installation knows. */
export function sandboxSecretOf(
  config: Pick<Config, "sandboxWebhookSecret" | "jwtSecret" | "dataDir">,
): string {
  if (config.sandboxWebhookSecret !== null) return config.sandboxWebhookSecret;
  return createHmac("sha256", jwtSecretOf(config)).update("sandbox webhooks").digest("base64url");
}

/** What the names of counts in Redis are made with: the same on all nodes of one JWT_SECRET. */
export function limitSecretOf(config: Pick<Config, "jwtSecret" | "dataDir">): string {
  return createHmac("sha256", jwtSecretOf(config)).update("names of limits").digest("base64url");
}

/** The configured secret, or the one in DATA_DIR, which is made when there is none. */
export function jwtSecretOf({ jwtSecret, dataDir }: Pick<Config, "jwtSecret" | "dataDir">): string {
  if (jwtSecret !== null) return jwtSecret;
  const path = join(dataDir, "jwt-secret");
  fs.mkdirSync(dataDir, { recursive: true });
  if (!fs.existsSync(path)) {
    // Renamed when complete: a crash leaves no half of a secret behind.
    const unfinished = `${path}.new`;
    fs.rmSync(unfinished, { force: true });
    const secret = randomBytes(SECRET_BYTES_MIN).toString("base64url");
    fs.writeFileSync(unfinished, secret, { mode: 0o600, flag: "wx", flush: true });
    fs.renameSync(unfinished, path);
  }
  const secret = fs.readFileSync(path, "utf8").trim();
  if (Buffer.byteLength(secret) >= SECRET_BYTES_MIN) return secret;
  throw new ConfigError(`${path} is too short for a JWT_SECRET; remove it to have a new one made`);
}
