import type { Channel, Port } from "../../workers/port.ts";
import type { VirtualProcess, VirtualThread } from "./virtual-process.ts";

export interface ChannelOptions {
  readonly process: VirtualProcess;
  /** How long one message is under way, ms. */
  readonly delayMs: () => number;
}

/**
 * A MessagePort of the simulation.
 *
 * Invariants:
 * - messages of one direction arrive in their order, each once, after a delay of its own;
 * - a message that has arrived waits for its turn, and can be taken before it (`take`);
 * - what is posted is copied or moved then, never shared: like between real threads.
 */
export class VirtualPort implements Port {
  /** Sees every message as it is posted. */
  tap: ((message: unknown) => void) | null = null;
  /** Sees every message just before its listener does; not those that are taken. */
  tapIn: ((message: unknown) => void) | null = null;
  readonly #options: ChannelOptions;
  #peer: VirtualPort | null = null;
  #listener: ((message: unknown) => void) | null = null;
  /** Whose listener it is. */
  #thread: VirtualThread | null = null;
  readonly #inbox: unknown[] = [];
  #lastArrivalMs = 0;
  #isClosed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  static channel(options: ChannelOptions): Channel & { port1: VirtualPort; port2: VirtualPort } {
    const [port1, port2] = [new VirtualPort(options), new VirtualPort(options)];
    port1.#peer = port2;
    port2.#peer = port1;
    return { port1, port2 };
  }

  postMessage(message: unknown, transferList: readonly object[] = []): void {
    const { process, delayMs } = this.#options;
    const peer = this.#peer;
    if (!process.isAlive || this.#isClosed || peer === null) return;
    this.tap?.(message);
    const copy = copyOf(message, transferList);
    const sentMs = Math.max(process.scheduler.nowMs, process.thread.busyUntilMs);
    const arrivalMs = Math.max(sentMs + delayMs(), this.#lastArrivalMs);
    this.#lastArrivalMs = arrivalMs;
    process.at(arrivalMs, () => peer.#arrive(copy));
  }

  on<Message>(_event: "message", listener: (message: Message) => void): void {
    const { process } = this.#options;
    const { thread } = process;
    this.#thread = thread;
    this.#listener = (message) => process.enter(thread, () => listener(message as Message));
    for (let waiting = this.#inbox.length; waiting > 0; waiting -= 1) this.#plan();
  }

  /** What has arrived and was not delivered yet; undefined: nothing. */
  take(): unknown {
    return this.#inbox.shift();
  }

  close(): void {
    this.#isClosed = true;
  }

  #arrive(message: unknown): void {
    if (this.#isClosed) return;
    this.#inbox.push(message);
    if (this.#listener !== null) this.#plan();
  }

  /** The turn of the loop in which the listener gets it, unless it was taken before. */
  #plan(): void {
    const { process } = this.#options;
    const deliver = (): void => {
      if (this.#inbox.length === 0 || this.#listener === null || this.#isClosed) return;
      const busyUntilMs = this.#thread?.busyUntilMs ?? 0;
      if (busyUntilMs > process.scheduler.nowMs) return process.at(busyUntilMs, deliver);
      const message = this.#inbox.shift();
      this.tapIn?.(message);
      this.#listener(message);
    };
    process.clock.soon(deliver);
  }
}

/** Ports cannot be copied: a message with one is made by the supervisor, and shared as it is. */
function copyOf(message: unknown, transferList: readonly object[]): unknown {
  if (transferList.some((moved) => moved instanceof VirtualPort)) return message;
  const buffers = transferList.filter((moved) => moved instanceof ArrayBuffer);
  return structuredClone(message, { transfer: buffers });
}
