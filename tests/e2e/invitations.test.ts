/** How somebody comes to act for an organisation: only once it is shown who reads their mail. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client } from "pg";
import { BoxOffice, type Person, refused } from "../support/box-office.ts";
import { LiveClient } from "../support/client.ts";
import { MailFolder } from "../support/mail-folder.ts";
import { until } from "../support/server.ts";
import type { SignedIn } from "../support/shapes.ts";
import { ok, openOrganization } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;
const mails = new MailFolder(() => office.node.dataDir);

/** A week passes for the invitations of an organisation. */
async function letExpire(organizationId: string): Promise<void> {
  const client = new Client({ connectionString: office.node.databaseUrl });
  await client.connect();
  const text = "UPDATE organization_invitations SET expires_at = now() WHERE organization_id = $1";
  await client.query(text, [organizationId]);
  await client.end();
}

interface MemberShape {
  readonly id: string;
  readonly userId: string | null;
  readonly email: string;
  readonly role: string;
}
interface InvitationShape extends Omit<MemberShape, "userId"> {
  readonly invitedAt: string;
  readonly expiresAt: string;
}
interface Stage {
  readonly id: string;
  readonly path: string;
  readonly owner: Person;
}

const freshEmail = () => `${randomUUID()}@example.org`;

async function stage(): Promise<Stage> {
  const owner = await office.register();
  const id = await openOrganization(api, owner.token, { name: 'The "Old" Mill' });
  return { id, path: `/api/v1/organizations/${id}`, owner };
}

const invite = ({ path, owner }: Stage, email: string, role = "organizer") =>
  api.post<MemberShape>(`${path}/members`, { token: owner.token, body: { email, role } });
const membersOf = async ({ path, owner }: Stage) =>
  ok(await api.get<{ data: MemberShape[] }>(`${path}/members`, owner)).data;
const invitationsOf = async ({ path, owner }: Stage) =>
  ok(await api.get<{ data: InvitationShape[] }>(`${path}/invitations`, owner)).data;
interface AcceptedShape {
  readonly organizationId: string;
  readonly userId: string;
  readonly role: string;
  readonly passwordNeeded?: true;
}
/** `person`: who is signed in while accepting. */
const accept = (token: string, person?: { readonly token: string }) =>
  api.post<AcceptedShape>("/api/v1/invitations/accept", {
    body: { token },
    ...(person === undefined ? {} : { token: person.token }),
  });
const mayLook = async ({ path }: Stage, { token }: { readonly token: string }) =>
  (await api.get(`${path}/members`, { token })).status;
const revoke = ({ path }: Stage, { token }: Person, id: string) =>
  api.delete(`${path}/invitations/${id}`, { token });

test("whoever shows the token of an invitation has its role, and has confirmed the address", async () => {
  const mill = await stage();
  const email = freshEmail();
  const invited = ok(await invite(mill, email.toUpperCase()), 201);
  assert.deepEqual(invited, { ...invited, userId: null, email, role: "organizer" });
  const token = await mails.tokenFor(email, { kind: "invitation" });
  assert.match(mails.to(email)[0] ?? "", /organizer of "The "Old" Mill"/);
  // Nobody has the address yet: the token stays good.
  refused(await accept(token), 409, "account_needed");
  const person = await office.register(email);
  assert.equal(await mayLook(mill, person), 404);
  refused(await accept(token, { token: "old" }), 401, "unauthenticated");
  const accepted = ok(await accept(token, person));
  assert.deepEqual(accepted, { organizationId: mill.id, userId: person.id, role: "organizer" });
  assert.equal(await mayLook(mill, person), 200);
  const me = ok(await api.get<SignedIn["user"]>("/api/v1/users/me", person));
  assert.deepEqual([me.emailVerified, me.emailOwned], [true, true]);
  refused(await accept(token), 400, "token_invalid");
  assert.deepEqual(await invitationsOf(mill), []);
  const member = (await membersOf(mill)).find((one) => one.email === email);
  assert.deepEqual([member?.id, member?.userId], [person.id, person.id]);
});

