/** What an organisation keeps for its events, and what it does with drafts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "pg";
import { BODY_BYTES_MAX, PLAN_DEPTH_MAX } from "../../engine/limits.ts";
import {
  PLANS_PER_ORGANIZATION_MAX,
  VENUES_PER_ORGANIZATION_MAX,
} from "../../engine/search-limits.ts";
import { BoxOffice, refused } from "../support/box-office.ts";
import type { Page, EventShape as PlainEvent } from "../support/shapes.ts";
import { ok, openOrganization, openStudio, SMALL_PLAN, seatIds } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;

const HALL = {
  name: "Stadthalle",
  city: "Jena",
  country: "DE",
  location: { lat: 50.93, lng: 11.59 },
};

interface EventShape extends PlainEvent {
  readonly category: string | null;
  readonly venue: typeof HALL | null;
}

interface Kept {
  readonly id: string;
  readonly name: string;
  readonly city?: string;
  readonly seatCount?: number;
  readonly categories?: string[];
  readonly plan?: unknown;
}

async function shelf(name: string) {
  const { token } = await office.register();
  const organizationId = await openOrganization(api, token);
  return { token, organizationId, path: `/api/v1/organizations/${organizationId}/${name}` };
}

test("what two change of a venue or a plan at once is changed, all of it", async () => {
  const [venues, plans] = [await shelf("venues"), await shelf("seating-plans")];
  const other = { ...SMALL_PLAN, name: "Other" };
  for (const [{ token, path }, before, changes] of [
    [venues, HALL, [{ name: "Halle" }, { city: "Gera" }, { country: "AT" }]],
    [plans, { name: "Klein", plan: SMALL_PLAN }, [{ name: "Anders" }, { plan: other }]],
  ] as const) {
    for (let round = 0; round < 5; round += 1) {
      const { id } = ok(await api.post<Kept>(path, { token, body: before }), 201);
      await Promise.all(changes.map((body) => api.patch(`${path}/${id}`, { token, body })));
      const now = ok(await api.get<Kept>(`${path}/${id}`, { token }));
      const expected: object = Object.assign({}, ...changes);
      assert.deepEqual({ ...now, ...expected }, now);
    }
  }
});

test("a venue is kept, changed, listed and removed; an event has a copy", async () => {
  const { token, organizationId, path } = await shelf("venues");
  const made = await api.post<Kept>(path, { token, body: HALL });
  const { id } = ok(made, 201);
  assert.equal(made.headers.location, `${path}/${id}`);
  ok(await api.post(path, { token, body: { name: "Keller" } }), 201);
  const event = {
    organizationId,
    title: "Abend",
    startsAt: "2040-05-04T19:30:00Z",
    venueId: id,
    priceCategories: [{ key: "all", price: 1000 }],
    areas: [{ key: "floor", capacity: 5, priceCategory: "all" }],
  };
  const created = ok(await api.post<EventShape>("/api/v1/events", { token, body: event }), 201);
  assert.deepEqual(created.venue, HALL);
  const body = { name: " Neue Stadthalle ", city: null };
  const changed = ok(await api.patch<Kept>(`${path}/${id}`, { token, body }));
  assert.deepEqual([changed.name, changed.city], ["Neue Stadthalle", undefined]);
  assert.deepEqual(ok(await api.get<Kept>(`${path}/${id}`, { token })), changed);
  const first: Page<Kept> = ok(await api.get(`${path}?limit=1`, { token }));
  const rest: Page<Kept> = ok(await api.get(`${path}?cursor=${first.nextCursor}`, { token }));
  assert.deepEqual(
    [...first.data, ...rest.data].map(({ name }) => name),
    ["Neue Stadthalle", "Keller"],
  );
  const eventPath = `/api/v1/events/${created.id}`;
  assert.deepEqual(ok(await api.get<EventShape>(eventPath, { token })).venue, HALL);
  const moved = ok(await api.patch<EventShape>(eventPath, { token, body: { venueId: id } }));
  assert.equal(moved.venue?.name, "Neue Stadthalle");
  for (const _ of [1, 2]) assert.equal((await api.delete(`${path}/${id}`, { token })).status, 204);
  refused(await api.get(`${path}/${id}`, { token }), 404, "venue_not_found");
  refused(await api.patch(eventPath, { token, body: { venueId: id } }), 400, "validation_failed");
});

test("a seating plan is kept once, and used for many events", async () => {
  const { token, organizationId, path } = await shelf("seating-plans");
  const body = { name: "Studio", plan: SMALL_PLAN };
  const kept = ok(await api.post<Kept>(path, { token, body }), 201);
  assert.equal(kept.seatCount, 10);
  const whole = ok(await api.get<Kept>(`${path}/${kept.id}`, { token }));
  assert.deepEqual(whole.plan, SMALL_PLAN);
  const list: Page<Kept> = ok(await api.get(path, { token }));
  assert.deepEqual(list.data, [kept]);
  const event = {
    organizationId,
    title: "Abend",
    startsAt: "2040-05-04T19:30:00Z",
    priceCategories: (kept.categories ?? []).map((name) => ({
      key: name.toLowerCase(),
      name,
      price: 1,
    })),
    seatingPlanId: kept.id,
    publish: true,
  };
  for (const title of ["Eins", "Zwei"]) {
    const made = { token, body: { ...event, title } };
    const { id } = ok(await api.post<EventShape>("/api/v1/events", made), 201);
    assert.equal((await seatIds(api, id)).length, 10);
  }
  const both = { token, body: { ...event, seatingPlan: SMALL_PLAN } };
  refused(await api.post("/api/v1/events", both), 400, "validation_failed");
  const renamed = ok(
    await api.patch<Kept>(`${path}/${kept.id}`, { token, body: { name: "Saal" } }),
  );
  assert.deepEqual([renamed.name, renamed.seatCount], ["Saal", 10]);
  const broken = { token, body: { plan: { zones: [] } } };
  refused(await api.patch(`${path}/${kept.id}`, broken), 400, "validation_failed");
});

test("a plan that is nested too deeply is refused, read or not", async () => {
  const { token, path } = await shelf("seating-plans");
  const kept = ok(
    await api.post<Kept>(path, { token, body: { name: "Studio", plan: SMALL_PLAN } }),
    201,
  );
  const nested = (levels: number) =>
    `{"name":"Deep",${JSON.stringify({ plan: SMALL_PLAN }).slice(1, -2)},
      "more":${"[".repeat(levels)}${"]".repeat(levels)}}}`;
  for (const levels of [PLAN_DEPTH_MAX, 10_000]) {
    const ask = { token, raw: nested(levels) };
    for (const reply of [await api.post(path, ask), await api.patch(`${path}/${kept.id}`, ask)]) {
      const { errors } = refused(reply, 400, "validation_failed");
      const message = "is nested too deeply: 32 levels are enough";
      assert.deepEqual(errors, [{ path: "plan", message }]);
    }
  }
  ok(await api.post(path, { token, raw: nested(PLAN_DEPTH_MAX - 1) }), 201);
});

test("a plan may be larger than other bodies, a venue may not", async () => {
  const more = " ".repeat(BODY_BYTES_MAX);
  const venues = await shelf("venues");
  const { id } = ok(await api.post<Kept>(venues.path, { token: venues.token, body: HALL }), 201);
  const venue = { token: venues.token, body: { ...HALL, more } };
  for (const [method, path] of [
    ["POST", venues.path],
    ["PATCH", `${venues.path}/${id}`],
  ] as const) {
    refused(await api.request(method, path, venue), 413, "payload_too_large");
  }
  const { token, path } = await shelf("seating-plans");
  const body = { name: "Studio", plan: { ...SMALL_PLAN, more } };
  ok(await api.post(path, { token, body }), 201);
});

test("what an organisation keeps is nobody else's", async () => {
  for (const [name, body] of [
    ["venues", HALL],
    ["seating-plans", { name: "Studio", plan: SMALL_PLAN }],
  ] as const) {
    const { token, organizationId, path } = await shelf(name);
    const { id } = ok(await api.post<Kept>(path, { token, body }), 201);
    const stranger = await shelf(name);
    for (const method of ["GET", "PATCH", "DELETE"]) {
      const ask = { token: stranger.token, ...(method === "PATCH" ? { body: { name: "x" } } : {}) };
      const reply = await api.request(method, `${path}/${id}`, ask);
      refused(reply, 404, "organization_not_found");
      const other = await api.request(method, `${stranger.path}/${id}`, ask);
      if (method === "DELETE") assert.equal(other.status, 204);
      else assert.equal(other.status, 404);
    }
    refused(await api.get(path), 401, "unauthenticated");
    assert.equal(ok(await api.get<Kept>(`${path}/${id}`, { token })).id, id);
    const event = {
      organizationId: stranger.organizationId,
      title: "Stolen",
      startsAt: "2040-05-04T19:30:00Z",
      priceCategories: [{ key: "all", price: 1000 }],
      areas: [{ key: "floor", capacity: 5, priceCategory: "all" }],
      ...(name === "venues" ? { venueId: id } : { seatingPlanId: id }),
    };
    const theft = { token: stranger.token, body: event };
    refused(await api.post("/api/v1/events", theft), 400, "validation_failed");
    assert.notEqual(stranger.organizationId, organizationId);
  }
});

test("a draft is listed for those who belong to its organisation, and can be removed", async () => {
  const token = office.admin;
  const draft = await openStudio(api, { publish: false });
  const list = `/api/v1/organizations/${draft.organizationId}/events`;
  const ids = async (query = "") =>
    ok(await api.get<Page<EventShape>>(`${list}?${query}`, { token })).data.map(({ id }) => id);
  assert.deepEqual([await ids(), await ids("status=published")], [[draft.id], []]);
  const stranger = await office.register();
  refused(await api.get(list, { token: stranger.token }), 404, "organization_not_found");
  const path = `/api/v1/events/${draft.id}`;
  refused(await api.delete(path, { token: stranger.token }), 404, "event_not_found");
  assert.equal((await api.delete(path, { token })).status, 204);
  refused(await api.delete(path, { token }), 404, "event_not_found");
  refused(await api.get(path, { token }), 404, "event_not_found");
  const published = await openStudio(api);
  const reply = await api.delete(`/api/v1/events/${published.id}`, { token });
  refused(reply, 409, "event_not_draft");
});

test("an event gets another category and another place, and is found there", async () => {
  const token = office.admin;
  const event = await openStudio(api, { category: "jazz", venue: { ...HALL, city: "Gera" } });
  const path = `/api/v1/events/${event.id}`;
  const body = { category: "opera buffa", venue: HALL };
  const changed = ok(await api.patch<EventShape>(path, { token, body }));
  assert.deepEqual([changed.category, changed.venue], ["opera buffa", HALL]);
  const query = "category=Opera%20Buffa&city=jena";
  const found: Page<EventShape> = ok(await api.get(`/api/v1/events?${query}`));
  assert.deepEqual(
    found.data.map(({ id }) => id),
    [event.id],
  );
  const cleared = ok(await api.patch<EventShape>(path, { token, body: { category: null } }));
  assert.equal(cleared.category, null);
});

test("an organisation keeps so many venues and plans, and no more", async () => {
  const client = new Client({ connectionString: office.node.databaseUrl });
  await client.connect();
  const table = [
    ["venues", HALL, VENUES_PER_ORGANIZATION_MAX],
    ["seating-plans", { name: "Studio", plan: SMALL_PLAN }, PLANS_PER_ORGANIZATION_MAX],
  ] as const;
  for (const [name, body, max] of table) {
    const { token, organizationId, path } = await shelf(name);
    const { id } = ok(await api.post<Kept>(path, { token, body }), 201);
    const rows = name.replace("-", "_");
    const summary = name === "venues" ? "" : "summary, ";
    const fill = `INSERT INTO ${rows} (id, organization_id, name, ${summary}content)
      SELECT gen_random_uuid(), organization_id, name, ${summary}content
      FROM ${rows}, generate_series(2, $2) WHERE organization_id = $1`;
    await client.query(fill, [organizationId, max]);
    const full = refused(await api.post(path, { token, body }), 409, "too_many");
    assert.equal(full.limit, max);
    assert.equal((await api.delete(`${path}/${id}`, { token })).status, 204);
    ok(await api.post(path, { token, body }), 201);
    const code = name === "venues" ? "venue_not_found" : "seating_plan_not_found";
    refused(await api.get(`${path}/${id}`, { token }), 404, code);
  }
  await client.end();
});
