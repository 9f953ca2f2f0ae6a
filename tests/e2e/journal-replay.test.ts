/** The journal's archive and its tool, on a server that sells, is killed, and stops. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseEventId } from "../../engine/ids.ts";
import { ReadOnlyDisk } from "../../workers/journal/tool/read-only-disk.ts";
import { replay } from "../../workers/journal/tool/replay.ts";
import { reportOf } from "../../workers/journal/tool/replay-report.ts";
import { verify } from "../../workers/journal/tool/verify.ts";
import { ApiClient } from "../support/client.ts";
import { TestNode } from "../support/server.ts";
import type { EventShape, HoldShape } from "../support/shapes.ts";
import { auditOf, guestToken, ok, openStudio } from "../support/venue.ts";

let node: TestNode;
let api: ApiClient;
before(async () => {
  node = await TestNode.start({ JOURNAL_ARCHIVE_BYTES: "100000000" });
  api = new ApiClient(() => node.url);
});
after(async () => {
  api.close();
  await node.remove();
});

async function sell(event: EventShape, seat: string): Promise<void> {
  const token = await guestToken(api);
  const ask = { token, body: { items: [{ seat }] } };
  const { id } = ok(await api.post<HoldShape>(`/api/v1/events/${event.id}/holds`, ask), 201);
  const body = { holdId: id, payment: { provider: "none" }, email: "a@example.org" };
  ok(await api.post(`/api/v1/events/${event.id}/bookings`, { token, body }), 201);
}

test("what was sold before a kill, after it and until the stop is replayed to the audit's hash", async () => {
  const event = await openStudio(api);
  const eventId = parseEventId(event.id);
  assert(eventId !== null);
  const disk = new ReadOnlyDisk(join(node.dataDir, "journal"));
  const limits = { untilSeq: null, atMs: null };
  const hash = async (): Promise<string> =>
    reportOf(eventId, await replay(disk, { eventId, limits }, null)).hash;

  await sell(event, "A-1");
  assert.equal(await hash(), (await auditOf(api, event.id)).memory.hash, "while it runs");
  assert.equal((await verify(disk, async () => null)).verdict, "clean");
  await node.kill9();
  await node.start();
  await sell(event, "A-2");
  const { memory } = await auditOf(api, event.id);
  assert.equal(await hash(), memory.hash, "after the kill");
  const stopped = await node.stop();
  assert.equal(stopped.code, 0);
  assert.equal((await verify(disk, async () => null)).verdict, "empty");
  assert.equal(await hash(), memory.hash, "from the archive alone");
});