test("who registers has the roles of an address once signed in they show its mail", async () => {
  const mill = await stage();
  const person = await office.register();
  ok(await invite(mill, person.email, "owner"), 201);
  assert.equal(await mayLook(mill, person), 404);
  await mails.confirm(api, person);
  assert.equal(await mayLook(mill, person), 200);
});

const AUTH = "/api/v1/auth";
const login = ({ email }: Person, password = "long enough 1") =>
  api.post<SignedIn>(`${AUTH}/login`, { body: { email, password } });

/** Who reads the mail sets a password of their own. They are signed in with it. */
async function regain(person: Person): Promise<Person> {
  ok(await api.post(`${AUTH}/forgot-password`, { body: { email: person.email } }), 202);
  const body = {
    token: await mails.tokenFor(person.email, { kind: "reset" }),
    password: "the owner's own 1",
  };
  ok(await api.post(`${AUTH}/reset-password`, { body }), 204);
  return { ...person, token: ok(await login(person, body.password)).accessToken };
}

test("a stranger who registered another's address loses the account to who accepts", async () => {
  const mill = await stage();
  const stranger = await office.register();
  const elsewhere = ok(await login(stranger));
  const live = await LiveClient.open(office.node.url, stranger.token);
  ok(await invite(mill, stranger.email, "owner"), 201);
  // Signed in as somebody else is as good as not at all.
  const accepted = ok(
    await accept(await mails.tokenFor(stranger.email, { kind: "invitation" }), mill.owner),
  );
  assert.deepEqual(accepted, {
    organizationId: mill.id,
    userId: stranger.id,
    role: "owner",
    passwordNeeded: true,
  });
  assert.equal((await live.next("error")).code, "unauthenticated");
  live.close();
  for (const token of [stranger.token, elsewhere.accessToken]) {
    assert.equal(await mayLook(mill, { token }), 401);
  }
  const { refreshToken } = elsewhere;
  refused(await api.post(`${AUTH}/refresh`, { body: { refreshToken } }), 401, "unauthenticated");
  for (const password of ["long enough 1", ""]) {
    refused(await login(stranger, password), 401, "invalid_credentials");
  }
  assert.equal(await mayLook(mill, await regain(stranger)), 200);
});

test("a stranger gains nothing by whoever opens the mail of an account that is not theirs", async () => {
  const mill = await stage();
  const stranger = await office.register();
  ok(await invite(mill, stranger.email), 201);
  const body = { token: await mails.tokenFor(stranger.email) };
  const { user } = ok(await api.post<SignedIn>(`${AUTH}/verify-email`, { body }));
  assert.deepEqual([user.emailVerified, user.emailOwned], [true, false]);
  const later = await stage();
  ok(await invite(later, stranger.email), 201);
  for (const place of [mill, later]) assert.equal(await mayLook(place, stranger), 404);
  await mails.tokenFor(stranger.email, { kind: "invitation", nth: 2 });
  const owner = await regain(stranger);
  for (const place of [mill, later]) {
    assert.equal(await mayLook(place, stranger), 401);
    assert.equal(await mayLook(place, owner), 200, "who has set the password by mail");
  }
});

test("who has confirmed their address has the role at once, and is told so by mail", async () => {
  const mill = await stage();
  const person = await office.register();
  await mails.confirm(api, person);
  ok(await invite(mill, person.email), 201);
  assert.equal(await mayLook(mill, person), 200);
  const staff = { ...mill.owner, body: { role: "staff" } };
  const { id } = (await invitationsOf(mill))[0] ?? { id: "" };
  ok(await api.patch(`${mill.path}/members/${id}`, staff));
  assert.equal(await mayLook(mill, person), 403, "before they accept their role is changed, too");
  const path = `${mill.path}/members/${person.id}`;
  assert.equal((await api.delete(path, person)).status, 204, "and they may leave");
  assert.deepEqual([(await membersOf(mill)).length, await invitationsOf(mill)], [1, []]);
  const come = () => mails.to(person.email).length === 2;
  await until("the mail about the role has come", come);
  assert.match(mails.to(person.email)[1] ?? "", /You were made organizer/);
});

/** When a UUIDv7 was made, Unix ms. */
const bornMs = (id: string): number => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);

