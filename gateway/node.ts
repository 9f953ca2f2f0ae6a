/**
 * Puts one node together: the only place that knows every part. Read from top to bottom it is the
 * order in which a node comes up; `stop` goes the other way.
 */
import { randomInt } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { EventId } from "../engine/ids.ts";
import {
  DATABASE_CONNECTIONS_MAX,
  DATABASE_END_MS_MAX,
  DATABASE_WAIT_MS_MAX,
  PROJECTION_DRAIN_MS_MAX,
  PROJECTION_STALL_MS,
  SOCKETS_MAX,
} from "../engine/limits.ts";
import { migrate } from "../sql/migrate.ts";
import { systemClock } from "../workers/clock.ts";
import { type DataDirLock, lockDataDir } from "../workers/data-dir-lock.ts";
import { Supervisor } from "../workers/supervisor.ts";
import { ThreadPlatform } from "../workers/thread-platform.ts";
import { requireNoUnfinishedRestore } from "./backup/unfinished-restore.ts";
import { BookingDesk } from "./booking/booking-desk.ts";
import { bookingRoutes } from "./booking/booking-routes.ts";
import { BookingsReader } from "./booking/bookings-reader.ts";
import { HistoryReader } from "./booking/history-reader.ts";
import { PaymentSettlement } from "./booking/payment-settlement.ts";
import { RecentWrites } from "./booking/recent-writes.ts";
import { UserBelongings } from "./booking/user-belongings.ts";
import { EventDirectory } from "./catalogue/event-directory.ts";
import { eventRoutes } from "./catalogue/event-routes.ts";
import { EventStore } from "./catalogue/event-store.ts";
import { Events } from "./catalogue/events.ts";
import { invitationRoutes } from "./catalogue/invitation-routes.ts";
import { Invitations } from "./catalogue/invitations.ts";
import { memberRoutes } from "./catalogue/member-routes.ts";
import { Members } from "./catalogue/members.ts";
import { NamedEvents } from "./catalogue/named-events.ts";
import { organizationRoutes } from "./catalogue/organization-routes.ts";
import { Organizations } from "./catalogue/organizations.ts";
import { SeatLists } from "./catalogue/seat-lists.ts";
import { type Config, jwtSecretOf } from "./config.ts";
import { DatabasePool } from "./database-pool.ts";
import { seedDemo } from "./demo/seed-demo.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import type { DoorOptions } from "./http/door.ts";
import { originsOf } from "./http/door-settings.ts";
import type { Route } from "./http/exchange.ts";
import { Origins } from "./http/origins.ts";
import { HttpServer } from "./http/server.ts";
import { IdentityOffice } from "./identity/identity-office.ts";
import { InventoryGate } from "./inventory-gate.ts";
import { TrustedProxies } from "./limits/client-address.ts";
import { LimitOffice } from "./limits/limit-office.ts";
import { AvailabilityHub } from "./live/availability-hub.ts";
import { LiveRoom } from "./live/live-room.ts";
import type { Log } from "./log.ts";
import { mailboxOf } from "./mail/configured-mailbox.ts";
import { describedRoutes } from "./openapi/described-routes.ts";
import { healthRoutes } from "./ops/health-routes.ts";
import { opsRoutes } from "./ops/ops-routes.ts";
import { PaymentOffice } from "./payments/payment-office.ts";
import { ShardRouter } from "./shard-router.ts";
import { Database } from "./tenancy/database.ts";

export interface RunningNode {
  readonly url: string;
  readonly catalogue: EventStore;
  readonly routes: readonly Pick<Route, "method" | "path">[];
  /** Takes nothing new, finishes and persists what was accepted. */
  stop(): Promise<void>;
}

