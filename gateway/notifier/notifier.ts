import { LANE_LOOK_MS, OUTBOX_PAUSE_MS } from "../../engine/lane-limits.ts";
import { type Clock, pause } from "../../workers/clock.ts";
import { processorMsOfThisThread } from "../../workers/thread-ticks.ts";
import type { ThreadVitals } from "../../workers/thread-vitals.ts";
import { DatabaseFeed } from "../database-feed.ts";
import type { Log } from "../log.ts";
import { Courtesy } from "./courtesy.ts";
import { bury, DeadLetters, OUTBOX_KIND } from "./dead-letters.ts";
import { type JobHandler, LANES, type Lane as LaneName } from "./job.ts";
import { PgJobQueue } from "./job-queue.ts";
import { Lane } from "./lane.ts";
import { LANE_CONCURRENCY } from "./lane-table.ts";
import { machineTimes } from "./machine-times.ts";
import type {
  NotifierFigures,
  NotifierThreadData,
  OperatorsAnswer,
  OperatorsQuestion,
} from "./notifier-messages.ts";
import type { NotifierGround, NotifierPart } from "./notifier-part.ts";
import { OutboxRelay } from "./outbox-relay.ts";
import { OwnerRows } from "./owner-rows.ts";
import { Ticker } from "./ticker.ts";

export interface NotifierOptions extends NotifierThreadData, Pick<NotifierGround, "whenTold"> {
  /** What it does. */
  readonly parts: (ground: NotifierGround) => readonly NotifierPart[];
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  readonly vitals: () => ThreadVitals;
}

