/** What each route answers to whom. The columns are those of ROLES. */
import { randomUUID } from "node:crypto";
import { TestBrowser } from "../support/test-browser.ts";
import { SMALL_PLAN } from "../support/venue.ts";
import { FLOOR, type Role, type RoleWorld } from "./role-world.ts";

export interface Asked {
  /** In the order of the path. */
  readonly params?: readonly string[];
  readonly query?: string;
  readonly body?: unknown;
  /** In place of the role's own; null: none. */
  readonly token?: string | null;
}

export interface Row {
  readonly route: string;
  readonly about: string;
  /** One status for all, or one for each role. */
  readonly expected: string | number;
  readonly ask: (world: RoleWorld, role: Role) => Asked | Promise<Asked>;
}

const V1 = "/api/v1";
const row = (
  route: string,
  about: string,
  expected: Row["expected"],
  ask: Row["ask"] = () => ({}),
): Row => ({ route, about, expected, ask });

/** By columns: nobody, guest, customer, three of another organisation, three of this one, admin. */
const ADDRESS_OWNERS = "401 403 403 200 200 403 200 200 403 200";
const SIGNED_IN = "401 200 200 200 200 200 200 200 200 200";
const ACCOUNTS = "401 403 200 200 200 200 200 200 200 200";
const NOT_OTHERS = "401 404 404 404 404 404 404 404 404 404";
const OWNERS = (done: number) => `401 404 404 404 404 404 403 403 ${done} ${done}`;
/** Of an event that is public. */
const SELLERS = (done: number) => `401 403 403 403 403 403 403 ${done} ${done} ${done}`;
/** Of what only its organisation knows. */
const PRIVATE_SELLERS = (done: number) => `401 404 404 404 404 404 403 ${done} ${done} ${done}`;
/** Of a booking: staff do not know of it. */
const BOOKINGS = (done: number) => `401 404 404 404 404 404 404 ${done} ${done} ${done}`;
const TEAM = "404 404 404 404 404 404 200 200 200 200";

const fresh = () => `${randomUUID()}@example.org`;

const auth: Row[] = [
  row(`POST ${V1}/auth/register`, "", 201, () => ({
    // A guest would become the account.
    token: null,
    body: { email: fresh(), password: "long enough 1" },
  })),
  row(`POST ${V1}/auth/login`, "", 200, async (world) => ({
    body: world.login(await world.register()),
  })),
  row(`POST ${V1}/auth/refresh`, "", 200, async (world) => ({
    body: { refreshToken: (await world.register()).refreshToken },
  })),
  row(`POST ${V1}/auth/logout`, "with a refresh token", 204, async (world) => ({
    token: null,
    body: { refreshToken: (await world.register()).refreshToken },
  })),
  row(
    `POST ${V1}/auth/logout`,
    "with an access token",
    "401 204 204 204 204 204 204 204 204 204",
    async (world, role) => ({ token: await throwAway(world, role) }),
  ),
  row(`POST ${V1}/auth/guest`, "", 201),
  row(`POST ${V1}/auth/verify-email`, "another mail", "401 403 202 202 202 202 202 202 202 202"),
  row(`POST ${V1}/auth/verify-email`, "a wrong token", 400, () => ({ body: { token: "wrong" } })),
  row(`POST ${V1}/auth/forgot-password`, "", 202, () => ({ body: { email: fresh() } })),
  row(`POST ${V1}/auth/reset-password`, "a wrong token", 400, () => ({
    body: { token: "wrong", password: "long enough 1" },
  })),
  row(`GET ${V1}/users/me`, "", SIGNED_IN),
  row(`PATCH ${V1}/users/me`, "", ACCOUNTS, () => ({ body: { firstName: "P" } })),
  row(`GET ${V1}/users/me/export`, "", SIGNED_IN),
  row(
    `DELETE ${V1}/users/me`,
    "",
    "401 204 204 204 204 204 204 204 204 204",
    async (world, role) => ({ token: await throwAway(world, role) }),
  ),
];

