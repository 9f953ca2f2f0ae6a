import assert from "node:assert/strict";
import { describe, it } from "node:test";
import ipaddr from "ipaddr.js";
import {
  networkOfBytes,
  type ProxyHeader,
  parseRange,
  TrustedProxies,
  textOfNetwork,
} from "./client-address.ts";

const bytes = (address: string): ArrayBuffer =>
  Uint8Array.from(ipaddr.parse(address).toByteArray()).buffer;

describe("networkOfBytes", () => {
  it("takes an IPv4 address whole, and what one customer has of IPv6", () => {
    const cases: [address: string, network: string][] = [
      ["127.0.0.1", "127.0.0.1"],
      ["255.255.255.254", "255.255.255.254"],
      ["::ffff:10.1.2.3", "10.1.2.3"],
      ["2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"],
      ["::1", "0:0:0:0::/64"],
    ];
    for (const [address, network] of cases) {
      assert.equal(textOfNetwork(networkOfBytes(bytes(address))), network);
    }
    assert.equal(networkOfBytes(new ArrayBuffer(0)), "unknown");
  });
});

describe("TrustedProxies", () => {
  const client = (peer: string, lines: string[], header?: ProxyHeader, ranges = TRUSTED) => {
    const proxies = new TrustedProxies(ranges, header);
    const from = bytes(peer);
    const network = proxies.trusts(from) ? proxies.clientOf(from, lines) : networkOfBytes(from);
    return textOfNetwork(network);
  };
  const TRUSTED = ["10.0.0.0/8", "fd00::/8"];

  it("believes nobody whom it does not trust", () => {
    assert.equal(client("192.0.2.1", ["203.0.113.7"]), "192.0.2.1");
    assert.equal(client("10.0.0.1", ["203.0.113.7"], "x-forwarded-for", []), "10.0.0.1");
  });

  it("takes the nearest address that is not trusted, whatever was written before it", () => {
    const cases: [lines: string[], network: string][] = [
      [["203.0.113.7"], "203.0.113.7"],
      [["6.6.6.6, 203.0.113.7"], "203.0.113.7"],
      [["6.6.6.6, 203.0.113.7, 10.9.9.9"], "203.0.113.7"],
      [["6.6.6.6", "203.0.113.7"], "203.0.113.7"],
      [["10.5.5.5, 203.0.113.7 , 10.9.9.9:4711"], "203.0.113.7"],
      [["203.0.113.7:4711"], "203.0.113.7"],
      [["2001:db8:1:2::9"], "2001:db8:1:2::/64"],
      [["[2001:db8:1:2::9]:80"], "2001:db8:1:2::/64"],
      [["::ffff:203.0.113.7"], "203.0.113.7"],
      [["10.7.7.7, 10.8.8.8"], "10.7.7.7"],
    ];
    for (const [lines, network] of cases) assert.equal(client("10.0.0.1", lines), network);
    assert.equal(client("fd00::1", ["203.0.113.7"]), "203.0.113.7");
    assert.equal(client("::ffff:10.0.0.1", ["203.0.113.7"]), "203.0.113.7");
  });

  it("stops at what is no address, and takes who is behind it", () => {
    for (const junk of ["", "unknown", "1.2.3", "0x7f.1", "203.0.113.256", "x".repeat(5_000)]) {
      assert.equal(client("10.0.0.1", [`6.6.6.6, ${junk}`]), "10.0.0.1", junk);
      assert.equal(client("10.0.0.1", [`6.6.6.6, ${junk}, 10.2.2.2`]), "10.2.2.2", junk);
    }
    assert.equal(client("10.0.0.1", []), "10.0.0.1");
    const long = Array.from({ length: 10_000 }, () => "10.3.3.3").join(",");
    assert.equal(client("10.0.0.1", [`6.6.6.6,${long}`]), "10.3.3.3");
  });

  it("reads Forwarded where that is the header", () => {
    const cases: [line: string, network: string][] = [
      ["for=203.0.113.7;proto=https", "203.0.113.7"],
      ["for=6.6.6.6, For=203.0.113.7", "203.0.113.7"],
      ['by=10.0.0.1;for="[2001:db8:1:2::9]:80"', "2001:db8:1:2::/64"],
      ["for=203.0.113.7, for=10.1.1.1", "203.0.113.7"],
      ["for=6.6.6.6, for=_hidden", "10.0.0.1"],
      ["for=6.6.6.6, proto=https", "10.0.0.1"],
    ];
    for (const [line, network] of cases) {
      assert.equal(client("10.0.0.1", [line], "forwarded"), network, line);
    }
  });
});

describe("parseRange", () => {
  it("takes addresses and ranges, and nothing like them", () => {
    for (const good of ["10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"]) {
      assert.notEqual(parseRange(good), undefined, good);
    }
    for (const bad of ["", "10", "10.0/8", "10.0.0.0/33", "fd00::/129", "localhost", "*"]) {
      assert.equal(parseRange(bad), undefined, bad);
    }
  });
});
