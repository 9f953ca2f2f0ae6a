import { randomBytes } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import { PASSWORD_HASHES_IN_FLIGHT_MAX, PASSWORD_HASHES_WAITING_MAX } from "../../engine/limits.ts";
import { ProblemError } from "../http/problem.ts";

/**
 * argon2id with OWASP's parameters (19 MiB, 2 passes), the library's defaults, off this thread.
 *
 * Invariant: at most PASSWORD_HASHES_IN_FLIGHT_MAX hashes are computed, and at most
 * PASSWORD_HASHES_WAITING_MAX callers wait, in order; the next one is told `busy` at once.
 */
export class Passwords {
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];
  #decoy: Promise<string> | null = null;

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password));
  }

  /** With no hash (there is no such account) it takes as long, and is false. */
  async isRight(password: string, passwordHash: string | null): Promise<boolean> {
    if (passwordHash !== null) return this.#inTurn(() => verify(passwordHash, password));
    this.#decoy ??= hash(randomBytes(16));
    const decoy = await this.#decoy;
    await this.#inTurn(() => verify(decoy, password));
    return false;
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
