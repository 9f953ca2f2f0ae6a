import { randomUUID } from "node:crypto";
import type { Random } from "../../engine/testing/random.ts";
import { isObject } from "../support/answer-contract.ts";
import type { ApiClient, Reply } from "../support/client.ts";
import { OPS_TOKEN } from "../support/server.ts";
import type { EventShape, SignedIn } from "../support/shapes.ts";
import { adminToken, guestToken, ok, SMALL_PLAN } from "../support/venue.ts";

/** Something that a request may be about, and whose it is. */
export interface Thing {
  readonly id: string;
  /** "": anybody's. */
  readonly token: string;
  readonly eventId: string;
  /** Of a hold its items, of a booking its tickets. */
  readonly parts: readonly string[];
  readonly codes: readonly string[];
}

export type Kind = (typeof KINDS)[number];
const KINDS = [
  ...(["event", "hold", "booking", "organization", "intent", "user", "cursor"] as const),
  ...(["webhook", "campaign", "subscription", "venue", "seatingPlan", "ticketKey"] as const),
  ...(["invitation", "suppression", "deadLetter"] as const),
] as const;
/** Of each kind: the newest are the ones that are still something. */
const THINGS_MAX = 60;
export const PASSWORD = "long enough 1";

/**
 * Who is there, and what there is: what answers tell of is remembered, so that later requests are
 * about things that exist.
 */
export class Scene {
  readonly #api: ApiClient;
  readonly #random: Random;
  readonly #things = new Map<Kind, Thing[]>(KINDS.map((kind) => [kind, []]));
  /** Of the administrator, an owner, a customer and a guest. */
  tokens: readonly string[] = [];
  /** Of accounts. */
  readonly emails: string[] = [];
  /** The newest; "": none was heard of. */
  refreshToken = "";
  #owner = "";
  #organizationId = "";

  constructor(api: ApiClient, random: Random) {
    this.#api = api;
    this.#random = random;
  }

  async set(): Promise<void> {
    const admin = await adminToken(this.#api);
    const customer = await this.register();
    const guest = await guestToken(this.#api);
    await this.#openHouse();
    this.tokens = [admin, this.#owner, this.#owner, customer, guest];
    await this.refresh();
  }

  /** An organisation, and who owns it. */
  async #openHouse(): Promise<void> {
    const before = this.#owner;
    const token = await this.register();
    const given = { token, body: { name: "Fuzz hall", allowInvoices: true } };
    const made = await this.#api.post<{ id: string }>("/api/v1/organizations", given);
    this.#organizationId = ok(made, 201).id;
    this.#owner = token;
    this.tokens = this.tokens.map((known) => (known === before ? token : known));
    this.#keep("organization", { id: this.#organizationId, token });
  }

  async register(): Promise<string> {
    const email = `${randomUUID()}@example.org`;
    const body = { email, password: PASSWORD };
    this.emails.unshift(email);
    this.emails.splice(10);
    return ok(await this.#api.post<SignedIn>("/api/v1/auth/register", { body }), 201).accessToken;
  }

  guest(): Promise<string> {
    return guestToken(this.#api);
  }

  /** Another event on sale: others are cancelled, sold out or closed by and by. */
  async refresh(): Promise<void> {
    const made = await this.#openEvent();
    if (made.status !== 201) {
      // The owner has left the house to somebody else.
      await this.#openHouse();
      const again = await this.#openEvent();
      ok(again, 201);
    }
  }

  async #openEvent(): Promise<Reply<EventShape>> {
    const token = this.#owner;
    const body = {
      organizationId: this.#organizationId,
      title: "Fuzz night",
      startsAt: "2031-05-04T19:30:00Z",
      priceCategories: [
        { key: "stalls", name: "Stalls", price: 4500 },
        { key: "balcony", name: "Balcony", price: 3900 },
        { key: "standing", name: "Standing", price: 0 },
      ],
      seatingPlan: SMALL_PLAN,
      areas: [{ key: "floor", name: "Floor", capacity: 500, priceCategory: "standing" }],
      promoCodes: [{ code: "EARLY", percent: "10" }],
      publish: true,
    };
    const made = await this.#api.post<EventShape>("/api/v1/events", { token, body });
    if (made.status === 201) this.#keep("event", { id: made.body.id, token });
    return made;
  }

  get organizationId(): string {
    return this.#organizationId;
  }

  /** Events that this made or heard of. */
  get events(): readonly Thing[] {
    return this.#things.get("event") ?? [];
  }

  /** null: there is none yet. */
  any(kind: Kind): Thing | null {
    const things = this.#things.get(kind) ?? [];
    // One in two is about the newest few.
    const recent = this.#random.next() < 0.5 ? things.slice(-3) : things;
    return recent.length === 0 ? null : this.#random.pick(recent);
  }

  operatorToken(): string {
    return this.#random.next() < 0.7 ? OPS_TOKEN : (this.tokens[0] ?? "");
  }

  /** Remembers what an answer tells of. */
  learn(operationId: string, body: unknown, { token }: Pick<Thing, "token">): void {
    if (!isObject(body)) return;
    const { id, kid, eventId, nextCursor, payment, refreshToken } = body;
    if (typeof refreshToken === "string") this.refreshToken = refreshToken;
    const kind = LEARNT[operationId];
    const list = [body.items, body.tickets].find(Array.isArray) ?? [];
    const parts = list.map((part) => (isObject(part) ? String(part.id) : ""));
    const codes = list.flatMap((part) => {
      return isObject(part) && typeof part.code === "string" ? [part.code] : [];
    });
    if (kind !== undefined && typeof id === "string") {
      this.#keep(kind, { id, token, eventId: String(eventId ?? id), parts, codes });
    }
    if (kind === "ticketKey" && typeof kid === "string") this.#keep(kind, { id: kid, token });
    const listed = LISTED[operationId];
    if (listed !== undefined) for (const part of parts) this.#keep(listed, { id: part, token });
    if (typeof nextCursor === "string") this.#keep("cursor", { id: nextCursor, token });
    if (isObject(payment) && typeof payment.intentId === "string") {
      this.#keep("intent", { id: payment.intentId, token });
    }
    if (isObject(body.user) && typeof body.user.id === "string") {
      this.#keep("user", { id: body.user.id, token });
    }
  }

  #keep(kind: Kind, thing: Partial<Thing> & Pick<Thing, "id" | "token">): void {
    const things = this.#things.get(kind) ?? [];
    const { id, token, eventId = id, parts = [], codes = [] } = thing;
    const others = things.filter((known) => known.id !== id);
    const kept = [...others, { id, token, eventId, parts, codes }].slice(-THINGS_MAX);
    this.#things.set(kind, kept);
  }
}

/** What the `id` of an answer is that of. */
const LEARNT: Readonly<Record<string, Kind>> = {
  holdPlaces: "hold",
  changeHold: "hold",
  book: "booking",
  moveTicket: "booking",
  addWebhook: "webhook",
  addCampaign: "campaign",
  addPushSubscription: "subscription",
  addVenue: "venue",
  addSeatingPlan: "seatingPlan",
  addTicketKey: "ticketKey",
  createEvent: "event",
  createOrganization: "organization",
  addMember: "user",
};
/** What the items of a list are, where only the list tells of them. */
const LISTED: Readonly<Record<string, Kind>> = {
  listInvitations: "invitation",
  listSuppressions: "suppression",
  listDeadLetters: "deadLetter",
};