const SUBSCRIPTIONS = `${V1}/users/me/push-subscriptions`;
const push: Row[] = [
  row(`GET ${V1}/push/vapid-key`, "", 200),
  row(`POST ${SUBSCRIPTIONS}`, "", ACCOUNTS.replaceAll("200", "201"), () => ({
    body: new TestBrowser(`https://push.invalid/${randomUUID()}`).subscription,
  })),
  row(`GET ${SUBSCRIPTIONS}`, "", ACCOUNTS),
  row(`DELETE ${SUBSCRIPTIONS}/:subscriptionId`, "none", ACCOUNTS.replaceAll("200", "404"), () => ({
    params: [randomUUID()],
  })),
];

/** A token that may be used up: of nobody, a guest or a customer, as the role is. */
async function throwAway(world: RoleWorld, role: Role): Promise<string | null> {
  if (role === "nobody") return null;
  return role === "guest" ? world.guest() : (await world.register()).token;
}

const ORGANIZATION = `${V1}/organizations/:id`;
const organizations: Row[] = [
  row(`POST ${V1}/organizations`, "", "401 403 201 201 201 201 201 201 201 201", () => ({
    body: { name: "One more" },
  })),
  row(`GET ${V1}/organizations`, "", SIGNED_IN),
  row(`PATCH ${ORGANIZATION}`, "", OWNERS(200), ({ organizationId }) => ({
    params: [organizationId],
    body: { name: "Renamed" },
  })),
  row(`GET ${ORGANIZATION}/members`, "", PRIVATE_SELLERS(200), ({ organizationId }) => ({
    params: [organizationId],
  })),
  row(`POST ${ORGANIZATION}/members`, "", OWNERS(201), ({ organizationId }) => ({
    params: [organizationId],
    body: { email: fresh(), role: "staff" },
  })),
  row(`PATCH ${ORGANIZATION}/members/:memberId`, "", OWNERS(200), async (world) => ({
    params: [world.organizationId, await world.invite()],
    body: { role: "organizer" },
  })),
  row(`DELETE ${ORGANIZATION}/members/:memberId`, "", OWNERS(204), async (world) => ({
    params: [world.organizationId, await world.invite()],
  })),
  row(`GET ${ORGANIZATION}/invitations`, "", OWNERS(200), ({ organizationId }) => ({
    params: [organizationId],
  })),
  row(`DELETE ${ORGANIZATION}/invitations/:invitationId`, "", OWNERS(204), async (world) => ({
    params: [world.organizationId, await world.invite()],
  })),
  row(`POST ${V1}/invitations/accept`, "a wrong token", 400, () => ({ body: { token: "wrong" } })),
];

/** What an organisation keeps for its events. */
function shelf(name: "venue" | "plan"): Row[] {
  const [kept, id] = name === "venue" ? ["venues", ":venueId"] : ["seating-plans", ":planId"];
  const path = `${ORGANIZATION}/${kept}`;
  const body = name === "venue" ? { name: "Hall" } : { name: "Hall", plan: SMALL_PLAN };
  const one = async (world: RoleWorld): Promise<Asked> => ({
    params: [world.organizationId, await world.keep(kept ?? "", body)],
  });
  return [
    row(`POST ${path}`, "", PRIVATE_SELLERS(201), ({ organizationId }) => ({
      params: [organizationId],
      body,
    })),
    row(`GET ${path}`, "", PRIVATE_SELLERS(200), ({ organizationId }) => ({
      params: [organizationId],
    })),
    row(`GET ${path}/${id}`, "", PRIVATE_SELLERS(200), one),
    row(`PATCH ${path}/${id}`, "", PRIVATE_SELLERS(200), async (world) => ({
      ...(await one(world)),
      body: { name: "Other hall" },
    })),
    row(`DELETE ${path}/${id}`, "", PRIVATE_SELLERS(204), one),
  ];
}

const TEMPLATE = `${ORGANIZATION}/mail-templates/:kind`;
const ofReminders = ({ organizationId }: RoleWorld): Asked => ({
  params: [organizationId, "reminder"],
});
const mails: Row[] = [
  row(`GET ${ORGANIZATION}/mail-templates`, "", PRIVATE_SELLERS(200), ({ organizationId }) => ({
    params: [organizationId],
  })),
  row(`GET ${TEMPLATE}`, "", PRIVATE_SELLERS(200), ofReminders),
  row(`PUT ${TEMPLATE}`, "", PRIVATE_SELLERS(200), (world) => ({
    ...ofReminders(world),
    body: { subject: "Soon" },
  })),
  row(`DELETE ${TEMPLATE}`, "", PRIVATE_SELLERS(204), ofReminders),
  row(`POST ${TEMPLATE}/preview`, "", PRIVATE_SELLERS(200), ofReminders),
];

