import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import {
  SEARCH_PAGES_BYTES_MAX,
  SEARCH_PAGES_MAX,
  SEARCH_PAGES_TTL_MS,
} from "../../../engine/search-limits.ts";
import { systemClock } from "../../../workers/clock.ts";
import { SearchPages } from "./search-pages.ts";

describe("SearchPages", () => {
  let nowMs: number;
  let pages: SearchPages;
  let reads: number;

  const get = async (key: string, body = "page"): Promise<string> =>
    (
      await pages.get(key, () => {
        reads += 1;
        return Promise.resolve(body);
      })
    ).body;

  beforeEach(() => {
    nowMs = 0;
    reads = 0;
    pages = new SearchPages(() => nowMs);
  });

  it("reads a page once for all who ask within its time", async () => {
    await Promise.all([get("a"), get("a"), get("a")]);
    nowMs += SEARCH_PAGES_TTL_MS - 1;
    await get("a");
    assert.equal(reads, 1);
    nowMs += 1;
    await get("a");
    assert.equal(reads, 2);
  });

  it("goes by no clock that is set", async (t) => {
    t.mock.method(systemClock, "monotonicMs", () => nowMs);
    pages = new SearchPages();
    await get("a");
    nowMs += SEARCH_PAGES_TTL_MS;
    t.mock.method(Date, "now", () => 0);
    await get("a");
    assert.equal(reads, 2);
  });

  it("shows nobody who asks after a change what was begun before it", async () => {
    let finish: (body: string) => void = () => undefined;
    const before = pages.get("a", () => new Promise((resolve) => (finish = resolve)));
    pages.clear();
    assert.equal(await get("a", "new"), "new");
    finish("old");
    assert.equal((await before).body, "old");
    assert.equal(await get("a", "newer"), "new");
  });

  it("forgets a page that could not be read", async () => {
    const failing = pages.get("a", () => Promise.reject(new Error("away")));
    await assert.rejects(failing, /away/);
    assert.equal(await get("a"), "page");
  });

  it("keeps a bounded number of pages", async () => {
    for (let n = 0; n < SEARCH_PAGES_MAX + 50; n += 1) await get(`page ${n}`);
    assert.equal(pages.size, SEARCH_PAGES_MAX);
    reads = 0;
    await get(`page ${SEARCH_PAGES_MAX + 49}`);
    await get("page 0");
    assert.equal(reads, 1);
  });

  it("keeps a bounded number of bytes", async () => {
    const large = "x".repeat(SEARCH_PAGES_BYTES_MAX / 4);
    for (let n = 0; n < 8; n += 1) await get(`page ${n}`, large);
    assert.ok(pages.size < 4, `${pages.size} pages`);
    pages.clear();
    assert.equal(pages.size, 0);
  });
});
