/** Which statements the gateway has sent, from which lines of its source. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { sourceOf } from "../../bench/root.ts";
import type { StatementNotice } from "../../gateway/tenancy/database.ts";
import { filesEndingIn, linesMatching, readSource } from "../support/source-scan.ts";

export interface Statement extends StatementNotice {
  /** Path and line of the call. */
  readonly site: string;
}

const CHANNEL = "evently.statement";
/** The gateway's way to PostgreSQL, who looks after one, and what an operator runs. */
const NOT_A_SERVICE = new RegExp(
  "^gateway/(?:tenancy/|backup/|embedded-post|database-(?:pool|heart))" +
    "|\\.test\\.ts$|/testing/",
);
/** What the notifier does, as the owner of the tables. */
const AS_OWNER = new RegExp(
  "^gateway/(?:notifier/(?!mail-requests)|campaigns/sending/|mail/mail-ledger" +
    "|push/push-ledger|webhooks/(?:feed|disabled)-)",
);
const VALUE_SETS_MAX = 3;

const isService = (path: string): boolean =>
  path.startsWith("gateway/") && !NOT_A_SERVICE.test(path) && !AS_OWNER.test(path);

/** Path and line of every call of the gateway that sends a statement. */
export function callSites(): string[] {
  return filesEndingIn(".ts")
    .filter((path) => isService(path))
    .flatMap((path) => linesMatching(readSource(path), /\.query(?:<.*)?\(/))
    .map((line) => line.split(": ")[0] ?? "");
}

/**
 * Notes every statement from its making to `close`.
 *
 * Invariant: of one text, at most VALUE_SETS_MAX sets of values are kept, the first ones.
 */
export class StatementLog {
  readonly #statements = new Map<string, Statement[]>();
  readonly #sites = new Set<string>();
  readonly #stackTraceLimit = Error.stackTraceLimit;
  readonly #note = (message: unknown): void => this.#take(message as StatementNotice);

  constructor() {
    Error.stackTraceLimit = 30;
    subscribe(CHANNEL, this.#note);
  }

  close(): void {
    unsubscribe(CHANNEL, this.#note);
    Error.stackTraceLimit = this.#stackTraceLimit;
  }

  get statements(): Statement[] {
    return [...this.#statements.values()].flat();
  }

  get sites(): ReadonlySet<string> {
    return this.#sites;
  }

  #take(notice: StatementNotice): void {
    const site = siteOf(new Error("who asks").stack ?? "");
    this.#sites.add(site);
    const known = this.#statements.get(notice.text) ?? [];
    this.#statements.set(notice.text, known);
    const values = JSON.stringify(notice.values);
    const isNew = known.every((one) => JSON.stringify(one.values) !== values);
    if (isNew && known.length < VALUE_SETS_MAX) known.push({ ...notice, site });
  }
}

function siteOf(stack: string): string {
  for (const [, path = "", line = ""] of stack.matchAll(
    /\(?(?:file:\/\/)?(\/[^():]+):(\d+):\d+\)?$/gm,
  )) {
    const own = sourceOf(path);
    if (isService(own)) return `${own}:${line}`;
  }
  return `unknown: ${stack}`;
}
