/** Every write of an event's sale, repeated under its key, is answered by its first outcome. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, floor, refused, seats } from "../support/box-office.ts";
import type { Reply } from "../support/client.ts";
import type { BookingShape, HoldShape } from "../support/shapes.ts";
import { auditOf, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;

interface Write {
  readonly method: "POST" | "PATCH";
  readonly path: string;
  readonly token: string;
  readonly body: object;
  /** Another request under the same key. */
  readonly other: object;
}

test("at once, and after a kill; another request under the same key is refused", async () => {
  const event = await openStudio(api);
  const [mine, theirs] = [await office.register(), await office.confirmed()];
  const { token } = mine;
  const path = `/events/${event.id}`;
  const done: { write: Write; key: string; reply: Reply<unknown> }[] = [];
  const send = ({ method, path: at, token: by, body }: Write, key: string, other?: object) =>
    api.request<unknown>(method, `/api/v1${at}`, { token: by, key, body: other ?? body });
  const write = async <Body>(asked: Omit<Write, "method" | "token"> & Partial<Write>) => {
    const whole: Write = { method: "POST", token, ...asked };
    const key = `write-${done.length}`;
    const reply = await send(whole, key);
    assert.ok(reply.status < 300, reply.text);
    assert.equal(reply.headers["idempotent-replayed"], undefined);
    done.push({ write: whole, key, reply });
    return reply.body as Body;
  };

  const hold = await write<HoldShape>({
    path: `${path}/holds`,
    body: { items: [...seats("A-1", "A-2"), floor(1)] },
    other: { items: seats("A-3") },
  });
  await write({
    method: "PATCH",
    path: `/holds/${hold.id}`,
    body: { add: seats("A-3") },
    other: { add: seats("A-4") },
  });
  const booking = await write<BookingShape>({
    path: `${path}/bookings`,
    body: { holdId: hold.id, payment: { provider: "none" } },
    other: { holdId: hold.id, payment: { provider: "sandbox" } },
  });
  const [first, second] = booking.tickets;
  const at = `/bookings/${booking.id}`;
  await write({
    path: `${at}/tickets/${first?.id}/move`,
    body: { seat: "A-9" },
    other: { seat: "A-8" },
  });
  const checkIns = { path: `${path}/check-ins`, token: office.admin };
  await write({
    ...checkIns,
    body: { ticketCode: second?.code },
    other: { ticketCode: first?.code },
  });
  await write({
    ...checkIns,
    body: { ticketCode: second?.code, undo: true },
    other: { ticketCode: second?.code },
  });
  await write({
    path: `${at}/cancel`,
    body: { ticketIds: [first?.id], reason: "ill" },
    other: { ticketIds: [second?.id], reason: "ill" },
  });
  await write({
    path: `${at}/transfer`,
    body: { email: theirs.email },
    other: { email: "x@example.org" },
  });
  await write({ path: `${at}/cancel`, token: theirs.token, body: {}, other: { reason: "ill" } });
  await write({
    method: "PATCH",
    path: `${path}/inventory`,
    token: office.admin,
    body: { block: ["A-10"] },
    other: { block: ["A-9"] },
  });
  await office.hold(event, token, [floor(5)]);
  await write({
    path: `${path}/waitlist`,
    token: theirs.token,
    body: { quantity: 2, categories: ["standing"] },
    other: { quantity: 1, categories: ["standing"] },
  });

  const draft = await openStudio(api, { publish: false });
  for (const what of ["publish", "cancel"]) {
    const asked = { path: `/events/${draft.id}/${what}`, token: office.admin };
    await write({ ...asked, body: {}, other: { reason: "ill" } });
  }

  const repeat = async () => {
    for (const { write: asked, key, reply } of done) {
      const again = await send(asked, key);
      const what = `${asked.method} ${asked.path}`;
      assert.equal(again.headers["idempotent-replayed"], "true", what);
      // What is for sale is shown as it is now.
      if (!asked.path.endsWith("/inventory")) assert.deepEqual(again.body, reply.body, what);
      assert.equal(again.status, reply.status, what);
      refused(await send(asked, key, asked.other), 422, "idempotency_key_reused");
    }
  };
  await repeat();
  await office.node.kill9();
  await office.node.start();
  await repeat();
  await auditOf(api, event.id);
});
