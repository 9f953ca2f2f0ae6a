/** The identity and catalogue routes on a real port and a real database, before a fake engine. */
import { Pool } from "pg";
import { pino } from "pino";
import type { InventoryDefinition } from "../../engine/definition.ts";
import type { UserId } from "../../engine/ids.ts";
import { EventDirectory } from "../../gateway/catalogue/event-directory.ts";
import { eventRoutes } from "../../gateway/catalogue/event-routes.ts";
import { EventStore } from "../../gateway/catalogue/event-store.ts";
import { Events, type InventoryPort } from "../../gateway/catalogue/events.ts";
import { KnownStrangers } from "../../gateway/catalogue/known-strangers.ts";
import { NamedEvents } from "../../gateway/catalogue/named-events.ts";
import { organizationRoutes } from "../../gateway/catalogue/organization-routes.ts";
import { Organizations } from "../../gateway/catalogue/organizations.ts";
import { SearchPages } from "../../gateway/catalogue/search/search-pages.ts";
import { searchRoutes } from "../../gateway/catalogue/search/search-routes.ts";
import { SeatLists } from "../../gateway/catalogue/seat-lists.ts";
import { SeatingPlans } from "../../gateway/catalogue/seating-plans.ts";
import { shelfRoutes } from "../../gateway/catalogue/shelf-routes.ts";
import { statusRoutes } from "../../gateway/catalogue/status-routes.ts";
import { Venues } from "../../gateway/catalogue/venues.ts";
import { ProblemError } from "../../gateway/http/problem.ts";
import { HttpServer } from "../../gateway/http/server.ts";
import { AttemptLimits } from "../../gateway/identity/attempt-limits.ts";
import type { Belongings, HandedOver } from "../../gateway/identity/belongings-port.ts";
import { IdentityOffice } from "../../gateway/identity/identity-office.ts";
import type { Users } from "../../gateway/identity/users.ts";
import { DEFAULT_LIMITS } from "../../gateway/limits/limit-classes.ts";
import { MailRequests, type RequestedMail } from "../../gateway/notifier/mail-requests.ts";
import { Seal } from "../../gateway/notifier/seal.ts";
import type { Database } from "../../gateway/tenancy/database.ts";
import { systemClock } from "../../workers/clock.ts";
import { createTestDatabase } from "./database.ts";
import { requireDocumented } from "./documented-answers.ts";
import { openGatewayDatabase } from "./gateway-database.ts";

/** An engine that notes what it is told, or is busy. */
export class FakeInventory implements InventoryPort {
  readonly configured: InventoryDefinition[] = [];
  isBusy = false;
  /** Runs before the next answer. */
  meanwhile: (() => Promise<unknown>) | null = null;

  async configure(definition: InventoryDefinition): Promise<void> {
    const { meanwhile } = this;
    this.meanwhile = null;
    await meanwhile?.();
    if (this.isBusy) throw new ProblemError("busy");
    this.configured.push(definition);
  }
}

/** There is no engine: nobody has anything in it. */
export class FakeBelongings implements Belongings {
  /** Whom it was to forget, oldest first. */
  readonly forgotten: UserId[] = [];
  /** So often it forgets before it is busy. */
  forgets = Number.POSITIVE_INFINITY;

  async exportOf(): Promise<object> {
    return { bookings: [], holds: [], waitlist: [] };
  }

  async handOver(): Promise<HandedOver> {
    return { bookings: 0, left: 0 };
  }

  async forget(userId: UserId): Promise<void> {
    if (this.forgotten.length >= this.forgets) throw new ProblemError("busy");
    this.forgotten.push(userId);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Decoded; {} when there is no JSON. */
  readonly body: Record<string, unknown>;
}

export interface CatalogueServer {
  /** Of the owner, whom policies do not concern. */
  readonly pool: Pool;
  readonly database: Database;
  /** Mails that were asked for, oldest first. */
  mails(): Promise<RequestedMail[]>;
  readonly users: Users;
  readonly organizations: Organizations;
  readonly store: EventStore;
  readonly events: Events;
  readonly directory: EventDirectory;
  readonly inventory: FakeInventory;
  readonly belongings: FakeBelongings;
  /** `path` is relative to /api/v1. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** Registers a customer and answers their access token. */
  customer(email: string): Promise<string>;
  admin(): Promise<string>;
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const JWT_SECRET = "0123456789abcdef0123456789abcdef";

export async function startCatalogueServer(): Promise<CatalogueServer> {
  const own = await createTestDatabase();
  const { database, end } = openGatewayDatabase(own.url);
  const pool = new Pool({ connectionString: own.url, max: 5 });
  // Dropping the database may meet a connection that is just saying goodbye.
  pool.on("error", () => undefined);
  const log = pino({ level: "warn" });
  const identity = new IdentityOffice({
    database,
    jwtSecret: JWT_SECRET,
    mailRequests: new MailRequests(JWT_SECRET, systemClock),
    attempts: new AttemptLimits(DEFAULT_LIMITS, null),
    clock: systemClock,
    log,
  });
  const { tokens, users } = identity;
  const organizations = new Organizations(database);
  const store = new EventStore(database);
  const named = new NamedEvents(database);
  const directory = new EventDirectory(named);
  const inventory = new FakeInventory();
  const belongings = new FakeBelongings();
  const venues = new Venues(database);
  const plans = new SeatingPlans(database);
  const events = new Events({ store, organizations, directory, inventory, venues, plans });
  const seatLists = new SeatLists(named);
  const pages = new SearchPages();
  const strangers = new KnownStrangers(organizations);
  directory.listen(() => pages.clear());
  const server = new HttpServer({
    routes: [
      ...identity.routes(belongings),
      ...organizationRoutes({ organizations, directory, tokens }),
      ...shelfRoutes({ organizations, venues, plans, tokens }),
      ...eventRoutes({ events, store, directory, seatLists, organizations, tokens, strangers }),
      ...statusRoutes({ events, tokens, database }),
      ...searchRoutes({ database, pages }),
    ],
    live: { open: () => undefined, message: () => undefined, close: () => undefined },
    livePath: "/ws",
    log,
  });
  const port = await server.listen("127.0.0.1", 0);

  async function request(
    method: string,
    path: string,
    { token, body, headers = {} }: RequestOptions = {},
  ): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    requireDocumented({
      method,
      path: `/api/v1${path}`,
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text,
    });
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  }

  return {
    pool,
    database,
    belongings,
    async mails() {
      const { rows } = await pool.query<{ detail: { key: string; sealed: string } }>(
        "SELECT detail FROM outbox WHERE kind = 'mail' ORDER BY id",
      );
      const seal = new Seal(JWT_SECRET);
      return rows.map(({ detail }) => seal.open(detail.sealed, detail.key) as RequestedMail);
    },
    users,
    organizations,
    store,
    events,
    directory,
    inventory,
    request,
    async customer(email) {
      const body = { email, password: "long enough" };
      const registered = await request("POST", "/auth/register", { body });
      return String(registered.body.accessToken);
    },
    async admin() {
      const { id } = await users.ensureAdmin("admin@example.com", "administers");
      return tokens.issue({ userId: id, role: "admin" }, "one").accessToken;
    },
    async close() {
      await server.close();
      await identity.stop();
      await end();
      await pool.end();
      await own.drop();
    },
  };
}
