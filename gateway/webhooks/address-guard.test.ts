import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { test } from "node:test";
import { AddressGuard } from "./address-guard.ts";

const guard = new AddressGuard({ allowHttp: false, allowAddresses: [] });
const loose = new AddressGuard({ allowHttp: true, allowAddresses: ["127.0.0.0/8", "fd00::/16"] });

/** However an address is written, it is what a browser or a C library would take it for. */
const NOT_PUBLIC = [
  ...["127.0.0.1", "127.1", "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1"],
  ...["017700000001", "127.000.000.001", "%31%32%37.0.0.1", "１２７.0.0.1", "127。0。0。1"],
  ...["0.0.0.0", "0", "0x0", "10.0.0.1", "10.1", "167772161", "172.16.0.1", "172.31.255.255"],
  ...["192.168.0.1", "192.168.257", "3232235521", "169.254.169.254", "0xa9fea9fe", "2852039166"],
  ...["169.254.0.1", "100.64.0.1", "100.127.255.255", "100.100.100.200", "168.63.129.16"],
  ...["192.0.0.192", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9"],
  ...["192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"],
  ...["[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::127.0.0.1]", "[::7f00:1]"],
  ...["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:10.0.0.1]", "[::ffff:8.8.8.8]"],
  ...["[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]"],
  ...["[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001::1]", "[2001:0:7f00:1::]", "[2001:db8::1]"],
  ...["[3fff::1]", "[fe80::1]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]"],
  ...["[100::1]", "[5f00::1]", "[2001:2::1]", "[2001:10::1]", "[4000::1]", "[2001:20::1]"],
];

for (const host of NOT_PUBLIC) {
  test(`https://${host}/ is not at a public address`, () => {
    assert.equal(guard.refusalOf(`https://${host}/hook`), "must be at a public address");
    assert.equal(guard.refusalOf(`https://${host}:8443/hook?a=b`), "must be at a public address");
  });
}

const REFUSED: readonly (readonly [url: string, why: RegExp])[] = [
  ["", /must be a URL/],
  ["example.org/hook", /must be a URL/],
  ["https://", /must be a URL/],
  ["https://[fe80::1%25eth0]/", /must be a URL/],
  ["https://127.0.0.1.example:99999/", /must be a URL/],
  ["https://exa mple.org/", /must be a URL/],
  ["http://example.org/", /https/],
  ["ftp://example.org/", /https/],
  ["file:///etc/passwd", /https/],
  ["gopher://example.org:70/_x", /https/],
  ["javascript:alert(1)", /https/],
  ["data:text/plain,x", /https/],
  ["unix:/var/run/docker.sock", /https/],
  ["https://user@example.org/", /no user name/],
  ["https://:secret@example.org/", /no user name/],
  ["https://example.org@127.0.0.1/", /no user name/],
  ["https://example.org/#x", /fragment/],
  ["https://example.org/#", /fragment/],
  ["https://example.org:25/", /port/],
  ["https://example.org:22/", /port/],
  ["https://example.org:0/", /port/],
  ["https://example.org:1023/", /port/],
];

for (const [url, why] of REFUSED) {
  test(`"${url}" is refused: ${why.source}`, () => {
    assert.match(guard.refusalOf(url) ?? "allowed", why);
  });
}

test("what is public is allowed, and what was allowed on purpose", () => {
  const publics = ["https://example.org", "https://example.org:8443/a?b=c", "https://8.8.8.8/"];
  for (const url of [...publics, "https://[2606:4700::1111]:443/", "https://bücher.example/"]) {
    assert.equal(guard.refusalOf(url), null, url);
  }
  for (const url of ["http://127.0.0.1:3000/", "http://example.org/", "https://[fd00::7]/"]) {
    assert.equal(loose.refusalOf(url), null, url);
  }
  assert.notEqual(loose.refusalOf("https://10.0.0.1/"), null);
  assert.notEqual(loose.refusalOf("https://[::ffff:127.0.0.1]/"), null);
});

type Looked = { readonly error: string } | { readonly addresses: readonly LookupAddress[] };

function lookUp(addresses: readonly string[], options = {}): Promise<Looked> {
  const own = new AddressGuard({
    allowHttp: false,
    allowAddresses: [],
    resolve: async () => addresses,
  });
  return new Promise((resolve) => {
    own.lookup("example.org", options, (error, found, family) => {
      if (error !== null) resolve({ error: error.code ?? error.message });
      else if (typeof found === "string") {
        resolve({ addresses: [{ address: found, family: family ?? 0 }] });
      } else resolve({ addresses: found });
    });
  });
}

test("a name is refused when one of its addresses is", async () => {
  const refused = { error: "address_refused" };
  assert.deepEqual(await lookUp(["8.8.8.8", "127.0.0.1"], { all: true }), refused);
  assert.deepEqual(await lookUp(["8.8.8.8", "::1"]), refused);
  assert.deepEqual(await lookUp(["fe80::1%eth0"]), refused);
  assert.deepEqual(await lookUp(["not an address"]), refused);
  assert.deepEqual(await lookUp([]), { error: "name_unknown" });
  assert.deepEqual(await lookUp(["8.8.8.8"], { family: 6 }), { error: "name_unknown" });
});

test("a name gives its addresses in the form that was asked for", async () => {
  const [four, six] = [
    { address: "8.8.8.8", family: 4 },
    { address: "2606:4700::1111", family: 6 },
  ];
  const both = [four.address, six.address];
  assert.deepEqual(await lookUp(both, { all: true }), { addresses: [four, six] });
  assert.deepEqual(await lookUp(both), { addresses: [four] });
  assert.deepEqual(await lookUp(both, { family: 6 }), { addresses: [six] });
});
