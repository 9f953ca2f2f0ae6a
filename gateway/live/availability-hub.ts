import type { EventId } from "../../engine/ids.ts";
import {
  DELTA_CONFLATION_MS,
  WATCH_IDLE_MS,
  WATCH_WAITERS_MAX,
  WATCHED_EVENTS_MAX,
} from "../../engine/limits.ts";
import { systemClock } from "../../workers/clock.ts";
import type { InventoryChange, InventoryReset } from "../../workers/shard-messages.ts";
import type { Answered, ShardRouter } from "../shard-router.ts";
import { Audience, FanOut, type SubscriberGroup } from "./fan-out.ts";
import { LiveView } from "./live-view.ts";

const RETRY_MS = 1_000;

/** The view, or the answer that says why there is none. */
export type ViewResult = LiveView | Exclude<Answered, { kind: "view" }>;
type Waiter = (result: ViewResult) => void;

interface Watch {
  view: LiveView | null;
  /** Readers who wait for the view. */
  waiters: Waiter[];
  /** Changes that came before the view did. */
  early: InventoryChange[];
  /** The rules changed while the view was on its way: ask again. */
  stale: boolean;
  /** The actor may believe itself watched, and has to be told when it no longer is. */
  mayBeKept: boolean;
  readonly audience: Audience;
  lastUsedMs: number;
}

export interface AvailabilityHubPorts {
  readonly router: Pick<ShardRouter, "execute">;
  /**
   * Whether there is such a published event: guessed ids must not start actors. A no is never at
   * hand, so that whoever asks is in line for it before it comes.
   */
  readonly exists: (eventId: EventId) => true | Promise<boolean>;
  /** Sends a text to all subscribers of a topic. */
  readonly publish: (topic: string, text: string) => void;
  /** Runs in a later turn of the event loop. Default: setImmediate. */
  readonly soon?: (run: () => void) => void;
  /** Ms since any moment, which never run backwards. Default: the machine's. */
  readonly now?: () => number;
}

/**
 * Live copies of the availability of every event that somebody looks at.
 *
 * Invariants:
 * - A watch without a view has asked its actor for one. Changes that arrive before the view are
 *   kept and applied on top of it, except those that it contains already.
 * - Subscribers of an event get every delta in order; a newcomer's snapshot is taken right after a
 *   delta that its group has got, so the next delta's `from` is the snapshot's `seq`.
 * - Deltas are cut DELTA_CONFLATION_MS apart: a change after a quiet while at once, those that come
 *   soon after it together. Groups of subscribers get them in turns (fan-out.ts).
 */
export class AvailabilityHub {
  readonly #ports: AvailabilityHubPorts;
  readonly #watches = new Map<EventId, Watch>();
  /** With changes that are in no delta yet. */
  readonly #unsent = new Set<Watch>();
  readonly #fanOut: FanOut;
  readonly #now: () => number;
  readonly #idleTimer: NodeJS.Timeout;
  #flushTimer: NodeJS.Timeout | null = null;
  #flushedMs = Number.NEGATIVE_INFINITY;

  constructor(ports: AvailabilityHubPorts) {
    this.#ports = ports;
    const { publish, soon = setImmediate, now = systemClock.monotonicMs } = ports;
    this.#now = now;
    this.#fanOut = new FanOut({ publish, soon });
    this.#idleTimer = setInterval(() => this.#letIdleGo(this.#now()), WATCH_IDLE_MS / 4);
  }

  subscribersOf(eventId: EventId): number {
    return this.#watches.get(eventId)?.audience.size ?? 0;
  }