const WEBHOOKS = `${ORGANIZATION}/webhooks`;
const WEBHOOK = `${WEBHOOKS}/:webhookId`;
/** Nobody is there. */
const HOOK = { url: "https://receiver.invalid/hook" };
/** One for all, since there may be only so many. */
const hooks = new WeakMap<RoleWorld, Promise<string>>();
const webhook = async (world: RoleWorld): Promise<Asked> => {
  const id = hooks.get(world) ?? world.keep("webhooks", HOOK);
  hooks.set(world, id);
  return { params: [world.organizationId, await id] };
};
const webhooks: Row[] = [
  row(`POST ${WEBHOOKS}`, "", PRIVATE_SELLERS(201), ({ organizationId }) => ({
    params: [organizationId],
    body: HOOK,
  })),
  row(`GET ${WEBHOOKS}`, "", PRIVATE_SELLERS(200), ({ organizationId }) => ({
    params: [organizationId],
  })),
  row(`GET ${WEBHOOK}`, "", PRIVATE_SELLERS(200), webhook),
  row(`PATCH ${WEBHOOK}`, "", PRIVATE_SELLERS(200), async (world) => ({
    ...(await webhook(world)),
    body: { description: "Other" },
  })),
  row(`DELETE ${WEBHOOK}`, "one that is gone", PRIVATE_SELLERS(204), ({ organizationId }) => ({
    params: [organizationId, organizationId],
  })),
  row(`POST ${WEBHOOK}/rotate-secret`, "", PRIVATE_SELLERS(200), webhook),
  row(`POST ${WEBHOOK}/enable`, "", PRIVATE_SELLERS(200), webhook),
  row(`POST ${WEBHOOK}/test`, "", PRIVATE_SELLERS(200), webhook),
  row(`POST ${WEBHOOK}/replay`, "", PRIVATE_SELLERS(202), async (world) => ({
    ...(await webhook(world)),
    body: { eventId: world.event.id, fromSeq: 1 },
  })),
  row(`GET ${WEBHOOK}/deliveries`, "", PRIVATE_SELLERS(200), webhook),
];

const CAMPAIGN = {
  name: "Come again",
  segment: { kind: "attended" },
  variants: [{ subject: "Hello", blocks: { main: "<p>Come again.</p>" } }],
};
const MAIL = `${V1}/mail`;
function campaignRows(): Row[] {
  const path = `${ORGANIZATION}/campaigns`;
  const one = async (world: RoleWorld): Promise<Asked> => ({
    params: [world.organizationId, await world.keep("campaigns", CAMPAIGN)],
  });
  const ofOne = `${path}/:campaignId`;
  const forged = (): Asked => ({ params: ["forged.gif"] });
  return [
    row(`POST ${path}`, "", PRIVATE_SELLERS(201), ({ organizationId }) => ({
      params: [organizationId],
      body: CAMPAIGN,
    })),
    row(`GET ${path}`, "", PRIVATE_SELLERS(200), ({ organizationId }) => ({
      params: [organizationId],
    })),
    row(`GET ${ofOne}`, "", PRIVATE_SELLERS(200), one),
    row(`PATCH ${ofOne}`, "", PRIVATE_SELLERS(200), async (world) => ({
      ...(await one(world)),
      body: { name: "Other name" },
    })),
    row(`DELETE ${ofOne}`, "", PRIVATE_SELLERS(204), one),
    row(`POST ${ofOne}/preview`, "", PRIVATE_SELLERS(200), one),
    row(`POST ${ofOne}/schedule`, "", PRIVATE_SELLERS(200), async (world) => ({
      ...(await one(world)),
      body: { at: new Date(Date.now() + 3_600_000).toISOString() },
    })),
    row(`POST ${ofOne}/stop`, "", PRIVATE_SELLERS(200), one),
    row(`GET ${ofOne}/statistics`, "", PRIVATE_SELLERS(200), one),
    row(`GET ${MAIL}/o/:token`, "a forged token", 404, forged),
    row(`GET ${MAIL}/c/:token`, "a forged token", 404, forged),
    row(`GET ${MAIL}/t/:token`, "a forged token", 404, forged),
    row(`POST ${MAIL}/t/:token`, "a forged token", 404, forged),
  ];
}

