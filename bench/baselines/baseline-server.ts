/**
 * A node of the product with one part exchanged: where the way to the actors was, there is a
 * design that sells from PostgreSQL. Everything else (server, door, tokens, catalogue, validation,
 * desk, views) is the product's, and so are PostgreSQL and its settings.
 */
import { randomInt } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DATABASE_CONNECTIONS_MAX } from "../../engine/limits.ts";
import { BookingDesk } from "../../gateway/booking/booking-desk.ts";
import { deskRoutes } from "../../gateway/booking/desk-routes.ts";
import { EventDirectory } from "../../gateway/catalogue/event-directory.ts";
import { eventRoutes } from "../../gateway/catalogue/event-routes.ts";
import { EventStore } from "../../gateway/catalogue/event-store.ts";
import { Events } from "../../gateway/catalogue/events.ts";
import { KnownStrangers } from "../../gateway/catalogue/known-strangers.ts";
import { NamedEvents } from "../../gateway/catalogue/named-events.ts";
import { organizationRoutes } from "../../gateway/catalogue/organization-routes.ts";
import { Organizations } from "../../gateway/catalogue/organizations.ts";
import { SeatLists } from "../../gateway/catalogue/seat-lists.ts";
import { SeatingPlans } from "../../gateway/catalogue/seating-plans.ts";
import { Venues } from "../../gateway/catalogue/venues.ts";
import { type Config, jwtSecretOf, limitSecretOf } from "../../gateway/config.ts";
import { DatabasePool } from "../../gateway/database-pool.ts";
import { startEmbeddedPostgres } from "../../gateway/embedded-postgres.ts";
import type { Route } from "../../gateway/http/exchange.ts";
import { ProblemError } from "../../gateway/http/problem.ts";
import { HttpServer } from "../../gateway/http/server.ts";
import type { Belongings } from "../../gateway/identity/belongings-port.ts";
import { IdentityOffice } from "../../gateway/identity/identity-office.ts";
import { LimitOffice } from "../../gateway/limits/limit-office.ts";
import type { Log } from "../../gateway/log.ts";
import { MailRequests } from "../../gateway/notifier/mail-requests.ts";
import { Database } from "../../gateway/tenancy/database.ts";
import { migrate } from "../../sql/migrate.ts";
import { systemClock } from "../../workers/clock.ts";
import { BaselineRouter } from "./baseline-router.ts";
import { type RunningDesign, type SqlKind, startDesign } from "./design-of.ts";
import { readRoutes } from "./read-routes.ts";
import { SaleStore } from "./sale-store.ts";
import { createBaselineSchema } from "./schema.ts";

export interface RunningBaseline {
  readonly url: string;
  stop(): Promise<void>;
}

export interface BaselineOptions {
  readonly kind: SqlKind;
  /** null: the design's own choice. */
  readonly connections: number | null;
  readonly config: Config;
  readonly log: Log;
}

type Stop = () => Promise<void>;

export async function startBaseline(options: BaselineOptions): Promise<RunningBaseline> {
  // In the order in which they came; they go the other way.
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    return { url: await comeUp(options, stops), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function comeUp(options: BaselineOptions, stops: Stop[]): Promise<string> {
  const { kind, connections, config, log } = options;
  mkdirSync(config.dataDir, { recursive: true });
  const databaseUrl = config.databaseUrl ?? (await embedded(config, stops));
  await migrate(databaseUrl);
  await createBaselineSchema(databaseUrl);
  const running = await startDesign(kind, databaseUrl, connections ?? undefined);
  stops.push(running.stop);
  const pool = new DatabasePool({ connectionString: databaseUrl, max: DATABASE_CONNECTIONS_MAX });
  pool.on("error", ({ message }) => log.warn({ reason: message }, "a connection was lost"));
  stops.push(() => pool.end());
  const limits = new LimitOffice({ ...config, secret: limitSecretOf(config), log });
  stops.push(async () => limits.stop());
  const jwtSecret = jwtSecretOf(config);
  const identity = new IdentityOffice({
    ...config,
    attempts: limits.attempts,
    database: new Database(pool),
    jwtSecret,
    // They stay where they are asked for: a baseline has nobody who sends them.
    mailRequests: new MailRequests(jwtSecret, systemClock),
    clock: systemClock,
    log,
  });
  stops.push(() => identity.stop());
  if (config.admin !== null) {
    await identity.users.ensureAdmin(config.admin.email, config.admin.password);
  }
  const routes = routesOf({ config, log, running, identity, database: new Database(pool) });
  const server = new HttpServer({ routes, live: null, livePath: "/ws", log });
  server.begin([], null);
  const port = await server.listen(config.host, config.port);
  stops.push(() => server.close());
  identity.start();
  return `http://${config.host}:${port}`;
}

/** With the settings that the product gives it. */
async function embedded({ dataDir }: Config, stops: Stop[]): Promise<string> {
  const postgres = await startEmbeddedPostgres({ directory: join(dataDir, "postgres") });
  stops.push(() => postgres.stop());
  return postgres.url;
}

interface Parts {
  readonly config: Config;
  readonly log: Log;
  readonly running: RunningDesign;
  readonly identity: IdentityOffice;
  readonly database: Database;
}

function routesOf({ config, log, running, identity, database }: Parts): Route[] {
  const logError = (message: string, cause: unknown): void => log.error({ err: cause }, message);
  const { design, pool } = running;
  const store = new SaleStore(pool);
  const router = new BaselineRouter({ design, store, logError });
  const { tokens } = identity;
  const organizations = new Organizations(database);
  const eventStore = new EventStore(database);
  const named = new NamedEvents(database);
  const directory = new EventDirectory(named);
  const inventory = { configure: router.configure.bind(router) };
  const venues = new Venues(database);
  const plans = new SeatingPlans(database);
  const catalogue = { store: eventStore, organizations, directory, venues, plans };
  const events = new Events({ ...catalogue, inventory });
  const strangers = new KnownStrangers(organizations);
  const seatLists = new SeatLists(named);
  const isOrganizer = organizations.isOrganizer.bind(organizations);
  const desk = new BookingDesk({
    router,
    directory,
    // What was answered is committed: no read waits for it.
    recentWrites: { note: () => undefined },
    isOrganizer,
    isStaff: organizations.isStaff.bind(organizations),
    userIdOf: (email) => identity.heirs.userIdOf(email),
    payments: { providers: [], begin: () => Promise.reject(new ProblemError("not_found")) },
    ticketOf: () => Promise.resolve(null),
    availabilityOf: () => Promise.resolve(null),
    logError,
    nodeBits: randomInt(2 ** 22),
  });
  const { opsToken } = config;
  return [
    ...identity.routes(NO_BELONGINGS),
    ...organizationRoutes({ organizations, directory, tokens }),
    ...eventRoutes({ ...catalogue, events, seatLists, tokens, strangers }),
    ...deskRoutes({ desk, tokens }),
    ...readRoutes({ pool, store, router, directory, tokens, isOrganizer, opsToken }),
  ];
}

/** Accounts come and go in no benchmark. */
const NO_BELONGINGS: Belongings = {
  exportOf: () => Promise.resolve({}),
  handOver: () => Promise.resolve({ bookings: 0, left: 0 }),
  forget: () => Promise.resolve(),
};
