/** Finding events, by what they are and by what is left of them, while they sell. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client } from "pg";
import { BoxOffice, floor, refused } from "../support/box-office.ts";
import { until } from "../support/server.ts";
import type { EventShape, Page } from "../support/shapes.ts";
import { ok, openStudio, seatIds } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;

/** A word that no other event has. */
const freshWord = (): string => `w${randomUUID().replaceAll("-", "").slice(0, 12)}`;

async function find(query: string): Promise<string[]> {
  const page: Page<EventShape> = ok(await api.get(`/api/v1/events?${query}`));
  return page.data.map(({ id }) => id);
}

test("an event is found as soon as it is published, until it is cancelled", async () => {
  const title = `Abend ${freshWord()}`;
  const query = `q=${encodeURIComponent(title)}`;
  assert.deepEqual(await find(query), []);
  const event = await openStudio(api, { title });
  assert.deepEqual(await find(query), [event.id]);
  const renamed = `Abend ${freshWord()}`;
  const path = `/api/v1/events/${event.id}`;
  ok(await api.patch(path, { token: office.admin, body: { title: renamed } }));
  assert.deepEqual(await find(query), []);
  assert.deepEqual(await find(`q=${encodeURIComponent(renamed)}`), [event.id]);
  ok(await api.post(`${path}/cancel`, { token: office.admin }));
  assert.deepEqual(await find(`q=${encodeURIComponent(renamed)}`), []);
});

test("drafts are found by nobody", async () => {
  const title = freshWord();
  await openStudio(api, { title, publish: false });
  assert.deepEqual(await find(`q=${title}`), []);
});

test("what is sold out is not available, and is again when a place comes free", async () => {
  const title = freshWord();
  const areas = [{ key: "floor", name: "Floor", capacity: 4, priceCategory: "standing" }];
  const event = await openStudio(api, { title, areas });
  const query = `q=${title}&available=true`;
  const isFound = async (): Promise<boolean> => (await find(query)).includes(event.id);
  assert.equal(await isFound(), true);
  const { token } = await office.register();
  const seats = (await seatIds(api, event.id)).map((seat) => ({ seat }));
  const first = await office.hold(event, token, seats);
  assert.equal(await isFound(), true);
  const other = await office.register();
  await office.hold(event, other.token, [floor(4)]);
  await until("the event is sold out", async () => !(await isFound()));
  assert.deepEqual(await find(`q=${title}`), [event.id]);
  await api.delete(`/api/v1/holds/${first.id}`, { token });
  await until("places are free again", isFound);
});

test("what is not on sale yet, or not any more, is not available", async () => {
  const title = freshWord();
  await openStudio(api, { title, salesOpenAt: "2039-01-01T00:00:00Z" });
  await openStudio(api, { title, salesCloseAt: "2020-01-01T00:00:00Z" });
  assert.equal((await find(`q=${title}`)).length, 2);
  assert.deepEqual(await find(`q=${title}&available=true`), []);
});

test("the list does not go blank while one types: a last letter narrows what the others found", async () => {
  const word = freshWord();
  const ode = await openStudio(api, { title: `${word} Ode` });
  const trio = await openStudio(api, { title: `${word} Trio` });
  for (const sort of ["startsAt", "relevance"]) {
    const found = async (q: string) => (await find(`q=${q}&sort=${sort}`)).toSorted();
    const both = [ode.id, trio.id].toSorted();
    assert.deepEqual(await found(word), both);
    assert.deepEqual(await found(`${word}%20`), both);
    assert.deepEqual(await found(`${word}%20O`), [ode.id]);
    assert.deepEqual(await found(`${word}%20od`), [ode.id]);
    assert.deepEqual(await found(`${word}%20x`), []);
  }
  assert.deepEqual(await find("q=o"), []);
});

test("one Chinese or Japanese letter may begin a word", async () => {
  const { id } = await openStudio(api, { title: "蜃気楼の夜" });
  for (const q of ["蜃", "蜃気", "蜃気楼の夜"]) assert.deepEqual(await find(`q=${q}`), [id], q);
});