  /** Subscriptions to all events. */
  get subscriptionCount(): number {
    let count = 0;
    for (const { audience } of this.#watches.values()) count += audience.size;
    return count;
  }

  /** Events of which there is a live copy, or will be. */
  get watchedCount(): number {
    return this.#watches.size;
  }

  /** Subscriptions to the events for which that holds. */
  subscribersWhere(holds: (eventId: EventId) => boolean): number {
    let count = 0;
    for (const [eventId, { audience }] of this.#watches) {
      if (audience.size > 0 && holds(eventId)) count += audience.size;
    }
    return count;
  }

  /** The event's view; null: it is not at hand. */
  peek(eventId: EventId): LiveView | null {
    const watch = this.#watches.get(eventId);
    if (watch === undefined || watch.view === null) return null;
    watch.lastUsedMs = this.#now();
    return watch.view;
  }

  /** Calls back with the event's view: at once when it is there. */
  read(eventId: EventId, callback: Waiter): void {
    const watch = this.#watchOf(eventId);
    if (watch === null) return callback({ kind: "refused", refusal: { code: "busy" } });
    watch.lastUsedMs = this.#now();
    if (watch.view !== null) return callback(watch.view);
    if (watch.waiters.length >= WATCH_WAITERS_MAX) {
      return callback({ kind: "refused", refusal: { code: "busy" } });
    }
    watch.waiters.push(callback);
  }

  /** What is for sale, as the contract shows it; null: it can't be told now. */
  availabilityOf(eventId: EventId): Promise<object | null> {
    return new Promise((resolve) => {
      this.read(eventId, (result) => {
        resolve(result instanceof LiveView ? result.availability() : null);
      });
    });
  }

  /**
   * A subscriber of the view's event: a new one, or again one of `known`. The group that is joined
   * has everything when this returns, so what the view says now is followed by the group's next
   * delta.
   */
  welcome({ eventId }: LiveView, known: SubscriberGroup | null): SubscriberGroup {
    const watch = this.#watches.get(eventId);
    if (watch === undefined) throw new Error(`event ${eventId} is not watched`);
    this.#cut(watch);
    const group = known ?? watch.audience.join();
    this.#fanOut.tellNow(group);
    return group;
  }

  unsubscribed(eventId: EventId, group: SubscriberGroup): void {
    group.audience.leave(group);
    const watch = this.#watches.get(eventId);
    if (watch !== undefined) watch.lastUsedMs = this.#now();
  }

  /** Takes one durable change from a worker. */
  changed(change: InventoryChange | InventoryReset): void {
    const watch = this.#watches.get(change.eventId);
    if (watch === undefined) return;
    if ("reset" in change) return this.#reset(change.eventId, watch);
    if (watch.view === null) {
      watch.early.push(change);
      return;
    }
    watch.view.apply(change);
    this.#unsent.add(watch);
    this.#flushTimer ??= setTimeout(() => this.#flush(), this.#pauseMs());
  }

  stop(): void {
    clearInterval(this.#idleTimer);
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
  }

  #watchOf(eventId: EventId): Watch | null {
    const known = this.#watches.get(eventId);
    if (known !== undefined) return known;
    if (this.#watches.size >= WATCHED_EVENTS_MAX) this.#letIdleGo(Number.POSITIVE_INFINITY);
    if (this.#watches.size >= WATCHED_EVENTS_MAX) return null;
    const watch: Watch = {
      view: null,
      waiters: [],
      early: [],
      stale: false,
      mayBeKept: false,
      audience: new Audience(eventId, () => watch.view),
      lastUsedMs: this.#now(),
    };
    this.#watches.set(eventId, watch);
    this.#begin(eventId, watch);
    return watch;
  }

  #begin(eventId: EventId, watch: Watch): void {
    const go = (exists: boolean): void => {
      if (exists) this.#ask(eventId, watch);
      else this.#fail(eventId, watch, { kind: "refused", refusal: { code: "event_not_found" } });
    };
    const exists = this.#ports.exists(eventId);
    if (exists === true) return go(true);
    exists.then(go, () => {
      this.#fail(eventId, watch, { kind: "refused", refusal: { code: "busy" } });
    });
  }

  #ask(eventId: EventId, watch: Watch): void {
    // What came before the question is in its answer.
    watch.early = [];
    this.#ports.router.execute(eventId, { kind: "watch" }, (answer) => {
      // What timed out may yet be carried out.
      if (answer.kind === "view" || answer.kind === "timeout") watch.mayBeKept = true;
      if (watch.stale) {
        watch.stale = false;
        this.#ask(eventId, watch);
      } else if (answer.kind === "view") {
        this.#install(watch, new LiveView(eventId, answer.view));
      } else {
        this.#fail(eventId, watch, answer);
      }
    });
  }

  #install(watch: Watch, view: LiveView): void {
    for (const change of watch.early) view.apply(change);
    watch.early = [];
    watch.view = view;
    view.takeDelta();
    watch.audience.beginAnew();
    this.#fanOut.tell(watch.audience);
    const { waiters } = watch;
    watch.waiters = [];
    for (const waiter of waiters) waiter(view);
  }

  /** Readers hear why; subscribers that wait for a refresh are served by another try. */
  #fail(eventId: EventId, watch: Watch, answer: Exclude<Answered, { kind: "view" }>): void {
    const { waiters } = watch;
    watch.waiters = [];
    if (watch.audience.size > 0) {
      setTimeout(() => this.#ask(eventId, watch), RETRY_MS).unref();
    } else {
      this.#watches.delete(eventId);
      if (watch.mayBeKept) this.#unwatch(eventId);
    }
    for (const waiter of waiters) waiter(answer);
  }

  #reset(eventId: EventId, watch: Watch): void {
    if (watch.view === null) {
      watch.stale = true;
      return;
    }
    // The new view's snapshot has what happened before, too.
    this.#unsent.delete(watch);
    watch.view = null;
    this.#ask(eventId, watch);
  }

  /** Until deltas may leave again. */
  #pauseMs(): number {
    const pauseMs = this.#flushedMs + DELTA_CONFLATION_MS - this.#now();
    return Math.max(pauseMs, 0);
  }

  #flush(): void {
    this.#flushTimer = null;
    this.#flushedMs = this.#now();
    for (const watch of this.#unsent) this.#cut(watch);
  }

  /** What happened since the last delta is the next one, and everybody is to hear it. */
  #cut(watch: Watch): void {
    this.#unsent.delete(watch);
    watch.view?.takeDelta();
    this.#fanOut.tell(watch.audience);
  }

  #letIdleGo(nowMs: number): void {
    for (const [eventId, watch] of this.#watches) {
      if (watch.view === null || watch.audience.size > 0) continue;
      if (nowMs - watch.lastUsedMs < WATCH_IDLE_MS) continue;
      this.#unsent.delete(watch);
      this.#watches.delete(eventId);
      this.#unwatch(eventId);
    }
  }

  /** Tries until the actor knows: one that believes itself watched is never let go. */
  #unwatch(eventId: EventId): void {
    this.#ports.router.execute(eventId, { kind: "unwatch" }, (answer) => {
      if (answer.kind === "unchanged") return;
      setTimeout(() => {
        if (!this.#watches.has(eventId)) this.#unwatch(eventId);
      }, RETRY_MS).unref();
    });
  }
}
