import Type from "typebox";
import type { JoinWaitlist } from "../../engine/commands/waitlist.ts";
import type { ActiveHold } from "../../engine/hold-book.ts";
import { type EventId, offerIdOf } from "../../engine/ids.ts";
import { CATEGORIES_PER_EVENT_MAX } from "../../engine/limits.ts";
import type { WaitlistEntry } from "../../engine/waitlist.ts";
import type { WaitingReport } from "../../workers/shard-messages.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import { decodeCursor, encodeCursor, type Page } from "../http/page.ts";
import { compileSchema, optional } from "../http/validation.ts";
import type { Identity } from "../identity/tokens.ts";
import { type DeskCore, type DeskRequest, Fault, unexpected } from "./desk-core.ts";
import { type DeskProblem, invalid, ok, onceMade, type Settle } from "./desk-result.ts";
import { Quantity, unknown } from "./hold-request.ts";
import { iso } from "./instant.ts";
import { holdView } from "./views.ts";

/** Body of POST /events/{id}/waitlist. */
export const JoinBody = Type.Object({
  quantity: Quantity,
  categories: optional(
    Type.Array(Type.String({ maxLength: 200 }), {
      minItems: 1,
      maxItems: CATEGORIES_PER_EVENT_MAX,
    }),
  ),
  priority: optional(Type.Integer({ minimum: 0, maximum: 100 })),
});
const checkJoin = compileSchema(JoinBody);

interface Joined {
  readonly status: number;
  readonly replayed: boolean;
}

/**
 * The waitlist. Where what somebody wants is free at once, the engine offers it in the same step:
 * then the answer to joining has the status `offered`, the position 0 and the hold.
 */
export class WaitlistDesk {
  readonly #core: DeskCore;

  constructor(core: DeskCore) {
    this.#core = core;
  }

