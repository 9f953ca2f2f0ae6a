/**
 * Puts one node together: the only place that knows every part. Read from top to bottom it is the
 * order in which a node comes up; `stop` goes the other way.
 */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { EventId } from "../engine/ids.ts";
import {
  DATABASE_CONNECTIONS_MAX,
  DATABASE_END_MS_MAX,
  DATABASE_WAIT_MS_MAX,
  PROJECTION_DRAIN_MS_MAX,
} from "../engine/limits.ts";
import { SEARCH_CONNECTIONS_MAX, SEARCH_STATEMENT_MS_MAX } from "../engine/search-limits.ts";
import { migrate } from "../sql/migrate.ts";
import { systemClock } from "../workers/clock.ts";
import { type DataDirLock, lockDataDir } from "../workers/data-dir-lock.ts";
import { Supervisor } from "../workers/supervisor.ts";
import { ThreadPlatform } from "../workers/thread-platform.ts";
import { requireNoUnfinishedRestore } from "./backup/unfinished-restore.ts";
import { BookingAccess } from "./booking/booking-access.ts";
import { BookingDesk } from "./booking/booking-desk.ts";
import { bookingRoutes } from "./booking/booking-routes.ts";
import { BookingsReader } from "./booking/bookings-reader.ts";
import { HistoryReader } from "./booking/history-reader.ts";
import { PaymentSettlement } from "./booking/payment-settlement.ts";
import { RecentWrites } from "./booking/recent-writes.ts";
import { UserBelongings } from "./booking/user-belongings.ts";
import { CatalogueListener } from "./catalogue/catalogue-listener.ts";
import { changeFeed } from "./catalogue/change-feed.ts";
import { EventDirectory } from "./catalogue/event-directory.ts";
import { eventRoutes } from "./catalogue/event-routes.ts";
import { EventStore, isPrivate } from "./catalogue/event-store.ts";
import { Events } from "./catalogue/events.ts";
import { invitationRoutes } from "./catalogue/invitation-routes.ts";
import { Invitations } from "./catalogue/invitations.ts";
import { KnownStrangers } from "./catalogue/known-strangers.ts";
import { memberRoutes } from "./catalogue/member-routes.ts";
import { Members } from "./catalogue/members.ts";
import { NamedEvents } from "./catalogue/named-events.ts";
import { organizationRoutes } from "./catalogue/organization-routes.ts";
import { Organizations } from "./catalogue/organizations.ts";
import { SearchPages } from "./catalogue/search/search-pages.ts";
import { searchRoutes } from "./catalogue/search/search-routes.ts";
import { SeatLists } from "./catalogue/seat-lists.ts";
import { SeatingPlans } from "./catalogue/seating-plans.ts";
import { shelfRoutes } from "./catalogue/shelf-routes.ts";
import { statusRoutes } from "./catalogue/status-routes.ts";
import { Venues } from "./catalogue/venues.ts";
import { type Config, jwtSecretOf, limitSecretOf } from "./config.ts";
import { doorOf } from "./configured-door.ts";
import { type Postgres, postgresOf } from "./configured-postgres.ts";
import { prepareDataDir } from "./data-dir.ts";
import { DatabasePool } from "./database-pool.ts";
import { seedDemo } from "./demo/seed-demo.ts";
import type { Route } from "./http/exchange.ts";
import { HttpServer } from "./http/server.ts";
import { IdentityOffice } from "./identity/identity-office.ts";
import type { User } from "./identity/users.ts";
import { InventoryGate } from "./inventory-gate.ts";
import { LimitOffice } from "./limits/limit-office.ts";
import { AvailabilityHub } from "./live/availability-hub.ts";
import { LiveRoom } from "./live/live-room.ts";
import type { Log } from "./log.ts";
import { MailRequests } from "./notifier/mail-requests.ts";
import { NotifierOffice } from "./notifier/notifier-office.ts";
import { describedRoutes } from "./openapi/described-routes.ts";
import { opsRoutes } from "./ops/ops-routes.ts";
import { PaymentOffice } from "./payments/payment-office.ts";
import { ShardRouter } from "./shard-router.ts";
import { unlessAborted } from "./stop-request.ts";
import { Telemetry } from "./telemetry.ts";
import { Database } from "./tenancy/database.ts";
import { TicketOffice } from "./tickets/ticket-office.ts";

