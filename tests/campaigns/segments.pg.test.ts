/** Segments against a naive reading of the same bookings, and against another organisation. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CUSTOMER_FOR_MS } from "../../engine/campaign-limits.ts";
import type { UserId } from "../../engine/ids.ts";
import { Random } from "../../engine/testing/random.ts";
import { parseSegment, type Segment } from "../../gateway/campaigns/segment.ts";
import { segmentQuery } from "../../gateway/campaigns/segment-query.ts";
import type { Queries } from "../../gateway/tenancy/database.ts";
import { asker, NOBODY, type Scope } from "../../gateway/tenancy/scope.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type GatewayDatabase, openGatewayDatabase } from "../support/gateway-database.ts";
import { type OwnerRows, openOwnerRows } from "../support/owner-rows.ts";
import {
  addBooking,
  addEvent,
  addOrganization,
  addUser,
  type BookingRow,
  type EventRow,
  freshId,
} from "./customers.ts";

interface World {
  readonly organizationId: string;
  readonly owner: UserId;
  readonly events: EventRow[];
  readonly bookings: BookingRow[];
  /** By id. */
  readonly accounts: Map<string, string>;
  readonly campaignId: string;
  /** Addresses that have opened, and of these who clicked. */
  readonly opened: Set<string>;
  readonly clicked: Set<string>;
}

const NOW_MS = Date.now();
const DAY_MS = 86_400_000;
const CATEGORIES = ["Jazz", "Opéra", null];
const TAGS = ["late", "Kids", "free"];
const PLACES = [
  { city: "Berlin", location: { lat: 52.5, lng: 13.4 } },
  { city: "Potsdam", location: { lat: 52.4, lng: 13.06 } },
  { city: "München", location: { lat: 48.1, lng: 11.6 } },
  { city: null, location: null },
];

let database: TestDatabase;
let owner: OwnerRows;
let gateway: GatewayDatabase;
let ours: World;
let others: World;
before(async () => {
  database = await createTestDatabase();
  owner = openOwnerRows(database.url);
  gateway = openGatewayDatabase(database.url);
  const random = new Random(7);
  ours = await makeWorld(random, "ours");
  others = await makeWorld(random, "others");
});
after(async () => {
  await owner.end();
  await gateway.end();
  await database.drop();
});

async function makeWorld(random: Random, name: string): Promise<World> {
  const organizationId = await addOrganization(owner, name);
  const ownerId = (await addUser(owner, `${name}@example.org`, { owns: organizationId })) as UserId;
  const events: EventRow[] = [];
  for (let index = 0; index < 8; index++) {
    events.push(
      await addEvent(owner, organizationId, {
        ...PLACES[random.below(PLACES.length)],
        category: CATEGORIES[random.below(CATEGORIES.length)] ?? null,
        tags: TAGS.filter(() => random.below(2) === 0),
        startsAt: new Date(NOW_MS + (random.below(40) - 20) * DAY_MS).toISOString(),
        currency: random.below(4) === 0 ? "USD" : "EUR",
      }),
    );
  }
  const accounts = new Map<string, string>();
  for (let index = 0; index < 20; index++) {
    const email = `account${index}.${name}@example.org`;
    accounts.set(await addUser(owner, email, { firstName: `A${index}` }), email);
  }
  const ids = [...accounts.keys()];
  const bookings: BookingRow[] = [];
  for (let index = 0; index < 150; index++) {
    const guest = random.below(2) === 0;
    const userId = guest ? freshId() : (ids[random.below(ids.length)] ?? "");
    // The same people are customers of both organisations, as guests.
    const email = `Guest${random.below(30)}@example.org`;
    const tickets = Array.from({ length: 1 + random.below(3) }, () =>
      random.below(6) === 0 ? null : 100 * random.below(50),
    );
    bookings.push(
      await addBooking(owner, {
        eventId: events[random.below(events.length)]?.id ?? "",
        userId,
        email: guest || random.below(3) === 0 ? email : null,
        bookedMs:
          NOW_MS - random.below(10) * DAY_MS - (random.below(8) === 0 ? CUSTOMER_FOR_MS : 0),
        status: random.below(8) === 0 ? "cancelled" : "confirmed",
        handedOver: random.below(8) === 0,
        tickets: tickets.every((price) => price === null) ? [500] : tickets,
        checkedIn: random.below(3) === 0,
      }),
    );
  }
  const world = {
    ...{ organizationId, owner: ownerId, events, bookings, accounts },
    campaignId: freshId(),
    opened: new Set<string>(),
    clicked: new Set<string>(),
  };
  await addEarlierCampaign(world, random);
  return world;
}

