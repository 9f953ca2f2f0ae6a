/** What surrounds the code of a thread: its spawner, time, and the way out. */
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import { assert } from "../engine/assert.ts";
import { type Clock, systemClock } from "./clock.ts";
import { die } from "./die.ts";
import type { Port } from "./port.ts";
import type { ThreadData } from "./spawn-thread.ts";
import { type ThreadVitals, watchThisThread } from "./thread-vitals.ts";

export interface ThreadContext {
  /** The way to whoever started the thread. */
  readonly parent: Port;
  readonly clock: Clock;
  /** The next message that has arrived at a port, before its listener gets it; undefined: none. */
  readonly take: (port: Port) => unknown;
  /** Never returns: ends the process. */
  readonly die: (reason: string, cause: unknown) => never;
  /** Part of the time that the thread was busy since the last call, from 0 to 1. */
  readonly utilisation: () => number;
  readonly vitals: () => ThreadVitals;
}

/** The context of the real thread that asks. */
export function currentThread(): ThreadContext {
  assert(parentPort !== null, "this module runs in a thread");
  let last = performance.eventLoopUtilization();
  return {
    parent: parentPort,
    clock: systemClock,
    // Every Port in a real thread is a MessagePort.
    take: (port) => receiveMessageOnPort(port as MessagePort)?.message,
    die,
    utilisation: () => {
      const { utilization } = performance.eventLoopUtilization(last);
      last = performance.eventLoopUtilization();
      return utilization;
    },
    vitals: watchThisThread(),
  };
}

/** What the real thread that asks was started with. */
export function threadData<Data>(): Data {
  return (workerData as ThreadData).data as Data;
}