export interface RunningNode {
  readonly url: string;
  readonly catalogue: EventStore;
  readonly routes: readonly Pick<Route, "method" | "path">[];
  /** Takes nothing new, finishes and persists what was accepted. */
  stop(): Promise<void>;
}

/**
 * `stopping`: while nothing has been let in, it ends the start, which then rejects with the
 * signal's reason; once something has, the start comes to its end, and the node is to be stopped.
 */
export async function startNode(
  config: Config,
  log: Log,
  stopping = new AbortController().signal,
): Promise<RunningNode> {
  prepareDataDir(config.dataDir);
  const lock = await lockDataDir(config.dataDir);
  requireNoUnfinishedRestore(config.dataDir);
  const limits = new LimitOffice({ ...config, secret: limitSecretOf(config), log });
  const telemetry = await Telemetry.start(config, log);
  const { routes, watch } = telemetry;
  const door = doorOf(config, limits, watch.userOf);
  const server = new HttpServer({ routes, live: null, livePath: "/ws", log, watch, door });
  // Whoever asks while the node comes up hears what it is at, and `busy` for all else.
  const port = await server.listen(config.host, config.port);
  await telemetry.listen();
  let postgres: Postgres | null = null;
  try {
    postgres = await postgresOf(config, log, stopping);
    const ground = { postgres, config, log, lock, limits, telemetry, server, port, stopping };
    return await startOn(ground);
  } catch (error) {
    telemetry.health.phase = "stopping";
    limits.stop();
    await server.close();
    await telemetry.stopLooking();
    await postgres?.stop();
    await lock.release();
    throw error;
  }
}

/** What is there before the engine is. */
interface Ground {
  readonly postgres: Postgres;
  readonly config: Config;
  readonly log: Log;
  readonly lock: DataDirLock;
  readonly limits: LimitOffice;
  readonly telemetry: Telemetry;
  readonly server: HttpServer;
  readonly port: number;
  readonly stopping: AbortSignal;
}