test("nothing that owners see tells which address has an account", async () => {
  const mill = await stage();
  const known = await office.register();
  await mails.confirm(api, known);
  const unconfirmed = await office.register();
  const emails = [known.email, unconfirmed.email, freshEmail()];
  const accounts = [known.id, unconfirmed.id];
  const shapes: unknown[] = [];
  for (const email of emails) {
    const invitedMs = Date.now();
    const { id, ...shown } = ok(await invite(mill, email, "owner"), 201);
    assert.ok(bornMs(id) >= invitedMs, "not even the age of its id tells of an account");
    const again = await invite(mill, email, "owner");
    refused(again, 409, "already_member");
    const invitation = (await invitationsOf(mill)).find((one) => one.id === id);
    const member = (await membersOf(mill)).find((one) => one.id === id);
    for (const account of accounts) {
      refused(await revoke(mill, mill.owner, account), 404, "invitation_not_found");
      const path = `${mill.path}/members/${account}`;
      refused(await api.delete(path, mill.owner), 404, "member_not_found");
    }
    // Does another owner count by now, so that the first one may go?
    const left = await api.patch(`${mill.path}/members/${mill.owner.id}`, {
      token: mill.owner.token,
      body: { role: "staff" },
    });
    refused(left, 409, "last_owner");
    assert.equal((await revoke(mill, mill.owner, id)).status, 204);
    const text = JSON.stringify([shown, Object.keys(invitation ?? {}), member]);
    shapes.push(text.replaceAll(email, "somebody").replaceAll(id, "an id"));
  }
  assert.deepEqual(new Set(shapes).size, 1, shapes.join("\n"));
  assert.equal(await mayLook(mill, known), 404);
});

test("owners list invitations and take them back; then the token is worth nothing", async () => {
  const mill = await stage();
  const [one, other] = [freshEmail(), freshEmail()];
  const { id } = ok(await invite(mill, one), 201);
  ok(await invite(mill, other, "staff"), 201);
  const listed = await invitationsOf(mill);
  assert.deepEqual(new Set(listed.map(({ email }) => email)), new Set([one, other]));
  for (const { invitedAt, expiresAt } of listed) {
    assert.equal(Date.parse(expiresAt) - Date.parse(invitedAt), 7 * 86_400_000);
  }
  const stranger = await office.register();
  refused(await revoke(mill, stranger, id), 404, "organization_not_found");
  assert.equal((await revoke(mill, mill.owner, id)).status, 204);
  refused(await revoke(mill, mill.owner, id), 404, "invitation_not_found");
  await office.register(one);
  refused(await accept(await mails.tokenFor(one, { kind: "invitation" })), 400, "token_invalid");
  assert.equal((await invitationsOf(mill)).length, 1);
});

test("after 7 days an invitation is nothing any more, and can be made anew", async () => {
  const mill = await stage();
  const person = await office.register();
  ok(await invite(mill, person.email), 201);
  const token = await mails.tokenFor(person.email, { kind: "invitation" });
  await letExpire(mill.id);
  refused(await accept(token), 400, "token_invalid");
  assert.deepEqual([await invitationsOf(mill), (await membersOf(mill)).length], [[], 1]);
  await mails.confirm(api, person);
  assert.equal(await mayLook(mill, person), 404);
  ok(await invite(mill, person.email, "staff"), 201);
  assert.equal(
    ok(await accept(await mails.tokenFor(person.email, { kind: "invitation", nth: 2 }), person))
      .role,
    "staff",
  );
});

test("of accepting and taking back at once, one comes too late", async () => {
  const mill = await stage();
  for (let round = 0; round < 5; round += 1) {
    const person = await office.register();
    const { id } = ok(await invite(mill, person.email), 201);
    const token = await mails.tokenFor(person.email, { kind: "invitation" });
    const [accepted, revoked] = await Promise.all([
      accept(token, person),
      revoke(mill, mill.owner, id),
    ]);
    const outcome = `${accepted.status} ${revoked.status}`;
    assert.ok(["200 404", "400 204"].includes(outcome), outcome);
    assert.equal(await mayLook(mill, person), accepted.status === 200 ? 200 : 404);
  }
});
