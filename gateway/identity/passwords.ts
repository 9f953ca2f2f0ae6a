import { randomBytes } from "node:crypto";
import { Piscina } from "piscina";
import {
  PASSWORD_HASHES_IN_FLIGHT_MAX,
  PASSWORD_HASHES_WAITING_MAX,
  PASSWORD_THREAD_IDLE_MS,
} from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";

const TASK = new URL("./password-task.mjs", import.meta.url);

/**
 * argon2id on threads of its own: neither a serving thread nor libuv's pool waits for a hash.
 *
 * Invariant: at most PASSWORD_HASHES_IN_FLIGHT_MAX hashes are computed, and at most
 * PASSWORD_HASHES_WAITING_MAX callers wait, in order; the next one is told `busy` at once.
 */
export class Passwords {
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];
  #decoy: Promise<string> | null = null;
  /** Threads start with the first hash, and end when there was none for a while. */
  readonly #pool = new Piscina({
    filename: TASK.href,
    minThreads: 0,
    maxThreads: PASSWORD_HASHES_IN_FLIGHT_MAX,
    idleTimeout: PASSWORD_THREAD_IDLE_MS,
    // Inherited, the main thread's `--import tsx` would load a compiler that nobody needs there.
    execArgv: [],
    recordTiming: false,
  });

  get waitingCount(): number {
    return this.#waiting.length;
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => this.#pool.run({ kind: "hash", password }));
  }

  /** With no hash (there is no such account) it takes as long, and is false. */
  async isRight(password: string, passwordHash: string | null): Promise<boolean> {
    const hash = passwordHash ?? (await this.#decoyHash());
    const isRight = await this.#inTurn<boolean>(() =>
      this.#pool.run({ kind: "verify", password, hash }),
    );
    return isRight && passwordHash !== null;
  }

  /** Makes what `isRight` needs where there is no account: the first to ask waits no longer. */
  async prepare(): Promise<void> {
    await this.#decoyHash();
  }

  /** Takes no more hashes; those in the pool are given up. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }

  /** The hash of nobody's password; a failure is not remembered. */
  #decoyHash(): Promise<string> {
    const known = this.#decoy;
    if (known !== null) return known;
    const made = this.hash(randomBytes(16).toString("hex"));
    this.#decoy = made;
    made.catch(() => {
      this.#decoy = null;
    });
    return made;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inFlight >= PASSWORD_HASHES_IN_FLIGHT_MAX) await this.#turn();
    else this.#inFlight += 1;
    try {
      return await work();
    } finally {
      // A waiting caller inherits this place; without one it is given up.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inFlight -= 1;
      else next();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= PASSWORD_HASHES_WAITING_MAX) throw new ProblemError("busy");
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
