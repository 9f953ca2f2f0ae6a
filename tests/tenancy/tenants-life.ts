/**
 * Everything that tenants and their buyers do, once: a life that sends every statement of the
 * gateway. What no request leads to in good order is asked of the services themselves.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { EventTag, OrganizationId, UserId } from "../../engine/ids.ts";
import { TrackedCounts } from "../../gateway/campaigns/tracked-counts.ts";
import { TrackingObjections } from "../../gateway/campaigns/tracking-objections.ts";
import { EventStore } from "../../gateway/catalogue/event-store.ts";
import { NamedEvents } from "../../gateway/catalogue/named-events.ts";
import { Organizations } from "../../gateway/catalogue/organizations.ts";
import { EventSearch } from "../../gateway/catalogue/search/event-search.ts";
import { parseSearchRequest } from "../../gateway/catalogue/search/search-request.ts";
import { TokenSweep } from "../../gateway/identity/token-sweep.ts";
import { BounceDesk } from "../../gateway/mail/bounce-desk.ts";
import { MailPreferences } from "../../gateway/mail/mail-preferences.ts";
import { SuppressedAddresses } from "../../gateway/mail/suppressed-addresses.ts";
import { PaymentInbox } from "../../gateway/payments/payment-inbox.ts";
import { PaymentIntents } from "../../gateway/payments/payment-intents.ts";
import { PAYMENTS } from "../../gateway/payments/payments-scope.ts";
import { Refunds } from "../../gateway/payments/refunds.ts";
import { SandboxProvider } from "../../gateway/payments/sandbox-provider.ts";
import type { Database } from "../../gateway/tenancy/database.ts";
import { asker, NOBODY, platform } from "../../gateway/tenancy/scope.ts";
import { TicketKeys } from "../../gateway/tickets/ticket-keys.ts";
import { systemClock } from "../../workers/clock.ts";
import type { ApiClient, Reply } from "../support/client.ts";
import type { MailFolder } from "../support/mail-folder.ts";
import { ADMIN, until } from "../support/server.ts";
import type { BookingShape, EventShape, HoldShape, SignedIn } from "../support/shapes.ts";
import { TestBrowser } from "../support/test-browser.ts";
import { guestToken, ok, openOrganization, SMALL_PLAN } from "../support/venue.ts";

interface Registered extends SignedIn {
  readonly email: string;
}

export interface Tenant {
  readonly organizationId: string;
  readonly owner: SignedIn;
  readonly buyer: SignedIn;
  readonly draftId: string;
  readonly eventId: string;
}

const PASSWORD = "long enough 1";
/** Message-ID of a mail that was sent. */
export const MAILED = "0190c2a4-7b1e-7c3d-8e4f-5a6b7c8d9e0f@tickets.example";

export class TenantsLife {
  readonly #api: ApiClient;
  readonly #mails: MailFolder;

  constructor(api: ApiClient, mails: MailFolder) {
    this.#api = api;
    this.#mails = mails;
  }

