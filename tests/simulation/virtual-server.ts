/**
 * The way from a process to the virtual database and back, and all that can happen on it.
 *
 *   call ─latency─► [frozen?] ─► [rows locked?] ─► execute ─latency─► [reply lost?] ─► answer
 *        └─ lost before it executed: never executes, executes all the same, or executes late
 *
 * A connection is lost by `goDown`, `killConnections`, a statement that had no answer for too long,
 * or the death of the process. The caller hears of it at once (a dead one nothing, ever); what it
 * had sent may still be on its way: the server reads it whenever it gets to it, and that may be
 * long after the caller has connected again and asked what is there. A transaction that is late is
 * one whose commit is: it holds its rows' locks, and who wants them waits. A single statement that
 * is late holds nothing until it begins, or has begun and holds them too.
 */
import type { Random } from "../../engine/testing/random.ts";

/** As the driver says it: the connection was there, and is no more. The outcome is unknown. */
export class ConnectionLost extends Error {
  readonly code = "ECONNRESET";
}

export class ConnectionRefused extends Error {
  readonly code = "ECONNREFUSED";
}

/** No answer for as long as the caller waits. The outcome is unknown. */
export class StatementTimeout extends Error {
  readonly code = "ETIMEDOUT";
}

export interface ServerPorts {
  readonly random: Random;
  /** Resolves after so much virtual time, and never before this turn is over. */
  readonly pause: (ms: number) => Promise<void>;
  /** A bug in a hook or in this file: nobody who calls the database shall be told of it. */
  readonly broken: (error: unknown) => void;
}

/** What a process's end means for its calls. */
export interface Caller {
  readonly isDead: boolean;
}

export interface CallOptions {
  /** read: leaves no trace. transaction: holds its locks until its commit. */
  readonly kind: "read" | "statement" | "transaction";
  /** Rows that it writes or locks, by the name of their lock. */
  readonly locks: readonly number[];
  readonly timeoutMs: number;
}

export interface Work<Result> {
  /** What it throws is the answer. */
  readonly execute: () => Result;
  /** Told at once, whether the answer arrives or not. */
  readonly committed: (result: Result) => void;
}

interface Call extends CallOptions {
  readonly caller: Caller;
  phase: "sent" | "waiting" | "executed";
  fate: "normal" | "never" | "late";
  /** Of a late transaction: opened when it has let its locks go. */
  held: Gate | null;
  /** Gives the caller up: it hears the error, if it lives. */
  readonly lose: (error: Error) => void;
}

/** One-way network and processing time of most calls; one in fifty takes twenty times as long. */
const LATENCY_MS_MAX = 2;
/** How much later than its caller's loss a statement may execute. */
const LATE_MS_MAX = 10_000;

class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/**
 * Invariants:
 *  - `#calls` are those whose callers still wait.
 *  - a call executes at most once, in one step; it executes although its caller has given up.
 *  - a lock is held by late transactions alone: all else happens in one step.
 */
export class VirtualServer {
  readonly #ports: ServerPorts;
  readonly #calls = new Set<Call>();
  readonly #locks = new Map<number, Gate>();
  #isDown = false;
  #frozen: Gate | null = null;
  #replyLosses = 0;

  constructor(ports: ServerPorts) {
    this.#ports = ports;
  }

  /** Every connection is lost, and none is made until `comeUp`. */
  goDown(): void {
    this.#isDown = true;
    this.killConnections();
  }

  comeUp(): void {
    this.#isDown = false;
  }

