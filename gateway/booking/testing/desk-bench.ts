/** A desk before actors that a test answers for, or that are the engine's own. */
import assert from "node:assert/strict";
import type { InventoryDefinition } from "../../../engine/definition.ts";
import { itemIdOf } from "../../../engine/ids.ts";
import { ALICE, BOB, EVENT_ID, EventBench, TAG } from "../../../engine/testing/fixtures.ts";
import { lineOf, waitingOf } from "../../../workers/shard/queries.ts";
import type { Operation } from "../../../workers/shard-messages.ts";
import type { EventEntry } from "../../catalogue/event-directory.ts";
import type { Identity } from "../../identity/tokens.ts";
import type { Answered, Done } from "../../shard-router.ts";
import { BookingDesk } from "../booking-desk.ts";
import type { BookingDeskPorts, DeskRequest } from "../desk-core.ts";
import type { DeskResult, Settle } from "../desk-result.ts";
import type { PaymentsPort } from "../payments-port.ts";
import { eventEntry } from "./event-entry.ts";

export const SHARD = 5;

/** A node that takes no payments. */
const NO_PAYMENTS: PaymentsPort = {
  providers: [],
  begin: () => assert.fail("there is no payment provider"),
};
export const CUSTOMER: Identity = { userId: ALICE, role: "customer" };
export const OTHER: Identity = { userId: BOB, role: "customer" };
export const GUEST: Identity = { userId: BOB, role: "guest" };
export const ADMIN: Identity = { userId: BOB, role: "admin" };

/** Ports of a desk with one event and nothing behind it. */
export function deskPorts(changes: Partial<BookingDeskPorts> = {}): BookingDeskPorts {
  const event = eventEntry();
  const isKnown = (text: string): boolean => EVENT_ID.endsWith(text);
  return {
    router: {
      execute: () => undefined,
      shardOf: () => SHARD,
      refusesHolds: () => false,
      refusesAllHolds: () => false,
      whenProjected: async () => true,
    },
    directory: {
      peek: (eventId) => (isKnown(eventId) ? event : undefined),
      peekByTag: (tag) => (isKnown(tag) ? event : undefined),
      get: async (eventId) => (isKnown(eventId) ? event : null),
      getByTag: async (tag) => (isKnown(tag) ? event : null),
      forget: () => undefined,
    },
    recentWrites: { note: () => undefined },
    isOrganizer: async ({ role }) => role === "admin",
    isStaff: async ({ role }) => role === "admin",
    userIdOf: async () => BOB,
    payments: NO_PAYMENTS,
    ticketOf: async () => null,
    availabilityOf: async () => ({}),
    logError: (message) => assert.fail(message),
    nodeBits: 3,
    ...changes,
  };
}

interface DeskOptions {
  readonly event?: EventEntry | null;
  /** False: the event must be looked up. */
  readonly isAtHand?: boolean;
  readonly failure?: Error;
}

/** A desk with one event; `commands` has what reached the actor. */
export function deskWith({ event = eventEntry(), isAtHand = true, failure }: DeskOptions = {}) {
  const commands: { operation: Operation; done: Done }[] = [];
  const notes: unknown[][] = [];
  const errors: string[] = [];
  const find = async (): Promise<EventEntry | null> => {
    if (failure !== undefined) throw failure;
    return event;
  };
  const known = (isAtHand ? event : null) ?? undefined;
  const ports = deskPorts();
  const desk = new BookingDesk({
    ...ports,
    router: {
      ...ports.router,
      execute: (_eventId, operation, done) => commands.push({ operation, done }),
    },
    directory: {
      ...ports.directory,
      peek: (eventId) => (eventId === EVENT_ID ? known : undefined),
      peekByTag: (tag) => (tag === TAG ? known : undefined),
      get: (eventId) => (eventId === EVENT_ID ? find() : Promise.resolve(null)),
      getByTag: (tag) => (tag === TAG ? find() : Promise.resolve(null)),
    },
    recentWrites: { note: (...noted) => notes.push(noted) },
    logError: (message) => errors.push(message),
  });
  return { desk, commands, notes, errors };
}

