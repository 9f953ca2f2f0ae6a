import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { NO_CHARGES } from "../../engine/charges.ts";
import {
  type EventId,
  type EventTag,
  eventTagOf,
  type OrganizationId,
  uuidV7,
} from "../../engine/ids.ts";
import {
  DIRECTORY_ABSENT_TTL_MS,
  DIRECTORY_EVENTS_MAX,
  DIRECTORY_LOADS_MAX,
  DIRECTORY_SEATS_MAX,
} from "../../engine/limits.ts";
import { DIRECTORY_DOUBT_TTL_MS } from "../../engine/search-limits.ts";
import type { Seat } from "./event-definition.ts";
import { EventDirectory, type EventSource } from "./event-directory.ts";
import type { EventStatus, StoredEvent } from "./event-store.ts";

function idOf(n: number): EventId {
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(6, n);
  return uuidV7(1, random) as EventId;
}

function stored(eventId: EventId, status: EventStatus = "published"): StoredEvent {
  return {
    eventId,
    tag: eventTagOf(eventId),
    organizationId: uuidV7(1, new Uint8Array(10)) as OrganizationId,
    allowInvoices: true,
    status,
    title: "Show",
    description: "",
    category: null,
    tags: [],
    venue: null,
    startsMs: 0,
    endsMs: null,
    timezone: "UTC",
    currency: "EUR",
    salesOpenMs: null,
    salesCloseMs: null,
    holdTtlMs: 1000,
    perOrderMax: 1,
    perUserMax: 1,
    priceCategories: [{ key: "a", name: "A", price: 1 }],
    areas: [{ key: "floor", name: "Floor", capacity: 2, priceCategory: "a" }],
    promoCodes: [],
    churn: null,
    cancelUntilMs: null,
    paymentWindowMs: 900_000,
    charges: NO_CHARGES,
    cancelling: false,
    neverPublished: false,
    version: 0,
    seatCount: 1,
    createdMs: 0,
    updatedMs: 0,
  };
}

const seatNamed = (id: string): Seat => ({
  id,
  zone: "",
  row: null,
  number: null,
  category: "a",
  x: null,
  y: null,
  accessible: false,
});

/** A store that counts what it is asked, and answers once it is let. */
class FakeSource implements EventSource {
  readonly events = new Map<EventId, StoredEvent>();
  seats: readonly Seat[] = [seatNamed("s1"), seatNamed("s2")];
  finds = 0;
  gate: Promise<void> = Promise.resolve();

  async find(eventId: EventId): Promise<StoredEvent | null> {
    this.finds += 1;
    const event = this.events.get(eventId) ?? null;
    await this.gate;
    return event;
  }

  findByTag(tag: EventTag): Promise<StoredEvent | null> {
    const found = [...this.events.keys()].find((id) => eventTagOf(id) === tag);
    return this.find(found ?? idOf(0));
  }

  async seatsOf(): Promise<readonly Seat[]> {
    return this.seats;
  }
}