async function startOn(ground: Ground): Promise<RunningNode> {
  const { postgres, config, log, lock, limits, telemetry, server, port, stopping } = ground;
  const { health } = telemetry;
  health.phase = "migrating the database";
  await unlessAborted(stopping, migrate(postgres.url));
  health.phase = "recovering";
  const started = Supervisor.start({
    platform: new ThreadPlatform({
      ackMode: config.ackMode,
      journalDir: join(config.dataDir, "journal"),
      databaseUrl: postgres.url,
      archiveBytes: config.journalArchiveBytes,
    }),
    shardCount: config.shards,
    workerCount: Math.min(config.workers, config.shards),
    unprojectedFactsMax: config.unprojectedFactsMax,
    unprojectedBytesMax: config.unprojectedMibMax * 2 ** 20,
    log: (level, fields, message) => log[level](fields, message),
  });
  const supervisor = await unlessAborted(stopping, started);
  const poolOptions = {
    connectionString: postgres.url,
    // A database that does not answer becomes an answer: busy.
    connectionTimeoutMillis: DATABASE_WAIT_MS_MAX,
    query_timeout: DATABASE_WAIT_MS_MAX,
    keepAlive: true,
    // Rows that a frozen node has locked must not keep others, least of all the projector.
    idle_in_transaction_session_timeout: DATABASE_WAIT_MS_MAX,
  };
  const pool = new DatabasePool({ ...poolOptions, max: DATABASE_CONNECTIONS_MAX });
  const searchPool = new DatabasePool({
    ...poolOptions,
    max: SEARCH_CONNECTIONS_MAX,
    statement_timeout: SEARCH_STATEMENT_MS_MAX,
  });
  for (const each of [pool, searchPool]) {
    // The error carries the whole connection: its message is enough.
    each.on("error", ({ message }) =>
      log.warn({ reason: message }, "a database connection was lost"),
    );
  }
  health.phase = "preparing";
  const [database, searches] = [new Database(pool), new Database(searchPool)];
  const base = { log, supervisor, pool, database, searches, limits, telemetry, server };
  const parts = assemble(config, base);
  const notifier = new NotifierOffice({
    config,
    databaseUrl: postgres.url,
    url: urlOf(config, port),
    database,
    ...parts,
    log,
  });
  const sources = { supervisor, pool, searchPool, server, limits, notifier, ...parts };
  telemetry.observe(sources, postgres.url, postgres.missed);
  if (config.admin !== null) {
    const { email, password } = config.admin;
    await unlessAborted(stopping, parts.users.ensureAdmin(email, password));
  }
  const isSeeding = config.seedDemo ?? config.databaseUrl === null;
  if (isSeeding) await seedDemo({ ...parts, nowMs: Date.now() });
  const feed = changeFeed(postgres.url, parts.changes, log);
  const stop = async (): Promise<void> => {
    health.phase = "stopping";
    feed.stop();
    await server.close();
    await notifier.stop();
    await parts.office.stop();
    await parts.tickets.stop();
    await parts.identity.stop();
    limits.stop();
    await parts.router.drained();
    parts.router.stop();
    parts.hub.stop();
    await telemetry.stopLooking();
    await supervisor.stop(PROJECTION_DRAIN_MS_MAX);
    // A database that does not answer any more must not keep the process.
    const ended = Promise.all([pool.end(), searchPool.end()]);
    await Promise.race([ended, delay(DATABASE_END_MS_MAX, null, { ref: false })]);
    await postgres.stop();
    await telemetry.stop();
    await lock.release();
  };
  await limits.start();
  // Behind this line there is work to finish.
  stopping.throwIfAborted();
  const routes = describedRoutes([...parts.routes, ...notifier.routes]);
  const { store: catalogue } = parts;
  const isServed = new Set<Route>(telemetry.routes);
  server.begin(
    routes.filter((route) => !isServed.has(route)),
    parts.live,
  );
  await feed.start();
  parts.office.start();
  parts.identity.start();
  notifier.start();
  health.phase = "serving";
  return { url: urlOf(config, port), catalogue, routes, stop };
}