async function addEarlierCampaign(world: World, random: Random): Promise<void> {
  const { campaignId, organizationId, opened, clicked } = world;
  await owner.query(
    `INSERT INTO campaigns (id, organization_id, name, segment, variants, tracking, state)
     VALUES ($1, $2, 'Earlier', '{}', '[]', true, 'sent')`,
    [campaignId, organizationId],
  );
  const addresses = [...new Set(world.bookings.map((booking) => addressOf(world, booking)))];
  for (const [position, address] of addresses.entries()) {
    const clicks = random.below(4) === 0 ? 1 : 0;
    const opens = clicks + random.below(2);
    if (opens > 0) opened.add(address);
    if (clicks > 0) clicked.add(address);
    await owner.query(
      `INSERT INTO campaign_recipients
         (campaign_id, position, organization_id, digest, address, opens, clicks)
       VALUES ($1, $2, $3, campaign_digest($1, $4), $4, $5, $6)`,
      [campaignId, position, organizationId, address, opens, clicks],
    );
  }
}

const addressOf = ({ accounts }: World, { email, userId }: BookingRow): string =>
  (email ?? accounts.get(userId) ?? "").toLowerCase();

const fold = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function kilometres(a: { lat: number; lng: number }, b: { lat: number; lng: number }): number {
  const rad = (degrees: number): number => (degrees * Math.PI) / 180;
  const [dLat, dLng] = [rad(b.lat - a.lat), rad(b.lng - a.lng)];
  const h =
    Math.sin(dLat / 2) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(dLng / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.sqrt(h));
}

/** What one address has done, read as plainly as it can be. */
function holds(world: World, segment: Segment, address: string): boolean {
  const confirmed = world.bookings.filter(
    (booking) => booking.status === "confirmed" && addressOf(world, booking) === address,
  );
  const eventOf = (booking: BookingRow) => world.events.find(({ id }) => id === booking.eventId);
  switch (segment.kind) {
    case "all":
      return segment.of.every((part) => holds(world, part, address));
    case "any":
      return segment.of.some((part) => holds(world, part, address));
    case "not":
      return !holds(world, segment.of, address);
    case "bought":
    case "not_bought": {
      const has = confirmed.some((booking) => booking.eventId === segment.eventId);
      return has === (segment.kind === "bought");
    }
    case "opened":
      return segment.campaignId === world.campaignId && world.opened.has(address);
    case "clicked":
      return segment.campaignId === world.campaignId && world.clicked.has(address);
    case "spent": {
      const from = segment.from === undefined ? -Infinity : Date.parse(segment.from);
      const to = segment.to === undefined ? Infinity : Date.parse(segment.to);
      const spent = confirmed
        .filter(({ bookedMs }) => bookedMs >= from && bookedMs < to)
        .filter((booking) => eventOf(booking)?.currency === segment.currency)
        .flatMap(({ tickets }) => tickets)
        .reduce<number>((sum, price) => sum + (price ?? 0), 0);
      return spent >= (segment.atLeast ?? 0) && spent <= (segment.atMost ?? Infinity);
    }
    case "attended": {
      const found = confirmed.filter((booking) => {
        const event = eventOf(booking);
        if (event === undefined) return false;
        const { from, to, categories, tags, cities, near, radiusKm = 0 } = segment;
        if (segment.how === "checked_in" && !booking.checkedIn) return false;
        if (from !== undefined && Date.parse(event.startsAt) < Date.parse(from)) return false;
        if (to !== undefined && Date.parse(event.startsAt) >= Date.parse(to)) return false;
        const names = (list: readonly string[]) => list.map(fold);
        if (categories && !names(categories).includes(fold(event.category ?? ""))) return false;
        if (cities && !names(cities).includes(fold(event.city ?? ""))) return false;
        if (tags && !event.tags.some((tag) => names(tags).includes(fold(tag)))) return false;
        if (near === undefined) return true;
        const [lat = 0, lng = 0] = near.split(",").map(Number);
        return event.location !== null && kilometres(event.location, { lat, lng }) <= radiusKm;
      });
      return new Set(found.map(({ eventId }) => eventId)).size >= (segment.atLeast ?? 1);
    }
  }
}

function expected(world: World, segment: Segment): string[] {
  const isCustomer = (booking: BookingRow): boolean =>
    booking.status === "confirmed" &&
    !booking.handedOver &&
    booking.bookedMs >= NOW_MS - CUSTOMER_FOR_MS;
  const customers = new Set(
    world.bookings.filter(isCustomer).map((booking) => addressOf(world, booking)),
  );
  return [...customers].filter((address) => holds(world, segment, address)).sort();
}

async function found(rows: Queries, world: World, segment: Segment): Promise<string[]> {
  const { organizationId } = world;
  const { ctes, parameters } = segmentQuery(segment, { organizationId, nowMs: NOW_MS });
  const text = `WITH ${ctes} SELECT address FROM people`;
  const { rows: people } = await rows.query<{ address: string }>(text, parameters.values);
  return people.map(({ address }) => address).sort();
}

const as = (scope: Scope): Queries => gateway.database.in(scope);
const asOwnerOf = (world: World): Queries => as(asker({ userId: world.owner, role: "customer" }));