test("misspelt words find what was meant; a word that exists finds itself", async () => {
  const [word, near] = ["philharmonikerball", "philharmonikerhall"];
  const event = await openStudio(api, { title: `Großer ${word}` });
  for (const typed of ["philharmonikreball", "filharmonikerball", "grosser phil"]) {
    assert.deepEqual(await find(`q=${typed}`), [event.id], typed);
  }
  const other = await openStudio(api, { title: near });
  assert.deepEqual(await find(`q=${word}`), [event.id]);
  assert.deepEqual(await find(`q=${near}`), [other.id]);
});

test("a word that becomes known does not change a list half-way through", async () => {
  const ids: string[] = [];
  const [right, wrong] = ["kammerorchesterabend", "kammerorchestrabend"];
  for (const day of [1, 2, 3]) {
    const startsAt = `2041-05-0${day}T20:00:00Z`;
    ids.push((await openStudio(api, { title: right, startsAt })).id);
  }
  const first: Page<EventShape> = ok(await api.get(`/api/v1/events?q=${wrong}&limit=1`));
  await openStudio(api, { title: wrong, startsAt: "2041-05-09T20:00:00Z" });
  const rest = await find(`q=${wrong}&limit=10&cursor=${first.nextCursor}`);
  assert.deepEqual([first.data[0]?.id, ...rest], ids);
});

test("sorted by relevance, a title comes before a tag, and a tag before a description", async () => {
  const word = freshWord();
  const startsAt = (day: number) => `2041-06-0${day}T20:00:00Z`;
  const make = (changes: object) => openStudio(api, { title: "Something", ...changes });
  const described = await make({ description: `Mit ${word}.`, startsAt: startsAt(1) });
  const tagged = await make({ tags: [word], startsAt: startsAt(2) });
  const longer = await make({ title: `${word}s Traum`, startsAt: startsAt(3) });
  const titled = await make({ title: `Der ${word}`, startsAt: startsAt(4) });
  const expected = [titled.id, longer.id, tagged.id, described.id];
  assert.deepEqual(await find(`q=${word}`), expected);
  assert.deepEqual(await find(`q=${word}&sort=startsAt`), expected.toReversed());
});

test("events near a place come by their distance, over the date line, too", async () => {
  const tag = freshWord();
  const at = (lat: number, lng: number) =>
    openStudio(api, { tags: [tag], venue: { name: "Fale", location: { lat, lng } } });
  const [west, far, east] = [await at(-17, 179.9), await at(-17, 170), await at(-17, -179.8)];
  await openStudio(api, { tags: [tag], venue: { name: "Nowhere" } });
  const near = `tag=${tag}&near=-17,-179.95`;
  assert.deepEqual(await find(`${near}&sort=distance`), [east.id, west.id]);
  const all = await find(`${near}&radiusKm=20038&sort=distance`);
  assert.deepEqual(all, [east.id, west.id, far.id]);
  for (const sort of ["distance", "startsAt"]) {
    const exactly = `tag=${tag}&near=-17,179.9&radiusKm=0&sort=${sort}`;
    assert.deepEqual(await find(exactly), [west.id], "a place is no distance away from itself");
  }
  const kilometres = await find(`${near}&radiusKm=17&sort=distance`);
  assert.deepEqual(kilometres, [east.id, west.id].slice(0, kilometres.length));
});

test("prices are those of the event's categories, one of which must fit", async () => {
  const tag = freshWord();
  const areas = [{ key: "floor", name: "Floor", capacity: 4, priceCategory: "standing" }];
  const event = await openStudio(api, {
    tags: [tag],
    areas,
    seatingPlan: null,
    priceCategories: [
      { key: "stalls", name: "Stalls", price: 10_000 },
      { key: "standing", name: "Standing", price: 1_000 },
    ],
  });
  const table: readonly (readonly [query: string, isFound: boolean])[] = [
    ["minPrice=10000", true],
    ["minPrice=10001", false],
    ["maxPrice=1000", true],
    ["maxPrice=999", false],
    ["minPrice=1001&maxPrice=9999", false],
    ["minPrice=1000&maxPrice=2000", true],
    ["currency=eur", true],
    ["currency=USD", false],
  ];
  for (const [query, isFound] of table) {
    assert.deepEqual(await find(`tag=${tag}&${query}`), isFound ? [event.id] : [], query);
  }
  assert.equal((await find(`organizationId=${event.organizationId}&tag=${tag}`)).length, 1);
});