/**
 * Everything that happens after a sale, put together: outbox → queue → lanes → parts.
 *
 * Crash-only: what it was at when it ended is begun again, and the effects carry keys.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #rows: OwnerRows;
  readonly #queue: PgJobQueue;
  readonly #letters: DeadLetters;
  readonly #courtesy: Courtesy;
  readonly #parts: readonly NotifierPart[];
  readonly #lanes: readonly Lane[];
  readonly #relay: OutboxRelay;
  readonly #feed: DatabaseFeed;
  readonly #tickers: readonly Ticker[];

  constructor(options: NotifierOptions) {
    const { config, databaseUrl, jwtSecret, apiUrl, whenTold, clock, log, vitals } = options;
    this.#options = options;
    const rows = new OwnerRows(databaseUrl, log);
    const handlers = new Map<string, JobHandler>();
    const laneOf = (kind: string): LaneName => handlers.get(kind)?.lane ?? "transactional";
    const queue = new PgJobQueue({ rows, laneOf, log });
    this.#rows = rows;
    this.#queue = queue;
    this.#letters = new DeadLetters(rows, queue);
    this.#courtesy = new Courtesy({ clock, machine: machineTimes, busyMs: () => busyMs(vitals) });
    const ground = { config, jwtSecret, apiUrl, rows, queue, whenTold, clock, log };
    this.#parts = options.parts({ ...ground, courtesy: this.#courtesy });
    for (const handler of this.#parts.flatMap((part) => part.handlers)) {
      handlers.set(handler.kind, handler);
    }
    const common = { handlers, queue, courtesy: this.#courtesy, log };
    this.#lanes = LANES.map(
      (name) => new Lane({ ...common, name, concurrency: LANE_CONCURRENCY[name] }),
    );
    this.#relay = new OutboxRelay({
      rows,
      queue,
      parts: this.#parts,
      bury: (client, entry, reason) =>
        bury(client, { lane: "urgent", kind: OUTBOX_KIND, key: null, data: entry, reason }),
      log,
    });
    const ticker = (name: string, everyMs: number, run: () => Promise<unknown>): Ticker =>
      new Ticker({ name, everyMs, run, clock, log });
    const relay = ticker("outbox", LANE_LOOK_MS, () => this.#moveOutbox());
    this.#tickers = [
      ticker("lanes", LANE_LOOK_MS, () => this.#look()),
      relay,
      ...this.#parts.flatMap(({ tick }) =>
        tick === undefined ? [] : [ticker("part", tick.everyMs, () => tick.run())],
      ),
    ];
    this.#feed = new DatabaseFeed({
      databaseUrl,
      channel: "evently_outbox",
      ear: { heard: () => relay.poke(), deaf: () => undefined, hearing: () => relay.poke() },
      log,
      loss: "the outbox is not heard; it is looked at every second",
    });
  }

  async start(): Promise<void> {
    await this.#queue.start();
    for (const part of this.#parts) await part.start?.();
    await this.#readPauses();
    for (const ticker of this.#tickers) ticker.start();
    await this.#feed.start();
  }

  async stop(): Promise<void> {
    this.#feed.stop();
    this.#courtesy.stop();
    await Promise.all(this.#tickers.map((ticker) => ticker.stop()));
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    for (const part of this.#parts) await part.stop?.();
    await this.#queue.stop();
    await this.#rows.close();
  }

  async figures(): Promise<NotifierFigures> {
    const { rows } = await this.#rows.query<OutboxRow>(OUTBOX);
    const { rows: dead } = await this.#rows.query<{ lane: string; count: number }>(
      "SELECT lane, count(*)::integer AS count FROM dead_letters GROUP BY lane",
    );
    return {
      lanes: this.#lanes.map((lane) => ({ ...this.#queue.load(lane.name), ...lane.figures })),
      outbox: rows[0] ?? { waiting: 0, oldestMs: 0 },
      deadLetters: Object.fromEntries(dead.map(({ lane, count }) => [lane, count])),
      isHoldingBack: this.#courtesy.isHoldingBack,
      parts: Object.assign({}, ...this.#parts.map((part) => part.figures?.() ?? {})),
      vitals: this.#options.vitals(),
    };
  }

  async answer(question: OperatorsQuestion): Promise<OperatorsAnswer> {
    switch (question.ask) {
      case "pause":
        await this.#rows.query(
          "INSERT INTO paused_lanes (lane) VALUES ($1) ON CONFLICT DO NOTHING",
          [question.lane],
        );
        await this.#readPauses();
        return null;
      case "resume":
        await this.#rows.query("DELETE FROM paused_lanes WHERE lane = $1", [question.lane]);
        await this.#readPauses();
        return null;
      case "letters":
        return this.#letters.list(question);
      case "letter":
        return this.#letters.find(question.letterId);
      case "drop":
        return this.#letters.drop(question.letterId);
      case "resend":
        return this.#letters.resend(question.letterId);
      case "resendLane":
        return this.#letters.resendLane(question.lane);
    }
  }

  async #moveOutbox(): Promise<void> {
    let isMore = true;
    while (isMore) {
      await this.#courtesy.turn();
      isMore = await this.#relay.moveBatch();
      await this.#queue.look();
      this.#pokeDue();
      await pause(this.#options.clock, OUTBOX_PAUSE_MS);
    }
  }

  async #look(): Promise<void> {
    await this.#queue.look();
    await this.#readPauses();
    await this.#queue.buryAbandoned();
    this.#pokeDue();
  }

  #pokeDue(): void {
    for (const lane of this.#lanes) if (this.#queue.load(lane.name).due > 0) lane.poke();
  }

  async #readPauses(): Promise<void> {
    const { rows } = await this.#rows.query<{ lane: string }>("SELECT lane FROM paused_lanes");
    const paused = new Set(rows.map(({ lane }) => lane));
    for (const lane of this.#lanes) lane.setPaused(paused.has(lane.name));
  }
}

/** What this thread has had of a processor; where the system does not tell, it had what it used. */
function busyMs(vitals: () => ThreadVitals): number {
  return processorMsOfThisThread() ?? vitals().busySeconds * 1_000;
}

interface OutboxRow {
  readonly waiting: number;
  readonly oldestMs: number;
}

/** Counted to a bound: after a rush there may be millions. */
const OUTBOX = `
  SELECT count(*)::integer AS waiting,
    coalesce(max(extract(epoch FROM now()) * 1000 - at_ms), 0)::float AS "oldestMs"
  FROM (SELECT at_ms FROM outbox ORDER BY id LIMIT 10000) AS first`;
