import {
  PUSH_CROWDED_PAUSE_MS,
  PUSH_JOBS_MAX,
  PUSH_NEWS_MS_MAX,
  PUSH_RETRY_AFTER_MS_MAX,
  PUSH_RETRY_PAUSES_MS,
  PUSH_WARN_EVERY_MS,
} from "../../engine/push-limits.ts";
import type { Clock } from "../../workers/clock.ts";
import type { Log } from "../log.ts";
import { DONE, type Job, type JobEnd, type Lane } from "../notifier/job.ts";
import type { Posted } from "../webhooks/guarded-post.ts";
import { parseRetryAfter } from "../webhooks/retry-schedule.ts";
import { Turnstile } from "../webhooks/turnstile.ts";
import type { PushJob } from "./push-job.ts";
import type { OpenPush, PushLedger } from "./push-ledger.ts";
import type { PushNotice } from "./push-notice.ts";
import type { PushSender } from "./push-sender.ts";

export interface TellerPorts {
  readonly ledger: Omit<PushLedger, "ownersOf">;
  readonly sender: Pick<PushSender, "send">;
  readonly notice: (job: PushJob, nowMs: number) => Promise<PushNotice | null>;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
}

/** Of one browser: it is done; it is to be tried again; the node stops. */
type Outcome =
  | { readonly kind: "ended" }
  | { readonly kind: "again"; readonly afterMs: number; readonly reason: string }
  | { readonly kind: "stopped" };
const ENDED: Outcome = { kind: "ended" };

/**
 * Tells one person one thing in all of their browsers.
 *
 * Invariants:
 * - A browser whose push service has taken a message, and of which that was written down, is not
 *   sent it again. Between the two a process may die: the second message has the topic and the tag
 *   of the first, and takes its place.
 * - It ends: a browser is tried so often, old news is none. There are no dead letters: who
 *   could be told later has read the mail by then, and anybody may name a push service that fails.
 */
export class PushTeller {
  readonly #ports: TellerPorts;
  readonly #turnstile = new Turnstile();
  #warnedMs = Number.NEGATIVE_INFINITY;
  /** Since it began: messages, those that did not arrive, and subscriptions. */
  readonly counts = { push_sent: 0, push_failed: 0, push_removed: 0 };

  constructor(ports: TellerPorts) {
    this.#ports = ports;
  }

  async tell(lane: Lane, { data }: Job<PushJob>, stopping: AbortSignal): Promise<JobEnd> {
    if (this.#ports.clock.wallMs() - data.atMs > PUSH_NEWS_MS_MAX) return DONE;
    // Of one person one at a time: nobody's slow push services have all the room.
    const room = { [lane]: PUSH_JOBS_MAX, [`${lane} ${data.userId}`]: 1 };
    if (!this.#turnstile.enter(room)) return { end: "later", afterMs: PUSH_CROWDED_PAUSE_MS };
    try {
      return await this.#tellAll(data, stopping);
    } finally {
      this.#turnstile.leave(room);
    }
  }

  async #tellAll(job: PushJob, stopping: AbortSignal): Promise<JobEnd> {
    const { ledger, notice: compose, clock } = this.#ports;
    const nowMs = clock.wallMs();
    const browsers = await ledger.open(job.userId, job.cause);
    if (browsers.length === 0) return DONE;
    const notice = await compose(job, nowMs);
    if (notice === null) return DONE;
    const outcomes = await Promise.all(
      browsers.map((browser) => this.#tellOne(job, browser, { notice, stopping })),
    );
    if (outcomes.some(({ kind }) => kind === "stopped")) return { end: "later", afterMs: 0 };
    const failed = outcomes.flatMap((one) => (one.kind === "again" ? [one] : []));
    const [first] = failed;
    if (first === undefined) return DONE;
    const afterMs = Math.max(...failed.map((one) => one.afterMs));
    return { end: "again", reason: first.reason, afterMs };
  }

  async #tellOne(
    { cause }: PushJob,
    browser: OpenPush,
    { notice, stopping }: { readonly notice: PushNotice; readonly stopping: AbortSignal },
  ): Promise<Outcome> {
    const { ledger, sender, clock } = this.#ports;
    const { id: subscriptionId, expiresMs, tries } = browser;
    const nowMs = clock.wallMs();
    if (expiresMs !== null && expiresMs <= nowMs) return this.#remove(subscriptionId);
    const posted = await sender.send(browser, notice, { nowMs, stopping });
    const note = { subscriptionId, cause, nowMs };
    switch (verdictOf(posted)) {
      case "taken":
        await ledger.took(note);
        this.counts.push_sent += 1;
        return ENDED;
      case "gone":
        return this.#remove(subscriptionId);
      case "stopped":
        return { kind: "stopped" };
      case "refused":
        break;
      case "passing": {
        const pauseMs = PUSH_RETRY_PAUSES_MS[tries];
        // It has failed for as long as it is worth while.
        if (pauseMs === undefined) break;
        await ledger.failed(note);
        const askedMs = parseRetryAfter(posted.retryAfter, nowMs) ?? 0;
        const afterMs = Math.max(pauseMs, Math.min(askedMs, PUSH_RETRY_AFTER_MS_MAX));
        return { kind: "again", afterMs, reason: `a push service: ${wordFor(posted)}` };
      }
    }
    this.counts.push_failed += 1;
    this.#warn(posted);
    if (await ledger.refused(note)) this.counts.push_removed += 1;
    return ENDED;
  }

  async #remove(subscriptionId: string): Promise<Outcome> {
    if (await this.#ports.ledger.remove(subscriptionId)) this.counts.push_removed += 1;
    return ENDED;
  }

  #warn(posted: Posted): void {
    const { clock, log } = this.#ports;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#warnedMs < PUSH_WARN_EVERY_MS) return;
    this.#warnedMs = nowMs;
    log.warn({ outcome: wordFor(posted) }, "a push service does not take a message");
  }
}

const wordFor = ({ status, error }: Posted): string => error ?? `it answered ${status}`;

function verdictOf({ status, error }: Posted) {
  if (error === "stopped") return "stopped";
  // The name of a push service leads into our own network.
  if (error === "address_refused") return "refused";
  if (status === null || status === 429 || status >= 500) return "passing";
  if (status === 404 || status === 410) return "gone";
  return status >= 200 && status < 300 ? "taken" : "refused";
}
