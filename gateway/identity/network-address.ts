const MAPPED_IPV4 = /^(?:0{1,4}:){5}ffff:|^::ffff:/i;

/**
 * Whose address it is, for counting: an IPv4 address as it is, of an IPv6 address the /64, which is
 * what one customer of a provider has. `address` as the server gives it, groups written out.
 */
export function networkOf(address: string): string {
  if (!address.includes(":") || MAPPED_IPV4.test(address)) return address;
  return `${address.split(":").slice(0, 4).join(":")}::/64`;
}