function anySegment(random: Random, world: World, depth: number): Segment {
  const event = (): string => world.events[random.below(world.events.length)]?.id ?? "";
  const ahead = (days: number): string => new Date(NOW_MS + days * DAY_MS).toISOString();
  const maybe = <T extends object>(value: T): T | object => (random.below(2) === 0 ? value : {});
  const kinds = depth > 0 ? 9 : 6;
  switch (random.below(kinds)) {
    case 0:
      return {
        kind: "attended",
        atLeast: 1 + random.below(3),
        how: random.below(2) === 0 ? "booked" : "checked_in",
        ...maybe({ from: ahead(-random.below(20)) }),
        ...maybe({ to: ahead(1 + random.below(20)) }),
        ...maybe({ categories: ["jazz", "OPERA"].slice(random.below(2)) }),
      };
    case 1:
      return {
        kind: "attended",
        ...maybe({ tags: ["KIDS", "late"].slice(random.below(2)) }),
        ...maybe({ cities: ["munchen", "potsdam"].slice(random.below(2)) }),
        ...maybe({ near: "52.5,13.4", radiusKm: [1, 40, 1_000][random.below(3)] ?? 1 }),
      };
    case 2: {
      const bounds = { atLeast: 100 * random.below(60), atMost: 6_000 + 100 * random.below(60) };
      return {
        kind: "spent",
        currency: random.below(3) === 0 ? "USD" : "EUR",
        ...(random.below(2) === 0 ? { atLeast: bounds.atLeast } : bounds),
        ...maybe({ from: ahead(-random.below(10)) }),
      };
    }
    case 3:
      return { kind: "bought", eventId: event() };
    case 4:
      return { kind: "not_bought", eventId: event() };
    case 5:
      return {
        kind: random.below(2) === 0 ? "opened" : "clicked",
        campaignId: world.campaignId,
      };
    case 6:
      return { kind: "not", of: anySegment(random, world, depth - 1) };
    default: {
      const of = Array.from({ length: 1 + random.below(3) }, () =>
        anySegment(random, world, depth - 1),
      );
      return { kind: random.below(2) === 0 ? "all" : "any", of };
    }
  }
}

test("any segment finds whom a plain reading of the bookings finds", async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  const random = new Random(seed);
  let nonempty = 0;
  for (let n = 0; n < 150; n++) {
    const segment = anySegment(random, ours, 3);
    const parsed = parseSegment(JSON.parse(JSON.stringify(segment)), "segment");
    assert.ok("segment" in parsed, JSON.stringify([parsed, segment]));
    const people = await found(asOwnerOf(ours), ours, parsed.segment);
    const message = `SEED=${seed}: ${JSON.stringify(segment)}`;
    assert.deepEqual(people, expected(ours, segment), message);
    if (people.length > 0) nonempty += 1;
  }
  assert.ok(nonempty > 20, `SEED=${seed}: ${nonempty}`);
});

test("a segment of another organisation finds nobody, and one's own none of theirs", async () => {
  const everybody: Segment = { kind: "not", of: { kind: "bought", eventId: freshId() } };
  assert.ok((await found(asOwnerOf(ours), ours, everybody)).length > 20);
  assert.deepEqual(await found(asOwnerOf(others), ours, everybody), []);
  assert.deepEqual(await found(as(NOBODY), ours, everybody), []);
  const theirs = new Set(others.accounts.values());
  const mine = await found(asOwnerOf(ours), ours, everybody);
  assert.deepEqual(
    mine.filter((address) => theirs.has(address)),
    [],
  );
  // What it names of theirs is not there.
  const bought: Segment = { kind: "bought", eventId: others.events[0]?.id ?? "" };
  assert.deepEqual(await found(asOwnerOf(ours), ours, bought), []);
  const opened: Segment = { kind: "opened", campaignId: others.campaignId };
  assert.deepEqual(await found(asOwnerOf(ours), ours, opened), []);
  // Nor for the notifier, for which no policies hold.
  await owner.transaction(async (within) => {
    await within.query("SELECT set_config('evently.role', 'campaigns', true)");
    assert.deepEqual(await found(within, ours, everybody), mine);
    for (const segment of [bought, opened])
      assert.deepEqual(await found(within, ours, segment), []);
  });
});

test("an address is one person, with the name of the account that has it and no other", async () => {
  const organizationId = await addOrganization(owner, "Small");
  const { id: eventId } = await addEvent(owner, organizationId);
  const account = await addUser(owner, "one@example.org", { firstName: "One" });
  await addBooking(owner, { eventId, userId: account });
  await addBooking(owner, { eventId, email: "ONE@example.org" });
  // Bought for a friend, by an account with another address.
  await addBooking(owner, { eventId, userId: account, email: "friend@example.org" });
  await addBooking(owner, { eventId, email: "received@example.org", handedOver: true });
  const { ctes, parameters } = segmentQuery(
    { kind: "attended" },
    { organizationId, nowMs: NOW_MS },
  );
  const { rows } = await owner.transaction(async (within) => {
    await within.query("SELECT set_config('evently.role', 'campaigns', true)");
    return within.query(`WITH ${ctes} SELECT * FROM people ORDER BY address`, parameters.values);
  });
  assert.deepEqual(rows, [
    { address: "friend@example.org", user_id: null },
    { address: "one@example.org", user_id: account },
  ]);
});
