import type { EventId } from "../../engine/ids.ts";
import type { Clock } from "../../workers/clock.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import type { Queries, Scoped } from "../tenancy/database.ts";
import type { Courtesy } from "./courtesy.ts";
import type { JobHandler, JobQueue, NewJob } from "./job.ts";
import type { OutboxEntry } from "./outbox-entry.ts";

/** What the parts of the notifier stand on. They run on its thread, not on the gateway's. */
export interface NotifierGround {
  readonly config: Config;
  /** What identity tokens are signed with; other keys are derived from it. */
  readonly jwtSecret: string;
  /** Where this API is reached, without a slash at its end: `https://tickets.example.org`. */
  readonly apiUrl: string;
  /** As the owner of the tables: policies do not hold here, so every statement names its tenant. */
  readonly rows: Scoped;
  readonly queue: JobQueue;
  /**
   * True once PostgreSQL has whatever anybody was told of the event by now; false when that takes
   * too long.
   */
  readonly whenTold: (eventId: EventId) => Promise<boolean>;
  /** Whoever has much to do asks for its turn before each piece of it. */
  readonly courtesy: Pick<Courtesy, "patientTurn" | "charge" | "isQuiet">;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
}

/** One thing that the notifier does: mails, webhooks, campaigns … */
export interface NotifierPart {
  readonly handlers: readonly JobHandler[];
  /** What follows from entries of the outbox. In the transaction that takes them out of it. */
  follow?(entries: readonly OutboxEntry[], within: Queries): Promise<readonly NewJob[]>;
  /** Called every `everyMs`, never twice at once, to find what has become due. */
  readonly tick?: { readonly everyMs: number; run(): Promise<void> };
  /** Before the first job; again, when PostgreSQL was away. */
  start?(): Promise<void>;
  /** Plain numbers for the metrics, by name; they travel to the gateway's thread as they are. */
  figures?(): Readonly<Record<string, number>>;
  stop?(): Promise<void>;
}