  /** Every connection is lost; the next call makes another. */
  killConnections(): void {
    for (const call of this.#calls) this.#lose(call, new ConnectionLost("connection lost"));
  }

  /** No answer any more, nor a refusal, until `thaw`. */
  freeze(): void {
    this.#frozen ??= new Gate();
    for (const call of this.#calls) this.#limit(call);
  }

  thaw(): void {
    this.#frozen?.open();
    this.#frozen = null;
  }

  /** Of every call that has executed: its connection breaks before the answer is through. */
  loseReplies(probability: number): void {
    this.#replyLosses = probability;
  }

  heal(): void {
    this.#replyLosses = 0;
    this.comeUp();
    this.thaw();
  }

  /** The process ended: what it had sent may execute, and nobody hears of it. */
  hangUp(caller: Caller): void {
    for (const call of this.#calls) {
      if (call.caller === caller) this.#lose(call, new ConnectionLost("the process is dead"));
    }
  }

  /** Callers that wait for an answer. */
  get waiting(): number {
    return this.#calls.size;
  }

  /** Executes in one step, unless the way to the server is in the way. */
  call<Result>(caller: Caller, options: CallOptions, work: Work<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (caller.isDead) return;
      const settle = (answer: () => void): void => {
        // A dead process's promise stays as it is.
        if (this.#calls.delete(call) && !caller.isDead) answer();
      };
      const lose = (error: Error): void => settle(() => reject(error));
      const call: Call = { ...options, caller, phase: "sent", fate: "normal", held: null, lose };
      this.#calls.add(call);
      if (this.#frozen !== null) this.#limit(call);
      this.#serve(call, work)
        .then((answer) => settle(() => answer(resolve, reject)))
        .catch(this.#ports.broken);
    });
  }

  async #serve<Result>(call: Call, { execute, committed }: Work<Result>): Promise<Answer<Result>> {
    const { random, pause } = this.#ports;
    await this.#latency();
    // What was sent before it went down has gone its way already: nobody can tell when.
    if (this.#isDown && this.#calls.has(call)) {
      call.lose(new ConnectionRefused("connection refused"));
      return () => undefined;
    }
    for (let isDelayed = false; ; ) {
      if (call.fate === "late" && !isDelayed) {
        isDelayed = true;
        await pause(LATE_MS_MAX * random.next() ** 3);
        continue;
      }
      const obstacle = this.#frozen ?? this.#lockBefore(call);
      if (obstacle === null) break;
      await obstacle.opened;
    }
    // Its caller has long been told.
    if (call.fate === "never") {
      this.#unlock(call);
      return () => undefined;
    }
    call.phase = "executed";
    const answer = executed(execute, committed);
    this.#unlock(call);
    await this.#latency();
    while (this.#frozen !== null) await this.#frozen.opened;
    if (random.next() < this.#replyLosses) call.lose(new ConnectionLost("the reply was lost"));
    return answer;
  }

  /** The connection is gone, the caller told; what becomes of the call is for the server to say. */
  #lose(call: Call, error: Error): void {
    call.lose(error);
    if (call.phase === "executed" || call.kind === "read") return;
    const fate = this.#ports.random.pick(["never", "normal", "late"] as const);
    const isBegun = call.kind === "transaction" || this.#ports.random.below(2) === 0;
    if (!isBegun) {
      call.fate = fate;
    } else if (call.phase === "waiting" || call.locks.some((lock) => this.#locks.has(lock))) {
      // It has not come to its commit, so it never will.
      call.fate = "never";
    } else {
      call.fate = fate;
      // Its commit is on the way, so all that it locked is locked until then.
      if (fate !== "never") this.#lock(call);
    }
  }

  #lock(call: Call): void {
    call.held = new Gate();
    for (const lock of call.locks) this.#locks.set(lock, call.held);
  }

  #unlock({ held, locks }: Call): void {
    if (held === null) return;
    for (const lock of locks) this.#locks.delete(lock);
    held.open();
  }

  #lockBefore(call: Call): Gate | null {
    for (const lock of call.locks) {
      const gate = this.#locks.get(lock);
      if (gate === undefined || gate === call.held) continue;
      if (call.phase === "sent") this.#limit(call);
      call.phase = "waiting";
      return gate;
    }
    return null;
  }

  /** From here on the answer may take long: the caller waits for it only so long. */
  #limit(call: Call): void {
    this.#ports
      .pause(call.timeoutMs)
      .then(() => {
        if (this.#calls.has(call)) this.#lose(call, new StatementTimeout("no answer for too long"));
      })
      .catch(this.#ports.broken);
  }

  #latency(): Promise<void> {
    const { random, pause } = this.#ports;
    const share = random.below(50) === 0 ? 20 : 1;
    return pause(LATENCY_MS_MAX * share * random.next());
  }
}

type Answer<Result> = (resolve: (result: Result) => void, reject: (error: unknown) => void) => void;

function executed<Result>(
  execute: () => Result,
  committed: (result: Result) => void,
): Answer<Result> {
  let result: Result;
  try {
    result = execute();
  } catch (error) {
    return (_, reject) => reject(error);
  }
  committed(result);
  return (resolve) => resolve(result);
}
