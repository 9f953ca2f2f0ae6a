/** Entry of the notifier's thread. */
import type { EventId } from "../../engine/ids.ts";
import { pause } from "../../workers/clock.ts";
import type { Port } from "../../workers/port.ts";
import { currentThread, threadData } from "../../workers/thread-context.ts";
import { goToBackground } from "../../workers/thread-priority.ts";
import type { Log } from "../log.ts";
import { Notifier } from "./notifier.ts";
import type { FromNotifier, NotifierThreadData, ToNotifier } from "./notifier-messages.ts";
import { partsOf } from "./notifier-parts.ts";

/** How often its figures go to the gateway's thread, where the metrics are read. */
const FIGURES_EVERY_MS = 1_000;
/** How soon it tries again to begin, when PostgreSQL was away. */
const START_AGAIN_MS = 1_000;

const { clock, parent, vitals } = currentThread();
const say = (message: FromNotifier, to: Port = parent): void => to.postMessage(message);

/** The one log of the process is the gateway's thread's. */
function logAt(level: "info" | "warn" | "error") {
  return (fields: object, message: string): void => {
    say({ kind: "log", level, fields: plain(fields), message });
  };
}

/** Errors lose what they are on the way to another thread. */
function plain(fields: object): object {
  if (!("err" in fields) || !(fields.err instanceof Error)) return fields;
  const { name, message, stack } = fields.err;
  return { ...fields, err: { type: name, message, stack } };
}

const log = { info: logAt("info"), warn: logAt("warn"), error: logAt("error") } as Pick<
  Log,
  "info" | "warn" | "error"
>;
const answers = new Map<number, (isStored: boolean) => void>();
let asked = 0;
/** The gateway's thread knows what anybody was told, and answers within its own bound. */
function whenTold(eventId: EventId): Promise<boolean> {
  asked += 1;
  const id = asked;
  say({ kind: "whenTold", id, eventId });
  return new Promise((resolve) => answers.set(id, resolve));
}

function hear({ id, isStored }: Extract<ToNotifier, { kind: "whenTold" }>): void {
  answers.get(id)?.(isStored);
  answers.delete(id);
}

const notifier = new Notifier({
  ...threadData<NotifierThreadData>(),
  parts: partsOf,
  whenTold,
  clock,
  log,
  vitals,
});
let isStopping = false;

// Whoever buys goes before whoever has bought.
goToBackground();
parent.on("message", (message: ToNotifier) => {
  if (message.kind === "stop") void stop();
  else if (message.kind === "whenTold") hear(message);
  else void answer(message.id, message.question);
});
void begin();

async function begin(): Promise<void> {
  while (!isStopping) {
    try {
      await notifier.start();
      break;
    } catch (error) {
      // A stop that overtakes the start takes the database from it.
      if (isStopping) break;
      log.warn({ err: error }, "the notifier could not begin; it tries again");
      await pause(clock, START_AGAIN_MS);
    }
  }
  say({ kind: "ready" });
  while (!isStopping) {
    await tellFigures();
    await pause(clock, FIGURES_EVERY_MS);
  }
}

async function tellFigures(): Promise<void> {
  try {
    say({ kind: "figures", figures: await notifier.figures() });
  } catch (error) {
    if (!isStopping) log.warn({ err: error }, "the notifier's figures could not be read");
  }
}

async function answer(id: number, question: Parameters<Notifier["answer"]>[0]): Promise<void> {
  try {
    say({ kind: "answer", id, answer: await notifier.answer(question), failure: "" });
  } catch (error) {
    log.warn({ err: error }, "the notifier could not answer an operator");
    say({ kind: "answer", id, answer: null, failure: "the notifier could not do it" });
  }
}

async function stop(): Promise<void> {
  isStopping = true;
  await notifier.stop().catch((error: unknown) => log.warn({ err: error }, "the notifier's end"));
  say({ kind: "stopped" });
}