export async function startNode(config: Config, log: Log): Promise<RunningNode> {
  mkdirSync(config.dataDir, { recursive: true });
  const lock = await lockDataDir(config.dataDir);
  requireNoUnfinishedRestore(config.dataDir);
  const postgres = await postgresOf(config);
  try {
    return await startOn(postgres, config, log, lock);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

interface Postgres {
  readonly url: string;
  stop(): Promise<void>;
}

async function startOn(
  postgres: Postgres,
  config: Config,
  log: Log,
  lock: DataDirLock,
): Promise<RunningNode> {
  await migrate(postgres.url);
  const supervisor = await Supervisor.start({
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
  const pool = new DatabasePool({
    connectionString: postgres.url,
    max: DATABASE_CONNECTIONS_MAX,
    // A database that does not answer becomes an answer: busy.
    connectionTimeoutMillis: DATABASE_WAIT_MS_MAX,
    query_timeout: DATABASE_WAIT_MS_MAX,
    keepAlive: true,
  });
  // The error carries the whole connection: its message is enough.
  pool.on("error", ({ message }) =>
    log.warn({ reason: message }, "a database connection was lost"),
  );
  const parts = assemble(config, { log, supervisor, database: new Database(pool) });
  if (config.admin !== null) {
    await parts.users.ensureAdmin(config.admin.email, config.admin.password);
  }
  const isSeeding = config.seedDemo ?? config.databaseUrl === null;
  if (isSeeding) await seedDemo({ ...parts, nowMs: Date.now() });
  const stop = async (): Promise<void> => {
    parts.beginStop();
    await parts.server.close();
    await parts.office.stop();
    await parts.identity.stop();
    parts.limits.stop();
    await parts.router.drained();
    parts.router.stop();
    parts.hub.stop();
    await supervisor.stop(PROJECTION_DRAIN_MS_MAX);
    // A database that does not answer any more must not keep the process.
    await Promise.race([pool.end(), delay(DATABASE_END_MS_MAX, null, { ref: false })]);
    await postgres.stop();
    await lock.release();
  };
  try {
    await parts.limits.start();
    const port = await parts.server.listen(config.host, config.port);
    parts.office.start();
    parts.identity.start();
    const host = config.host.includes(":") ? `[${config.host}]` : config.host;
    const { routes, store: catalogue } = parts;
    return { url: `http://${host}:${port}`, catalogue, routes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function postgresOf(config: Config): Promise<Postgres> {
  if (config.databaseUrl === null) {
    return startEmbeddedPostgres({ directory: join(config.dataDir, "postgres") });
  }
  return { url: config.databaseUrl, stop: () => Promise.resolve() };
}

interface Base {
  readonly log: Log;
  readonly supervisor: Supervisor;
  readonly database: Database;
}

function assemble(config: Config, { log, supervisor, database }: Base) {
  const router = new ShardRouter({
    ports: supervisor.gatewayPorts,
    shardCount: config.shards,
    watermarks: [...supervisor.watermarks],
    unprojectedFactsMax: config.unprojectedFactsMax,
  });
  supervisor.listen({
    projected: (watermarks) => router.projected(watermarks),
    shardFailed: (shard) => router.stopShard(shard),
  });
  const limits = new LimitOffice({ ...config, log });
  const mailbox = mailboxOf(config, log);
  const identity = new IdentityOffice({
    ...config,
    attempts: limits.attempts,
    database,
    jwtSecret: jwtSecretOf(config),
    mailbox,
    clock: systemClock,
    log,
  });
  const { tokens, users } = identity;
  const organizations = new Organizations(database);
  const store = new EventStore(database);
  const named = new NamedEvents(database);
  const directory = new EventDirectory(named);
  const inventory = new InventoryGate(router);
  const events = new Events({ store, organizations, directory, inventory });
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
  const desk = new BookingDesk({
    router,
    directory,
    recentWrites,
    isOrganizer,
    isStaff,
    userIdOf: (email) => users.idOf(email),
    payments: office.payments,
    availabilityOf: (eventId) => hub.availabilityOf(eventId),
    logError,
    nodeBits: randomInt(2 ** 22),
  });
  // The server publishes what the hub sends and opens what the room answers: tied here, in a knot.
  const hub = new AvailabilityHub({
    router,
    exists: (eventId) => directory.peek(eventId) !== undefined || isPublished(directory, eventId),
    publish: (topic, text) => server.publish(topic, text),
  });
  const live = new LiveRoom({ desk, directory, tokens, hub, limits: limits.requests });
  tokens.listen((userId) => live.signedOut(userId));
  router.listen({
    changed: (change) => hub.changed(change),
    noticed: (notice) => live.tell(notice),
  });
  let serving = true;
  const { opsToken } = config;
  const reader = new BookingsReader(database);
  const history = new HistoryReader(database);
  const belongings = new UserBelongings({ database, router, directory, reader, recentWrites });
  const seatLists = new SeatLists(named);
  const { publicUrl } = config;
  const userIdOf = users.idOf.bind(users);
  const { attempts } = limits;
  const members = new Members({ database, userIdOf, limits: attempts, mailbox, publicUrl });
  const routes = describedRoutes([
    ...identity.routes(belongings),
    ...memberRoutes({ members, tokens }),
    ...invitationRoutes({ invitations: new Invitations(database, members), tokens }),
    ...organizationRoutes({ organizations, directory, tokens }),
    ...eventRoutes({ events, store, directory, seatLists, organizations, tokens }),
    ...bookingRoutes({
      desk,
      tokens,
      hub,
      directory,
      reader,
      history,
      recentWrites,
      router,
      isOrganizer,
      isStaff,
    }),
    ...office.routes,
    ...opsRoutes({ supervisor, router, hub, tokens, opsToken, limits: () => limits.report }),
    ...healthRoutes({
      isServing: () => serving,
      impediments: () => impedimentsOf(supervisor),
      notes: () => limits.notes,
    }),
  ]);
  const server = new HttpServer({
    routes,
    live,
    livePath: "/ws",
    log,
    door: doorOf(config, limits, (authorization) => tokens.verify(authorization)?.userId ?? null),
  });
  const beginStop = (): void => {
    serving = false;
  };
  return {
    router,
    hub,
    office,
    routes,
    server,
    identity,
    users,
    organizations,
    store,
    events,
    directory,
    limits,
    beginStop,
  };
}

function doorOf(
  config: Config,
  limits: LimitOffice,
  userOf: (authorization: string) => string | null,
): DoorOptions {
  const { door, rateLimit, publicUrl } = config;
  return {
    limits: limits.requests,
    userOf,
    proxies: new TrustedProxies(door.trustedProxies, door.proxyHeader),
    origins: new Origins(originsOf(door, config)),
    isHttps: publicUrl?.startsWith("https:") === true,
    connects: rateLimit ? config.limits.connect : null,
    messages: rateLimit ? config.limits.message : null,
    socketsPerAddressMax: rateLimit ? door.socketsPerAddressMax : SOCKETS_MAX,
  };
}

/** Published or cancelled: drafts have no inventory. */
async function isPublished(directory: EventDirectory, eventId: EventId): Promise<boolean> {
  const event = await directory.get(eventId);
  return event !== null && event.status !== "draft";
}

async function impedimentsOf(supervisor: Supervisor): Promise<string[]> {
  const impediments = [...supervisor.failedShards].map(
    ([shard, reason]) => `shard ${shard} has stopped: ${reason}`,
  );
  const projector = await supervisor.projectorReport();
  const { unansweredMs } = projector;
  if (unansweredMs >= PROJECTION_STALL_MS) {
    impediments.push(`projection: PostgreSQL has not answered for ${unansweredMs} ms`);
  }
  if (projector.lastError !== null) impediments.push(`projection: ${projector.lastError}`);
  if ((await supervisor.journalStatus()).full) impediments.push("the journal has no room");
  return impediments;
}