  join(eventId: EventId | null, request: DeskRequest, settle: Settle): void {
    this.#core.atEvent(eventId, settle, (event) => {
      const body = checkJoin(request.body);
      if (!body.ok) return settle(invalid(body.errors));
      const { quantity } = body.value;
      const priority = body.value.priority ?? 0;
      const categories = indexesOf(event, body.value.categories ?? null);
      if (categories !== null && "kind" in categories) return settle(categories);
      const asked = ["waitlist", event.eventId, quantity, categories, priority];
      const key = this.#core.keyOf(request, asked);
      if (key instanceof Fault) return settle(key.problem);
      const { userId } = request.identity;
      const entryId = this.#core.minter.mintEntry(Date.now(), event.tag);
      const wish = { quantity, categories, priority };
      const command: JoinWaitlist = { kind: "joinWaitlist", entryId, userId, ...wish, key };
      this.#core.ask(event, command, settle, (_, answer) => {
        if (answer.kind === "hold") return ok(200, offeredView(event, answer.hold));
        if (answer.kind === "waiting") {
          return ok(200, waitingView(event, answer.entry, answer.position));
        }
        if (answer.kind !== "done" || answer.fact.kind !== "queued") return unexpected();
        const { fact, replayed } = answer;
        this.#tellPosition(event, fact.entry, { status: 201, replayed }, onceMade(settle));
        return null;
      });
    });
  }

  /**
   * A fact does not know the line: the actor is asked for the entry's place in it. Of a join that
   * is repeated another entry may be in line by now, which says nothing of this one.
   */
  #tellPosition(event: EventEntry, entry: WaitlistEntry, joined: Joined, settle: Settle): void {
    const { status, replayed } = joined;
    const { userId } = entry;
    this.#core.ask(
      event,
      { kind: "getWaiting", userId },
      (result) => {
        const isOver = result.kind === "problem" && result.code === "not_waiting";
        if (isOver) this.#tellOffer(event, entry, joined, settle);
        else settle(result);
      },
      (_, answer) => {
        if (answer.kind === "waiting" && answer.entry.entryId === entry.entryId) {
          return ok(status, waitingView(event, entry, answer.position), replayed);
        }
        this.#tellOffer(event, entry, joined, settle);
        return null;
      },
    );
  }

  #tellOffer(event: EventEntry, entry: WaitlistEntry, joined: Joined, settle: Settle): void {
    const { status, replayed } = joined;
    const { userId } = entry;
    const over = { ...waitingView(event, entry, 0), status: "over" };
    this.#core.ask(
      event,
      { kind: "getHold", holdId: offerIdOf(entry.entryId), userId },
      (result) => {
        const isGone = result.kind === "problem" && OFFER_ENDS.has(result.code);
        settle(isGone ? ok(status, over, replayed) : result);
      },
      (_, answer) => {
        if (answer.kind !== "hold") return unexpected();
        const offer = holdView(event, answer.hold);
        return ok(status, { ...over, status: "offered", offer }, replayed);
      },
    );
  }

  find(eventId: EventId | null, identity: Identity, settle: Settle): void {
    this.#core.atEvent(eventId, settle, (event) => {
      const { userId } = identity;
      this.#core.ask(event, { kind: "getWaiting", userId }, settle, (_, answer) => {
        if (answer.kind === "hold") return ok(200, offeredView(event, answer.hold));
        if (answer.kind !== "waiting") return unexpected();
        return ok(200, waitingView(event, answer.entry, answer.position));
      });
    });
  }

  /** Asked until there is nothing left to leave: one step takes an entry back, or an offer. */
  leave(eventId: EventId | null, { userId }: Identity, settle: Settle): void {
    this.#core.atEvent(eventId, settle, (event) => {
      const step = (tell: Settle): void =>
        this.#core.ask(event, { kind: "leaveWaitlist", userId }, tell, (_, answer) => {
          if (answer.kind === "unchanged") return ok(204, null);
          step(onceMade(settle));
          return null;
        });
      step(settle);
    });
  }

  /** The line with the reason why each waits, for the organiser; a cursor is a position in it. */
  list(eventId: EventId | null, identity: Identity, page: Page, settle: Settle): void {
    const { cursor, limit } = page;
    const [text = ""] = cursor === null ? ["0"] : decodeCursor(cursor);
    const from = /^\d{1,9}$/.test(text) ? Number(text) : null;
    if (from === null) {
      return settle(invalid([{ path: "cursor", message: "must be a nextCursor of this list" }]));
    }
    this.#core.atEvent(eventId, settle, (event) => {
      this.#core.asOrganizer(event, identity, settle, () => {
        this.#core.ask(event, { kind: "getWaitlist", from, limit }, settle, (_, answer) => {
          if (answer.kind !== "waitlist") return unexpected();
          const { line, count, seq } = answer;
          const data = line.map((waiting, n) => reportView(event, waiting, from + n + 1));
          const end = from + limit;
          const nextCursor = end < count ? encodeCursor([String(end)]) : null;
          return ok(200, { data, nextCursor, count, seq });
        });
      });
    });
  }
}

/** What becomes of an offer that nobody can have any more. */
const OFFER_ENDS: ReadonlySet<string> = new Set([
  "hold_not_found",
  "hold_expired",
  "hold_released",
  "hold_booked",
  "event_cancelled",
]);

function indexesOf(
  event: EventEntry,
  keys: readonly string[] | null,
): readonly number[] | null | DeskProblem {
  if (keys === null) return null;
  const strange = keys.filter((key) => !event.categoryIndexByKey.has(key));
  if (strange.length > 0) return unknown("unknown_category", "categories", strange);
  const indexes = keys.map((key) => event.categoryIndexByKey.get(key) ?? 0);
  return [...new Set(indexes)].sort((a, b) => a - b);
}

function waitingView(event: EventEntry, entry: WaitlistEntry, position: number): object {
  const { entryId, quantity, categories, priority, seq, atMs } = entry;
  return {
    id: entryId,
    eventId: event.eventId,
    position,
    quantity,
    categories: categories?.map((category) => event.categoryKeys[category]) ?? null,
    priority,
    status: "waiting",
    joinedAt: iso(atMs),
    seq,
  };
}

/** What is left of an entry that was offered places: the hold has taken its place. */
function offeredView(event: EventEntry, hold: ActiveHold): object {
  const { terms, items, seq } = hold;
  const { eventId } = event;
  const offer = holdView(event, hold);
  const [position, quantity] = [0, items.length];
  return { id: terms?.entryId, eventId, position, quantity, status: "offered", offer, seq };
}

function reportView(event: EventEntry, waiting: WaitingReport, position: number): object {
  const { entry, skips, reason } = waiting;
  return { ...waitingView(event, entry, position), userId: entry.userId, skips, reason };
}
