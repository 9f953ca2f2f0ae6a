/**
 * Keeps requests to addresses that strangers give us out of our own network. What a name resolves
 * to is judged when the connection is made, and the connection goes to what was judged: a name that
 * says one thing to who asks first and another to who asks again gains nothing.
 */
import { Resolver } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { WEBHOOK_ADDRESSES_MAX, WEBHOOK_RESOLVE_MS_MAX } from "../../engine/notifier-limits.ts";
import { parseRange } from "../limits/client-address.ts";

export interface AddressGuardOptions {
  /** Whether http:// will do. */
  readonly allowHttp: boolean;
  /** Addresses and ranges (CIDR) that are fine although they are not public. */
  readonly allowAddresses: readonly string[];
  /** All addresses of a name. Default: DNS. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/** Nobody is to be asked there. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
  readonly code = "address_refused";
}

export class NameUnknown extends Error {
  override readonly name = "NameUnknown";
  readonly code = "name_unknown";
}

type Range = NonNullable<ReturnType<typeof parseRange>>;

/** IPv6 as it is given out; all that wraps an IPv4 address (mapped, NAT64 …) is elsewhere … */
const GLOBAL_IPV6 = parseRange("2000::/3");
/** … or not `unicast` to the library. A public address on which a cloud answers its machines: */
const METADATA = parseRange("168.63.129.16");

export class AddressGuard {
  readonly #allowHttp: boolean;
  readonly #allowed: readonly Range[];
  readonly #resolve: (host: string) => Promise<readonly string[]>;

  constructor({ allowHttp, allowAddresses, resolve = addressesOf }: AddressGuardOptions) {
    this.#allowHttp = allowHttp;
    this.#allowed = allowAddresses.map(parseRange).filter((range) => range !== undefined);
    this.#resolve = resolve;
  }

  /**
   * Why nothing can be sent to the URL, continuing its name as a sentence; null: nothing is wrong
   * with what is written there. What a name resolves to is judged by `lookup`.
   */
  refusalOf(text: string): string | null {
    if (!URL.canParse(text)) return "must be a URL, such as https://example.org/evently";
    const { protocol, username, password, hostname, port, hash } = new URL(text);
    const isAllowed = protocol === "https:" || (this.#allowHttp && protocol === "http:");
    if (!isAllowed) return "must start with https://";
    if (username !== "" || password !== "") return "must have no user name and password";
    if (hash !== "" || text.endsWith("#")) return "must have no fragment (#)";
    // Below 1024 there are mail, files and shells, none of which is to be sent a request.
    if (port !== "" && port !== "80" && port !== "443" && Number(port) < 1024) {
      return "must have port 80, 443, or one from 1024 on";
    }
    const literal = literalOf(hostname);
    if (literal !== null && !this.allows(literal)) return "must be at a public address";
    return null;
  }

  /** Whether requests may go to this IP address. */
  allows(text: string): boolean {
    if (isIP(text) === 0 || text.includes("%")) return false;
    const address = ipaddr.parse(text);
    const isIn = ([range, bits]: Range): boolean =>
      range.kind() === address.kind() && address.match(range, bits);
    if (this.#allowed.some(isIn)) return true;
    if (address.range() !== "unicast") return false;
    if (address.kind() === "ipv6") return GLOBAL_IPV6 !== undefined && isIn(GLOBAL_IPV6);
    return METADATA !== undefined && !isIn(METADATA);
  }

  /**
   * For an agent's connections: hands on only what every address of the name allows. Not asked
   * where the host is an address already: that is for `refusalOf`.
   */
  readonly lookup: LookupFunction = (host, { all = false, family }, done) => {
    this.#judged(host, family).then(
      (addresses) => {
        const [first] = addresses;
        if (all) done(null, [...addresses]);
        else if (first !== undefined) done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, ""),
    );
  };

  /** At least one. */
  async #judged(host: string, family: unknown) {
    const found = await this.#resolve(host);
    if (!found.every((address) => this.allows(address))) {
      throw new AddressRefused("the name resolves to an address that is not public");
    }
    const addresses = found
      .map((address) => ({ address, family: isIP(address) }))
      .filter((one) => (family === 4 || family === 6 ? one.family === family : true))
      .slice(0, WEBHOOK_ADDRESSES_MAX);
    if (addresses.length === 0) throw new NameUnknown("the name has no address");
    return addresses;
  }
}

/** The address that a URL's host is; null: it is a name. URLs have one form for each address. */
function literalOf(hostname: string): string | null {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? null : bare;
}

/**
 * By DNS alone, not by the machine's own list of hosts; and without its thread pool, in which a few
 * name servers that don't answer would hold up everything else.
 */
async function addressesOf(host: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: WEBHOOK_RESOLVE_MS_MAX, tries: 2 });
  const asked = [resolver.resolve4(host), resolver.resolve6(host)];
  const answers = await Promise.allSettled(asked);
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}
