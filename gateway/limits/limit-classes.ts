import { LIMIT_COUNT_MAX, LIMIT_WINDOW_SECONDS_MAX } from "../../engine/door-limits.ts";
import type { Bound } from "./token-buckets.ts";

/** What a request is, to the limits. */
export type LimitClass =
  | "auth"
  | "session"
  | "booking"
  | "hold"
  | "write"
  | "search"
  | "read"
  | "webhook";

/** null: no bound. */
export interface ClassBounds {
  readonly user: Bound | null;
  readonly address: Bound | null;
}

export interface LimitSettings {
  readonly classes: Readonly<Record<LimitClass, ClassBounds>>;
  /** Wrong passwords for one account from one address. */
  readonly login: Bound | null;
  /** Mails that one account may be sent because somebody asked. */
  readonly mail: Bound | null;
  /** Questions of one address that may tell whether an account exists. */
  readonly probe: Bound | null;
  /** Invitations that one person sends. */
  readonly invitation: Bound | null;
  /** HTTP connections that one address may open. */
  readonly connect: Bound | null;
  /** Messages of one WebSocket. */
  readonly message: Bound | null;
}

/** An option of the environment, as config.ts reads it. */
interface LimitOption<T> {
  readonly name: string;
  readonly default: T;
  readonly parse: (text: string) => T | undefined;
  readonly accepts: string;
  readonly help: string;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };
const BOUND = /^(\d{1,10})\/(\d{1,5})(s|m|h)$/;

/** `10/1m`: ten a minute. undefined: it is not. */
function parseBound(text: string): Bound | undefined {
  const [, count = "", length = "", unit = ""] = BOUND.exec(text) ?? [];
  const seconds = Number(length) * (UNIT_SECONDS[unit] ?? 0);
  const isIn = Number(count) >= 1 && Number(count) <= LIMIT_COUNT_MAX;
  if (!isIn || seconds < 1 || seconds > LIMIT_WINDOW_SECONDS_MAX) return undefined;
  return { count: Number(count), windowMs: seconds * 1_000 };
}

/** As it is configured: `10/1m`, or `10/1m,3000/1m`. null: the value is no bound. */
export function boundText(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  if ("count" in value && "windowMs" in value) {
    const seconds = Number(value.windowMs) / 1_000;
    const unit = seconds % 3_600 === 0 ? "h" : seconds % 60 === 0 ? "m" : "s";
    return `${String(value.count)}/${seconds / (UNIT_SECONDS[unit] ?? 1)}${unit}`;
  }
  if (!("user" in value && "address" in value)) return null;
  const both = [boundText(value.user), boundText(value.address)];
  return both.filter((text) => text !== null).join(",");
}

const bound = (count: number, seconds: number): Bound => ({ count, windowMs: seconds * 1_000 });

const ONE = "a count and its time, such as 10/1m or 5/15m (at most 24h), or off";
const TWO = "a bound for a user, such as 10/1m, or two with one for an address, 10/1m,3000/1m; off";

/** One bound. */
function single(name: string, given: Bound, help: string): LimitOption<Bound | null> {
  const parse = (text: string) => (text === "off" ? null : parseBound(text));
  return { name: `RATE_LIMIT_${name}`, default: given, parse, accepts: ONE, help };
}

/** Only what comes from one address is counted: nobody is known yet. */
function ofAddress(name: string, address: Bound, help: string): LimitOption<ClassBounds> {
  const parse = (text: string) => {
    const parsed = text === "off" ? null : parseBound(text);
    return parsed === undefined ? undefined : { user: null, address: parsed };
  };
  const given = { user: null, address };
  return { name: `RATE_LIMIT_${name}`, default: given, parse, accepts: ONE, help };
}

/** A bound for a user, and a wider one for an address. */
function ofBoth(
  name: string,
  given: { readonly user: Bound; readonly address: Bound },
  help: string,
): LimitOption<ClassBounds> {
  const parse = (text: string): ClassBounds | undefined => {
    if (text === "off") return { user: null, address: null };
    const [ofUser = "", ofAddress, ...rest] = text.split(",");
    const user = parseBound(ofUser);
    const address = ofAddress === undefined ? given.address : parseBound(ofAddress);
    const isRead = user !== undefined && address !== undefined && rest.length === 0;
    return isRead ? { user, address } : undefined;
  };
  return { name: `RATE_LIMIT_${name}`, default: given, parse, accepts: TWO, help };
}

/**
 * The defaults. Those of an address are wide: an office, a school or a mobile carrier has one
 * address, and thousands of buyers may stand behind it.
 */
const CLASSES: { readonly [Name in LimitClass]: LimitOption<ClassBounds> } = {
  auth: ofAddress("AUTH", bound(600, 60), "Registering, signing in, what mails are for."),
  session: ofAddress("SESSION", bound(3_000, 60), "Guests, refreshing, logging out."),
  booking: ofBoth("BOOKING", { user: bound(10, 60), address: bound(3_000, 60) }, "Booking a hold."),
  hold: ofBoth(
    "HOLD",
    { user: bound(60, 60), address: bound(12_000, 60) },
    "Taking places, and changing what is held.",
  ),
  write: ofBoth(
    "WRITE",
    { user: bound(600, 60), address: bound(12_000, 60) },
    "Everything else that changes something.",
  ),
  search: ofBoth("SEARCH", { user: bound(300, 60), address: bound(6_000, 60) }, "Lists of events."),
  read: ofBoth(
    "READ",
    { user: bound(3_000, 60), address: bound(60_000, 60) },
    "Everything else that is read, and subscriptions.",
  ),
  webhook: ofAddress("WEBHOOK", bound(6_000, 60), "Messages of payment providers."),
};

const SINGLES = {
  login: single("LOGIN", bound(5, 15 * 60), "Wrong passwords for an account from an address."),
  mail: single("MAIL", bound(3, 3_600), "Mails that one account is sent because somebody asked."),
  probe: single("PROBE", bound(20, 15 * 60), "How often an address may ask who has an account."),
  invitation: single("INVITATION", bound(50, 3_600), "Invitations that one person sends."),
  connect: single("CONNECT", bound(12_000, 60), "HTTP connections that an address may open."),
  message: single("MESSAGE", bound(600, 10), "Messages of one WebSocket."),
};

/** All of it by `read`, which reads one option. */
export function readLimits(read: <T>(option: LimitOption<T>) => T): LimitSettings {
  return {
    classes: {
      auth: read(CLASSES.auth),
      session: read(CLASSES.session),
      booking: read(CLASSES.booking),
      hold: read(CLASSES.hold),
      write: read(CLASSES.write),
      search: read(CLASSES.search),
      read: read(CLASSES.read),
      webhook: read(CLASSES.webhook),
    },
    login: read(SINGLES.login),
    mail: read(SINGLES.mail),
    probe: read(SINGLES.probe),
    invitation: read(SINGLES.invitation),
    connect: read(SINGLES.connect),
    message: read(SINGLES.message),
  };
}

/** Without REDIS_URL and with every default: what tests and tools begin with. */
export const DEFAULT_LIMITS: LimitSettings = readLimits((option) => option.default);
