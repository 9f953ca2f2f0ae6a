import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { createTestDatabase, type TestDatabase } from "../../tests/support/database.ts";
import { copyOut } from "./copy-out.ts";
import { CopyRowReader } from "./copy-row-reader.ts";

const ID = "018f3c9a-7b10-7abc-8def-0123456789ab";

let database: TestDatabase;
let client: Client;

before(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});

after(async () => {
  await client.end();
  await database.drop();
});

/** The rows of a query, each as `pick` reads it. */
async function copied<Row>(query: string, pick: (reader: CopyRowReader) => Row): Promise<Row[]> {
  const reader = new CopyRowReader();
  const rows: Row[] = [];
  await copyOut(client, `COPY (${query}) TO STDOUT (FORMAT binary)`, (bytes, at) => {
    reader.begin(bytes, at);
    rows.push(pick(reader));
  });
  return rows;
}

test("every type is read as it is stored", async () => {
  const all = (reader: CopyRowReader): unknown[] => [
    ...[reader.uuid(), reader.bigint(), reader.boolean(), reader.text(), reader.text()],
    ...[reader.numbers(), reader.numbers(), reader.numbers()],
  ];
  const rows = await copied(
    `SELECT * FROM (VALUES
       ('${ID}'::uuid, 9007199254740991, true, 'ä€😀 "\\'::text, '{"a": [1]}'::json,
        '{-1,0,2147483647}'::integer[], '{1,NULL,-1099511627776}'::bigint[], '{}'::integer[]),
       (NULL, -5000000001, false, '', NULL, NULL, '{}', '{7}'),
       ('ffffffff-ffff-ffff-ffff-ffffffffffff', NULL, NULL, NULL, '[]', '{}', NULL, NULL)) AS v`,
    all,
  );
  const [most, least] = [2 ** 53 - 1, -5_000_000_001];
  assert.deepEqual(rows, [
    [ID, most, true, 'ä€😀 "\\', '{"a": [1]}', [-1, 0, 2 ** 31 - 1], [1, null, -(2 ** 40)], []],
    [null, least, false, "", null, null, [], [7]],
    ["ffffffff-ffff-ffff-ffff-ffffffffffff", null, null, null, "[]", [], null, null],
  ]);
});

test("many rows, longer and shorter than what arrives at once, are read each as it is", async () => {
  const rows = await copied(
    `SELECT n::bigint, repeat(n::text, 1 + n % 997) FROM generate_series(1, 20000) AS n`,
    (reader) => [reader.bigint(), reader.text()],
  );
  assert.equal(rows.length, 20_000);
  for (const [index, [n, text]] of rows.entries()) {
    assert.equal(n, index + 1);
    assert.equal(text, String(n).repeat(1 + ((index + 1) % 997)));
  }
});

test("no rows are read as none", async () => {
  assert.deepEqual(await copied("SELECT 1 WHERE false", (reader) => reader.bigint()), []);
});

test("what reading throws is the copy's alone, and so is what the server refuses", async () => {
  const broken = copied("SELECT n FROM generate_series(1, 9) AS n", () => {
    throw new Error("not to be read");
  });
  await assert.rejects(broken, /not to be read/);
  await assert.rejects(
    copied("SELECT 1 / (3 - n) FROM generate_series(1, 9) AS n", (reader) => reader.text()),
    /division by zero/,
  );
  assert.deepEqual(await copied("SELECT 5::bigint", (reader) => reader.bigint()), [5]);
});
