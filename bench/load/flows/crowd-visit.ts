import type { HttpAnswer } from "../autocannon-connection.ts";
import type { Step, Visitor } from "../flow.ts";

export interface Thinker extends Visitor {
  /** So many ms it wants to pause before it goes on, and is not told again; 0: none. */
  takePause(): number;
}

interface Member {
  readonly visitor: Thinker;
  /** When it wants to go on. */
  readyMs: number;
}

/**
 * Many visitors over one connection: while one of them pauses, another one sends; while all of them
 * do, one more comes. So a request that is due is sent, whoever is thinking: a timetable never
 * waits for people, and what waits for the server is late.
 *
 * Invariant: the answer to a request goes to whom it is for, who is asked for nothing meanwhile.
 */
export class CrowdVisit implements Visitor {
  readonly #newcomer: () => Thinker;
  readonly #members: Member[] = [];
  #asking: Member | null = null;

  constructor(newcomer: () => Thinker) {
    this.#newcomer = newcomer;
  }

  next(): Step {
    const nowMs = performance.now();
    for (let member = this.#longestReady(nowMs); member !== null; ) {
      const step = member.visitor.next();
      if (step.kind === "send") return this.#send(member, step);
      if (step.kind === "end") this.#members.splice(this.#members.indexOf(member), 1);
      else member.readyMs = nowMs + step.ms;
      member = this.#longestReady(nowMs);
    }
    return this.#comeIn(nowMs);
  }

  answered(answer: HttpAnswer): void {
    const member = this.#asking;
    this.#asking = null;
    if (member === null) return;
    member.visitor.answered(answer);
    // Its time runs from here, whenever the next request is due.
    member.readyMs = performance.now() + member.visitor.takePause();
  }

  left(): void {
    for (const { visitor } of this.#members) visitor.left();
  }

  /** Who has nothing to ask for at the door does not come in, and nobody does for a while. */
  #comeIn(nowMs: number): Step {
    const member = { visitor: this.#newcomer(), readyMs: 0 };
    const step = member.visitor.next();
    if (step.kind === "send") {
      this.#members.push(member);
      return this.#send(member, step);
    }
    if (this.#members.length === 0) return step;
    const firstMs = Math.min(...this.#members.map(({ readyMs }) => readyMs)) - nowMs;
    return { kind: "pause", ms: step.kind === "pause" ? Math.min(step.ms, firstMs) : firstMs };
  }

  #send(member: Member, step: Step): Step {
    this.#asking = member;
    return step;
  }

  #longestReady(nowMs: number): Member | null {
    let found: Member | null = null;
    for (const member of this.#members) {
      if (member.readyMs <= nowMs && member.readyMs < (found?.readyMs ?? Infinity)) found = member;
    }
    return found;
  }
}
