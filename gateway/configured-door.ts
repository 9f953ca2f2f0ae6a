import { SOCKETS_MAX } from "../engine/limits.ts";
import type { Config } from "./config.ts";
import type { DoorOptions } from "./http/door.ts";
import { originsOf } from "./http/door-settings.ts";
import { Origins } from "./http/origins.ts";
import { TrustedProxies } from "./limits/client-address.ts";
import type { LimitOffice } from "./limits/limit-office.ts";

/** The door as the configuration has it; `userOf` tells whose a request's token is. */
export function doorOf(
  config: Config,
  limits: LimitOffice,
  userOf: (authorization: string) => string | null,
): DoorOptions {
  const { door, rateLimit, publicUrl } = config;
  return {
    limits: limits.requests,
    userOf,
    proxies: new TrustedProxies(door.trustedProxies, door.proxyHeader),
    origins: new Origins(originsOf(door, config)),
    isHttps: publicUrl?.startsWith("https:") === true,
    connects: rateLimit ? config.limits.connect : null,
    messages: rateLimit ? config.limits.message : null,
    socketsPerAddressMax: rateLimit ? door.socketsPerAddressMax : SOCKETS_MAX,
  };
}
