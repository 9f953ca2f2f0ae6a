/**
 * Asks the server and counts what it says.
 *
 * Invariants:
 * - Every question is answered, within ANSWER_MS_MAX and as documented; anything else is a fault.
 * - A fault is noted, not thrown: the load goes on, and the run fails in the end.
 */
import { performance } from "node:perf_hooks";
import { Latencies } from "../../bench/latencies.ts";
import { type ApiClient, LiveClient, type LiveMessage } from "../support/client.ts";
import { documentedAnswers } from "./documented-answers.ts";
import type { Question } from "./questions.ts";

const ANSWER_MS_MAX = 30_000;
const FAULTS_SHOWN_MAX = 60;
/** Faults whose text begins with the same words, numbers aside. */
const FAULTS_OF_A_SORT_MAX = 4;
const SORT_WORDS = 4;

export interface Answer {
  readonly status: number;
  /** "" unless the answer is a problem. */
  readonly code: string;
  readonly replayed: boolean;
  readonly body: unknown;
}

/** Someone who asks. `token` "": nobody in particular. */
export interface Caller {
  readonly name: string;
  readonly token: string;
  /** Whether what has an op goes over a WebSocket. */
  readonly prefersLive: boolean;
  live: LiveClient | null;
}

export class Tally {
  readonly latencies = new Latencies();
  readonly answers = new Map<string, number>();
  overLive = 0;
}

/** Counts, and lists the first of each sort of fault. */
export class Faults {
  readonly shown: string[] = [];
  count = 0;
  readonly #sorts = new Map<string, number>();

  add(text: string): void {
    this.count += 1;
    const sort = text
      .replace(/[\w-]*\d[\w-]*/g, "")
      .split(/\s+/)
      .slice(0, SORT_WORDS)
      .join(" ");
    const ofSort = (this.#sorts.get(sort) ?? 0) + 1;
    this.#sorts.set(sort, ofSort);
    if (ofSort > FAULTS_OF_A_SORT_MAX || this.shown.length >= FAULTS_SHOWN_MAX) return;
    this.shown.push(text.slice(0, 900));
  }

  check(isRight: boolean, text: () => string): void {
    if (!isRight) this.add(text());
  }
}

export class Teller {
  readonly tallies = new Map<string, Tally>();
  readonly faults: Faults;
  readonly #api: ApiClient;
  readonly #url: string;

  constructor(api: ApiClient, url: string, faults: Faults) {
    this.#api = api;
    this.#url = url;
    this.faults = faults;
  }

  /** `expected`: what may be answered; by default what is documented. null: no answer at all. */
  async ask(
    caller: Caller,
    question: Question,
    expected: readonly string[] = documentedAnswers(question.kind),
  ): Promise<Answer | null> {
    const startedMs = performance.now();
    const isLive = caller.prefersLive && question.op !== undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`no answer in ${ANSWER_MS_MAX} ms`);
      timer = setTimeout(() => reject(error), ANSWER_MS_MAX);
    });
    try {
      const asked = isLive ? this.#askLive(caller, question) : this.#askHttp(caller, question);
      const answer = await Promise.race([asked, late]);
      this.#count(question, answer, { isLive, ms: performance.now() - startedMs });
      this.#judge(caller, question, answer, expected);
      return answer;
    } catch (error) {
      this.faults.add(`${said(caller, question)} was not answered: ${error}`);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A socket for who has none, authenticated. */
  async liveOf(caller: Caller): Promise<LiveClient> {
    const live = caller.live ?? (await LiveClient.open(this.#url, caller.token));
    caller.live ??= live;
    return caller.live;
  }

  async #askHttp({ token }: Caller, question: Question): Promise<Answer> {
    const { method, path, key, body, headers: given } = question;
    const { status, headers, ...reply } = await this.#api.request<unknown>(method, path, {
      ...(token === "" ? {} : { token }),
      ...(key === undefined ? {} : { key }),
      ...(body === undefined ? {} : { body }),
      ...(given === undefined ? {} : { headers: given }),
    });
    const isProblem = headers["content-type"]?.startsWith("application/problem+json") ?? false;
    this.faults.check(
      isProblem === status >= 400,
      () => `${method} ${path}: ${status} with ${headers["content-type"]}`,
    );
    const replayed = headers["idempotent-replayed"] === "true";
    return answerOf({ status, replayed, body: reply.body ?? null });
  }

  async #askLive(caller: Caller, { op, body, key }: Question): Promise<Answer> {
    const live = await this.liveOf(caller);
    const keyed = key === undefined ? {} : { idempotencyKey: key };
    const message: LiveMessage = await live.ask({ ...body, ...op, ...keyed });
    if (message.op === "error") this.faults.add(`${op?.op}: ${JSON.stringify(message)}`);
    const { status = 0, replayed = false, body: told = null } = message;
    return answerOf({ status, replayed, body: told });
  }

  #count(
    { kind }: Question,
    { status, code }: Answer,
    { isLive, ms }: { readonly isLive: boolean; readonly ms: number },
  ): void {
    const tally = this.tallies.get(kind) ?? new Tally();
    this.tallies.set(kind, tally);
    tally.latencies.add(ms);
    if (isLive) tally.overLive += 1;
    const answer = nameOf(status, code);
    tally.answers.set(answer, (tally.answers.get(answer) ?? 0) + 1);
  }

  #judge(caller: Caller, question: Question, answer: Answer, expected: readonly string[]): void {
    const { status, code, body } = answer;
    const named = nameOf(status, code);
    // Made, and what it led to could not be told: who repeats it under its key hears that.
    const isUntold = named === "504 timeout" && MAY_BE_UNTOLD.test(question.kind);
    if (named === "503 busy" || isUntold || expected.includes(named)) return;
    const told = JSON.stringify(body)?.slice(0, 500);
    this.faults.add(
      `${said(caller, question)} heard ${named}, not ${expected.join(", ")}: ${told}`,
    );
  }
}

const MAY_BE_UNTOLD = /^(waitlist|inventory)\./;

const nameOf = (status: number, code: string): string =>
  code === "" ? String(status) : `${status} ${code}`;

function answerOf({ status, replayed, body }: Omit<Answer, "code">): Answer {
  const isProblem = status >= 400 && typeof body === "object" && body !== null;
  const code = isProblem && "code" in body ? String(body.code) : "";
  return { status, code, replayed, body };
}

export function said({ name }: Pick<Caller, "name">, question: Question): string {
  const { kind, method, path, key = "", body = {} } = question;
  return `${name}: ${kind} (${method} ${path} ${key} ${JSON.stringify(body)})`;
}