/** Runs one request to its result, answering its command; a second result throws. */
export async function settle(
  { commands }: { readonly commands: readonly { readonly done: Done }[] },
  run: (settle: Settle) => void,
  answer?: Answered,
): Promise<DeskResult> {
  const results: DeskResult[] = [];
  run((result) => results.push(result));
  await new Promise((resolve) => setImmediate(resolve));
  if (answer !== undefined) commands[0]?.done(answer, 77);
  const [result, ...others] = results;
  assert.ok(result !== undefined && others.length === 0, `${results.length} results`);
  return result;
}

export const request = (body?: unknown, identity = CUSTOMER, idempotencyKey = ""): DeskRequest => ({
  identity,
  body,
  idempotencyKey,
});

export const codeOf = (result: DeskResult): string =>
  result.kind === "problem" ? result.code : String(result.status);

/** What the requester reads: a document, of which the tests know every member. */
export type Document = Record<string, unknown>;

/** A desk whose event is run by the engine itself; the seats and the floor are free. */
export class EngineDesk {
  readonly engine: EventBench;
  readonly desk: BookingDesk;
  readonly forgotten: unknown[] = [];
  readonly notes: unknown[][] = [];

  constructor(
    definition: Partial<InventoryDefinition> = {},
    ports: Partial<BookingDeskPorts> = {},
  ) {
    this.engine = new EventBench(definition);
    const base = deskPorts();
    this.desk = new BookingDesk({
      ...base,
      router: {
        ...base.router,
        execute: (_eventId, operation, done) => {
          const answer = this.#answer(operation);
          queueMicrotask(() => done(answer, this.engine.state.seq));
        },
      },
      directory: { ...base.directory, forget: (eventId) => this.forgotten.push(eventId) },
      recentWrites: { note: (...noted) => this.notes.push(noted) },
      ...ports,
    });
  }

  /** Runs one request to its result; a second result throws. */
  async ask(run: (desk: BookingDesk, settle: Settle) => void): Promise<DeskResult> {
    const results: DeskResult[] = [];
    run(this.desk, (result) => results.push(result));
    // Further questions to the actor may follow the first.
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const [result, ...others] = results;
    assert.ok(result !== undefined && others.length === 0, `${results.length} results`);
    return result;
  }

  /** As `ask`, for what must succeed: status and body. */
  async done(run: (desk: BookingDesk, settle: Settle) => void): Promise<[number, Document]> {
    const result = await this.ask(run);
    assert.ok(result.kind === "ok", JSON.stringify(result));
    const { status, body } = result;
    return [status, typeof body === "string" ? JSON.parse(body) : { ...body }];
  }

  /** As `ask`, for what must be refused: code and members, without the words for people. */
  async refused(run: (desk: BookingDesk, settle: Settle) => void): Promise<[string, Document]> {
    const result = await this.ask(run);
    assert.ok(result.kind === "problem", JSON.stringify(result));
    const { detail: _, ...members } = result.members;
    return [result.code, members];
  }

  /** Holds these seats (by index), and books them. */
  booked(places: readonly number[], userId = ALICE) {
    const holdId = this.engine.held(places, userId);
    const bookingId = this.engine.booked(holdId, userId);
    const record = this.engine.state.bookings.get(bookingId)?.record;
    assert.ok(record !== undefined);
    return { record, bookingId, ticketIds: places.map((_, n) => itemIdOf(holdId, n)) };
  }

  #answer(operation: Operation): Answered {
    const { state, nowMs } = this.engine;
    switch (operation.kind) {
      case "getHold": {
        const hold = state.holds.find(operation.holdId);
        const isTheirs = hold !== undefined && hold.userId === operation.userId;
        if (isTheirs) return { kind: "hold", hold };
        return { kind: "refused", refusal: { code: "hold_not_found" } };
      }
      case "getWaiting":
        return waitingOf(state, operation.userId);
      case "getWaitlist":
        return lineOf(state, operation, nowMs);
      case "watch":
      case "unwatch":
      case "inspect":
      case "audit":
        return { kind: "failed" };
      default: {
        const { reply } = this.engine.run(operation);
        // A bench keeps no outcomes.
        return reply.kind === "replay" ? { kind: "failed" } : reply;
      }
    }
  }
}