describe("EventDirectory", () => {
  let source: FakeSource;
  let directory: EventDirectory;
  const id = idOf(1);
  const tag = eventTagOf(id);

  beforeEach(() => {
    source = new FakeSource();
    source.events.set(id, stored(id));
    directory = new EventDirectory(source);
  });

  it("has nothing at hand until it is asked, and then translates names into indexes", async () => {
    assert.equal(directory.peek(id), undefined);
    assert.equal(directory.peekByTag(tag), undefined);
    const entry = await directory.get(id);
    assert.equal(directory.peek(id), entry);
    assert.equal(directory.peekByTag(tag), entry);
    assert.deepEqual(entry?.seatIds, ["s1", "s2"]);
    assert.equal(entry?.seatIndexById.get("s2"), 1);
    assert.equal(entry?.areaIndexByKey.get("floor"), 0);
    assert.deepEqual(entry?.categoryKeys, ["a"]);
    assert.equal(JSON.parse(entry?.json ?? "").id, id);
  });

  it("loads once for all who ask at the same time", async () => {
    const asked = [directory.get(id), directory.get(id), directory.get(id)];
    const entries = new Set(await Promise.all(asked));
    assert.equal(entries.size, 1);
    assert.equal(source.finds, 1);
    assert.equal(await directory.getByTag(tag), [...entries][0]);
    assert.equal(source.finds, 1);
  });

  it("believes for a moment that there is no such event, unless told otherwise", async () => {
    let nowMs = 1_000_000;
    directory = new EventDirectory(source, () => nowMs);
    const [early, late] = [idOf(2), idOf(3)];
    assert.equal(await directory.get(early), null);
    assert.equal(await directory.get(late), null);
    assert.equal(await directory.get(early), null);
    assert.equal(source.finds, 2);
    source.events.set(early, stored(early));
    source.events.set(late, stored(late));
    directory.forget(early);
    assert.equal((await directory.get(early))?.eventId, early);
    nowMs += DIRECTORY_ABSENT_TTL_MS - 1;
    assert.equal(await directory.get(late), null);
    nowMs += 1;
    assert.equal((await directory.get(late))?.eventId, late);
  });

  it("hands out drafts without keeping them", async () => {
    source.events.set(id, stored(id, "draft"));
    assert.equal((await directory.get(id))?.status, "draft");
    assert.equal(directory.peek(id), undefined);
    source.events.set(id, { ...stored(id, "cancelled"), neverPublished: true });
    assert.equal((await directory.get(id))?.status, "cancelled");
    assert.equal(directory.peek(id), undefined, "nor when they are cancelled");
    source.events.set(id, stored(id, "published"));
    assert.equal((await directory.get(id))?.status, "published");
  });

  it("does not keep what was loading when it was told to forget", async () => {
    let open: () => void = () => undefined;
    source.gate = new Promise((resolve) => {
      open = resolve;
    });
    const before = directory.get(id);
    source.events.set(id, stored(id, "cancelled"));
    directory.forget(id);
    const after = directory.get(id);
    open();
    assert.equal((await before)?.status, "published");
    assert.equal((await after)?.status, "cancelled");
    assert.equal(directory.peek(id)?.status, "cancelled");
  });

  it("passes a failed load on and tries again at the next question", async () => {
    source.gate = Promise.reject(new Error("database away"));
    await assert.rejects(directory.get(id), /database away/);
    source.gate = Promise.resolve();
    assert.notEqual(await directory.get(id), null);
  });

  it("is busy past the loads that it may have in flight", async () => {
    const loads = Array.from({ length: DIRECTORY_LOADS_MAX }, (_, n) => directory.get(idOf(n + 2)));
    await assert.rejects(directory.get(id), { code: "busy" });
    await Promise.all(loads);
    assert.notEqual(await directory.get(id), null);
  });

  it("keeps a bounded number of events and lets go of those that nobody uses", async () => {
    await directory.get(id);
    for (let n = 2; n < DIRECTORY_EVENTS_MAX * 2; n += 1) {
      source.events.set(idOf(n), stored(idOf(n)));
      await directory.get(idOf(n));
      assert.notEqual(directory.peek(id), undefined);
    }
    assert.equal(directory.eventCount, DIRECTORY_EVENTS_MAX);
    assert.equal(directory.peekByTag(eventTagOf(idOf(2))), undefined);
  });

  it("keeps a bounded number of seats, but always the event that was asked for", async () => {
    source.seats = new Array<Seat>(DIRECTORY_SEATS_MAX / 2).fill(seatNamed("x"));
    for (const n of [2, 3, 4]) {
      source.events.set(idOf(n), stored(idOf(n)));
      await directory.get(idOf(n));
      assert.notEqual(directory.peek(idOf(n)), undefined);
    }
    assert.equal(directory.eventCount, 2);
  });

  describe("what may have changed unheard", () => {
    let nowMs: number;
    const rename = (title: string) => source.events.set(id, { ...stored(id), title });

    beforeEach(async () => {
      nowMs = 1_000_000;
      directory = new EventDirectory(source, () => nowMs);
      await directory.get(id);
      rename("changed");
    });

    it("is believed for a moment, and then read anew at every look", async () => {
      directory.deaf();
      assert.equal((await directory.get(id))?.title, "Show");
      nowMs += DIRECTORY_DOUBT_TTL_MS + 1;
      assert.equal((await directory.get(id))?.title, "changed");
      rename("again");
      nowMs += DIRECTORY_DOUBT_TTL_MS + 1;
      assert.equal((await directory.getByTag(tag))?.title, "again");
    });

    it("is read anew once changes are heard again, and then believed for good", async () => {
      directory.deaf();
      nowMs += 1;
      directory.hearing();
      nowMs += 1;
      assert.equal((await directory.get(id))?.title, "changed");
      rename("unheard");
      nowMs += 1_000 * DIRECTORY_DOUBT_TTL_MS;
      assert.equal((await directory.get(id))?.title, "changed");
    });

    it("is believed, though the machine's clock is set back", async (t) => {
      directory = new EventDirectory(source);
      directory.hearing();
      await directory.get(id);
      t.mock.method(Date, "now", () => 0);
      directory.forget(id);
      await directory.get(id);
      const asked = source.finds;
      await directory.get(id);
      assert.equal(source.finds, asked);
    });

    it("serves on while the database does not answer, which is asked once in a while", async () => {
      directory.hearing();
      const asked = source.finds;
      source.gate = Promise.reject(new Error("away"));
      source.gate.catch(() => undefined);
      for (let looks = 0; looks < 5; looks += 1) {
        assert.equal(directory.peek(id)?.title, "Show");
        assert.equal((await directory.get(id))?.title, "Show");
      }
      assert.equal(source.finds, asked + 1);
      source.gate = Promise.resolve();
      nowMs += DIRECTORY_DOUBT_TTL_MS;
      assert.equal((await directory.get(id))?.title, "changed");
    });

    it("is at hand for a sale without a wait, and is read anew meanwhile", async () => {
      directory.hearing();
      nowMs += 1;
      assert.equal(directory.peek(id)?.title, "Show");
      await new Promise(setImmediate);
      assert.equal(directory.peek(id)?.title, "changed");
    });

    it("is gone when there is no such event any more", async () => {
      directory.hearing();
      source.events.delete(id);
      assert.equal(await directory.get(id), null);
      assert.equal(directory.peek(id), undefined);
      assert.equal(directory.eventCount, 0);
    });
  });

  it("tells whoever keeps things made of events that they are to be read anew", async () => {
    let told = 0;
    directory.listen(() => {
      told += 1;
    });
    await directory.get(id);
    assert.equal(told, 0);
    directory.forget(id);
    directory.forgetOrganization(stored(id).organizationId);
    directory.forgetAll();
    directory.deaf();
    directory.hearing();
    assert.equal(told, 5);
  });
});