test("an unchanged page of a search is not sent twice", async () => {
  const title = freshWord();
  await openStudio(api, { title });
  const path = `/api/v1/events?q=${title}`;
  const { etag = "", "cache-control": cacheControl } = (await api.get(path)).headers;
  assert.equal(cacheControl, "public, no-cache");
  const again = await api.get(path, { headers: { "if-none-match": etag } });
  assert.deepEqual([again.status, again.text], [304, ""]);
  await openStudio(api, { title });
  const changed = await api.get(path, { headers: { "if-none-match": etag } });
  assert.equal(changed.status, 200);
});

test("categories and tags are listed with their events, most first", async () => {
  const [rare, common] = [`Zz${freshWord()}`, `Zz${freshWord()}`];
  await openStudio(api, { tags: [rare, common] });
  await openStudio(api, { tags: [common.toUpperCase()] });
  const list = async (query: string) =>
    ok(await api.get<Page<{ name: string; events: number }>>(`/api/v1/tags?${query}`));
  const [first] = (await list(`q=${common.slice(0, 8)}`)).data;
  assert.deepEqual(first, { name: common, events: 2 });
  const names: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await list(`q=zz&limit=1${cursor === "" ? "" : `&cursor=${cursor}`}`);
    names.push(...page.data.map(({ name }) => name));
    cursor = page.nextCursor;
  }
  assert.deepEqual([names.indexOf(common), names.indexOf(rare)], [0, names.length - 1]);
  const categories = ok(await api.get<Page<{ events: number }>>("/api/v1/categories"));
  assert.ok(categories.data.every(({ events }) => events > 0));
  refused(await api.get("/api/v1/tags?cursor=x"), 400, "validation_failed");
});

test("what another hand changes in the database is shown at once", async () => {
  const event = await openStudio(api);
  const path = `/api/v1/events/${event.id}`;
  ok(await api.get(path));
  const client = new Client({ connectionString: office.node.databaseUrl });
  await client.connect();
  const title = freshWord();
  await client.query("UPDATE events SET title = $2 WHERE id = $1", [event.id, title]);
  await client.end();
  await until("the event has its new title", async () => {
    return ok(await api.get<EventShape>(path)).title === title;
  });
  assert.deepEqual(await find(`q=${title}`), [event.id]);
});

test("searches that are no use to anybody are refused or find nothing, and break nothing", async () => {
  const cursorOf = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const id = "018f3c9a-7b10-7000-8000-000000000001";
  const refusedQueries = [
    ...["sort=relevance", "sort=distance", "sort=price", "radiusKm=5", "near=91,0", "near=1"],
    ...["near=1,2,3", "near=1e3,2", "near=NaN,0", "near=1,2&radiusKm=-1", "near=1,2&radiusKm=1e9"],
    ...["minPrice=-1", "minPrice=x", "minPrice=5&maxPrice=4", "available=yes", "q=a%00b"],
    ...["organizationId=x", "limit=101", `q=${"x".repeat(201)}`, "from=x", "currency=EURO"],
    ...[[], {}, null, "x", 1, ["", null, null, 0, id, []]].map((v) => `cursor=${cursorOf(v)}`),
    `cursor=${cursorOf(["", 99, null, 1e300, "x", [["a", ["b'|c"]]]])}`,
    `cursor=${"A".repeat(2_000)}`,
  ];
  for (const query of refusedQueries) {
    refused(await api.get(`/api/v1/events?${query}`), 400, "validation_failed");
  }
  const strangeTexts = [
    ..."'\"\\%_*?:&|!()<>{}[]".split(""),
    ...["null", "NULL", "constructor", "__proto__", "a & !b", "foo:*", "x' OR '1'='1", "%", "🎻"],
    ...[
      "a ".repeat(100),
      "wort ".repeat(40),
      `${"ß".repeat(150)}`,
      "\u202e\u0301",
      "ab".repeat(90),
    ],
    "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn",
  ];
  for (const text of strangeTexts) {
    const reply = await api.get(`/api/v1/events?q=${encodeURIComponent(text)}`);
    assert.equal(reply.status, 200, text);
  }
  const foreign: Page<EventShape> = ok(await api.get("/api/v1/events?limit=1"));
  const query = `category=other&cursor=${foreign.nextCursor}`;
  refused(await api.get(`/api/v1/events?${query}`), 400, "validation_failed");
});
