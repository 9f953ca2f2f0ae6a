/** Who acts for an organisation, and who may say so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxOffice, type Person, refused } from "../support/box-office.ts";
import { MailFolder } from "../support/mail-folder.ts";
import { guestToken, ok, openOrganization } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;
const mails = new MailFolder(() => office.node.dataDir);

interface MemberShape {
  readonly id: string;
  readonly userId: string | null;
  readonly email: string;
  readonly role: string;
}
interface Team {
  readonly id: string;
  readonly path: string;
  readonly owner: Person;
  readonly organizer: Person;
  readonly staff: Person;
}

const add = (path: string, token: string, email: string, role: string) =>
  api.post<MemberShape>(path, { token, body: { email, role } });
const list = (path: string, token: string) =>
  api.get<{ data: MemberShape[]; nextCursor: string | null }>(path, { token });
const set = (path: string, token: string, id: string, role: string) =>
  api.patch<MemberShape>(`${path}/${id}`, { token, body: { role } });
const accept = (token: string) =>
  api.post<{ organizationId: string; userId: string; role: string }>("/api/v1/invitations/accept", {
    body: { token },
  });
const drop = (path: string, token: string, id: string) => api.delete(`${path}/${id}`, { token });

/** All have accepted. */
async function team(): Promise<Team> {
  const [owner, organizer, staff] = [
    await office.register(),
    await office.confirmed(),
    await office.confirmed(),
  ];
  const id = await openOrganization(api, owner.token);
  const path = `/api/v1/organizations/${id}/members`;
  ok(await add(path, owner.token, organizer.email.toUpperCase(), "organizer"), 201);
  ok(await add(path, owner.token, staff.email, "staff"), 201);
  for (const { email } of [organizer, staff])
    ok(await accept(await mails.tokenFor(email, { kind: "invitation" })));
  return { id, path, owner, organizer, staff };
}

const draft = (organizationId: string, token: string, more: object = {}) =>
  api.post<{ id: string }>("/api/v1/events", {
    token,
    body: {
      organizationId,
      title: "A draft",
      startsAt: "2040-05-04T19:30:00Z",
      priceCategories: [{ key: "standing", name: "Standing", price: 3000 }],
      areas: [{ key: "floor", name: "Floor", capacity: 5, priceCategory: "standing" }],
      ...more,
    },
  });

test("a role lets its member do what it is for, and nothing above it", async () => {
  const { id, path, owner, organizer, staff } = await team();
  ok(await draft(id, organizer.token), 201);
  refused(await draft(id, staff.token), 403, "forbidden");
  const everybody = ok(await list(path, owner.token)).data;
  assert.deepEqual(
    new Map(everybody.map(({ id, userId, email, role }) => [id, [userId, email, role]])),
    new Map([
      [owner.id, [owner.id, owner.email, "owner"]],
      [organizer.id, [organizer.id, organizer.email, "organizer"]],
      [staff.id, [staff.id, staff.email, "staff"]],
    ]),
  );
  assert.deepEqual(ok(await list(path, organizer.token)).data, everybody);
  assert.deepEqual(ok(await list(path, office.admin)).data, everybody);
  const first = ok(await list(`${path}?limit=2`, owner.token));
  const rest = ok(await list(`${path}?limit=2&cursor=${first.nextCursor}`, owner.token));
  assert.deepEqual([...first.data, ...rest.data], everybody);
  assert.equal(rest.nextCursor, null);
});

test("an event's promo codes are for those who sell it: staff and buyers do not see them", async () => {
  const { id, owner, organizer, staff } = await team();
  const more = { promoCodes: [{ code: "EARLY", percent: "10" }], publish: true };
  const event = ok(await draft(id, owner.token, more), 201);
  const shown = async (token: string) =>
    (await api.get(`/api/v1/events/${event.id}`, { token })).text;
  for (const { token } of [owner, organizer, { token: office.admin }]) {
    assert.match(await shown(token), /"EARLY"/);
  }
  for (const { token } of [staff, await office.register()]) {
    const text = await shown(token);
    assert.ok(text.includes(event.id) && !text.includes("EARLY"), text);
  }
});

test("only owners and administrators say who belongs to it; for strangers it is not there", async () => {
  const { path, owner, organizer, staff } = await team();
  const stranger = await office.register();
  const guest = await guestToken(api);
  refused(await list(path, staff.token), 403, "forbidden");
  const asked = (token: string) => [
    add(path, token, "x@example.org", "staff"),
    set(path, token, owner.id, "staff"),
    drop(path, token, owner.id),
  ];
  for (const { token } of [organizer, staff]) {
    for (const reply of asked(token)) refused(await reply, 403, "forbidden");
  }
  for (const token of [stranger.token, guest]) {
    for (const reply of [list(path, token), ...asked(token)]) {
      refused(await reply, 404, "organization_not_found");
    }
  }
  refused(await api.get(path), 401, "unauthenticated");
  const nowhere = path.replace(/[0-9a-f]{12}\/members/, "000000000000/members");
  refused(await list(nowhere, office.admin), 404, "organization_not_found");
  ok(await set(path, office.admin, staff.id, "organizer"));
});

test("roles change, members go, and the last owner does neither", async () => {
  const { id, path, owner, organizer, staff } = await team();
  refused(await set(path, owner.token, owner.id, "staff"), 409, "last_owner");
  refused(await drop(path, owner.token, owner.id), 409, "last_owner");
  refused(await drop(path, office.admin, owner.id), 409, "last_owner");
  refused(await add(path, owner.token, staff.email, "owner"), 409, "already_member");
  assert.equal(ok(await set(path, owner.token, organizer.id, "owner")).role, "owner");
  const both = await Promise.all([
    set(path, owner.token, organizer.id, "staff"),
    set(path, organizer.token, owner.id, "staff"),
  ]);
  const roles = ok(await list(path, office.admin)).data.map(({ role }) => role);
  assert.equal(roles.filter((role) => role === "owner").length, 1, JSON.stringify(both));
  assert.equal((await drop(path, staff.token, staff.id)).status, 204);
  refused(await list(path, staff.token), 404, "organization_not_found");
  refused(await drop(path, office.admin, staff.id), 404, "member_not_found");
  refused(await set(path, office.admin, "nobody", "staff"), 404, "member_not_found");
  refused(await set(path, office.admin, owner.id, "king"), 400, "validation_failed");
  refused(await draft(id, staff.token), 404, "organization_not_found");
});