const EVENT = `${V1}/events/:id`;
const ofEvent = ({ event }: RoleWorld): Asked => ({ params: [event.id] });
const ofDraft = ({ draft }: RoleWorld): Asked => ({ params: [draft.id] });
const events: Row[] = [
  row(`POST ${V1}/events`, "", PRIVATE_SELLERS(201), ({ organizationId }) => ({
    body: {
      organizationId,
      title: "One more",
      startsAt: "2040-05-04T19:30:00Z",
      priceCategories: [{ key: "standing", name: "Standing", price: 3000 }],
      areas: [{ key: "floor", name: "Floor", capacity: 5, priceCategory: "standing" }],
    },
  })),
  row(`GET ${V1}/events`, "", 200),
  row(`GET ${V1}/categories`, "", 200),
  row(`GET ${V1}/tags`, "", 200),
  row(
    `GET ${ORGANIZATION}/events`,
    "",
    "401 404 404 404 404 404 200 200 200 200",
    ({ organizationId }) => ({ params: [organizationId] }),
  ),
  row(`DELETE ${EVENT}`, "on sale", SELLERS(409), ofEvent),
  row(`DELETE ${EVENT}`, "a draft", PRIVATE_SELLERS(204), async (world) => ({
    params: [(await world.create(false)).id],
  })),
  row(`GET ${EVENT}`, "on sale", 200, ofEvent),
  row(`GET ${EVENT}`, "a draft", TEAM, ofDraft),
  row(`GET ${EVENT}/seats`, "on sale", 200, ofEvent),
  row(`GET ${EVENT}/seats`, "of a draft", TEAM, ofDraft),
  row(`GET ${EVENT}/availability`, "on sale", 200, ofEvent),
  row(`GET ${EVENT}/availability`, "of a draft", 404, ofDraft),
  row(`PATCH ${EVENT}`, "on sale", SELLERS(200), (world) => ({
    ...ofEvent(world),
    body: { description: "New" },
  })),
  row(`PATCH ${EVENT}`, "a draft", PRIVATE_SELLERS(200), (world) => ({
    ...ofDraft(world),
    body: { description: "New" },
  })),
  row(`POST ${EVENT}/publish`, "on sale", SELLERS(200), ofEvent),
  row(`POST ${EVENT}/publish`, "a draft", PRIVATE_SELLERS(200), async (world) => ({
    params: [(await world.create(false)).id],
  })),
  row(`POST ${EVENT}/cancel`, "on sale", SELLERS(200), async (world) => ({
    params: [(await world.create(true)).id],
  })),
  row(`POST ${EVENT}/cancel`, "a draft", PRIVATE_SELLERS(200), async (world) => ({
    params: [(await world.create(false)).id],
  })),
  row(`GET ${EVENT}/bookings`, "on sale", SELLERS(200), ofEvent),
  row(`GET ${EVENT}/bookings`, "of a draft", PRIVATE_SELLERS(200), ofDraft),
  row(`GET ${EVENT}/log`, "on sale", SELLERS(200), ofEvent),
  row(`GET ${EVENT}/log`, "of a draft", PRIVATE_SELLERS(200), ofDraft),
  row(`PATCH ${EVENT}/inventory`, "on sale", SELLERS(200), (world) => ({
    ...ofEvent(world),
    body: { block: ["A-10"] },
  })),
  row(`PATCH ${EVENT}/inventory`, "of a draft", NOT_OTHERS, (world) => ({
    ...ofDraft(world),
    body: { block: ["A-10"] },
  })),
  row(
    `POST ${EVENT}/check-ins`,
    "a ticket",
    "401 403 403 403 403 403 200 200 200 200",
    async (world) => ({
      ...ofEvent(world),
      body: { ticketCode: (await world.anothersBooking()).tickets[0]?.code },
    }),
  ),
  row(`POST ${EVENT}/check-ins`, "at a draft", NOT_OTHERS, (world) => ({
    ...ofDraft(world),
    body: { ticketCode: "wrong" },
  })),
];

