import type { EventId } from "../../engine/ids.ts";
import {
  DELTA_CONFLATION_MS,
  WATCH_IDLE_MS,
  WATCH_WAITERS_MAX,
  WATCHED_EVENTS_MAX,
} from "../../engine/limits.ts";
import type { InventoryChange, InventoryReset } from "../../workers/shard-messages.ts";
import type { Answered, ShardRouter } from "../shard-router.ts";
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
  subscribers: number;
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
}

/**
 * Live copies of the availability of every event that somebody looks at.
 *
 * Invariants:
 * - A watch without a view has asked its actor for one. Changes that arrive before the view are
 *   kept and applied on top of it, except those that it contains already.
 * - Subscribers of an event get every delta in order; a newcomer's snapshot is taken right after a
 *   delta, so the next delta's `from` is the snapshot's `seq`.
 * - Deltas leave DELTA_CONFLATION_MS apart: a change after a quiet while at once, those that come
 *   soon after it together.
 */
export class AvailabilityHub {
  readonly #ports: AvailabilityHubPorts;
  readonly #watches = new Map<EventId, Watch>();
  readonly #unsent = new Set<LiveView>();
  readonly #idleTimer: NodeJS.Timeout;
  #flushTimer: NodeJS.Timeout | null = null;
  /** Unix ms. */
  #flushedMs = 0;

  constructor(ports: AvailabilityHubPorts) {
    this.#ports = ports;
    this.#idleTimer = setInterval(() => this.#letIdleGo(Date.now()), WATCH_IDLE_MS / 4);
  }

  static topicOf(eventId: EventId): string {
    return `event:${eventId}`;
  }

  subscribersOf(eventId: EventId): number {
    return this.#watches.get(eventId)?.subscribers ?? 0;
  }

  /** Subscriptions to all events. */
  get subscriptionCount(): number {
    let count = 0;
    for (const { subscribers } of this.#watches.values()) count += subscribers;
    return count;
  }

  /** Events of which there is a live copy, or will be. */
  get watchedCount(): number {
    return this.#watches.size;
  }

  /** Subscriptions to the events for which that holds. */
  subscribersWhere(holds: (eventId: EventId) => boolean): number {
    let count = 0;
    for (const [eventId, { subscribers }] of this.#watches) {
      if (subscribers > 0 && holds(eventId)) count += subscribers;
    }
    return count;
  }

  /** The event's view; null: it is not at hand. */
  peek(eventId: EventId): LiveView | null {
    const watch = this.#watches.get(eventId);
    if (watch === undefined || watch.view === null) return null;
    watch.lastUsedMs = Date.now();
    return watch.view;
  }

  /** Calls back with the event's view: at once when it is there. */
  read(eventId: EventId, callback: Waiter): void {
    const watch = this.#watchOf(eventId);
    if (watch === null) return callback({ kind: "refused", refusal: { code: "busy" } });
    watch.lastUsedMs = Date.now();
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
   * Publishes what happened since the last delta: a snapshot taken now joins the next one exactly.
   */
  sendUnsent(view: LiveView): void {
    this.#unsent.delete(view);
    const delta = view.takeDelta();
    if (delta !== null) this.#ports.publish(AvailabilityHub.topicOf(view.eventId), delta);
  }

  subscribed(eventId: EventId): void {
    const watch = this.#watches.get(eventId);
    if (watch !== undefined) watch.subscribers += 1;
  }

  unsubscribed(eventId: EventId): void {
    const watch = this.#watches.get(eventId);
    if (watch === undefined) return;
    watch.subscribers -= 1;
    watch.lastUsedMs = Date.now();
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
    this.#unsent.add(watch.view);
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
      subscribers: 0,
      lastUsedMs: Date.now(),
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
    if (watch.subscribers > 0) {
      this.#ports.publish(AvailabilityHub.topicOf(view.eventId), view.snapshot());
    }
    const { waiters } = watch;
    watch.waiters = [];
    for (const waiter of waiters) waiter(view);
  }

  /** Readers hear why; subscribers that wait for a refresh are served by another try. */
  #fail(eventId: EventId, watch: Watch, answer: Exclude<Answered, { kind: "view" }>): void {
    const { waiters } = watch;
    watch.waiters = [];
    if (watch.subscribers === 0) this.#watches.delete(eventId);
    else setTimeout(() => this.#ask(eventId, watch), RETRY_MS).unref();
    for (const waiter of waiters) waiter(answer);
  }

  #reset(eventId: EventId, watch: Watch): void {
    if (watch.view === null) {
      watch.stale = true;
      return;
    }
    this.sendUnsent(watch.view);
    watch.view = null;
    this.#ask(eventId, watch);
  }

  /** Until deltas may leave again; at most DELTA_CONFLATION_MS, whatever the clock does. */
  #pauseMs(): number {
    const pauseMs = this.#flushedMs + DELTA_CONFLATION_MS - Date.now();
    return Math.min(Math.max(pauseMs, 0), DELTA_CONFLATION_MS);
  }

  #flush(): void {
    this.#flushTimer = null;
    this.#flushedMs = Date.now();
    for (const view of this.#unsent) this.sendUnsent(view);
  }

  #letIdleGo(nowMs: number): void {
    for (const [eventId, watch] of this.#watches) {
      if (watch.view === null || watch.subscribers > 0) continue;
      if (nowMs - watch.lastUsedMs < WATCH_IDLE_MS) continue;
      this.#unsent.delete(watch.view);
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