  /** An organisation with a draft and an event on sale, and somebody who has booked there. */
  async open(): Promise<Tenant> {
    const [owner, buyer] = [await this.#register(), await this.#register()];
    const { accessToken: token } = owner;
    const organizationId = await openOrganization(this.#api, token);
    const draftId = (await this.#event(organizationId, token, { publish: false })).id;
    const { id: eventId } = await this.#event(organizationId, token);
    await this.#book(eventId, buyer.accessToken, "A-1");
    return { organizationId, owner, buyer, draftId, eventId };
  }

  /** What organisers do with an organisation and its events. */
  async sell({ organizationId, owner, draftId, eventId, buyer }: Tenant): Promise<void> {
    const { accessToken: token } = owner;
    const api = this.#api;
    const asOwner = { token };
    ok(await api.get("/api/v1/organizations", asOwner));
    ok(await api.patch(`/api/v1/organizations/${organizationId}`, { token, body: { name: "B" } }));
    for (const path of ["", "/seats"])
      ok(await api.get(`/api/v1/events/${draftId}${path}`, asOwner));
    ok(await api.get("/api/v1/events?q=evening&city=Berlin"));
    const changes = { title: "Another evening", takeOrganizationCharges: true };
    ok(await api.patch(`/api/v1/events/${eventId}`, { token, body: changes }));
    const { bookings, code } = await this.#bookingsOf(eventId, token);
    ok(await api.get(`/api/v1/events/${eventId}/bookings?code=${code}`, asOwner));
    ok(await api.get(`/api/v1/events/${eventId}/log`, asOwner));
    for (const id of bookings) ok(await api.get(`/api/v1/bookings/${id}/history`, asOwner));
    const mine = { token: buyer.accessToken };
    const { data } = ok(await api.get<{ data: BookingShape[] }>("/api/v1/bookings", mine));
    for (const { id, tickets } of data) {
      ok(await api.get(`/api/v1/bookings/${id}/history`, mine));
      await api.get(`/api/v1/tickets/${tickets[0]?.id}/qr.svg`, mine);
    }
    const gone = await this.#event(organizationId, token, { publish: false });
    for (const key of ["end", "end", "again"]) {
      ok(await api.post(`/api/v1/events/${gone.id}/cancel`, { token, key }));
    }
    const refused = await api.post(`/api/v1/events/${gone.id}/publish`, { token, key: "late" });
    if (refused.status !== 409) throw new Error("what was cancelled is not sold");
  }

  /** What an organisation keeps for its events, and how they are found. */
  async furnish({ organizationId, owner }: Tenant): Promise<void> {
    const { accessToken: token } = owner;
    const api = this.#api;
    const path = `/api/v1/organizations/${organizationId}`;
    const shelves = [
      ["venues", "venueId", { name: "Hall", city: "Jena" }],
      ["seating-plans", "seatingPlanId", { name: "Hall", plan: SMALL_PLAN }],
    ] as const;
    for (const [name, member, body] of shelves) {
      const kept = `${path}/${name}`;
      const { id } = ok(await api.post<{ id: string }>(kept, { token, body }), 201);
      ok(await api.get(kept, { token }));
      ok(await api.get(`${kept}/${id}`, { token }));
      ok(await api.patch(`${kept}/${id}`, { token, body: { name: "Other hall" } }));
      const given = name === "venues" ? { venue: null } : { seatingPlan: null };
      const draft = await this.#event(organizationId, token, {
        ...given,
        [member]: id,
        publish: false,
      });
      ok(await api.delete(`/api/v1/events/${draft.id}`, { token }), 204);
      const spare = ok(await api.post<{ id: string }>(kept, { token, body }), 201);
      ok(await api.delete(`${kept}/${spare.id}`, { token }), 204);
    }
    const templates = `${path}/mail-templates`;
    const subject = { token, body: { subject: "Soon" } };
    ok(await api.put(`${templates}/reminder`, subject));
    ok(await api.get(templates, { token }));
    ok(await api.get(`${templates}/reminder`, { token }));
    ok(await api.put(`${templates}/refund`, subject));
    ok(await api.delete(`${templates}/refund`, { token }), 204);
    for (const query of ["", "?status=draft"])
      ok(await api.get(`${path}/events${query}`, { token }));
    for (const list of ["categories", "tags?q=a"]) ok(await api.get(`/api/v1/${list}`));
    ok(await api.get("/api/v1/events?q=evenign"));
    ok(await api.get("/api/v1/events?q=evening%20o"));
  }

  /** Where an organisation's own program is told. */
  async connect({ organizationId, owner, eventId }: Tenant): Promise<void> {
    const { accessToken: token } = owner;
    const api = this.#api;
    const path = `/api/v1/organizations/${organizationId}/webhooks`;
    const body = { url: "https://receiver.invalid/hook" };
    const spare = ok(await api.post<{ id: string }>(path, { token, body }), 201);
    ok(await api.delete(`${path}/${spare.id}`, { token }), 204);
    const { id } = ok(await api.post<{ id: string }>(path, { token, body }), 201);
    ok(await api.get(path, { token }));
    ok(await api.get(`${path}/${id}`, { token }));
    ok(await api.patch(`${path}/${id}`, { token, body: { description: "Other" } }));
    ok(await api.post(`${path}/${id}/rotate-secret`, { token }));
    const from = { token, body: { eventId, fromSeq: 1 } };
    ok(await api.post(`${path}/${id}/replay`, from), 202);
    ok(await api.post(`${path}/${id}/enable`, { token }));
    ok(await api.post(`${path}/${id}/test`, { token }));
    ok(await api.get(`${path}/${id}/deliveries`, { token }));
  }

  /** What an organisation mails to its customers. */
  async advertise({ organizationId, owner, eventId }: Tenant): Promise<void> {
    const { accessToken: token } = owner;
    const api = this.#api;
    const path = `/api/v1/organizations/${organizationId}/campaigns`;
    const add = async (segment: object): Promise<string> => {
      const variants = [{ subject: "Hello", blocks: { main: "<p>{{ event.title }}</p>" } }];
      const body = { name: "Come again", eventId, segment, variants };
      return ok(await api.post<{ id: string }>(path, { token, body }), 201).id;
    };
    const first = await add({ kind: "attended", atLeast: 1, cities: ["Berlin"] });
    const engaged = { kind: "not", of: { kind: "opened", campaignId: first } };
    const id = await add({ kind: "any", of: [engaged, { kind: "bought", eventId }] });
    for (const list of [path, `${path}/${id}`, `${path}/${id}/statistics`]) {
      ok(await api.get(list, { token }));
    }
    ok(await api.patch(`${path}/${id}`, { token, body: { name: "Come soon" } }));
    for (const one of [first, id]) ok(await api.post(`${path}/${one}/preview`, { token }));
    const at = new Date(Date.now() + 3_600_000).toISOString();
    ok(await api.post(`${path}/${id}/schedule`, { token, body: { at } }));
    const refused = await api.delete(`${path}/${id}`, { token });
    if (refused.status !== 409) throw new Error("what is under way is not removed");
    ok(await api.post(`${path}/${id}/stop`, { token }));
    ok(await api.delete(`${path}/${first}`, { token }), 204);
    // Something is left that others might change.
    const left = await add({ kind: "attended" });
    ok(await api.post(`${path}/${left}/schedule`, { token, body: { at } }));
  }

  /** Who belongs to an organisation. */
  async gather({ organizationId, owner }: Tenant): Promise<void> {
    const { accessToken: token } = owner;
    const api = this.#api;
    const path = `/api/v1/organizations/${organizationId}`;
    const invite = async (email: string, role: string) => {
      const asked = { token, body: { email, role } };
      return ok(await api.post<{ id: string }>(`${path}/members`, asked), 201).id;
    };
    const [organizer, staff] = [await this.#register(), await this.#register()];
    for (const { email, accessToken } of [organizer, staff]) {
      await this.#mails.confirm(api, { email, token: accessToken });
    }
    await invite(organizer.email, "organizer");
    const staffId = await invite(staff.email, "staff");
    const unknown = await invite(`${randomUUID()}@example.org`, "staff");
    await invite(`${randomUUID()}@example.org`, "staff");
    const role = { token, body: { role: "organizer" } };
    ok(await api.patch(`${path}/members/${staffId}`, role));
    for (const list of ["members", "invitations"]) ok(await api.get(`${path}/${list}`, { token }));
    ok(await api.delete(`${path}/invitations/${unknown}`, { token }), 204);
    const late = await this.#register();
    await invite(late.email, "staff");
    const body = { token: await this.#mails.tokenFor(late.email, { kind: "invitation" }) };
    ok(await api.post("/api/v1/invitations/accept", { token: late.accessToken, body }));
    ok(await api.delete("/api/v1/users/me", { token: late.accessToken }), 204);
    const stranger = await this.#register();
    await invite(stranger.email, "staff");
    const theirs = { token: await this.#mails.tokenFor(stranger.email, { kind: "invitation" }) };
    ok(await api.post("/api/v1/invitations/accept", { body: theirs }));
  }

  /** Coming, staying, going. */
  async live({ eventId }: Tenant): Promise<void> {
    const api = this.#api;
    const auth = "/api/v1/auth";
    const person = await this.#register();
    const { email } = person;
    const refresh = (refreshToken: string) =>
      api.post<SignedIn>(`${auth}/refresh`, { body: { refreshToken } });
    const next = ok(await refresh(person.refreshToken));
    if ((await refresh(person.refreshToken)).status !== 401) throw new Error("reuse is a theft");
    const login = async (password: string) =>
      ok(await api.post<SignedIn>(`${auth}/login`, { body: { email, password } }));
    for (const body of [{}, { refreshToken: next.refreshToken }]) {
      const { accessToken: token, refreshToken } = await login(PASSWORD);
      ok(await api.post(`${auth}/logout`, { token, body: { refreshToken, ...body } }), 204);
    }
    const token = (await login(PASSWORD)).accessToken;
    ok(await api.post(`${auth}/verify-email`, { token }), 202);
    ok(
      await api.post(`${auth}/verify-email`, {
        body: { token: await this.#mails.tokenFor(email, { nth: 2 }) },
      }),
    );
    ok(await api.post(`${auth}/forgot-password`, { body: { email } }), 202);
    const reset = {
      token: await this.#mails.tokenFor(email, { kind: "reset" }),
      password: "another one 2",
    };
    ok(await api.post(`${auth}/reset-password`, { body: reset }), 204);
    const again = (await login("another one 2")).accessToken;
    const me = "/api/v1/users/me";
    const change = { firstName: "P", password: PASSWORD, currentPassword: "another one 2" };
    ok(await api.patch(me, { token: again, body: change }));
    for (const path of [me, `${me}/export`, "/api/v1/bookings"]) {
      ok(await api.get(path, { token: again }));
    }
    await this.#subscribe(again);
    const guest = await guestToken(api);
    await this.#book(eventId, guest, "A-2");
    const body = { email: `${randomUUID()}@example.org`, password: PASSWORD };
    const became = ok(await api.post<SignedIn>(`${auth}/register`, { token: guest, body }), 201);
    const given = await this.#book(eventId, became.accessToken, "A-3");
    const to = { token: became.accessToken, body: { email } };
    ok(await api.post(`/api/v1/bookings/${given.id}/transfer`, to));
    const nobody = { token: again, body: { email: `${randomUUID()}@example.org` } };
    ok(await api.post(`/api/v1/bookings/${given.id}/transfer`, nobody));
    await this.#hold(eventId, again, [{ area: "floor", quantity: 5 }]);
    const wait = { token: became.accessToken, body: { quantity: 1, categories: ["standing"] } };
    ok(await api.post(`/api/v1/events/${eventId}/waitlist`, wait), 201);
    ok(await api.get(`${me}/export`, { token: again }));
  }

  /** Money that comes, does not come, and goes back. */
  async pay({ eventId }: Tenant): Promise<void> {
    const api = this.#api;
    const { accessToken: token } = await this.#register();
    const sandbox = "/api/v1/payments/sandbox";
    const payments: BookingShape[] = [];
    for (const seat of ["A-4", "A-5", "A-6"]) {
      const { id: holdId } = await this.#hold(eventId, token, [{ seat }]);
      const body = { holdId, payment: { provider: "sandbox" }, email: "payer@example.org" };
      const path = `/api/v1/events/${eventId}/bookings`;
      payments.push(ok(await api.post<BookingShape>(path, { token, body }), 202));
    }
    const [paid, failed, wrong] = payments.map(({ payment }) => payment?.intentId ?? "");
    ok(await api.post(`${sandbox}/${paid}/succeed`));
    ok(await api.post(`${sandbox}/${failed}/fail`));
    ok(await api.post(`${sandbox}/${wrong}/succeed`, { body: { amount: 17 } }));
    const cancel = `/api/v1/bookings/${payments[0]?.id}/cancel`;
    ok(await api.post(cancel, { token, body: {} }));
  }

  /** What happens when something goes wrong, or nobody is there. */
  async mend(database: Database, { organizationId, owner, eventId }: Tenant): Promise<void> {
    const admin = { userId: owner.user.id as UserId, role: "admin" } as const;
    const rows = database.in(PAYMENTS);
    const nowMs = Date.now();
    await until("the money is back", async () => {
      const text = "SELECT FROM refunds WHERE reported_ms IS NOT NULL";
      return (await rows.query(text)).rowCount === 2;
    });
    const intents = new PaymentIntents(rows);
    const sandbox = new SandboxProvider({ rows, clock: systemClock, webhookSecret: "unused" });
    const { rows: found } = await rows.query<{ id: string }>(
      "SELECT intent_id AS id FROM payment_intents WHERE event_id = $1 ORDER BY 1",
      [eventId],
    );
    const [intentId = ""] = found.map(({ id }) => id);
    const known = { intentId, providerRef: `sandbox_${intentId}` };
    await intents.claimDue(nowMs + 10 ** 9);
    await intents.lookAgain(intentId, nowMs + 10 ** 9);
    await sandbox.lookUp(known);
    await sandbox.cancel(known);
    const inbox = new PaymentInbox(rows);
    const [entry] = await inbox.claimDue(nowMs + 10 ** 9);
    const news = { providerRef: null, outcome: "failed", amountMinor: 1, currency: "EUR" } as const;
    const event = { ...news, providerEventId: randomUUID(), intentId, occurredMs: nowMs };
    await inbox.store("sandbox", event, nowMs);
    await inbox.postpone(entry ?? { ...event, provider: "sandbox", tries: 1 }, nowMs, "later");
    const [refund] = await new Refunds(rows).claimDue(nowMs + 10 ** 9);
    const open = { eventId, refundId: intentId, bookingId: intentId, ...known, tries: 1 } as const;
    const money = {
      provider: "sandbox",
      amountMinor: 1,
      currency: "EUR",
      failedRef: null,
    } as const;
    const due = refund ?? ({ ...open, ...money, statusBefore: "due" } as const);
    await new Refunds(rows).postpone(due, { atMs: nowMs, error: "later", ref: null });
    await new Refunds(rows).refused({ ...due, refundId: randomUUID() }, { ref: null, error: "no" });
    const warn = (fields: object): never => {
      throw new Error(JSON.stringify(fields));
    };
    await new TokenSweep({ database, clock: systemClock, log: { warn } }).sweep();
    await mendMails(database);
    const keys = new TicketKeys(database, systemClock);
    await keys.remove((await keys.add(Date.now())).kid);
    const { rows: mailed } = await database
      .in(asker({ ...admin, role: "customer" }))
      .query<{ id: string }>("SELECT id FROM campaigns");
    const recipient = { campaignId: mailed[0]?.id ?? "", position: 0 };
    const counts = new TrackedCounts({ database, clock: systemClock, log: { warn } });
    counts.add(recipient, "click");
    await counts.flush();
    await new TrackingObjections(database).add(recipient);
    const organizations = new Organizations(database);
    const charges = { fees: [], tax: null };
    const given = { name: "Empty", allowInvoices: false, currency: "EUR", country: "DE", charges };
    const { id } = await organizations.create(given, null);
    await organizations.removeEmpty(id);
    await organizations.isOrganizer({ ...admin, role: "customer" }, organizationId);
    const draft = await this.#event(organizationId, owner.accessToken, { publish: false });
    const store = new EventStore(database, NOBODY).as(admin);
    await store.removeDraft(draft.id as Parameters<EventStore["removeDraft"]>[0]);
    await store.first(1);
    // As if there were so many events that it pays to ask what a search will cost.
    const bounds = { windowRows: 1, gatherRowsMax: 0, gatherCostMax: 0, gatherCostFactor: 1 };
    await new EventSearch(database.in(NOBODY), bounds).find(parseSearchRequest("q=evening"));
    await organizations.find(organizationId as OrganizationId, admin);
    await new NamedEvents(database).findByTag(eventId.slice(26) as EventTag);
    ok(await this.#api.post("/api/v1/auth/login", { body: ADMIN }));
  }

  /** Is told in two browsers, and in one no more. */
  async #subscribe(token: string): Promise<void> {
    const path = "/api/v1/users/me/push-subscriptions";
    const add = async (): Promise<string> => {
      const body = new TestBrowser(`https://push.invalid/${randomUUID()}`).subscription;
      return ok(await this.#api.post<{ id: string }>(path, { token, body }), 201).id;
    };
    await add();
    ok(await this.#api.delete(`${path}/${await add()}`, { token }), 204);
    ok(await this.#api.get(path, { token }));
  }

  async #register(): Promise<Registered> {
    const email = `${randomUUID()}@example.org`;
    const body = { email, password: PASSWORD };
    return { ...ok(await this.#api.post<SignedIn>("/api/v1/auth/register", { body }), 201), email };
  }

  async #event(organizationId: string, token: string, more: object = {}): Promise<EventShape> {
    const body = {
      organizationId,
      title: "A small evening",
      startsAt: "2040-05-04T19:30:00Z",
      venue: { name: "Hall", city: "Berlin", country: "DE" },
      priceCategories: [
        { key: "stalls", name: "Stalls", price: 4500 },
        { key: "balcony", name: "Balcony", price: 2500 },
        { key: "standing", name: "Standing", price: 3000 },
      ],
      promoCodes: [{ code: "HUSH", percent: "50" }],
      seatingPlan: SMALL_PLAN,
      areas: [{ key: "floor", name: "Floor", capacity: 5, priceCategory: "standing" }],
      publish: true,
      ...more,
    };
    return ok(await this.#api.post<EventShape>("/api/v1/events", { token, body }), 201);
  }

  async #hold(eventId: string, token: string, items: readonly object[]): Promise<HoldShape> {
    const asked = { token, body: { items } };
    return ok(await this.#api.post<HoldShape>(`/api/v1/events/${eventId}/holds`, asked), 201);
  }

  async #book(eventId: string, token: string, seat: string): Promise<BookingShape> {
    const { id: holdId } = await this.#hold(eventId, token, [{ seat }]);
    const body = { holdId, payment: { provider: "none" }, email: "buyer@example.org" };
    const path = `/api/v1/events/${eventId}/bookings`;
    return ok(await this.#api.post<BookingShape>(path, { token, body }), 201);
  }

  async #bookingsOf(eventId: string, token: string): Promise<{ bookings: string[]; code: string }> {
    const path = `/api/v1/events/${eventId}/bookings`;
    const reply: Reply<{ data: BookingShape[] }> = await this.#api.get(path, { token });
    const { data } = ok(reply);
    return { bookings: data.map(({ id }) => id), code: data[0]?.code ?? "" };
  }
}

/** What readers want of mails, and what comes back of these. */
async function mendMails(database: Database): Promise<void> {
  const rows = database.in(platform("mail", "a test"));
  const [recipient, other, organizationId] = [randomBytes(32), randomBytes(32), randomUUID()];
  const preferences = new MailPreferences(rows);
  for (const one of [recipient, other]) {
    await preferences.refuse(one, "campaign", organizationId);
  }
  await preferences.change(recipient, { wanted: { campaign: true }, refusedOrganizations: [] });
  const suppressed = new SuppressedAddresses(rows);
  await suppressed.remove(recipient);
  await suppressed.forget(0);
  const bounces = new BounceDesk(rows, systemClock);
  const bounce = { type: "soft", reason: "full" } as const;
  const address = `anna@${randomUUID()}.example`;
  for (const messageId of [MAILED, null]) {
    for (let n = 0; n < 3; n += 1) {
      await bounces.take([{ ...bounce, messageId, address }], randomUUID());
    }
  }
  await suppressed.list({ limit: 1, cursor: null }, null);
}
