import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrganizationId, UserId } from "../../engine/ids.ts";
import { KNOWN_STRANGERS_MAX, KNOWN_STRANGERS_TTL_MS } from "../../engine/limits.ts";
import { systemClock } from "../../workers/clock.ts";
import type { Identity } from "../identity/tokens.ts";
import { KnownStrangers } from "./known-strangers.ts";

const HALL = "018f3c9a-7b10-7000-8000-0000000000f0" as OrganizationId;
const userOf = (n: number): Identity => ({ userId: `user ${n}` as UserId, role: "customer" });

test("a stranger is asked about once in a while, an organiser always", async () => {
  const asked: string[] = [];
  let nowMs = 0;
  let organizers = ["user 1"];
  const isOrganizer = async ({ userId }: Identity): Promise<boolean> => {
    asked.push(userId);
    return organizers.includes(userId);
  };
  const strangers = new KnownStrangers({ isOrganizer }, () => nowMs);
  for (let n = 0; n < 3; n += 1) {
    assert.equal(await strangers.isOrganizer(userOf(1), HALL), true);
    assert.equal(await strangers.isOrganizer(userOf(2), HALL), false);
  }
  assert.deepEqual(asked, ["user 1", "user 2", "user 1", "user 1"]);
  organizers = ["user 2"];
  nowMs = KNOWN_STRANGERS_TTL_MS - 1;
  assert.equal(await strangers.isOrganizer(userOf(1), HALL), false);
  assert.equal(await strangers.isOrganizer(userOf(2), HALL), false);
  nowMs = KNOWN_STRANGERS_TTL_MS;
  assert.equal(await strangers.isOrganizer(userOf(2), HALL), true);
});

test("who becomes an organiser is one soon, though the machine's clock is set back", async (t) => {
  let isOne = false;
  let nowMs = 0;
  t.mock.method(systemClock, "monotonicMs", () => nowMs);
  const strangers = new KnownStrangers({ isOrganizer: () => Promise.resolve(isOne) });
  assert.equal(await strangers.isOrganizer(userOf(1), HALL), false);
  isOne = true;
  nowMs = KNOWN_STRANGERS_TTL_MS;
  t.mock.method(Date, "now", () => 0);
  assert.equal(await strangers.isOrganizer(userOf(1), HALL), true);
});

test("the oldest of too many strangers is asked about again", async () => {
  let asked = 0;
  const isOrganizer = async (): Promise<boolean> => {
    asked += 1;
    return false;
  };
  const strangers = new KnownStrangers({ isOrganizer }, () => 0);
  for (let n = 0; n <= KNOWN_STRANGERS_MAX; n += 1) await strangers.isOrganizer(userOf(n), HALL);
  await strangers.isOrganizer(userOf(1), HALL);
  assert.equal(asked, KNOWN_STRANGERS_MAX + 1);
  await strangers.isOrganizer(userOf(0), HALL);
  assert.equal(asked, KNOWN_STRANGERS_MAX + 2);
});
