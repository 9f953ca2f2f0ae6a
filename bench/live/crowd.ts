/** Subscribers of one event, many in each of a few threads. */
import type { Worker } from "node:worker_threads";
import { spawnThread } from "../../workers/spawn-thread.ts";
import type { WatchFindings } from "./delta-watch.ts";
import type { FoldedState } from "./state-fold.ts";

/** Subscribers of whom the content is looked at, too; of a smaller crowd all. */
const SAMPLE_MAX = 16;

export interface CrowdThreadOptions {
  readonly url: string;
  readonly eventId: string;
  readonly subscribers: number;
  /** So many of them apply what they hear: the others only look at its sequence numbers. */
  readonly sampled: number;
  /** Addresses to come from, in turn; empty: the system's choice. */
  readonly localAddresses: readonly string[];
}

export interface CrowdFindings extends WatchFindings {
  readonly subscribers: number;
  /** Subscribers that never heard of the last change. */
  readonly behind: number;
  /** Connections that ended meanwhile, with the reason of the first. */
  readonly lost: number;
  readonly lostBecause: string;
  /** Share of its time, 0 to 1, that the thread was busy while changes were made. */
  readonly utilisation: number;
  /** How late the thread's timers were, p99, ms: so late may it have looked at what had arrived. */
  readonly loopLagMsP99: number;
  /** Of those that were sampled, at the end. */
  readonly sample: readonly FoldedState[];
}

export type ToCrowdThread =
  | { readonly kind: "begin" }
  /** Nothing more is changed; `seq`: of the last change. */
  | { readonly kind: "end"; readonly seq: number };

export type FromCrowdThread =
  | { readonly kind: "welcomed"; readonly count: number }
  | { readonly kind: "ready" }
  | { readonly kind: "findings"; readonly findings: CrowdFindings }
  | { readonly kind: "failed"; readonly message: string };

export class CrowdFailed extends Error {
  readonly code = "crowd_failed";
}

export interface CrowdOptions extends Omit<CrowdThreadOptions, "sampled"> {
  readonly threads: number;
  /** Told how many are there while they come in. */
  readonly welcomed: (count: number) => void;
}

/** How many of so many subscribers are sampled. */
export const sampledOf = (subscribers: number): number => Math.min(SAMPLE_MAX, subscribers);

const ENDED = "a thread of subscribers has ended";

interface Member {
  readonly thread: Worker;
  readonly ready: Promise<void>;
  readonly findings: Promise<CrowdFindings>;
  welcomed: number;
}

export class Crowd {
  readonly #members: readonly Member[];

  /** Rejects with CrowdFailed when they can't all come in. */
  static async gather(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options);
    try {
      await Promise.all(crowd.#members.map(({ ready }) => ready));
    } catch (error) {
      await crowd.leave();
      throw error;
    }
    return crowd;
  }

  private constructor({ threads, welcomed, subscribers, ...rest }: CrowdOptions) {
    const members: Member[] = Array.from({ length: threads }, (_, n) => {
      const share = (all: number): number =>
        Math.floor(all / threads) + (n < all % threads ? 1 : 0);
      const shares = { subscribers: share(subscribers), sampled: share(sampledOf(subscribers)) };
      return memberOf({ ...rest, ...shares }, (member, count) => {
        member.welcomed = count;
        welcomed(members.reduce((sum, each) => sum + each.welcomed, 0));
      });
    });
    this.#members = members;
  }

  begin(): void {
    for (const { thread } of this.#members) thread.postMessage({ kind: "begin" });
  }

  /** Resolves once everybody has heard of the change with this seq, or won't any more. */
  end(seq: number): Promise<CrowdFindings[]> {
    for (const { thread } of this.#members) thread.postMessage({ kind: "end", seq });
    return Promise.all(this.#members.map(({ findings }) => findings));
  }

  async leave(): Promise<void> {
    await Promise.all(this.#members.map(({ thread }) => thread.terminate()));
  }
}

function memberOf(
  options: CrowdThreadOptions,
  welcomed: (member: Member, count: number) => void,
): Member {
  const thread = spawnThread(new URL("./crowd-thread.ts", import.meta.url), options);
  let settle: (message: FromCrowdThread) => void = () => undefined;
  const ready = new Promise<void>((resolve, reject) => {
    thread.on("message", (message: FromCrowdThread) => {
      if (message.kind === "welcomed") welcomed(member, message.count);
      else if (message.kind === "ready") resolve();
      else settle(message);
      if (message.kind === "failed") reject(new CrowdFailed(message.message));
    });
    thread.on("error", reject);
    thread.on("exit", () => reject(new CrowdFailed(ENDED)));
  });
  const findings = new Promise<CrowdFindings>((resolve, reject) => {
    settle = (message) => {
      if (message.kind === "findings") resolve(message.findings);
      else if (message.kind === "failed") reject(new CrowdFailed(message.message));
    };
    thread.on("error", reject);
    thread.on("exit", () => reject(new CrowdFailed(ENDED)));
  });
  // Whoever waits for the one hears of it; nobody need wait for the other.
  findings.catch(() => undefined);
  const member: Member = { thread, ready, findings, welcomed: 0 };
  return member;
}
