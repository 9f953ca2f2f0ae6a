import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CONNECTIONS_MAX } from "../../engine/door-limits.ts";
import { TrustedProxies } from "../limits/client-address.ts";
import { Door, limitClassOf, OPEN_DOOR } from "./door.ts";

const peer = (...bytes: number[]) => ({ getRemoteAddress: () => Uint8Array.from(bytes).buffer });
const handler = () => undefined;

describe("Door", () => {
  it("lets no more connections in than it may, and others when some have gone", () => {
    const door = new Door(OPEN_DOOR);
    for (let n = 0; n < CONNECTIONS_MAX; n += 1) {
      assert.equal(door.connected(peer(10, 0, 0, 1)), true);
    }
    assert.equal(door.connected(peer(10, 0, 0, 1)), false);
    for (let n = 0; n < 2; n += 1) door.disconnected();
    assert.equal(door.connected(peer(10, 0, 0, 1)), true);
  });

  it("counts connections by address, but for those of trusted proxies", () => {
    const connects = { count: 2, windowMs: 60_000 };
    const proxies = new TrustedProxies(["10.0.0.0/8"]);
    const door = new Door({ ...OPEN_DOOR, connects, proxies });
    const come = (...bytes: number[]) => [1, 2, 3].map(() => door.connected(peer(...bytes)));
    assert.deepEqual(come(192, 0, 2, 1), [true, true, false]);
    assert.deepEqual(come(192, 0, 2, 2), [true, true, false]);
    assert.deepEqual(come(10, 0, 0, 1), [true, true, true]);
  });

  it("counts bodies on their way by address", () => {
    const { bodies } = new Door(OPEN_DOOR);
    const comes = (network: number) => bodies.enter(network, 2);
    assert.deepEqual([comes(1), comes(1), comes(1), comes(2)], [true, true, false, true]);
    bodies.leave(1);
    assert.deepEqual([comes(1), comes(1)], [true, false]);
    bodies.leave(1);
    bodies.leave(1);
    bodies.leave(1);
    assert.deepEqual([comes(1), comes(1), comes(1)], [true, true, false]);
  });

  it("takes all lines of a proxy's header, whoever wrote the first", () => {
    const proxies = new TrustedProxies(["10.0.0.0/8"]);
    const door = new Door({ ...OPEN_DOOR, proxies });
    const heard = {
      getHeader: () => "6.6.6.6",
      forEach: (each: (name: string, value: string) => void) => {
        each("x-forwarded-for", "6.6.6.6");
        each("host", "x");
        each("x-forwarded-for", "192.0.2.7");
      },
    };
    assert.equal(door.networkOf(peer(10, 0, 0, 1), heard), 0xc0000207);
    assert.equal(door.networkOf(peer(192, 0, 2, 9), heard), 0xc0000209);
  });
});

describe("limitClassOf", () => {
  it("limits what is under /api/, by what the route says or else by its method", () => {
    const api = "/api/v1/things";
    assert.equal(limitClassOf({ method: "GET", path: api, handler }), "read");
    assert.equal(limitClassOf({ method: "DELETE", path: api, handler }), "write");
    assert.equal(limitClassOf({ method: "POST", path: api, handler, limit: "hold" }), "hold");
    assert.equal(limitClassOf({ method: "POST", path: api, handler, limit: "none" }), null);
    assert.equal(limitClassOf({ method: "GET", path: "/metrics", handler }), null);
  });
});
