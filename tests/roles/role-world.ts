/** Two organisations, everybody who has to do with them, and what they ask about. */
import { randomUUID } from "node:crypto";
import type { ApiClient } from "../support/client.ts";
import type { MailFolder } from "../support/mail-folder.ts";
import type { BookingShape, EventShape, HoldShape, SignedIn } from "../support/shapes.ts";
import { adminToken, guestToken, ok, openOrganization, SMALL_PLAN } from "../support/venue.ts";

export const ROLES = [
  "nobody",
  "guest",
  "customer",
  "staff of another",
  "organizer of another",
  "owner of another",
  "staff",
  "organizer",
  "owner",
  "admin",
] as const;
export type Role = (typeof ROLES)[number];

interface Registered {
  readonly token: string;
  readonly refreshToken: string;
  readonly email: string;
  readonly id: string;
}

const PASSWORD = "long enough 1";

export class RoleWorld {
  readonly tokens: Readonly<Record<Role, string | null>>;
  readonly organizationId: string;
  /** On sale, with places enough for everybody. */
  readonly event: EventShape;
  readonly draft: EventShape;
  readonly #api: ApiClient;
  readonly #owner: string;

  private constructor(
    api: ApiClient,
    tokens: RoleWorld["tokens"],
    own: Pick<RoleWorld, "organizationId" | "event" | "draft">,
  ) {
    this.#api = api;
    this.tokens = tokens;
    this.organizationId = own.organizationId;
    this.event = own.event;
    this.draft = own.draft;
    this.#owner = tokens.owner ?? "";
  }

  static async open(api: ApiClient, mails: MailFolder): Promise<RoleWorld> {
    const team = async () => {
      const owner = await register(api);
      const organizationId = await openOrganization(api, owner.token);
      const join = async (role: string): Promise<string> => {
        const person = await register(api);
        await mails.confirm(api, person);
        const asked = { token: owner.token, body: { email: person.email, role } };
        ok(await api.post(`/api/v1/organizations/${organizationId}/members`, asked), 201);
        return person.token;
      };
      return {
        organizationId,
        owner: owner.token,
        organizer: await join("organizer"),
        staff: await join("staff"),
      };
    };
    const [ours, others] = [await team(), await team()];
    const { organizationId } = ours;
    const tokens = {
      nobody: null,
      guest: await guestToken(api),
      customer: (await register(api)).token,
      "staff of another": others.staff,
      "organizer of another": others.organizer,
      "owner of another": others.owner,
      staff: ours.staff,
      organizer: ours.organizer,
      owner: ours.owner,
      admin: await adminToken(api),
    };
    const [event, draft] = [
      await createEvent(api, organizationId, { token: ours.owner, publish: true }),
      await createEvent(api, organizationId, { token: ours.owner, publish: false }),
    ];
    return new RoleWorld(api, tokens, { organizationId, event, draft });
  }

  register(): Promise<Registered> {
    return register(this.#api);
  }

  login({ email }: Registered): object {
    return { email, password: PASSWORD };
  }

  guest(): Promise<string> {
    return guestToken(this.#api);
  }

  /** Another event of the organisation. */
  create(publish: boolean): Promise<EventShape> {
    return createEvent(this.#api, this.organizationId, { token: this.#owner, publish });
  }

  /** Something that the organisation keeps for its events, of the list of this name; its id. */
  async keep(list: string, body: object): Promise<string> {
    const path = `/api/v1/organizations/${this.organizationId}/${list}`;
    return ok(await this.#api.post<{ id: string }>(path, { token: this.#owner, body }), 201).id;
  }

  /** Somebody who was invited to the organisation; the invitation's id. */
  async invite(): Promise<string> {
    const body = { email: `${randomUUID()}@example.org`, role: "staff" };
    const path = `/api/v1/organizations/${this.organizationId}/members`;
    const reply = await this.#api.post<{ id: string }>(path, { token: this.#owner, body });
    return ok(reply, 201).id;
  }

  async hold(token: string | null, items: readonly object[] = [FLOOR]): Promise<HoldShape> {
    const asked = { token: token ?? (await this.guest()), body: { items } };
    return ok(await this.#api.post<HoldShape>(`${this.#path}/holds`, asked), 201);
  }

  /** A hold of somebody else. */
  async anothersHold(): Promise<HoldShape> {
    return this.hold((await this.register()).token);
  }

  /** A booking of somebody else, on the floor or of a seat. */
  async anothersBooking(items: readonly object[] = [FLOOR]): Promise<BookingShape> {
    const { token } = await this.register();
    const { id: holdId } = await this.hold(token, items);
    const body = { holdId, payment: { provider: "none" }, email: "buyer@example.org" };
    return ok(await this.#api.post<BookingShape>(`${this.#path}/bookings`, { token, body }), 201);
  }

  get #path(): string {
    return `/api/v1/events/${this.event.id}`;
  }
}

export const FLOOR = { area: "floor", quantity: 1 };

async function register(api: ApiClient): Promise<Registered> {
  const email = `${randomUUID()}@example.org`;
  const body = { email, password: PASSWORD };
  const signedIn = ok(await api.post<SignedIn>("/api/v1/auth/register", { body }), 201);
  const { user, accessToken: token, refreshToken } = signedIn;
  return { token, refreshToken, email, id: user.id };
}

async function createEvent(
  api: ApiClient,
  organizationId: string,
  { token, publish }: { readonly token: string; readonly publish: boolean },
): Promise<EventShape> {
  const body = {
    organizationId,
    title: "A small evening",
    startsAt: "2040-05-04T19:30:00Z",
    priceCategories: [
      { key: "stalls", name: "Stalls", price: 4500 },
      { key: "balcony", name: "Balcony", price: 2500 },
      { key: "standing", name: "Standing", price: 3000 },
    ],
    seatingPlan: SMALL_PLAN,
    areas: [{ key: "floor", name: "Floor", capacity: 500, priceCategory: "standing" }],
    publish,
  };
  return ok(await api.post<EventShape>("/api/v1/events", { token, body }), 201);
}
