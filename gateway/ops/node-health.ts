import { PROJECTION_STALL_MS } from "../../engine/limits.ts";
import { PROBE_WAIT_MS_MAX } from "../../engine/telemetry-limits.ts";
import { type Clock, pause } from "../../workers/clock.ts";
import type { Supervisor } from "../../workers/supervisor.ts";
import type { DatabaseHeartbeat } from "../database-heartbeat.ts";
import type { ThreadWatch } from "./thread-watch.ts";

/** What a node does, from its first instant to its last. */
export const PHASES = [
  ...(["starting the database", "migrating the database", "recovering", "preparing"] as const),
  ...(["serving", "stopping"] as const),
];
export type Phase = (typeof PHASES)[number];

/** What there is to ask once the node has come up. */
export interface HealthSources {
  readonly supervisor: Supervisor;
  readonly threads: ThreadWatch;
  readonly heartbeat: DatabaseHeartbeat;
  readonly limits: { readonly notes: readonly string[] };
}

/**
 * Whether the node is alive, has started, and should get requests, and if not, why not.
 *
 * Invariant: no question about it waits longer than PROBE_WAIT_MS_MAX, whatever stands still.
 */
export class NodeHealth {
  readonly #clock: Clock;
  phase: Phase = "starting the database";
  #sources: HealthSources | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  watch(sources: HealthSources): void {
    this.#sources = sources;
  }

  get isServing(): boolean {
    return this.phase === "serving";
  }

  get hasStarted(): boolean {
    return this.phase === "serving" || this.phase === "stopping";
  }

  silentThreads(): string[] {
    return this.#sources?.threads.silent() ?? [];
  }

  /** What is not as it should be, although this node serves. */
  get notes(): readonly string[] {
    return this.#sources?.limits.notes ?? [];
  }

  /** Reasons why this node should get no new work; empty: none. */
  async impediments(): Promise<string[]> {
    const { phase } = this;
    if (phase === "stopping") return ["stopping"];
    if (phase !== "serving" || this.#sources === null) return [`starting: ${phase}`];
    const { threads, heartbeat, supervisor } = this.#sources;
    const impediments = threads.silent();
    if (!heartbeat.isUp) impediments.push(`database: PostgreSQL is away: ${heartbeat.reason}`);
    for (const [shard, reason] of supervisor.failedShards) {
      impediments.push(`shard ${shard} has stopped: ${reason}`);
    }
    const tooLate = pause(this.#clock, PROBE_WAIT_MS_MAX).then(() => null);
    const asked = Promise.all([supervisor.projectorReport(), supervisor.journalStatus()]);
    const answered = await Promise.race([asked, tooLate]);
    if (answered === null) return [...impediments, "the engine's threads do not answer"];
    const [{ unansweredMs, lastError }, { full }] = answered;
    if (unansweredMs >= PROJECTION_STALL_MS) {
      impediments.push(`projection: PostgreSQL has not answered for ${unansweredMs} ms`);
    }
    if (lastError !== null) impediments.push(`projection: ${lastError}`);
    if (full) impediments.push("the journal has no room");
    return impediments;
  }
}
