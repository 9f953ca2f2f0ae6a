import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { copyInto } from "./copy-in.ts";
import { CopyRows } from "./copy-rows.ts";

const INTO = "COPY things FROM STDIN (FORMAT binary)";
const ID = "018f3c9a-7b10-7abc-8def-0123456789ab";

let database: TestDatabase;
let client: Client;

before(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url, pipeline: true });
  await client.connect();
  await client.query(`CREATE TABLE things (
    n integer PRIMARY KEY, id uuid, big bigint, so boolean, said text, raw bytea,
    small integer[], large bigint[], value json)`);
});

after(async () => {
  await client.end();
  await database.drop();
});

test("what is copied is what is read, in every type", async () => {
  const many = Array.from({ length: 5_000 }, (_, n) => n - 2_500);
  const text = `"quoted" \\ \t\n ä€😀 ${"long ".repeat(9_000)}`;
  const rows = new CopyRows(9);
  rows.row().integer(-1).uuid(ID).bigint(-5_000_000_001).boolean(true).text(text);
  rows
    .bytes(3, (into, at) => into.set([0, 255, 7], at))
    .integers(many)
    .bigints([1, null, -(2 ** 40)])
    .text("[1]");
  rows
    .row()
    .integer(2)
    .uuid(null)
    .bigint(2 ** 53 - 1)
    .boolean(false)
    .text("nul\0 \ud800");
  rows
    .bytes(0, () => undefined)
    .integers([])
    .bigints(null)
    .text(null);
  rows.row().integer(3).missing().bigint(null).missing().text(null);
  rows.missing().integers(null).bigints([]).missing();
  assert.equal(await copyInto(client, { text: INTO, rows: rows.finish() }), 3);
  const { rows: stored } = await client.query(
    `SELECT n, id, big, so, said, encode(raw, 'hex') AS raw, small, large, value::text
     FROM things ORDER BY n`,
  );
  assert.deepEqual(stored.map(Object.values), [
    [-1, ID, "-5000000001", true, text, "00ff07", many, ["1", null, "-1099511627776"], "[1]"],
    [2, null, "9007199254740991", false, "nul\uFFFD \uFFFD", "", [], null, null],
    [3, null, null, null, null, null, null, [], null],
  ]);
});

test("no rows are copied as none", async () => {
  assert.equal(await copyInto(client, { text: INTO, rows: new CopyRows(9).finish() }), 0);
});

test("a copy that is refused says why, and the statements around it have their own answers", async () => {
  const row = (n: number): Buffer => {
    const rows = new CopyRows(1);
    rows.row().integer(n);
    return rows.finish();
  };
  const text = "COPY things (n) FROM STDIN (FORMAT binary)";
  const outcomes = await Promise.allSettled([
    copyInto(client, { text, rows: row(100) }),
    copyInto(client, { text, rows: row(100) }),
    copyInto(client, { text: "COPY nothing FROM STDIN (FORMAT binary)", rows: row(100) }),
    client.query("SELECT count(*)::integer AS count FROM things WHERE n = 100"),
    copyInto(client, { text, rows: row(101) }),
  ]);
  const told = outcomes.map((outcome) =>
    outcome.status === "rejected" ? outcome.reason.code : outcome.value,
  );
  const [first, twice, nowhere, asked, last] = told;
  assert.deepEqual([first, twice, nowhere, last], [1, "23505", "42P01", 1]);
  assert.deepEqual(asked.rows, [{ count: 1 }]);
});
