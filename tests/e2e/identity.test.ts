/** Who people are: signing in, staying in, going out. Told from outside, over HTTP alone. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { BoxOffice, refused, seats } from "../support/box-office.ts";
import { LiveClient, type Reply } from "../support/client.ts";
import { MailFolder } from "../support/mail-folder.ts";
import type { SignedIn } from "../support/shapes.ts";
import { guestToken, ok, openStudio } from "../support/venue.ts";

const office = BoxOffice.forThisFile();
const { api } = office;
const mails = new MailFolder(() => office.node.dataDir);
const PASSWORD = "long enough 1";

const freshEmail = () => `${randomUUID()}@example.org`;
const auth = <Body>(what: string, body?: object, token?: string): Promise<Reply<Body>> =>
  api.post<Body>(`/api/v1/auth/${what}`, {
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
  });
const login = (email: string, password = PASSWORD) => auth<SignedIn>("login", { email, password });
const refresh = (refreshToken: string) => auth<SignedIn>("refresh", { refreshToken });
const me = <Body = SignedIn["user"]>(token: string) => api.get<Body>("/api/v1/users/me", { token });

async function signUp(email = freshEmail()): Promise<SignedIn> {
  return ok(await auth<SignedIn>("register", { email, password: PASSWORD }), 201);
}

test("registering and logging in both give tokens for 30 minutes and for longer", async () => {
  const signedUp = await signUp();
  assert.equal(signedUp.expiresIn, 1800);
  const loggedIn = ok(await login(signedUp.user.email ?? ""));
  assert.equal(loggedIn.expiresIn, 1800);
  assert.notEqual(loggedIn.refreshToken, signedUp.refreshToken);
  assert.deepEqual(loggedIn.user, signedUp.user);
  assert.equal(signedUp.user.emailVerified, false);
  for (const { accessToken } of [signedUp, loggedIn]) {
    assert.deepEqual(ok(await me(accessToken)), signedUp.user);
  }
});

test("a refresh token is good for the next one, once; seen again, it ends all that came of it", async () => {
  const first = await signUp();
  const second = ok(await refresh(first.refreshToken));
  assert.equal(second.expiresIn, 1800);
  assert.deepEqual(second.user, first.user);
  assert.equal(ok(await me(second.accessToken)).id, first.user.id);
  const third = ok(await refresh(second.refreshToken));
  const bystander = ok(await login(first.user.email ?? ""));
  refused(await refresh(first.refreshToken), 401, "unauthenticated");
  refused(await refresh(third.refreshToken), 401, "unauthenticated");
  for (const { accessToken } of [first, second, third]) {
    refused(await me(accessToken), 401, "unauthenticated");
  }
  ok(await me(bystander.accessToken));
  ok(await refresh(bystander.refreshToken));
});

test("a token that is no good is refused where none is needed, too", async () => {
  const event = await openStudio(api);
  const out = await signUp();
  ok(await auth("logout", { refreshToken: out.refreshToken }), 204);
  for (const path of [`/api/v1/events/${event.id}`, `/api/v1/events/${event.id}/seats`]) {
    ok(await api.get(path));
    ok(await api.get(path, { token: await guestToken(api) }));
    for (const token of [out.accessToken, "a.b.c", `${out.accessToken}x`]) {
      refused(await api.get(path, { token }), 401, "unauthenticated");
    }
  }
  ok(await auth("login", { email: out.user.email, password: PASSWORD }, out.accessToken));
});

test("of many who refresh at once, at most one gets something, and nobody keeps it", async () => {
  const { refreshToken } = await signUp();
  const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)));
  const won = replies.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  refused(await refresh(won[0]?.body.refreshToken ?? ""), 401, "unauthenticated");
});

test("no made-up token refreshes anything", async () => {
  const { accessToken } = await signUp();
  for (const token of ["", "x", "x".repeat(43), accessToken, "x".repeat(5_000), "\0"]) {
    refused(await refresh(token), 401, "unauthenticated");
    ok(await auth("logout", { refreshToken: token }), 204);
  }
  refused(await auth("refresh", {}), 400, "validation_failed");
  refused(await auth("refresh", { refreshToken: 7 }), 400, "validation_failed");
});

test("logging out ends the sign-in at once, and can be repeated", async () => {
  const signedUp = await signUp();
  const elsewhere = ok(await login(signedUp.user.email ?? ""));
  const body = { refreshToken: signedUp.refreshToken };
  for (let times = 0; times < 2; times += 1) {
    assert.equal((await auth("logout", body, signedUp.accessToken)).status, 204);
    assert.equal((await auth("logout", body)).status, 204);
    assert.equal((await auth("logout", undefined, signedUp.accessToken)).status, 204);
  }
  refused(await me(signedUp.accessToken), 401, "unauthenticated");
  refused(await refresh(signedUp.refreshToken), 401, "unauthenticated");
  ok(await me(elsewhere.accessToken));
  assert.equal((await auth("logout", undefined, elsewhere.accessToken)).status, 204);
  refused(await refresh(elsewhere.refreshToken), 401, "unauthenticated");
  refused(await auth("logout"), 401, "unauthenticated");
  refused(await auth("logout", undefined, "x.y.z"), 401, "unauthenticated");
});

test("logging out is felt on open WebSockets: nothing personal is said there any more", async () => {
  const event = await openStudio(api, { holdTtlSeconds: 1 });
  const { user, accessToken: token } = await signUp();
  const elsewhere = ok(await login(user.email ?? ""));
  const out = await LiveClient.open(office.node.url, token);
  const stays = await LiveClient.open(office.node.url, elsewhere.accessToken);
  await office.hold(event, token, seats("A-1"));
  assert.equal((await auth("logout", undefined, token)).status, 204);
  assert.equal((await out.next("error")).code, "unauthenticated");
  await stays.next("hold.expired");
  const reply = await out.ask({ op: "hold", eventId: event.id, items: seats("A-2") });
  assert.equal(reply.status, 401);
  assert.deepEqual(out.untaken("hold.expired"), []);
  for (const client of [out, stays]) client.close();
});

test("a guest who logs out is nobody any more", async () => {
  const token = await guestToken(api);
  ok(await me(token));
  assert.equal((await auth("logout", undefined, token)).status, 204);
  refused(await me(token), 401, "unauthenticated");
});

test("a mail shows, once, that an address is its account's", async () => {
  const { user, accessToken } = await signUp();
  const first = await mails.tokenFor(user.email);
  const verified = ok(await auth<SignedIn>("verify-email", { token: first }));
  assert.deepEqual(verified.user, { ...user, emailVerified: true });
  assert.deepEqual(ok(await me(accessToken)), verified.user);
  refused(await auth("verify-email", { token: first }), 400, "token_invalid");
  refused(await auth("verify-email", { token: "x".repeat(43) }), 400, "token_invalid");
  refused(await auth("verify-email", {}), 401, "unauthenticated");
  refused(await auth("verify-email"), 401, "unauthenticated");
  refused(await auth("verify-email", {}, await guestToken(api)), 403, "forbidden");
});

test("whoever is signed in and not verified is sent another mail", async () => {
  const { user, accessToken } = await signUp();
  const first = await mails.tokenFor(user.email);
  assert.equal((await auth("verify-email", {}, accessToken)).status, 202);
  assert.equal((await auth("verify-email", undefined, accessToken)).status, 202);
  const second = await mails.tokenFor(user.email, { nth: 3 });
  assert.notEqual(second, first);
  ok(await auth("verify-email", { token: second }));
  refused(await auth("verify-email", { token: first }), 400, "token_invalid");
  assert.equal((await auth("verify-email", {}, accessToken)).status, 202);
  const third = await mails.tokenFor(user.email, { nth: 4 });
  refused(await auth("verify-email", { token: third }, "old"), 401, "unauthenticated");
  const shown = ok(await auth<SignedIn>("verify-email", { token: third }, accessToken)).user;
  assert.deepEqual(shown, { ...user, emailVerified: true, emailOwned: true });
});

test("a forgotten password is set anew by mail, and ends every sign-in", async () => {
  const signedUp = await signUp();
  const { email } = signedUp.user;
  const elsewhere = ok(await login(email ?? ""));
  const unknown = await auth("forgot-password", { email: freshEmail() });
  const known = await auth("forgot-password", { email: email?.toUpperCase() });
  assert.deepEqual([known.status, known.text], [202, unknown.text]);
  assert.equal(unknown.status, 202);
  const token = await mails.tokenFor(email, { kind: "reset" });
  const password = "quite another one";
  refused(await auth("reset-password", { token, password: "short" }), 400, "validation_failed");
  const foreign = await auth("reset-password", { token: "x".repeat(43), password });
  refused(foreign, 400, "token_invalid");
  refused(await auth("verify-email", { token }), 400, "token_invalid");
  assert.equal((await auth("reset-password", { token, password })).status, 204);
  refused(await auth("reset-password", { token, password }), 400, "token_invalid");
  for (const { accessToken, refreshToken } of [signedUp, elsewhere]) {
    refused(await me(accessToken), 401, "unauthenticated");
    refused(await refresh(refreshToken), 401, "unauthenticated");
  }
  refused(await login(email ?? ""), 401, "invalid_credentials");
  const { user } = ok(await login(email ?? "", password));
  assert.equal(user.emailVerified, true);
});