const HOLD = `${V1}/holds/:id`;
const BOOKING = `${V1}/bookings/:id`;
const anothersHold = async (world: RoleWorld): Promise<Asked> => ({
  params: [(await world.anothersHold()).id],
});
const anothersBooking = async (world: RoleWorld): Promise<Asked> => ({
  params: [(await world.anothersBooking()).id],
});
/** For nobody it is somebody else's. */
const ownHold = async (world: RoleWorld, role: Role): Promise<Asked> => ({
  params: [(await world.hold(world.tokens[role])).id],
});
const booking: Row[] = [
  row(`POST ${EVENT}/holds`, "on sale", "401 201 201 201 201 201 201 201 201 201", (world) => ({
    ...ofEvent(world),
    body: { items: [FLOOR] },
  })),
  row(`POST ${EVENT}/holds`, "of a draft", NOT_OTHERS, (world) => ({
    ...ofDraft(world),
    body: { items: [FLOOR] },
  })),
  row(`GET ${HOLD}`, "one's own", SIGNED_IN, ownHold),
  row(`GET ${HOLD}`, "another's", NOT_OTHERS, anothersHold),
  row(`PATCH ${HOLD}`, "another's", NOT_OTHERS, async (world) => ({
    ...(await anothersHold(world)),
    body: { add: [FLOOR] },
  })),
  row(`POST ${HOLD}/extend`, "one's own", SIGNED_IN, ownHold),
  row(`POST ${HOLD}/extend`, "another's", NOT_OTHERS, anothersHold),
  row(`DELETE ${HOLD}`, "one's own", "401 204 204 204 204 204 204 204 204 204", ownHold),
  row(`DELETE ${HOLD}`, "another's", NOT_OTHERS, anothersHold),
  row(
    `POST ${EVENT}/bookings`,
    "one's own hold",
    "401 201 201 201 201 201 201 201 201 201",
    async (world, role) => ({
      ...ofEvent(world),
      body: {
        holdId: (await world.hold(world.tokens[role])).id,
        payment: { provider: "none" },
        email: "buyer@example.org",
      },
    }),
  ),
  row(`POST ${EVENT}/bookings`, "another's hold", NOT_OTHERS, async (world) => ({
    ...ofEvent(world),
    body: {
      holdId: (await world.anothersHold()).id,
      payment: { provider: "none" },
      email: "buyer@example.org",
    },
  })),
  row(`GET ${V1}/bookings`, "", SIGNED_IN),
  row(`GET ${BOOKING}`, "another's", BOOKINGS(200), anothersBooking),
  row(`GET ${BOOKING}/history`, "another's", BOOKINGS(200), anothersBooking),
  row(`GET ${BOOKING}/tickets.pdf`, "another's", BOOKINGS(200), anothersBooking),
  row(`GET ${BOOKING}/calendar.ics`, "another's", BOOKINGS(200), anothersBooking),
  row(`GET ${V1}/tickets/:id/qr.svg`, "another's", BOOKINGS(200), async (world) => ({
    params: [(await world.anothersBooking()).tickets[0]?.id ?? ""],
  })),
  row(`POST ${BOOKING}/cancel`, "another's", BOOKINGS(200), async (world) => ({
    ...(await anothersBooking(world)),
    body: {},
  })),
  row(`POST ${BOOKING}/transfer`, "another's", BOOKINGS(200), async (world) => ({
    ...(await anothersBooking(world)),
    body: { email: fresh() },
  })),
  row(`POST ${BOOKING}/tickets/:ticketId/move`, "another's", BOOKINGS(409), async (world) => {
    const { id, tickets } = await world.anothersBooking();
    return { params: [id, tickets[0]?.id ?? ""], body: { seat: "A-9" } };
  }),
];

const waitlist: Row[] = [
  row(`GET ${EVENT}/waitlist/me`, "nobody waits", NOT_OTHERS, ofEvent),
  row(`POST ${EVENT}/waitlist`, "on sale", "401 201 201 201 201 201 201 201 201 201", (world) => ({
    ...ofEvent(world),
    body: { quantity: 1, categories: ["balcony"] },
  })),
  row(`GET ${EVENT}/waitlist/me`, "all wait", SIGNED_IN, ofEvent),
  row(`GET ${EVENT}/waitlist`, "on sale", SELLERS(200), ofEvent),
  row(`GET ${EVENT}/waitlist`, "of a draft", NOT_OTHERS, ofDraft),
  row(`DELETE ${EVENT}/waitlist/me`, "on sale", "401 204 204 204 204 204 204 204 204 204", ofEvent),
];

