import type { Pool } from "pg";
import { systemClock } from "../workers/clock.ts";
import type { Supervisor } from "../workers/supervisor.ts";
import { watchThisThread } from "../workers/thread-vitals.ts";
import type { Config } from "./config.ts";
import { DatabaseHeartbeat } from "./database-heartbeat.ts";
import type { DatabasePool } from "./database-pool.ts";
import type { Route } from "./http/exchange.ts";
import { HttpMeter } from "./http/http-meter.ts";
import type { Watch } from "./http/observation.ts";
import { RequestLog } from "./http/request-log.ts";
import { HttpServer } from "./http/server.ts";
import type { IdentityOffice } from "./identity/identity-office.ts";
import type { LimitOffice } from "./limits/limit-office.ts";
import type { AvailabilityHub } from "./live/availability-hub.ts";
import type { Log } from "./log.ts";
import { ENGINE_METRICS } from "./metrics/engine-metrics.ts";
import { HTTP_METRICS } from "./metrics/http-metrics.ts";
import { LIMIT_METRICS } from "./metrics/limit-metrics.ts";
import { MetricsPage } from "./metrics/metrics-page.ts";
import { NODE_METRICS } from "./metrics/node-metrics.ts";
import { NOTIFIER_METRICS } from "./metrics/notifier-metrics.ts";
import type { NotifierOffice } from "./notifier/notifier-office.ts";
import { healthRoutes } from "./ops/health-routes.ts";
import { metricsRoutes } from "./ops/metrics-routes.ts";
import { NodeHealth } from "./ops/node-health.ts";
import { ThreadWatch } from "./ops/thread-watch.ts";
import type { PaymentOffice } from "./payments/payment-office.ts";
import type { ShardRouter } from "./shard-router.ts";
import type { Tracing } from "./tracing/tracing-port.ts";

/** What of a running node is looked at. */
export interface TelemetrySources {
  readonly supervisor: Supervisor;
  readonly pool: DatabasePool & Pool;
  /** For searches. */
  readonly searchPool: DatabasePool;
  readonly server: HttpServer;
  readonly router: ShardRouter;
  readonly hub: AvailabilityHub;
  readonly identity: IdentityOffice;
  readonly office: PaymentOffice;
  readonly limits: LimitOffice;
  readonly notifier: NotifierOffice;
}

interface StoppableTracing extends Tracing {
  stop(): Promise<void>;
}

/** Everything that looks at the node while it works, put together. */
export class Telemetry {
  readonly health = new NodeHealth(systemClock);
  readonly watch: Watch;
  /** What is answered from the first instant on. */
  readonly routes: readonly Route[];
  readonly #config: Config;
  readonly #log: Log;
  readonly #tracing: StoppableTracing | null;
  readonly #page = new MetricsPage();
  readonly #ownVitals = watchThisThread();
  readonly #identity: { tokens: IdentityOffice["tokens"] | null } = { tokens: null };
  #server: HttpServer | null = null;
  #threads: ThreadWatch | null = null;
  #heartbeat: DatabaseHeartbeat | null = null;

  static async start(config: Config, log: Log): Promise<Telemetry> {
    const { tracing } = config.telemetry;
    if (tracing === null) return new Telemetry(config, log, null);
    // Not loaded by whoever traces nothing.
    const { OtlpTracing } = await import("./tracing/otlp-tracing.ts");
    return new Telemetry(config, log, new OtlpTracing(tracing, { clock: systemClock, log }));
  }

  private constructor(config: Config, log: Log, tracing: StoppableTracing | null) {
    this.#config = config;
    this.#log = log;
    this.#tracing = tracing;
    this.watch = {
      meter: new HttpMeter(),
      requests: new RequestLog(log),
      tracing,
      userOf: (authorization) => this.#identity.tokens?.verify(authorization)?.userId ?? null,
    };
    const health = healthRoutes(this.health);
    const isApart = config.telemetry.metrics.port !== null;
    this.routes = isApart ? health : [...health, ...this.#metrics()];
  }

  /** Opens the port that is for metrics alone, where there is one. */
  async listen(): Promise<void> {
    const { port, host } = this.#config.telemetry.metrics;
    if (port === null) return;
    const routes = [...healthRoutes(this.health), ...this.#metrics()];
    const server = new HttpServer({ routes, live: null, livePath: "", log: this.#log });
    server.begin([], null);
    this.#server = server;
    const bound = await server.listen(host ?? this.#config.host, port);
    this.#log.info({ port: bound }, "metrics are on a port of their own");
  }

  /** Begins to look, once everything is there. `missed`: PostgreSQL does not answer. */
  observe(sources: TelemetrySources, databaseUrl: string, missed: () => void): void {
    const { supervisor, pool, searchPool, server, router, hub, identity, office, limits } = sources;
    const { notifier } = sources;
    this.#identity.tokens = identity.tokens;
    const threads = new ThreadWatch(supervisor.vitals, systemClock);
    const heartbeat = this.#heartbeatOf(databaseUrl, [pool, searchPool], missed);
    heartbeat.start();
    this.#threads = threads;
    this.#heartbeat = heartbeat;
    this.health.watch({ supervisor, threads, heartbeat, limits });
    this.#page.add(HTTP_METRICS, () => ({ meter: this.watch.meter, server, hub }));
    this.#page.add(LIMIT_METRICS, () => ({ limits }));
    this.#page.add(ENGINE_METRICS, () => ({
      vitals: threads.vitals,
      failedShards: supervisor.failedShards.size,
    }));
    this.#page.add(NOTIFIER_METRICS, () => ({ figures: notifier.figures }));
    this.#page.add(NODE_METRICS, () => ({
      vitals: threads.vitals,
      own: this.#ownVitals(),
      notifier: notifier.figures?.vitals ?? null,
      silent: threads.silent(),
      lanes: router.lanes,
      pool,
      database: heartbeat,
      hashesWaiting: identity.hashesWaiting,
      paymentMessages: office.outcomes.messages,
      refunds: office.outcomes.refunds,
      isServing: this.health.isServing,
    }));
  }

  /** Looks no more, while what is looked at is still there. */
  async stopLooking(): Promise<void> {
    this.#threads?.stop();
    await this.#heartbeat?.stop();
  }

  /** Sends the last traces, and says no more. */
  async stop(): Promise<void> {
    await this.#tracing?.stop();
    await this.#server?.close();
  }

  #metrics(): Route[] {
    return metricsRoutes(this.#page, this.#config.telemetry.metrics.token);
  }

  #heartbeatOf(url: string, pools: readonly DatabasePool[], missed: () => void) {
    return new DatabaseHeartbeat({
      connectionString: url,
      clock: systemClock,
      changed: (isUp, reason) => {
        for (const pool of pools) pool.setAway(!isUp);
        if (isUp) return this.#log.info("PostgreSQL answers again");
        this.#log.warn({ reason }, "PostgreSQL does not answer; what needs it is refused at once");
        missed();
      },
    });
  }
}
