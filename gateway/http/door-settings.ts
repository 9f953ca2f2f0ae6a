import { type ProxyHeader, parseRange } from "../limits/client-address.ts";
import { LOCAL_ORIGINS, parseOriginPattern } from "./origins.ts";

export interface DoorSettings {
  /** null: those of whoever develops a shop, but none in production. */
  readonly corsOrigins: readonly string[] | null;
  readonly trustedProxies: readonly string[];
  readonly proxyHeader: ProxyHeader;
  readonly socketsPerAddressMax: number;
}

/** An option of the environment, as config.ts reads it. */
interface DoorOption<T> {
  readonly name: string;
  readonly default: T;
  readonly parse: (text: string) => T | undefined;
  readonly accepts: string;
  readonly help: string;
}

const PROXY_HEADERS: readonly ProxyHeader[] = ["x-forwarded-for", "forwarded"];

/** Parts between commas; undefined: there is one that `isGood` is not. */
function listOf(text: string, isGood: (part: string) => boolean): string[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  return parts.every(isGood) ? parts : undefined;
}

const corsOrigins: DoorOption<readonly string[] | null> = {
  name: "CORS_ORIGINS",
  default: null,
  parse: (text) =>
    text === "none" ? [] : listOf(text, (part) => parseOriginPattern(part) !== undefined),
  accepts: "origins with commas between, such as https://*.example.org,http://localhost:*; *; none",
  help: "Pages that may call the API from a browser. Unset: localhost, none in production.",
};

const trustedProxies: DoorOption<readonly string[]> = {
  name: "TRUSTED_PROXIES",
  default: [],
  parse: (text) => listOf(text, (part) => parseRange(part) !== undefined),
  accepts: "IP addresses and ranges with commas between, such as 10.0.0.0/8,::1",
  help: "Whose word is taken for whom a request comes from. Unset: nobody's.",
};

const proxyHeader: DoorOption<ProxyHeader> = {
  name: "PROXY_HEADER",
  default: "x-forwarded-for",
  parse: (text) => PROXY_HEADERS.find((header) => header === text.toLowerCase()),
  accepts: PROXY_HEADERS.join(" or "),
  help: "The header in which they say it: it has to be one that they write, whatever comes.",
};

const socketsPerAddress: DoorOption<number> = {
  name: "SOCKETS_PER_ADDRESS",
  default: 5_000,
  parse: (text) => {
    const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    return count >= 1 && count <= 1_000_000 ? count : undefined;
  },
  accepts: "a whole number from 1 to 1000000",
  help: "WebSockets that one address may have open.",
};

/** All of it by `read`, which reads one option. */
export function readDoor(read: <T>(option: DoorOption<T>) => T): DoorSettings {
  return {
    corsOrigins: read(corsOrigins),
    trustedProxies: read(trustedProxies),
    proxyHeader: read(proxyHeader),
    socketsPerAddressMax: read(socketsPerAddress),
  };
}

/** Origins that may ask: those given, and the shop's own. */
export function originsOf(
  { corsOrigins: given }: DoorSettings,
  {
    isProduction,
    publicUrl,
  }: { readonly isProduction: boolean; readonly publicUrl: string | null },
): string[] {
  const own = publicUrl === null ? [] : [new URL(publicUrl).origin];
  return [...(given ?? (isProduction ? [] : LOCAL_ORIGINS)), ...own];
}