function urlOf({ host }: Config, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

interface Base {
  readonly log: Log;
  readonly supervisor: Supervisor;
  readonly pool: DatabasePool;
  readonly database: Database;
  /** By connections of their own: however slow searches are, nothing else waits for them. */
  readonly searches: Database;
  readonly limits: LimitOffice;
  readonly telemetry: Telemetry;
  readonly server: HttpServer;
}

function assemble(config: Config, base: Base) {
  const { log, supervisor, pool, database, searches, limits, telemetry, server } = base;
  const { watch } = telemetry;
  const { tracing } = watch;
  const router = new ShardRouter({
    tracing,
    ports: supervisor.gatewayPorts,
    shardCount: config.shards,
    watermarks: [...supervisor.watermarks],
    unprojectedFactsMax: config.unprojectedFactsMax,
  });
  supervisor.listen({
    projected: (watermarks) => router.projected(watermarks),
    shardFailed: (shard) => router.stopShard(shard),
    traced: (work) => tracing?.worked(work),
  });
  const jwtSecret = jwtSecretOf(config);
  const mailRequests = new MailRequests(jwtSecret, systemClock);
  const identity = new IdentityOffice({
    ...config,
    attempts: limits.attempts,
    database,
    jwtSecret,
    mailRequests,
    clock: systemClock,
    log,
  });
  const { tokens, users } = identity;
  const organizations = new Organizations(database);
  const store = new EventStore(database);
  const named = new NamedEvents(database);
  const directory = new EventDirectory(named);
  const inventory = new InventoryGate(router);
  const venues = new Venues(database);
  const plans = new SeatingPlans(database);
  const events = new Events({ store, organizations, directory, inventory, venues, plans });
  const recentWrites = new RecentWrites((shard, lsn) => router.isProjected(shard, lsn));
  const isOrganizer = organizations.isOrganizer.bind(organizations);
  const isStaff = organizations.isStaff.bind(organizations);
  const logError = (message: string, cause: unknown): void => log.error({ err: cause }, message);
  const office = new PaymentOffice({
    config,
    database,
    actors: new PaymentSettlement({ router, directory, recentWrites, logError }),
    clock: systemClock,
    log,
  });
  const tickets = new TicketOffice({ ...config, database, organizations, tokens });
  const desk = new BookingDesk({
    router,
    directory,
    recentWrites,
    isOrganizer,
    isStaff,
    userIdOf: (email) => identity.heirs.userIdOf(email),
    payments: office.payments,
    ticketOf: (text) => tickets.keys.read(text),
    availabilityOf: (eventId) => hub.availabilityOf(eventId),
    logError,
    nodeBits: randomInt(2 ** 22),
  });
  const hub = new AvailabilityHub({
    router,
    exists: (eventId) => directory.peek(eventId) !== undefined || isPublished(directory, eventId),
    publish: (topic, text) => server.publish(topic, text),
  });
  const live = new LiveRoom({ desk, directory, tokens, hub, limits: limits.requests, watch });
  tokens.listen((userId) => live.signedOut(userId));
  router.listen({
    changed: (change) => hub.changed(change),
    noticed(notice) {
      const { kind, userId, eventId, lsn } = notice;
      if (kind === "bookingUpdated") recentWrites.note(userId, router.shardOf(eventId), lsn);
      live.tell(notice);
    },
  });
  const { opsToken } = config;
  const reader = new BookingsReader(database);
  const history = new HistoryReader(database);
  const belongings = new UserBelongings({ database, router, directory, reader, recentWrites });
  const desked = { tokens, directory, reader, recentWrites, router, isOrganizer };
  const access = new BookingAccess(desked);
  const seatLists = new SeatLists(named);
  const { attempts } = limits;
  const inherit = (user: User): Promise<void> => identity.inherit(user, belongings);
  const members = new Members({ database, limits: attempts, mailRequests });
  const pages = new SearchPages();
  const strangers = new KnownStrangers(organizations);
  const changes = new CatalogueListener({ directory, pages, strangers });
  const routes = [
    ...identity.routes(belongings),
    ...memberRoutes({ members, tokens }),
    ...invitationRoutes({
      invitations: new Invitations({ database, members, tokens, inherit }),
      tokens,
    }),
    ...organizationRoutes({ organizations, directory, tokens }),
    ...shelfRoutes({ organizations, venues, plans, tokens }),
    ...eventRoutes({ events, store, directory, seatLists, organizations, tokens, strangers }),
    ...statusRoutes({ events, tokens, database }),
    ...searchRoutes({ database: searches, pages }),
    ...bookingRoutes({ ...desked, desk, hub, history, access, isStaff }),
    ...tickets.routes(access),
    ...office.routes,
    ...opsRoutes({
      supervisor,
      router,
      hub,
      tokens,
      pool,
      opsToken,
      limits: () => limits.report,
    }),
    ...telemetry.routes,
  ];
  return {
    routes,
    tokens,
    access,
    live,
    router,
    hub,
    office,
    tickets,
    identity,
    users,
    organizations,
    store,
    events,
    directory,
    changes,
  };
}

/** Whether it is, or was, on sale: what was not has no inventory. */
async function isPublished(directory: EventDirectory, eventId: EventId): Promise<boolean> {
  const event = await directory.get(eventId);
  return event !== null && !isPrivate(event);
}
