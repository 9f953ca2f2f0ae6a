/**
 * Whom a request comes from. Behind a proxy that is what the proxy says, and who is asked nearest
 * first: each proxy appends whom it has heard from, so what stands before the last trusted one is
 * whatever the client wrote.
 *
 *   X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.0.0.2      connection from 10.0.0.1
 *                    written  └ client     └ proxies of TRUSTED_PROXIES ┘
 */
import ipaddr from "ipaddr.js";
import { DOOR_MEMORY_MAX, PROXY_HOPS_MAX } from "../../engine/door-limits.ts";
import { FifoMap } from "../../engine/fifo-map.ts";

/**
 * Whose address it is, for counting: an IPv4 address as its number; of an IPv6 address the /64,
 * which is what one customer of a provider has, as text.
 */
export type Network = number | string;

export type ProxyHeader = "x-forwarded-for" | "forwarded";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

/** `address` has 4 bytes or 16; none when the connection is gone. */
export function networkOfBytes(address: ArrayBuffer): Network {
  if (address.byteLength === 4) return new DataView(address).getUint32(0);
  return address.byteLength === 16 ? networkOf(ipaddr.fromByteArray(bytesOf(address))) : "unknown";
}

const bytesOf = (address: ArrayBuffer): number[] => [...new Uint8Array(address)];

function networkOf(address: Address): Network {
  if (address instanceof ipaddr.IPv4) {
    return new DataView(Uint8Array.from(address.toByteArray()).buffer).getUint32(0);
  }
  if (address.isIPv4MappedAddress()) return networkOf(address.toIPv4Address());
  const groups = address.parts.slice(0, 4).map((group) => group.toString(16));
  return `${groups.join(":")}::/64`;
}

/** As people write it. */
export function textOfNetwork(network: Network): string {
  if (typeof network === "string") return network;
  return [24, 16, 8, 0].map((bits) => (network >>> bits) & 255).join(".");
}

/** A range in CIDR notation, or one address. undefined: it is neither. */
export function parseRange(text: string): Range | undefined {
  const [bare = ""] = text.split("/");
  // Forms such as 10.1 are valid to the library, and never meant.
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return undefined;
  if (text.includes("/")) return ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
  const address = ipaddr.parse(bare);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

/**
 * Invariant: a header is looked at only when the other end of the connection is trusted, and an
 * address in it is believed only when all behind it are.
 */
export class TrustedProxies {
  readonly header: ProxyHeader;
  readonly #ranges: readonly Range[];
  readonly #known = new FifoMap<string, Address | null>();

  constructor(ranges: readonly string[], header: ProxyHeader = "x-forwarded-for") {
    this.#ranges = ranges.flatMap((text) => {
      const range = parseRange(text);
      return range === undefined ? [] : [range];
    });
    this.header = header;
  }

  /** Whether connections of this other end speak for others. */
  trusts(peer: ArrayBuffer): boolean {
    if (this.#ranges.length === 0 || peer.byteLength === 0) return false;
    return this.#isTrusted(ipaddr.fromByteArray(bytesOf(peer)));
  }

  /** Who speaks through the trusted `peer`; `lines` are all headers of that name, in order. */
  clientOf(peer: ArrayBuffer, lines: readonly string[]): Network {
    let nearest: Address = ipaddr.fromByteArray(bytesOf(peer));
    const hops = lines.join(",").split(",").slice(-PROXY_HOPS_MAX);
    for (const hop of hops.reverse()) {
      const address = this.#parse(this.header === "forwarded" ? forOf(hop) : hop.trim());
      // What can't be read is nobody, and what stands before it is not believed.
      if (address === null) break;
      nearest = address;
      if (!this.#isTrusted(address)) break;
    }
    return networkOf(nearest);
  }

  #parse(text: string): Address | null {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const address = parseAddress(text);
    this.#known.set(text, address);
    const oldest = this.#known.size > DOOR_MEMORY_MAX ? this.#known.oldestKey() : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
    return address;
  }

  #isTrusted(address: Address): boolean {
    const plain =
      address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()
        ? address.toIPv4Address()
        : address;
    return this.#ranges.some(
      ([range, bits]) => range.kind() === plain.kind() && plain.match(range, bits),
    );
  }
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
function parseAddress(text: string): Address | null {
  if (text.length > 64) return null;
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+)(?::\d+)?$/.exec(text)?.[1];
  const address = bare ?? text;
  const isOne = ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address);
  return isOne ? ipaddr.parse(address) : null;
}

/** The `for` of one element of Forwarded (RFC 7239); "" when it has none. */
function forOf(element: string): string {
  const [, quoted, plain] = /(?:^|;)\s*for=(?:"([^"]*)"|([^;\s]*))/i.exec(element) ?? [];
  return quoted ?? plain ?? "";
}
