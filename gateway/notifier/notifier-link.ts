import { setTimeout as delay } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { NOTIFIER_RESTART_MS, NOTIFIER_STOP_MS_MAX } from "../../engine/lane-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import { spawnThread } from "../../workers/spawn-thread.ts";
import { ThreadLink } from "../../workers/thread-link.ts";
import { ProblemError } from "../http/problem.ts";
import type { Log } from "../log.ts";
import type {
  FromNotifier,
  NotifierFigures,
  NotifierThreadData,
  OperatorsAnswer,
  OperatorsQuestion,
  ToNotifier,
} from "./notifier-messages.ts";
import type { NotifierGround } from "./notifier-part.ts";

interface NotifierLinkPorts extends Pick<NotifierGround, "whenTold"> {
  readonly clock: Clock;
  readonly log: Log;
}

const ENTRY = new URL("./notifier-thread.ts", import.meta.url);

/**
 * The notifier's thread, as the gateway's thread sees it.
 *
 * Invariant: a notifier that ends by itself takes nothing else with it: a sale goes on, what is to
 * be told waits in the database, and another one is started after NOTIFIER_RESTART_MS.
 */
export class NotifierLink {
  readonly #data: NotifierThreadData;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #whenTold: NotifierGround["whenTold"];
  #worker: Worker | null = null;
  #link: ThreadLink<ToNotifier, FromNotifier> | null = null;
  #figures: NotifierFigures | null = null;
  #isStopping = false;

  constructor(data: NotifierThreadData, { clock, log, whenTold }: NotifierLinkPorts) {
    this.#data = data;
    this.#whenTold = whenTold;
    this.#clock = clock;
    this.#log = log;
  }

  /** What it said last; null: nothing yet. */
  get figures(): NotifierFigures | null {
    return this.#figures;
  }

  start(): void {
    if (this.#isStopping) return;
    const worker = spawnThread(ENTRY, this.#data, { name: "notifier" });
    this.#worker = worker;
    const link = new ThreadLink<ToNotifier, FromNotifier>(worker);
    this.#link = link;
    link.on("log", ({ level, fields, message }) => this.#log[level](fields, message));
    link.on("whenTold", ({ id, eventId }) => {
      void this.#whenTold(eventId).then((isStored) =>
        link.send({ kind: "whenTold", id, isStored }),
      );
    });
    link.on("figures", ({ figures }) => {
      this.#figures = figures;
    });
    worker.on("error", (error) => this.#log.error({ err: error }, "the notifier failed"));
    worker.on("exit", () => this.#gone());
  }

  /** Throws `busy` where there is no notifier, or it can't do it now. */
  async ask(question: OperatorsQuestion): Promise<OperatorsAnswer> {
    const link = this.#link;
    if (link === null) throw new ProblemError("busy");
    const asked = link.ask("answer", (id) => ({ kind: "question", id, question }));
    const given = await Promise.race([asked, atMost(NOTIFIER_STOP_MS_MAX)]);
    if (given === undefined || given.failure !== "") throw new ProblemError("busy");
    return given.answer;
  }

  /** Lets it finish what it is at, within NOTIFIER_STOP_MS_MAX. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const link = this.#link;
    if (link === null) return;
    const stopped = link.next("stopped");
    link.send({ kind: "stop" });
    await Promise.race([stopped, atMost(NOTIFIER_STOP_MS_MAX)]);
    await this.#worker?.terminate();
  }

  #gone(): void {
    this.#link = null;
    this.#worker = null;
    if (this.#isStopping) return;
    this.#log.error({}, "the notifier has ended; another one is started");
    this.#clock.after(NOTIFIER_RESTART_MS, () => this.start());
  }
}

/** Keeps no process alive. */
const atMost = (ms: number): Promise<undefined> => delay(ms, undefined, { ref: false });
