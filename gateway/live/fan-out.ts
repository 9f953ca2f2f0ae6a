import type { EventId } from "../../engine/ids.ts";
import { SENDS_PER_TURN_MAX, SUBSCRIBERS_PER_GROUP_MAX } from "../../engine/limits.ts";
import type { LiveView } from "./live-view.ts";

/**
 * Some subscribers of an event, who hear everything in the same moment.
 *
 * Invariant: all of them have the state as of `seq`, and nothing later.
 */
export interface SubscriberGroup {
  /** What its sockets are subscribed to. */
  readonly topic: string;
  readonly audience: Audience;
  size: number;
  /** null: whatever they have, no delta follows it. */
  seq: number | null;
  isInLine: boolean;
}

/** The subscribers of one event. Invariant: no group is empty, or larger than it may be. */
export class Audience {
  readonly #eventId: EventId;
  readonly #viewNow: () => LiveView | null;
  #groups: SubscriberGroup[] = [];
  #groupsEver = 0;
  #size = 0;

  /** `viewNow`: null while there is none. */
  constructor(eventId: EventId, viewNow: () => LiveView | null) {
    this.#eventId = eventId;
    this.#viewNow = viewNow;
  }

  get size(): number {
    return this.#size;
  }

  get groups(): readonly SubscriberGroup[] {
    return this.#groups;
  }

  get view(): LiveView | null {
    return this.#viewNow();
  }

  /** One more subscriber. A new group has what was sent last. */
  join(): SubscriberGroup {
    const group =
      this.#groups.find(({ size }) => size < SUBSCRIBERS_PER_GROUP_MAX) ?? this.#newGroup();
    group.size += 1;
    this.#size += 1;
    return group;
  }

  leave(group: SubscriberGroup): void {
    group.size -= 1;
    this.#size -= 1;
    if (group.size === 0) this.#groups = this.#groups.filter((other) => other !== group);
  }

  /** The view is another one: its snapshot is what they need first. */
  beginAnew(): void {
    for (const group of this.#groups) group.seq = null;
  }

  #newGroup(): SubscriberGroup {
    this.#groupsEver += 1;
    const group: SubscriberGroup = {
      topic: `event:${this.#eventId}:${this.#groupsEver}`,
      audience: this,
      size: 0,
      seq: this.view?.sentSeq ?? null,
      isInLine: false,
    };
    this.#groups.push(group);
    return group;
  }
}

export interface FanOutPorts {
  /** Sends a text to all subscribers of a topic. */
  readonly publish: (topic: string, text: string) => void;
  /** Runs in a later turn of the event loop, behind what has come in by then. */
  readonly soon: (run: () => void) => void;
}

/**
 * Tells subscribers what they lack, some in each turn of the event loop.
 *
 * A send costs some 6 µs, so 10,000 in one go would keep every buyer of every event waiting for
 * 65 ms. Here whatever has come in meanwhile is served between two turns, and a group gets all that
 * happened until its turn comes, so those at the end of the line hear nothing that is old.
 *
 * Invariant: a group that lacks something that was cut is in line, or its event has no view, or the
 * hub is about to cut more of it.
 */
export class FanOut {
  readonly #ports: FanOutPorts;
  #line: SubscriberGroup[] = [];
  #isTurnSet = false;

  constructor(ports: FanOutPorts) {
    this.#ports = ports;
  }

  /** Who of them lacks something is in line from now on; who is already keeps the place. */
  tell({ groups, view }: Audience): void {
    if (view === null) return;
    for (const group of groups) {
      if (group.isInLine || group.seq === view.sentSeq) continue;
      group.isInLine = true;
      this.#line.push(group);
    }
    this.#setTurn();
  }

  /** The group has all that was sent of its event when this returns. */
  tellNow(group: SubscriberGroup): void {
    const { view } = group.audience;
    if (view === null || group.seq === view.sentSeq) return;
    for (const text of view.missedSince(group.seq)) this.#ports.publish(group.topic, text);
    group.seq = view.sentSeq;
  }

  #setTurn(): void {
    if (this.#isTurnSet || this.#line.length === 0) return;
    this.#isTurnSet = true;
    this.#ports.soon(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnSet = false;
    let [served, sends] = [0, 0];
    for (const group of this.#line) {
      if (sends > 0 && sends + group.size > SENDS_PER_TURN_MAX) break;
      served += 1;
      sends += group.size;
      group.isInLine = false;
      if (group.size > 0) this.tellNow(group);
    }
    this.#line.splice(0, served);
    this.#setTurn();
  }
}