const SANDBOX = `${V1}/payments/sandbox/:intentId`;
const money: Row[] = [
  row(`POST ${V1}/payments/webhooks/:provider`, "unsigned", 400, () => ({ params: ["sandbox"] })),
  row(`POST ${SANDBOX}/succeed`, "no such payment", 404, () => ({ params: ["x"] })),
  row(`POST ${SANDBOX}/fail`, "no such payment", 404, () => ({ params: ["x"] })),
];

const noLetter = () => ({ params: ["0197a3c5-7b1e-7c3d-8f2a-000000000000"] });
const ofReaders: Row[] = [
  row(`GET ${V1}/mail/unsubscribe/:token`, "no link of ours", 404, () => ({ params: ["x"] })),
  row(`POST ${V1}/mail/unsubscribe/:token`, "no link of ours", 404, () => ({ params: ["x"] })),
  row(`GET ${V1}/mail/preferences/:token`, "no link of ours", 404, () => ({ params: ["x"] })),
  row(`POST ${V1}/mail/preferences/:token`, "no link of ours", 404, () => ({ params: ["x"] })),
  row(`POST ${V1}/mail/bounces`, "unsigned", 400),
  row(`GET ${V1}/users/me/mail-preferences`, "", ADDRESS_OWNERS),
  row(`PATCH ${V1}/users/me/mail-preferences`, "", ADDRESS_OWNERS, () => ({ body: {} })),
];

const OPS = "401 403 403 403 403 403 403 403 403 200";
const operations: Row[] = [
  row("GET /ops/shards", "", OPS),
  row("GET /ops/shards/:n", "", OPS, () => ({ params: ["0"] })),
  row("GET /ops/events/:id", "", OPS, ofEvent),
  row("GET /ops/events/:id/audit", "", OPS, ofEvent),
  row("GET /ops/journal", "", OPS),
  row("GET /ops/limits", "", OPS),
  row(`GET ${V1}/ticket-keys`, "", 200),
  row("GET /ops/ticket-keys", "", OPS),
  row("POST /ops/ticket-keys", "", OPS.replace("200", "201"), () => ({ body: {} })),
  row("DELETE /ops/ticket-keys/:kid", "none", OPS.replace("200", "404"), () => ({
    params: ["none"],
  })),
  row("GET /ops/lanes", "", OPS),
  row("POST /ops/lanes/:lane/pause", "none", OPS.replace("200", "404"), () => ({
    params: ["none"],
  })),
  row("POST /ops/lanes/:lane/resume", "", OPS.replace("200", "204"), () => ({
    params: ["urgent"],
  })),
  row("GET /ops/dead-letters", "", OPS),
  row("POST /ops/dead-letters/resend", "", OPS.replace("200", "202"), () => ({
    body: { lane: "marketing" },
  })),
  row("GET /ops/dead-letters/:id", "none", OPS.replace("200", "404"), noLetter),
  row("POST /ops/dead-letters/:id/resend", "none", OPS.replace("200", "404"), noLetter),
  row("DELETE /ops/dead-letters/:id", "none", OPS.replace("200", "404"), noLetter),
  row("GET /ops/suppressions", "", OPS),
  row("DELETE /ops/suppressions/:id", "none", OPS.replace("200", "404"), () => ({
    params: ["none"],
  })),
  row("GET /", "", 302),
  row("GET /openapi.json", "", 200),
  row("GET /docs", "", 200),
  row("GET /docs/:file", "", 200, () => ({ params: ["swagger-ui-bundle.js"] })),
  row("GET /health/live", "", 200),
  row("GET /health/startup", "", 200),
  row("GET /health/ready", "", 200),
  row("GET /metrics", "", 200),
];

export const ROWS: readonly Row[] = [
  ...auth,
  ...push,
  ...organizations,
  ...shelf("venue"),
  ...shelf("plan"),
  ...mails,
  ...webhooks,
  ...campaignRows(),
  ...events,
  ...booking,
  ...waitlist,
  ...money,
  ...ofReaders,
  ...operations,
];
